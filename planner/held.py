"""Locked batches in planning anew: each stays together in its year or stays out, whatever else is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.batches import Grouping
from planner.candidates import Candidates
from planner.conditions import NONE
from planner.factors import Flags, Floats, text_column
from planner.groups import is_of_compound
from planner.members import Members, Rows
from planner.programme import LockedBatch
from planner.solve.model import SLACK_SHARE, Model, by_year
from registry.errors import PlanningError


@dataclass(frozen=True)
class Held:
    """Locked batches among the candidates of a plan.

    Parameters
    ----------
    rows
        By batch the places of its segments among the candidates, in the order of ids.
    year
        Place of the year by batch, -1 where it stays out.
    outside_count
        How many stay out because their year is none of the plan.
    """

    locks: tuple[LockedBatch, ...] = ()
    rows: tuple[Rows, ...] = ()
    year: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    outside_count: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing is locked."""
        return not self.locks

    def segment_rows(self) -> Rows:
        """Return the places of all locked segments."""
        return np.concatenate([*self.rows, np.zeros(0, dtype=np.int64)]).astype(np.int64)

    def facts(self) -> dict[str, int]:
        """Return how many batches are kept in their year, kept out, and out since their year is none of the plan."""
        placed = int((self.year != NONE).sum())
        return {"kept": placed, "out": len(self.locks) - placed, "outside": self.outside_count}


def locked_rows(segments: pd.DataFrame, locks: Sequence[LockedBatch]) -> Rows:
    """Return the places of all segments that are locked, to be candidates whatever their class.

    Raises
    ------
    PlanningError
        Where a locked segment is no more in the census: the batch cannot be kept as it is.
    """
    gone = {lock.batch_id: [one for one in lock.segment_ids if one not in segments.index] for lock in locks}
    missing = {batch: ids for batch, ids in gone.items() if ids}
    if missing:
        batch, ids = next(iter(missing.items()))
        raise PlanningError("plan_lock_segments_gone", batch=batch, segments=", ".join(ids), count=len(missing))
    ids = [one for lock in locks for one in lock.segment_ids]
    return segments.index.get_indexer(pd.Index(ids, dtype="str")).astype(np.int64)


def hold(locks: Sequence[LockedBatch], candidate_ids: pd.Index, years: range) -> Held:
    """Find the locked batches among the candidates."""
    place = {year: at for at, year in enumerate(years)}
    year = np.array([NONE if lock.year is None else place.get(lock.year, NONE) for lock in locks], dtype=np.int64)
    rows = tuple(
        np.sort(candidate_ids.get_indexer(pd.Index(lock.segment_ids, dtype="str"))).astype(np.int64) for lock in locks
    )
    outside = sum(lock.year is not None and lock.year not in years for lock in locks)
    return Held(tuple(locks), rows, year, outside)


def with_held(grouping: Grouping, ids: Sequence[str], held: Held, segments: gpd.GeoDataFrame) -> tuple[Grouping, Rows]:
    """Offer the locked batches beside those of a pool that holds none of their segments, all in the order of ids.

    Returns
    -------
    The batches, and for each the place of its lock, -1 where it has none.
    """
    if held.is_empty:
        return grouping, np.full(grouping.members.batch_count, NONE, dtype=np.int64)
    members, count = grouping.members, grouping.members.batch_count
    named = np.array([*ids, *(lock.batch_id for lock in held.locks)], dtype=object)
    order = np.argsort(named, kind="stable")
    rank = np.empty(len(named), dtype=np.int64)
    rank[order] = np.arange(len(named))
    row = np.concatenate([members.row, *held.rows])
    own = [np.full(len(rows), count + number) for number, rows in enumerate(held.rows)]
    batch = rank[np.concatenate([members.batch, *own]).astype(np.int64)]
    by_batch = np.lexsort((row, batch))
    kinds, places = zip(*(_described(segments.iloc[rows]) for rows in held.rows), strict=True)
    lock = np.concatenate([np.full(count, NONE), np.arange(len(held.locks))]).astype(np.int64)
    offered = Grouping(
        Members(row[by_batch], batch[by_batch], members.segment_count, len(named)),
        np.array([*grouping.kind, *kinds], dtype=object)[order],
        np.array([*grouping.place, *places], dtype=object)[order],
    )
    return offered, lock[order]


def _described(pipes: gpd.GeoDataFrame) -> tuple[str, Any]:
    """Return kind and place of a batch: the compound of all of it, or the street of most of its metres."""
    compound = text_column(pipes, "compound_name")
    if is_of_compound(pipes).all() and len(set(compound)) == 1:
        return "compound", compound.iloc[0]
    street = text_column(pipes, "street_name")
    metres = pipes["length_m"].groupby(street.to_numpy(dtype=object)).sum().sort_index()
    return "street", metres.idxmax() if len(metres) else np.nan


