"""Why a segment has its risk: every contribution against the network of its medium, in figures.

The score is a sum of logarithms. A contribution is measured against the mean of the same term over the network of the
medium, by length; the differences add up to the logarithm of the risk less its mean over that network. In an additive
model these are also the Shapley values of the terms, so that no other fair split exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Floats
from registry.errors import NotFoundError
from registry.fields import check_frame, columns_of

TERMS: Final = tuple(column for column in columns_of("scores") if column.startswith("ln_"))
# what people would call one and the same cause, from the terms that hold a part of it
CAUSES: Final = {
    "network": ("ln_likelihood_base", "ln_likelihood_level"),
    "pipe": ("ln_likelihood_material", "ln_likelihood_decade", "ln_likelihood_cohort", "ln_likelihood_vintage"),
    "age": ("ln_likelihood_age",),
    "protection": ("ln_likelihood_protection",),
    "diameter": ("ln_likelihood_diameter", "ln_likelihood_diameter_band"),
    "pressure": ("ln_likelihood_pressure", "ln_consequence_pressure"),
    "soil": ("ln_likelihood_soil",),
    "stray_current": ("ln_likelihood_stray_current",),
    "cover": ("ln_likelihood_cover",),
    "traffic": ("ln_likelihood_traffic",),
    "joint": ("ln_likelihood_joint",),
    "gaps": ("ln_likelihood_gaps",),
    "street": ("ln_likelihood_street",),
    "history": ("ln_likelihood_history",),
    "learned_model": ("ln_likelihood_learned_model",),
    "building": ("ln_consequence_building",),
    "surface": ("ln_consequence_surface",),
    "void": ("ln_consequence_void",),
    "occupancy": ("ln_consequence_occupancy",),
    "evacuation": ("ln_consequence_evacuation",),
    "household": ("ln_consequence_household",),
}
CAUSE_OF: Final = {term: cause for cause, terms in CAUSES.items() for term in terms}
# below this a contribution is the rounding of sums
_ROUNDING: Final = 1e-12


def term_differences(scores: pd.DataFrame, medium: pd.Series) -> pd.DataFrame:
    """Return every term of every segment less the mean of the term over the network of its medium.

    Natural logarithms, one column per term, index as `scores`; a row adds up to the logarithm of the risk less the mean
    of that logarithm, by length, over the medium. Where no segment of a medium has a length, each counts alike.

    Misleads where the registry holds a part of a network only: the mean is that of what it holds.

    Parameters
    ----------
    medium
        The medium of each segment, index as `scores`.
    """
    values = scores[list(TERMS)].to_numpy(dtype="float64")
    code, names = pd.factorize(medium.reindex(scores.index).fillna("unknown"))
    length_m = scores["length_m"].to_numpy(dtype="float64")
    total_m = np.bincount(code, weights=length_m, minlength=len(names))
    weight = np.where(total_m[code] > 0, length_m, 1.0)
    total = np.bincount(code, weights=weight, minlength=len(names))
    means = np.array([np.bincount(code, weights=weight * term, minlength=len(names)) / total for term in values.T])
    differences = values - means.T[code]
    differences[np.abs(differences) < _ROUNDING] = 0.0
    return pd.DataFrame(differences, scores.index, list(TERMS))


def cause_differences(differences: pd.DataFrame) -> pd.DataFrame:
    """Add the terms up to causes: one column per cause of `CAUSES`, the same row sums."""
    return pd.DataFrame({cause: differences[list(terms)].sum(axis=1) for cause, terms in CAUSES.items()})


def explain_scores(scores: pd.DataFrame, medium: pd.Series, segment_ids: Sequence[str]) -> pd.DataFrame:
    """List every contribution to the risk of the segments asked for: the frame `explanations`, by segment and term.

    `ln` is the difference of `term_differences` and `multiplier` its exponential; `points` is the share that it has of
    all differences of the segment, out of 100, below 0 where it lowers the risk. `rank` 1 is the greatest either way.

    Raises
    ------
    FrameError
        If the scores do not keep their contract.
    NotFoundError
        If a segment has no score.
    """
    check_frame(scores, "scores")
    chosen = scores_of(scores, segment_ids)
    ln = term_differences(scores, medium).loc[chosen.index].to_numpy()
    whole = np.abs(ln).sum(axis=1, keepdims=True)
    points = 100.0 * np.divide(ln, whole, out=np.zeros_like(ln), where=whole > 0)
    frame = pd.DataFrame(
        {
            "segment_id": np.repeat(chosen.index.to_numpy(dtype=object), len(TERMS)),
            "term": np.tile(np.array([term.removeprefix("ln_") for term in TERMS], dtype=object), len(chosen)),
            "cause": np.tile(np.array([CAUSE_OF[term] for term in TERMS], dtype=object), len(chosen)),
            "ln": ln.ravel(),
            "multiplier": np.exp(ln).ravel(),
            "points": points.ravel(),
        }
    ).astype({"segment_id": "str", "term": "str", "cause": "str"})
    frame["rank"] = pd.array(_ranks(ln).ravel(), dtype="Int64")
    return frame[columns_of("explanations")]


def scores_of(scores: pd.DataFrame, segment_ids: Sequence[str]) -> pd.DataFrame:
    """Return the scores of some segments in the order asked for, each once.

    Raises
    ------
    NotFoundError
        If one of them has none.
    """
    asked = pd.Index(dict.fromkeys(segment_ids), dtype="str", name="segment_id")
    absent = asked[~asked.isin(scores.index)]
    if len(absent):
        raise NotFoundError("explain_no_score", segments=", ".join(absent))
    return scores.loc[asked]


def cohort_standing(scores: pd.DataFrame, cohort: pd.Series, segment_ids: Sequence[str]) -> pd.DataFrame:
    """Tell where segments stand among their kind: count, rank by risk per km (1 the highest), multiple of the median.

    Equal risks share the better rank.

    Parameters
    ----------
    cohort
        The cohort of each segment, index as `scores`.
    """
    risk = scores["risk_per_km_year"]
    groups = risk.groupby(cohort.reindex(scores.index).to_numpy())
    standing = pd.DataFrame(
        {
            "cohort_count": groups.transform("size"),
            "cohort_rank": groups.rank(method="min", ascending=False).astype("int64"),
            "cohort_multiple": risk / groups.transform("median"),
        }
    )
    return standing.loc[pd.Index(segment_ids)]


def _ranks(ln: Floats) -> NDArray[np.int64]:
    """Rank each row by size, greatest first; equal ones in the order of the terms."""
    order = np.argsort(-np.abs(ln), axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, ln.shape[1] + 1)[None, :], axis=1)
    return ranks.astype(np.int64)
