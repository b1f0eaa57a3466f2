"""Work that the law asks for and the plan does late or not at all: what stood in the way each year, what would help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.candidates import Candidates
from planner.choice import Programme
from planner.closing import Ground, closing_bans
from planner.conditions import NONE, Conditions
from planner.factors import Flags
from planner.late_frames import Late, late_frames, nothing_late
from planner.members import Rows
from planner.policy import Policy
from planner.solve.moves import Moves, find_moves

BANS: Final = ("ban", "coming_ban")
# what keeps work out of a year, in the order in which it is told
RULES: Final = (
    *BANS,
    "decision",
    "lock",
    "mandatory_first",
    "street",
    "budget",
    "km",
    "district_km",
    "district_households",
    "follows",
    "neighbours",
)
_CLOSING: Final = frozenset({*BANS, "decision"})
# a batch that shares work with one that counts is in its way as its neighbours are
_RENAMED: Final = {"packing": "neighbours"}


@dataclass(frozen=True)
class Offer:
    """What a plan chose from: its segments in the order of ids, batches, conditions, and the ground they lie in.

    `lock` is the lock of each batch, -1 where it has none.
    """

    segments: gpd.GeoDataFrame
    candidates: Candidates
    conditions: Conditions
    years: range
    ground: Ground | None = None
    lock: Rows | None = None


def find_late(offer: Offer, programme: Programme, policy: Policy) -> Late:
    """Tell of each mandatory or due segment that is late or left out why, and what would help.

    Every batch that could hold it is tried in every year before the one in which it is done (in all years where it is
    left out), beside the rest of what the law asks for of its class and the stricter ones. Told is, of each year, the
    batch that the fewest rules keep out; `unfound` stands where none does: the search ended before it.

    A help is told for the batch and year that need least, in time where anything makes it so, else earlier than now:
    `extra_cny` in `extra_year` is money that alone makes it fit; in `open_year` it would fit but for bans and
    decisions, and where the bans of the ground are known, `open_bans` would have to be lifted, all of them.

    Misleads where much is late: each help is for one item, with all others as they are.

    Returns
    -------
    The frames `late_work` and `late_years`.
    """
    duties, done = programme.duties, programme.item_years()
    is_late = (duties.deadline != NONE) & ((done == NONE) | (done > duties.deadline))
    items = np.flatnonzero(is_late)
    if not len(items):
        return nothing_late()
    is_open = offer.candidates.stays_open
    # what was closed to all but mandatory work is a rule of its own here
    model = replace(programme.model, is_open=is_open)
    kept_free = is_open & ~programme.model.is_open
    locked = _locked(offer, programme)
    tries = []
    for severity in np.unique(duties.severity[items]).tolist():
        counts = ((duties.severity <= severity) & (duties.deadline != NONE) | locked) & (done != NONE)
        own = items[duties.severity[items] == severity]
        tries.append(_tries(offer, find_moves(model, programme.year, counts, own), kept_free))
    tried = pd.concat(tries, ignore_index=True)
    tried["is_early"] = tried["year"].to_numpy() <= duties.deadline[tried["item"].to_numpy()]
    return _told(offer, programme, done, tried, policy)


def _locked(offer: Offer, programme: Programme) -> Flags:
    """Tell which items lie in a locked batch."""
    packing = programme.model.packing
    locked = np.zeros(len(packing.deadline), dtype=bool)
    if offer.lock is not None:
        locked[packing.item[offer.lock[packing.batch] != NONE]] = True
    return locked


def _tries(offer: Offer, moves: Moves, kept_free: Flags) -> pd.DataFrame:
    """Return the moves as a frame, their rules by the words of a plan."""
    candidates, at = offer.candidates, (moves.batch, moves.year)
    goes_on = candidates.members.all_of(offer.conditions.stays_open)
    closed = np.where(~candidates.is_open[at], "ban", np.where(~goes_on[at], "coming_ban", "decision"))
    if offer.lock is not None:
        closed = np.where(offer.lock[moves.batch] != NONE, "lock", closed)
    rules = [
        _in_order({_RENAMED.get(code, code) if code != "closed" else str(why) for code in found} | first)
        for found, why, first in zip(
            moves.rules, closed, [{"mandatory_first"} if free else set() for free in kept_free[at]], strict=True
        )
    ]
    tried = pd.DataFrame({"item": moves.item, "batch": moves.batch, "year": moves.year})
    tried["rules"] = pd.Series(rules, tried.index, dtype="object")
    tried["missing_cny"] = moves.missing_cny
    return tried


def _in_order(codes: Iterable[str]) -> tuple[str, ...]:
    found = set(codes)
    return tuple(rule for rule in RULES if rule in found)


def _told(offer: Offer, programme: Programme, done: Rows, tried: pd.DataFrame, policy: Policy) -> Late:
    """Choose of the tries what is told of each item, and name the bans."""
    nearest = _nearest(tried)
    rules: list[tuple[str, ...]] = tried["rules"].tolist()
    is_money = np.array([one == ("budget",) for one in rules], dtype=bool)
    is_closed = np.array([bool(one) and _CLOSING.issuperset(one) for one in rules], dtype=bool)
    is_banned = np.array([not set(BANS).isdisjoint(one) for one in rules], dtype=bool)
    money, opening = _least(tried[is_money], "missing_cny"), _least(tried[is_closed], "year")
    banned = tried[is_banned & tried.index.isin([*nearest.index, *opening.index])]
    bans = _bans_of(offer, banned[["batch", "year"]].drop_duplicates(), policy)
    keys = ["batch", "year"]
    return late_frames(
        programme.duties,
        done,
        pd.Series(offer.segments.index),
        offer.segments["length_m"].to_numpy(dtype="float64"),
        offer.years,
        nearest.merge(bans, on=keys, how="left"),
        money,
        opening.merge(bans, on=keys, how="left"),
    )


def _nearest(tried: pd.DataFrame) -> pd.DataFrame:
    """Return of each item and year the batch that the fewest rules keep out, those told first before others."""
    rules: list[tuple[str, ...]] = tried["rules"].tolist()
    ranks = pd.Series([tuple(map(RULES.index, one)) for one in rules], tried.index, dtype="object")
    order = tried.assign(count=[len(one) for one in rules], rank=ranks)
    keys = ["item", "year", "count", "rank", "missing_cny", "batch"]
    return tried.loc[order.sort_values(keys, kind="stable").drop_duplicates(["item", "year"]).index]


def _least(tried: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return of each item the try that is in time, if any, and of these the one with the least of a column."""
    order = tried.assign(late=~tried["is_early"]).sort_values(["item", "late", by, "year", "batch"], kind="stable")
    return order.drop(columns="late").drop_duplicates("item")


def _bans_of(offer: Offer, closed: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    """Return for each batch and year the bans that leave some segment of it no day, and the last of their days.

    `until` is missing where a ban has no end that is known.
    """
    members = offer.candidates.members
    pairs = pd.DataFrame({"row": members.row, "batch": members.batch}).merge(closed, on="batch")
    rows = np.unique(pairs["row"].to_numpy(dtype=np.int64))
    bans = closing_bans(offer.segments, rows, offer.ground, offer.years, policy)
    found = pairs.merge(bans, on=["row", "year"]).sort_values(["batch", "year", "ban_id"], kind="stable")
    found = found.drop_duplicates(["batch", "year", "ban_id"])
    by_batch = found.groupby(["batch", "year"])
    is_open_end = by_batch["until"].apply(lambda days: days.isna().any()).astype(bool)
    named = by_batch.agg(bans=("ban_id", "|".join), until=("until", "max"))
    return named.assign(until=named["until"].mask(is_open_end)).reset_index()
