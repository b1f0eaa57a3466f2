"""How steady a plan is: what stays of it where the risk is drawn anew and the weights are a little other.

In each draw the own rate of every segment is multiplied by a gamma factor of mean 1 about its expectation, as in the
outlook: risk and repairs of all years grow or fall with it, methane does not. The weights of the parts are multiplied
by log-normal factors of spread `WEIGHT_SPREAD`. The plan is solved again from itself, for the same days of the law;
another plan counts where it is worth more than this one in that draw by more than the gap that was accepted: less may
as well be the search.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.benefits import PARTS, Worth
from planner.candidates import Candidates, Priced
from planner.choice import Effort, Programme
from planner.conditions import NONE
from planner.factors import Floats
from planner.forecast.outlook import posterior_draws
from planner.members import Rows
from planner.policy import Policy
from planner.solve.keep import plan_value
from planner.solve.solve import solve

# constants of the method: the spread of ln of a weight, and what counts as the stable core
WEIGHT_SPREAD: Final = 0.1
CORE_SHARE: Final = 0.8
# a draw is one of many: it need not be searched to the end
_NODE_LIMIT: Final = 20
_WEIGHT_STREAM: Final = 1
_METRES_PER_KM: Final = 1000.0


@dataclass(frozen=True)
class Draws:
    """What is drawn: a factor by segment (in the order of ids) and draw, and the weights of each draw."""

    factors: Floats
    worths: tuple[Worth, ...]

    @classmethod
    def of(cls, scores: pd.DataFrame, worth: Worth, policy: Policy, count: int, seed: int) -> Draws:
        """Draw for scores in the order of ids: equal seeds and scores give equal draws."""
        own = policy.weights.likelihood.history.strengths.own.value
        shape = own + scores["leak_count"].to_numpy(dtype="float64")
        rng = np.random.default_rng([seed, _WEIGHT_STREAM, count])
        spread = np.exp(rng.normal(0.0, WEIGHT_SPREAD, (count, len(PARTS))))
        stated = np.array([asdict(worth)[part] for part in PARTS])
        worths = tuple(Worth(*(stated * row).tolist()) for row in spread)
        return cls(posterior_draws(shape, count, seed), worths)


@dataclass(frozen=True)
class Stability:
    """By segment the share of draws in which it keeps its year, and in which it stays in the plan; and their number.

    Both are 0 for a segment that the plan leaves out.
    """

    same_share: Floats
    kept_share: Floats
    draw_count: int


def find_stability(
    priced: Priced, candidates: Candidates, programme: Programme, draws: Draws, effort: Effort
) -> Stability:
    """Solve the plan again in each draw, and count what stays.

    Misleads where the risk of all pipes is wrong in the same way: draws are of each by itself. What the law asks for
    keeps its latest year in every draw, so that it seems steadier than its risk is.
    """
    year = _segment_years(candidates, programme.year)
    same, kept = np.zeros(len(year)), np.zeros(len(year))
    count = draws.factors.shape[1]
    for draw in range(count):
        value = _drawn_value(priced, candidates, draws.factors[:, draw], draws.worths[draw])
        again = _segment_years(candidates, _solved_again(programme, value, effort))
        same += (again == year) & (year != NONE)
        kept += (again != NONE) & (year != NONE)
    return Stability(same / max(count, 1), kept / max(count, 1), count)


def _drawn_value(priced: Priced, candidates: Candidates, factor: Floats, worth: Worth) -> Floats:
    parts = priced.benefits.parts
    by_rate = worth.risk * parts["risk"] + worth.repair_cny * parts["repair_cny"]
    return candidates.members.sums(by_rate * factor[:, None] + worth.methane_t * parts["methane_t"])


def _solved_again(programme: Programme, value: Floats, effort: Effort) -> Rows:
    """Return the years of a plan that is better in a draw, else those of the plan."""
    model = replace(programme.model, value=value)
    before = plan_value(model, programme.year)
    gap = max(effort.gap_share, programme.solution.gap_share)
    found = solve(
        model,
        seed=effort.seed,
        gap_share=gap,
        node_limit=min(effort.node_limit, _NODE_LIMIT),
        time_limit_s=effort.time_limit_s,
        starts=(programme.year,),
    )
    is_better = found.objective - before > gap * max(abs(found.objective), abs(before))
    return found.year if is_better else programme.year


def _segment_years(candidates: Candidates, year: Rows) -> Rows:
    members = candidates.members
    done = np.full(members.segment_count, NONE, dtype=np.int64)
    np.maximum.at(done, members.row, year[members.batch])
    return done


def with_stability(
    batches: pd.DataFrame, batch_segments: pd.DataFrame, length_m: Floats, found: Stability
) -> pd.DataFrame:
    """Return the batches with `stable_share` and `kept_share`: means over the metres of their segments.

    `length_m` and `found` are in the order of `batch_segments`.
    """
    weighted = pd.DataFrame(
        {"m": length_m, "stable_share": found.same_share * length_m, "kept_share": found.kept_share * length_m},
    )
    sums = weighted.groupby(batch_segments["batch_id"].to_numpy()).sum().reindex(batches.index)
    is_placed = batches["year"].notna()
    shares = {name: (sums[name] / sums["m"]).clip(0.0, 1.0).where(is_placed) for name in ("stable_share", "kept_share")}
    return batches.assign(**shares)


def summarise_stability(batches: pd.DataFrame, draw_count: int) -> dict[str, Any]:
    """Return how much of the plan is its stable core: batches whose segments keep their year in most draws."""
    placed = batches[batches["year"].notna()]
    is_core = placed["stable_share"] >= CORE_SHARE
    metres = float(placed["length_m"].sum())

    def mean(column: str) -> float:
        return float((placed[column] * placed["length_m"]).sum() / metres) if metres else 0.0

    return {
        "draw_count": draw_count,
        "core_share": CORE_SHARE,
        "core_batch_count": int(is_core.sum()),
        "batch_count": len(placed),
        "core_km": float(placed["length_m"][is_core].sum() / _METRES_PER_KM),
        "km": metres / _METRES_PER_KM,
        "same_year_share": mean("stable_share"),
        "kept_share": mean("kept_share"),
    }
