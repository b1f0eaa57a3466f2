"""All forecast models by name."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

from planner.forecast.boosting import Boosting
from planner.forecast.default import DefaultModel
from planner.forecast.gamma import OwnHistory
from planner.forecast.glm import NegativeBinomialGlm, PoissonGlm
from planner.forecast.leyp import Leyp
from planner.forecast.models import ForecastModel
from planner.forecast.peers import Age, Chance, PriorCount
from planner.forecast.rate_tables import RateTable
from planner.forecast.survival import Survival
from planner.policy import Policy, read_policy
from planner.score import DEFAULT_MODEL

# what the others are held against; they give an order and no usable number of leaks, so they can never ship
RANKINGS: Final = ("age", "random", "prior_count")
# the library of the extra `models` that a model cannot do without
_LIBRARIES: Final = {"survival": "lifelines", "boosting": "sklearn"}


def can_run(name: str) -> bool:
    """Say whether the library that a model needs is installed."""
    return name not in _LIBRARIES or find_spec(_LIBRARIES[name]) is not None


def learned_models(policy: Policy | None = None) -> list[str]:
    """Return the names of the models that learn from the record and may replace the default where the gate opens."""
    return [name for name in forecast_models(policy) if name != DEFAULT_MODEL and name not in RANKINGS]


def forecast_models(policy: Policy | None = None) -> dict[str, ForecastModel]:
    """Return every model by its name, always in this order: the default, the learned ones, the plain rankings.

    The default takes its tables from the weights of the policy. Making a model loads nothing; those that need a
    library of the extra `models` say so when they are fitted.
    """
    chosen = policy or read_policy()
    models: list[ForecastModel] = [
        DefaultModel(chosen.weights),
        RateTable(),
        RateTable("rate_table_history", has_history=True),
        PoissonGlm(),
        NegativeBinomialGlm(),
        PoissonGlm("glm_with_history", has_history=True),
        OwnHistory("glm_eb", PoissonGlm("glm_eb")),
        Leyp(),
        Survival(),
        Boosting(),
        Age(),
        Chance(),
        PriorCount(),
    ]
    return {model.name: model for model in models}
