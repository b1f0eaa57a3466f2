"""The rate of a learned model in the place of the default's: one contribution more, and all that follows from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.factors import added_up
from planner.likelihood import DECIMALS, LIKELIHOOD_TERMS
from planner.policy import Policy
from planner.score import DEFAULT_MODEL, with_incidents
from registry.fields import columns_of


@dataclass(frozen=True)
class Learned:
    """What a learned model says of each segment, as the natural logarithm of its rate over that of the default.

    Parameters
    ----------
    ln_ratio
        By segment; missing where the model has no rate: the default keeps its place there.
    ranks
        Whether its rate is the likelihood; otherwise it is only stored beside.
    """

    model: str
    ln_ratio: pd.Series
    ranks: bool = True

    @classmethod
    def of_rates(cls, model: str, rates: pd.Series, scores: pd.DataFrame, *, ranks: bool) -> Learned:
        """Compare rates (leaks per kilometre and year by segment) with those of the default in the frame `scores`."""
        share = rates.reindex(scores.index) / scores["default_per_km_year"]
        return cls(model, pd.Series(np.log(share.to_numpy(dtype="float64")), scores.index), ranks)

    @classmethod
    def of_scores(cls, scores: pd.DataFrame) -> Learned | None:
        """Return the learned model that ranks in scores; none where the default does."""
        is_learned = scores["ranking_model"] != DEFAULT_MODEL
        if not is_learned.any():
            return None
        model = str(scores.loc[is_learned, "ranking_model"].iloc[0])
        return cls(model, scores["ln_likelihood_learned_model"].where(is_learned))

    def apply(self, scores: pd.DataFrame, medium: pd.Series, policy: Policy) -> pd.DataFrame:
        """Return scores of the default with the rate of this model stored and, if it ranks, as their likelihood.

        The contribution `learned_model` is the logarithm of its rate over the default's, so that the contributions add
        up as before; risk, incidents, grade and matrix follow. The spread over the install interval is taken to be the
        same share of the rate as in the default.

        Parameters
        ----------
        scores
            The frame `scores` as the default makes it.
        medium
            The medium of each segment, index as `scores`.
        """
        ratio = np.round(self.ln_ratio.reindex(scores.index).to_numpy(dtype="float64"), DECIMALS)
        default = scores["default_per_km_year"].to_numpy(dtype="float64")
        stored = scores.assign(learned_per_km_year=default * np.exp(ratio))
        if not self.ranks:
            return stored
        has_rate = ~np.isnan(ratio)
        stored = stored.assign(ln_likelihood_learned_model=np.where(has_rate, ratio, 0.0))
        terms = (stored[f"ln_likelihood_{term}"].to_numpy(dtype="float64") for term in LIKELIHOOD_TERMS)
        likelihood = np.exp(added_up(terms, len(stored)))
        risk = likelihood * stored["consequence_index"].to_numpy(dtype="float64")
        ranked = stored.assign(
            likelihood_per_km_year=likelihood,
            likelihood_sd_per_km_year=stored["likelihood_sd_per_km_year"] * (likelihood / default),
            risk_per_km_year=risk,
            risk_per_year=risk * stored["length_m"].to_numpy(dtype="float64") / 1000.0,
            ranking_model=pd.Series(np.where(has_rate, self.model, DEFAULT_MODEL), stored.index, dtype="str"),
        )
        return with_incidents(ranked, medium, policy)[columns_of("scores")]
