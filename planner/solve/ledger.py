"""A plan while it is being made: what it has used, and whether one more batch fits in a year."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from planner.solve.model import NONE, SLACK_SHARE, Model, Rows, by_year


def grouped(key: Rows, value: Rows, count: int) -> list[list[int]]:
    """Return the values of each key from 0 to count, in order."""
    ends = np.cumsum(np.bincount(key, minlength=count)).tolist()
    flat: list[int] = value[np.argsort(key, kind="stable")].tolist()
    return [flat[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


class Ledger:
    """What a plan has used so far of every limit; batches go in and out one at a time.

    Floors and deadlines of what is left out are not looked at: only a whole plan can be judged by them.
    """

    def __init__(self, model: Model) -> None:
        batches, years = model.shape
        self.year: Final[list[int]] = [NONE] * batches
        self._years: Final = years
        self._may: Final[list[list[bool]]] = model.reachable().tolist()
        self._cost: Final[list[list[float]]] = model.cost_cny.tolist()
        fund = model.fund_cny()
        self._slack: Final = (SLACK_SHARE * np.maximum(fund, 1.0) / 2.0).tolist()
        self._left: Final[list[float]] = fund.tolist()
        self._fades: Final = [model.carried_share**later for later in range(years)]
        self._reach: Final = years if model.carried_share > 0 else 1
        packing = model.packing
        self._items: Final = grouped(packing.batch, packing.item, batches)
        self._done: Final[list[int]] = [NONE] * len(packing.deadline)
        self._place_streets(model)
        self._place_sites(model)
        self._place_caps(model)
        after, before = model.precedence
        self._follows: Final = grouped(after, before, len(packing.deadline)) if len(after) else None
        self._followers: Final = grouped(before, after, len(packing.deadline)) if len(after) else None

    def _place_streets(self, model: Model) -> None:
        batches, years = model.shape
        streets = model.streets
        ruled = streets.closed_years[streets.street] > 1 if len(streets.street) else np.zeros(0, dtype=bool)
        self._streets = grouped(streets.batch[ruled], streets.street[ruled], batches) if ruled.any() else None
        self._closed: list[int] = streets.closed_years.tolist()
        self._cuts = [[0] * years for _ in range(len(streets.closed_years))] if ruled.any() else []

    def _place_sites(self, model: Model) -> None:
        self._site: list[int] | None = None
        if model.sites is not None:
            self._site = model.sites.site.tolist()
            self._site_cost: list[float] = model.sites.cost_cny.tolist()
            self._set_up = [[0] * self._years for _ in self._site_cost]

    def _place_caps(self, model: Model) -> None:
        self._caps: list[tuple[list[list[float]], list[int], list[list[float]]]] = []
        self._cap_codes: list[str] = [cap.code for cap in model.caps]
        for cap in model.caps:
            room = cap.cap + SLACK_SHARE * np.maximum(np.where(np.isfinite(cap.cap), cap.cap, 1.0), 1.0) / 2.0
            self._caps.append((by_year(cap.amount, self._years).tolist(), cap.place.tolist(), room.tolist()))

    def price(self, batch: int, year: int) -> float:
        """Return what the batch adds to the spending of the year, its site included where it is not yet set up."""
        cost = self._cost[batch][year]
        if self._site is not None:
            site = self._site[batch]
            if site != NONE and not self._set_up[site][year]:
                cost += self._site_cost[site]
        return cost

    def fits(self, batch: int, year: int) -> bool:
        """Tell whether a batch that is not placed may be placed in a year."""
        if not self._may[batch][year]:
            return False
        done = self._done
        for item in self._items[batch]:
            if done[item] != NONE:
                return False
        cost = self.price(batch, year)
        for later in range(min(self._reach, self._years - year)):
            at = year + later
            if self._left[at] + self._slack[at] < cost * self._fades[later]:
                return False
        for amount, place, room in self._caps:
            where = place[batch]
            if where != NONE and amount[batch][year] > room[where][year]:
                return False
        return self._street_lets(batch, year) and self._order_lets(batch, year)

    def obstacles(self, batch: int, year: int) -> tuple[str, ...]:
        """Return the codes of the rules that keep a batch that is not placed out of a year; see `keep.RULES`."""
        found = []
        if not self._may[batch][year]:
            found.append("closed")
        if any(self._done[item] != NONE for item in self._items[batch]):
            found.append("packing")
        if self.missing_cny(batch, year) > 0:
            found.append("budget")
        if not self._street_lets(batch, year):
            found.append("street")
        if self.full_caps(batch, year):
            found.append("cap")
        if not self._order_lets(batch, year):
            found.append("follows")
        return tuple(found)

    def full_caps(self, batch: int, year: int) -> tuple[str, ...]:
        """Return the codes of the caps that have no room for a batch that is not placed."""
        return tuple(
            code
            for code, (amount, place, room) in zip(self._cap_codes, self._caps, strict=True)
            if place[batch] != NONE and amount[batch][year] > room[place[batch]][year]
        )

    def missing_cny(self, batch: int, year: int) -> float:
        """Return how much more money the year would need for the batch."""
        cost, missing = self.price(batch, year), 0.0
        for later in range(min(self._reach, self._years - year)):
            lacking = cost * self._fades[later] - self._left[year + later] - self._slack[year + later]
            missing = max(missing, lacking / self._fades[later])
        return missing

    def _street_lets(self, batch: int, year: int) -> bool:
        if self._streets is None:
            return True
        for street in self._streets[batch]:
            cuts, closed = self._cuts[street], self._closed[street]
            if cuts[year]:
                continue
            for at in range(max(0, year - closed + 1), min(self._years, year + closed)):
                if cuts[at]:
                    return False
        return True

    def _order_lets(self, batch: int, year: int) -> bool:
        if self._follows is None:
            return True
        own, done = self._items[batch], self._done
        return all(before in own or NONE < done[before] <= year for item in own for before in self._follows[item])

    def may_go(self, batch: int) -> bool:
        """Tell whether a placed batch may be taken out: nothing that is placed follows it."""
        if self._followers is None:
            return True
        own, done = self._items[batch], self._done
        return all(after in own or done[after] == NONE for item in own for after in self._followers[item])

    def place(self, batch: int, year: int) -> None:
        """Place a batch; whether it fits was asked before."""
        self._book(batch, year, 1.0, self.price(batch, year))
        self.year[batch] = year
        if self._site is not None and self._site[batch] != NONE:
            self._set_up[self._site[batch]][year] += 1

    def take_out(self, batch: int) -> None:
        """Take a placed batch out."""
        year = self.year[batch]
        if self._site is not None and self._site[batch] != NONE:
            self._set_up[self._site[batch]][year] -= 1
        self._book(batch, year, -1.0, self.price(batch, year))
        self.year[batch] = NONE

    def _book(self, batch: int, year: int, sign: float, cost: float) -> None:
        for later in range(min(self._reach, self._years - year)):
            self._left[year + later] -= sign * cost * self._fades[later]
        for amount, place, room in self._caps:
            if place[batch] != NONE:
                room[place[batch]][year] -= sign * amount[batch][year]
        for item in self._items[batch]:
            self._done[item] = year if sign > 0 else NONE
        if self._streets is not None:
            for street in self._streets[batch]:
                self._cuts[street][year] += int(sign)

    def fill(self, batch: NDArray[np.int64], year: NDArray[np.int64]) -> None:
        """Place each (batch, year) in turn that still fits; later rows of a batch that is placed are passed over."""
        placed = self.year
        for group, at in zip(batch.tolist(), year.tolist(), strict=True):
            if placed[group] == NONE and self.fits(group, at):
                self.place(group, at)

    def plan(self) -> Rows:
        """Return the plan as it stands."""
        return np.array(self.year, dtype=np.int64)
