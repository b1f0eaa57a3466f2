"""What keeps work out of years: every batch that could hold it, tried in each year beside the rest of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from planner.solve.elastic import without_duty
from planner.solve.ledger import Ledger, grouped
from planner.solve.model import NONE, Flags, Floats, Model, Rows

NEIGHBOURS = "neighbours"


@dataclass(frozen=True)
class Moves:
    """Rows of an item in a batch in a year: which rules keep it out, and how much money the year lacks for it.

    The rules are those of `keep.RULES`, caps by their own codes; `neighbours` stands where other work that counts would
    be left out or be done later. A row without rules would fit.
    """

    item: Rows
    batch: Rows
    year: Rows
    rules: tuple[tuple[str, ...], ...]
    missing_cny: Floats


@dataclass(frozen=True)
class _Place:
    """A plan reduced to the work that counts, and the indexes to try moves in it.

    `until` is by item the last year to which work that counts may be moved.
    """

    model: Model
    ledger: Ledger
    counts: list[bool]
    items_of: list[list[int]]
    holders: list[list[int]]
    owner: list[int]
    until: Rows
    is_open: list[list[bool]] = field(default_factory=list)


def find_moves(model: Model, plan: Rows, counts: Flags, items: Rows) -> Moves:
    """Try each of the items in every batch that holds it, in every year before the one in which it is done, if any.

    Beside it stand the placed batches that hold an item that counts, without those that share an item with the batch
    that is tried: it takes their place. Deadlines and floors are not looked at, `neighbours` stands for the former.

    Parameters
    ----------
    counts
        By item, whether its place in the plan may not be lost to a move.
    items
        Items that are done later than asked, or not at all.
    """
    done = model.packing.done(plan)
    place = _place(model, plan, counts, done)
    last = np.where(done == NONE, model.shape[1], done).tolist()
    found = [row for item in items.tolist() for row in _of_item(place, item, last[item])]
    item, batch, year, rules, missing = zip(*found, strict=True) if found else ((), (), (), (), ())
    numbers = [np.array(column, dtype=np.int64) for column in (item, batch, year)]
    return Moves(numbers[0], numbers[1], numbers[2], tuple(rules), np.array(missing, dtype="float64"))


def has_room(model: Model, plan: Rows, items: Rows) -> Flags:
    """Tell of each of the items, none of which is placed, whether any batch of it fits beside what has a deadline.

    What has a deadline stands where the plan has it, or goes along in the batch that is tried, by its deadline. Floors
    and the order are not looked at. Misleads where what has a deadline could be placed in another way that leaves room.
    """
    is_due = model.packing.deadline != NONE
    nothing = np.zeros(0, dtype=np.int64)
    place = _place(replace(model, precedence=(nothing, nothing)), plan, is_due, model.packing.deadline)
    years = model.shape[1]
    return np.array([_fits_somewhere(place, item, years) for item in items.tolist()], dtype=bool)


def _fits_somewhere(place: _Place, item: int, years: int) -> bool:
    fits = place.ledger.fits
    if any(fits(batch, year) for batch in place.holders[item] for year in range(years)):
        return True
    # all of them: what gives way to a batch that is tried is put back after it
    tried = list(_of_item(place, item, years))
    return any(not rules for _, _, _, rules, _ in tried)


def _place(model: Model, plan: Rows, counts: Flags, until: Rows) -> _Place:
    packing, batches, item_count = model.packing, model.shape[0], len(model.packing.deadline)
    ledger = Ledger(without_duty(model))
    kept = np.zeros(batches, dtype=bool)
    np.logical_or.at(kept, packing.batch, counts[packing.item])
    kept &= plan != NONE
    owner = np.full(item_count, NONE, dtype=np.int64)
    is_kept = kept[packing.batch]
    owner[packing.item[is_kept]] = packing.batch[is_kept]
    for batch in np.flatnonzero(kept).tolist():
        ledger.place(batch, int(plan[batch]))
    return _Place(
        model,
        ledger,
        counts.tolist(),
        grouped(packing.batch, packing.item, batches),
        grouped(packing.item, packing.batch, item_count),
        owner.tolist(),
        until,
        (model.is_open & np.isfinite(model.value)).tolist(),
    )


def _of_item(place: _Place, item: int, last: int) -> Iterator[tuple[int, int, int, tuple[str, ...], float]]:
    """Try an item in every batch that holds it, in each year before `last`."""
    for batch in place.holders[item]:
        own = set(place.items_of[batch])
        gives_way = {place.owner[one] for one in own} - {NONE}
        others = [one for group in gives_way for one in place.items_of[group] if place.counts[one]]
        years = [(group, place.ledger.year[group]) for group in sorted(gives_way)]
        for group, _ in years:
            place.ledger.take_out(group)
        for year in range(last):
            is_lost = any(one not in own or place.until[one] < year for one in others)
            yield item, batch, year, _rules(place, batch, year, is_lost=is_lost), place.ledger.missing_cny(batch, year)
        for group, at in years:
            place.ledger.place(group, at)


def _rules(place: _Place, batch: int, year: int, *, is_lost: bool) -> tuple[str, ...]:
    """Return the rules in the way; a batch that costs more than all money is not closed by that."""
    found: list[str] = []
    for code in place.ledger.obstacles(batch, year):
        if code == "cap":
            found += place.ledger.full_caps(batch, year)
        elif code != "closed" or not place.is_open[batch][year]:
            found.append(code)
    return (*found, NEIGHBOURS) if is_lost else tuple(found)