def held_candidates(candidates: Candidates, held: Held, lock: Rows) -> Candidates:
    """Open each locked batch in its year only, bans and decisions or not: whoever locked it has decided that."""
    if held.is_empty:
        return candidates
    only = np.zeros(candidates.stays_open.shape, dtype=bool)
    locked = np.flatnonzero(lock != NONE)
    year = held.year[lock[locked]]
    only[locked[year != NONE], year[year != NONE]] = True
    is_locked = (lock != NONE)[:, None]
    return replace(
        candidates,
        is_open=np.where(is_locked, only, candidates.is_open),
        stays_open=np.where(is_locked, only, candidates.stays_open),
    )


def held_model(model: Model, candidates: Candidates, held: Held, lock: Rows) -> Model:
    """Force the locked batches into their years; they cost what they cost, also where projects are not looked at.

    A street that two of them open in different years is opened twice: the later ones are left out of its rule. Nor do
    they wait for others.
    """
    if held.is_empty:
        return model
    year = np.where(lock == NONE, NONE, held.year[lock])
    deadline = model.packing.deadline.copy()
    forced = year[model.packing.batch]
    deadline[model.packing.item[forced != NONE]] = forced[forced != NONE]
    streets = model.streets
    kept = _first_cuts(year, streets.batch, streets.street)
    is_locked = (lock != NONE)[:, None]
    waits = ~np.isin(model.precedence[0], model.packing.item[forced != NONE])
    return replace(
        model,
        cost_cny=np.where(is_locked, candidates.cost_cny, model.cost_cny),
        packing=replace(model.packing, deadline=deadline),
        streets=replace(streets, batch=streets.batch[kept], street=streets.street[kept]),
        precedence=(model.precedence[0][waits], model.precedence[1][waits]),
    )


def _first_cuts(year: Rows, batch: Rows, street: Rows) -> Flags:
    """Tell which rows of (batch, street) stay: all but those of locked batches after the first year of their street."""
    cut = year[batch]
    first = np.full(int(street.max(initial=NONE)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, street[cut != NONE], cut[cut != NONE])
    return np.asarray((cut == NONE) | (cut == first[street]), dtype=bool)


def check_held(model: Model, lock: Rows, held: Held, years: range) -> None:
    """Refuse locked batches that by themselves need more than the limits of a year give.

    Raises
    ------
    PlanningError
        With the year, what they need, and what there is.
    """
    if held.is_empty:
        return
    year = np.where(lock == NONE, NONE, held.year[lock])
    placed = np.flatnonzero(year != NONE)
    fund = 0.0
    for at, budget in enumerate(model.budget_cny):
        fund = float(budget) + model.carried_share * fund
        cost = float(model.cost_cny[placed[year[placed] == at], at].sum())
        if cost > fund * (1.0 + SLACK_SHARE):
            raise PlanningError("plan_locks_over_budget", year=years[at], cost=cost, budget=fund)
        fund -= cost
    for cap in model.caps:
        _check_cap(by_year(cap.amount, len(years)), cap.place, cap.cap, placed, year, years, cap.code)


def _check_cap(amount: Floats, place: Rows, most: Floats, placed: Rows, year: Rows, years: range, code: str) -> None:
    some = placed[place[placed] != NONE]
    used = np.zeros(most.shape)
    np.add.at(used, (place[some], year[some]), amount[some, year[some]])
    over = np.argwhere(used > most * (1.0 + SLACK_SHARE))
    if len(over):
        where, at = over[0].tolist()
        limits = {"used": float(used[where, at]), "limit": float(most[where, at])}
        raise PlanningError(f"plan_locks_over_{code}", year=years[at], **limits)


def held_reasons(reasons: pd.DataFrame, held: Held) -> pd.DataFrame:
    """Return the frame `plan_reasons` with what is locked told as such."""
    if held.is_empty:
        return reasons
    reason = reasons["reason"].to_numpy(dtype=object).copy()
    for rows, year in zip(held.rows, held.year.tolist(), strict=True):
        reason[rows] = "locked_out" if year == NONE else "locked"
    return reasons.assign(reason=pd.Series(reason, reasons.index, dtype="str"))


def kept_locks(locks: Sequence[LockedBatch], batch_segments: pd.DataFrame) -> pd.DataFrame:
    """Return the frame `plan_locks` of a plan that was made with locked batches, by the ids that they have in it."""
    ids = pd.Index([one for lock in locks for one in lock.segment_ids], dtype="str", name="segment_id")
    kept: pd.DataFrame = batch_segments.loc[ids, ["batch_id", "year"]]
    return kept.rename_axis("segment_id")
