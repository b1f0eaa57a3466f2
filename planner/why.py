"""Why a segment is renewed in its year, or not at all: reasons and figures for every candidate of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.candidates import Candidates
from planner.choice import Programme, fits_caps
from planner.conditions import NONE
from planner.factors import Flags, Floats
from planner.members import Rows
from planner.solve.moves import has_room
from planner.solve.prices import Prices
from registry.fields import columns_of

_CNY_PER_MILLION: Final = 1e6
# what is worth less than this share of the plan is rounding
_NOUGHT_SHARE: Final = 1e-7
# the law asks for it, and it is left out
_LEFT: Final = "duty_left"
# reasons outside the plan that speak of the law or of the order, not of a price
_UNPRICED: Final = ("duty_first", "after", _LEFT)


@dataclass(frozen=True)
class _Best:
    """For each segment the batch that comes nearest to a place in the plan, its best year, and whether there is any."""

    batch: Rows
    year: Rows
    is_there: Flags


def plan_reasons(segment_ids: pd.Index, candidates: Candidates, programme: Programme, years: range) -> pd.DataFrame:
    """Return why each candidate segment has its year or none.

    A segment in the plan has the reason `duty` (the law asks for it by its day), `duty_late` (the law asks for it,
    earlier than the plan can), `along` (it would not pay, but it lies in one batch with work that the law asks for),
    `floor` (it would not pay, but for the least amount that was asked of the plan),
    `joint` (without the project on site in its year it would not pay in that year), or `worth` (it removes more for its
    money than the last money of its year elsewhere), or `fills` (it removes less than that, and for what it costs no
    better use was found in its year). One outside has `duty_left` (the law asks for it: `planner.late`
    tells what stood in the way), `closed` (bans or decisions leave no year), `oversized` (no year holds its smallest
    batch), `mandatory_first` (nothing but mandatory work was let into its years), `duty_first` (no batch with it keeps
    all limits in any year beside the work that the law asks for, as the plan has that work), `dear` (at the prices of
    the money it removes too little for its cost in its best year), `street` (its street is opened in another year),
    `after` (it waits for others that the plan leaves out), `elsewhere` (its neighbours are worth more in other
    batches, and what is left of it pays too little), or `no_room` (it is worth its price, and no year has room left).

    The other reasons outside go by the prices of the proven bound: `loss` is what the plan would lose, by that bound
    and at least, if the segment were forced into it; `planner.recheck` solves again to tell the true loss.

    Misleads where the gap of the plan is wide: prices are those of the bound, not of the plan.

    Returns
    -------
    The frame `plan_reasons`; `worth_per_million` is what the batch removes per million yuan, `price_per_million` what a
    million yuan more would remove in its year. Both are missing where the search was stopped before it had prices.
    """
    prices, year = programme.solution.prices, programme.year
    members = candidates.members
    placed = _placed(candidates, year)
    best = _best(candidates, programme, prices)
    batch = np.where(placed != NONE, placed, best.batch)
    at = np.where(placed != NONE, year[placed], best.year)
    reason = np.where(placed != NONE, _inside(candidates, programme, placed), _outside(candidates, programme, best))
    value, cost = candidates.value[batch, at], candidates.cost_cny[batch, at]
    has_one = (placed != NONE) | best.is_there
    frame = pd.DataFrame(index=segment_ids.rename("segment_id"))
    frame["reason"] = pd.Series(reason, frame.index, dtype="str")
    frame["year"] = _calendar(np.where(placed != NONE, at, NONE), years, frame.index)
    frame["best_year"] = _calendar(np.where(has_one, at, NONE), years, frame.index)
    frame["value"] = np.where(has_one, value, np.nan)
    frame["cost_cny"] = np.where(has_one, cost, np.nan)
    per_million = np.divide(value, cost, out=np.full(len(value), np.nan), where=cost > 0) * _CNY_PER_MILLION
    frame["worth_per_million"] = np.where(has_one, per_million, np.nan)
    nothing = np.full(members.segment_count, np.nan)
    frame["price_per_million"] = nothing
    frame["loss"] = nothing
    if prices is not None:
        frame["price_per_million"] = np.where(has_one, prices.budget[at] * _CNY_PER_MILLION, np.nan)
        # the plan in hand may lie below the bound of the prices: so much of the loss is none
        slack = prices.bound - programme.solution.objective
        loss = np.maximum(-prices.reduced[batch, at] - max(slack, 0.0), 0.0)
        # what the law asks for was not left out for its price
        has_price = (placed == NONE) & best.is_there & ~np.isin(reason, _UNPRICED)
        frame["loss"] = np.where(has_price, loss, np.nan)
    return frame[columns_of("plan_reasons")]


def _calendar(place: Rows, years: range, index: pd.Index) -> pd.Series:
    return pd.Series(place + years.start, index, dtype="Int64").where(pd.Series(place != NONE, index))


def _placed(candidates: Candidates, year: Rows) -> Rows:
    """Return the placed batch of each segment, -1 for none."""
    members = candidates.members
    is_placed = year[members.batch] != NONE
    batch = np.full(members.segment_count, NONE, dtype=np.int64)
    batch[members.row[is_placed]] = members.batch[is_placed]
    return batch


def _best(candidates: Candidates, programme: Programme, prices: Prices | None) -> _Best:
    """Find the choice that loses least by the bound; without prices the one that removes most for its money."""
    members, reachable = candidates.members, programme.model.reachable()
    usual = np.divide(candidates.value, np.maximum(candidates.cost_cny, 1.0))
    rank = usual if prices is None else prices.reduced
    rank = np.where(reachable, rank, -np.inf)
    year = np.argmax(rank, axis=1).astype(np.int64)
    top = rank[np.arange(len(rank)), year]
    # the last of the rows of a segment is its best: highest rank, then the first batch by id
    order = np.lexsort((-members.batch, top[members.batch], members.row))
    batch = np.zeros(members.segment_count, dtype=np.int64)
    batch[members.row[order]] = members.batch[order]
    return _Best(batch, year[batch], np.isfinite(top[batch]))


def _asked(programme: Programme) -> Rows:
    """Return the year by which the law asks for each segment, -1 for none."""
    item, deadline = programme.duties.item_of_segment, programme.duties.deadline
    return np.where(item == NONE, NONE, deadline[item])


def _inside(candidates: Candidates, programme: Programme, placed: Rows) -> NDArray[np.object_]:
    model, prices = programme.model, programme.solution.prices
    asked = _asked(programme)
    at = np.where(placed == NONE, 0, programme.year[placed])
    is_late = (asked != NONE) & (at > asked)
    reason = np.where(asked != NONE, np.where(is_late, "duty_late", "duty"), "worth").astype(object)
    saving = candidates.saving_cny[placed, at]
    has_saving = (asked == NONE) & (saving > 0)
    nought = _NOUGHT_SHARE * max(abs(programme.solution.bound), 1.0)
    if prices is not None:
        # without the saving the batch would have to pay the price of the money for it
        worth_less = prices.reduced[placed, at] - prices.budget[at] * saving
        others = prices.reduced[placed].copy()
        others[np.arange(len(at)), at] = -np.inf
        has_saving &= (worth_less < np.maximum(others.max(axis=1, initial=-np.inf), 0.0) - nought) & (
            model.shape[1] > 0
        )
    reason[has_saving] = "joint"
    if prices is not None and model.floors:
        alone = prices.reduced[placed, at] - prices.of_floors(model)[placed, at]
        reason[(asked == NONE) & (placed != NONE) & (alone < -nought)] = "floor"
    if prices is not None:
        # at the prices of the bound it does not pay: the law has its batch in, or its money found no better use
        is_poor = (asked == NONE) & (placed != NONE) & (prices.profit[placed, at] < -nought)
        with_due = model.deadline_of_batches()[placed] != NONE
        reason[is_poor & ~with_due & (reason != "floor")] = "fills"
        reason[is_poor & with_due] = "along"
    return reason


def _outside(candidates: Candidates, programme: Programme, best: _Best) -> NDArray[np.object_]:
    model, prices, members = programme.model, programme.solution.prices, candidates.members
    reason = np.full(members.segment_count, "no_room", dtype=object)
    batch, at = best.batch, best.year
    is_dear = np.zeros(members.segment_count, dtype=bool)
    if prices is not None:
        nought = _NOUGHT_SHARE * max(abs(programme.solution.bound), 1.0)
        profit = prices.profit[batch, at]
        loses = -prices.reduced[batch, at] > nought
        reason[loses] = "elsewhere"
        reason[loses & (profit >= -nought) & (prices.together[batch, at] < -nought)] = "street"
        is_dear = loses & (profit < -nought)
    reason[_waits_in_vain(programme)] = "after"
    reason[is_dear] = "dear"
    opened = np.asarray(candidates.stays_open.any(axis=1), dtype=bool)
    some_open = _any_of(members.row, members.batch, opened, members.segment_count)
    open_and_paid = candidates.stays_open & (candidates.cost_cny <= model.fund_cny()) & fits_caps(model)
    fits = np.asarray(open_and_paid.any(axis=1), dtype=bool)
    some_fit = _any_of(members.row, members.batch, fits, members.segment_count)
    reason[_beside_law(programme, best)] = "duty_first"
    # what is open and in no plan is kept out by kept years, or by the deadlines of its neighbours
    kept_out = np.asarray((open_and_paid & programme.only_mandatory).any(axis=1), dtype=bool)
    some_kept_out = _any_of(members.row, members.batch, kept_out, members.segment_count)
    reason[~best.is_there] = np.where(some_kept_out, "mandatory_first", "duty_first")[~best.is_there]
    reason[~best.is_there & ~some_fit] = "oversized"
    reason[~some_open] = "closed"
    reason[_asked(programme) != NONE] = _LEFT
    return reason


def _waits_in_vain(programme: Programme) -> Flags:
    """Tell which segments wait for others that the plan leaves out."""
    late, early = programme.model.precedence
    waits = np.zeros(len(programme.model.packing.deadline), dtype=bool)
    waits[late[programme.item_years()[early] == NONE]] = True
    item = programme.duties.item_of_segment
    return np.asarray(waits[item] & (item != NONE), dtype=bool)


def _beside_law(programme: Programme, best: _Best) -> Flags:
    """Tell which segments outside the plan could be in some plan, but in no batch that fits beside duties."""
    item_of = programme.duties.item_of_segment
    rows = np.flatnonzero(best.is_there & (item_of != NONE))
    if not np.isfinite(programme.solution.objective) or not (programme.model.packing.deadline != NONE).any():
        return np.zeros(len(item_of), dtype=bool)
    outside = rows[programme.item_years()[item_of[rows]] == NONE]
    items, place = np.unique(item_of[outside], return_inverse=True)
    is_shut = np.zeros(len(item_of), dtype=bool)
    is_shut[outside] = ~has_room(programme.model, programme.year, items)[place]
    return is_shut


def _any_of(row: Rows, batch: Rows, flags: Flags, count: int) -> Flags:
    some = np.zeros(count, dtype=bool)
    np.logical_or.at(some, row, flags[batch])
    return some


def worth_of_money(programme: Programme, years: range) -> pd.Series:
    """Return what a million yuan more would remove in each year, at most; empty where there are no prices."""
    prices = programme.solution.prices
    found: Floats = np.empty(0) if prices is None else prices.budget * _CNY_PER_MILLION
    return pd.Series(found, pd.Index(list(years)[: len(found)], name="year"), name="worth_per_million")
