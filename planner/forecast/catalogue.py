"""All forecast models by name."""

from __future__ import annotations

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
