"""Reasons of a saved plan checked: its problem solved again with the segment forced into the plan, or out of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from planner.choice import Duties
from planner.conditions import NONE
from planner.factors import Flags
from planner.members import Rows
from planner.plan import Problem
from planner.pool import batch_ids
from planner.solve.keep import broken_rules, plan_value
from planner.solve.model import Model
from planner.solve.solve import solve
from registry.errors import PlanningError

# reasons that say that no plan could hold the segment, as things are
NO_PLAN: Final = ("closed", "oversized", "mandatory_first", "duty_first", "locked_out", "duty_left")
_PRICED: Final = ("dear", "street", "elsewhere")
_ROUNDING: Final = 1e-6


@dataclass(frozen=True)
class Choice:
    """A saved plan as a choice of years among the batches that were offered, and the model that it is the answer to."""

    problem: Problem
    model: Model
    duties: Duties
    year: Rows


@dataclass(frozen=True)
class Checked:
    """What came of forcing a segment.

    `cost` is by how much the plan would remove less, by the plan that was found with the segment forced; no such plan
    costs less than `least_cost`. Both are missing where none was found. `year` is that of the segment in it. Where
    `is_undecided`, the search ended without a plan and without a proof that there is none.
    """

    segment_id: str
    reason: str
    is_forced_in: bool
    is_possible: bool
    is_undecided: bool
    cost: float
    least_cost: float
    year: int | None
    agrees: bool


def saved_choice(problem: Problem, batch_segments: pd.DataFrame, *, only_mandatory: Flags) -> Choice:
    """Find the batches of a saved plan among those that its problem offers.

    `only_mandatory` tells by year whether the plan let in nothing but mandatory work.

    Raises
    ------
    PlanningError
        If a batch of the plan is not offered, or the plan breaks a rule of the problem: it was changed by hand, or is
        no more what the census and the policy of its time give.
    """
    members = problem.candidates.members
    names = problem.segments.index.to_numpy(dtype=object)
    pieces = np.split(names[members.row], np.flatnonzero(np.diff(members.batch)) + 1)
    offered = pd.Index(batch_ids([piece.tolist() for piece in pieces]))
    placed = batch_segments[batch_segments["year"].notna()].drop_duplicates("batch_id")
    at = offered.get_indexer(pd.Index(placed["batch_id"]))
    if (at < 0).any():
        raise PlanningError("plan_recheck_unfit", batch=str(placed["batch_id"].iloc[int(np.argmin(at))]))
    year = np.full(len(offered), NONE, dtype=np.int64)
    year[at] = placed["year"].to_numpy(dtype=np.int64) - problem.limits.years.start
    model, duties = problem.model()
    model = _as_decided(model, duties, year, only_mandatory=only_mandatory)
    broken = broken_rules(model, year)
    if broken:
        raise PlanningError("plan_recheck_unfit", batch=", ".join(broken))
    return Choice(problem, model, duties, year)


def _as_decided(model: Model, duties: Duties, year: Rows, *, only_mandatory: Flags) -> Model:
    """Keep what the law asks for as the plan does it, and the years that were kept for mandatory work."""
    packing = model.packing
    done = model.packing.done(year)
    is_asked = duties.deadline != NONE
    kept = np.where(done == NONE, NONE, np.maximum(done, duties.deadline))
    deadline = np.where(is_asked, kept, packing.deadline)
    holds = np.zeros(model.shape[0], dtype=bool)
    let_in = (is_asked & (duties.severity == 0)) | (packing.deadline != NONE)
    np.logical_or.at(holds, packing.batch, let_in[packing.item])
    holds |= model.batches_before(holds)
    is_open = model.is_open & (~only_mandatory | holds[:, None])
    return replace(model, is_open=is_open, packing=replace(packing, deadline=deadline))


def check_reason(choice: Choice, segment_id: str, reason: str, loss: float, gap_share: float) -> Checked:
    """Solve the problem of a plan again with a segment forced in, or out where the plan holds it.

    What the law asks for keeps its days. A reason agrees where the new plan is as it says: `closed`, `oversized`,
    `mandatory_first`, `duty_first`, `locked_out` and `duty_left` where there is proven to be no plan; one with a price
    where there is a plan and forcing loses at least `loss`; all others where the new plan is worth no more than the old
    one by more than the gap of the old one (`gap_share`), and what is due by law where the law asks for it by that day.
    With a search that decided nothing none but the latter agrees.

    Raises
    ------
    PlanningError
        If the segment is no candidate of the plan.
    """
    row = int(choice.problem.segments.index.get_indexer(pd.Index([segment_id]))[0])
    if row < 0:
        raise PlanningError("plan_recheck_no_candidate", segment=segment_id)
    item = int(choice.duties.item_of_segment[row])
    done = NONE if item == NONE else int(choice.model.packing.done(choice.year)[item])
    if item == NONE:
        return _told(choice, segment_id, reason, loss, gap_share, _Forced(done))
    effort = choice.problem.bearing.effort
    model = _without(choice.model, item) if done != NONE else _with(choice.model, item)
    found = solve(model, seed=effort.seed, gap_share=effort.gap_share, node_limit=effort.node_limit)
    if not np.isfinite(found.objective):
        forced = _Forced(done, is_undecided=found.status != "infeasible")
        return _told(choice, segment_id, reason, loss, gap_share, forced)
    before = plan_value(choice.model, choice.year)
    year = int(choice.model.packing.done(found.year)[item])
    forced = _Forced(done, is_possible=True, cost=before - found.objective, least=before - found.bound, year=year)
    return _told(choice, segment_id, reason, loss, gap_share, forced)


@dataclass(frozen=True)
class _Forced:
    """The year of a segment in the saved plan, and what came of forcing it the other way."""

    done: int
    is_possible: bool = False
    is_undecided: bool = False
    cost: float = float("nan")
    least: float = float("nan")
    year: int = NONE


def _with(model: Model, item: int) -> Model:
    deadline = model.packing.deadline.copy()
    deadline[item] = model.shape[1] - 1
    return replace(model, packing=replace(model.packing, deadline=deadline))


def _without(model: Model, item: int) -> Model:
    """Close every batch that holds the item; what else is due in these keeps its day."""
    holders = model.packing.batch[model.packing.item == item]
    is_open, deadline = model.is_open.copy(), model.packing.deadline.copy()
    is_open[holders] = False
    deadline[item] = NONE
    return replace(model, is_open=is_open, packing=replace(model.packing, deadline=deadline))


def _told(choice: Choice, segment_id: str, reason: str, loss: float, gap_share: float, forced: _Forced) -> Checked:
    value = plan_value(choice.model, choice.year)
    # what the plan may lie below the best is not held against a reason
    slack = gap_share * max(abs(value), 1.0) / max(1.0 - gap_share, _ROUNDING) + _ROUNDING
    is_proven_out = not forced.is_possible and not forced.is_undecided
    if reason in NO_PLAN:
        agrees = is_proven_out
    elif reason in _PRICED:
        agrees = forced.cost >= (0.0 if np.isnan(loss) else loss) - max(_ROUNDING * abs(value), _ROUNDING)
    else:
        agrees = is_proven_out or forced.cost >= -slack
    if reason in {"duty", "duty_late"}:
        item = int(choice.duties.item_of_segment[choice.problem.segments.index.get_loc(segment_id)])
        asked = int(choice.duties.deadline[item])
        agrees = asked != NONE and (forced.done > asked) == (reason == "duty_late")
    first = choice.problem.limits.years.start
    return Checked(
        segment_id,
        reason,
        forced.done == NONE,
        forced.is_possible,
        forced.is_undecided,
        float(forced.cost),
        float(forced.least),
        None if forced.year == NONE else forced.year + first,
        bool(agrees),
    )
