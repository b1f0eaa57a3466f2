"""Splits and merges: several pieces that lie end to end on one whole and cover it."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely

from registry.identity.census import Census, Floats, Rows
from registry.identity.settings import IdentitySettings


@dataclass(frozen=True)
class Piece:
    """One pipe that lies on a whole: which pair says so, from where to where, and what it is worth.

    `value` is the share of the whole times the log-odds of the pair, so that the values of the pieces of a whole add
    up to the log-odds of the story.
    """

    pair: int
    part: int
    start_m: float
    end_m: float
    share: float
    value: float


@dataclass(frozen=True)
class Tiling:
    """A whole and the pieces that cover it."""

    whole: int
    pieces: tuple[Piece, ...]

    @property
    def value(self) -> float:
        """Return the log-odds of the story."""
        return sum(piece.value for piece in self.pieces)

    def worth(self, settings: IdentitySettings) -> float:
        """Return what the story is worth among others: pieces whose ends do not meet are worth less."""
        joints = zip(self.pieces, self.pieces[1:], strict=False)
        return self.value - sum(_joint_cost(first, second, settings) for first, second in joints)


@dataclass(frozen=True)
class Partner:
    """The part to which a whole is paired one to one, with the log-odds; firm where the two have one course."""

    part: int
    log_odds: float
    is_firm: bool


@dataclass
class Ground:
    """All pieces on all wholes, the one-to-one pairs of both sides, parts that are used and wholes that are closed."""

    pieces: Mapping[int, list[Piece]]
    part_partner: Mapping[int, int]
    whole_partner: Mapping[int, Partner]
    settings: IdentitySettings
    used: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)

    def best(self, whole: int) -> Tiling | None:
        """Return the best tiling of a whole by pieces that are free, or None."""
        free = [
            piece
            for piece in self.pieces[whole]
            if piece.part not in self.used and self.part_partner.get(piece.part, whole) == whole
        ]
        tiling = best_chain(whole, free, self.settings)
        if tiling is None or whole not in self.whole_partner:
            return tiling
        partner = self.whole_partner[whole]
        # what the whole is paired with one to one must be among its pieces, or be the weaker story
        is_among = any(piece.part == partner.part for piece in tiling.pieces)
        is_stronger = not partner.is_firm and tiling.value > partner.log_odds
        return tiling if is_among or is_stronger else None

    def unexplained(self, whole: int) -> Tiling | None:
        """Return the best tiling of a whole by pieces that nothing else explains, whatever the whole is paired with."""
        free = [
            piece
            for piece in self.pieces.get(whole, [])
            if piece.part not in self.used and piece.part not in self.part_partner
        ]
        return best_chain(whole, free, self.settings)


def lay_pieces(
    parts: Census, wholes: Census, pairs: tuple[Rows, Rows, Rows], log_odds: Floats
) -> dict[int, list[Piece]]:
    """Return whole -> its pieces along it; `pairs` are (position of the pair, row of the part, row of the whole)."""
    position, part, whole = pairs
    ends = shapely.get_point(parts.lines[part], 0), shapely.get_point(parts.lines[part], -1)
    measures = np.stack([shapely.line_locate_point(wholes.lines[whole], end) for end in ends])
    start, end = measures.min(axis=0), measures.max(axis=0)
    share = (end - start) / np.maximum(wholes.length_m[whole], 1e-9)
    value = share * log_odds[position]
    found: dict[int, list[Piece]] = {}
    for place in np.lexsort((part, end, start)):
        piece = Piece(
            int(position[place]),
            int(part[place]),
            float(start[place]),
            float(end[place]),
            float(share[place]),
            float(value[place]),
        )
        found.setdefault(int(whole[place]), []).append(piece)
    return found


def best_chain(whole: int, pieces: list[Piece], settings: IdentitySettings) -> Tiling | None:
    """Return the chain of pieces, in the order of their starts, that lie end to end and are worth most.

    None where no two pieces join, they cover too little, or the story is less likely than its opposite.
    """
    gap = settings.joint_gap_m
    worth: list[float] = []
    before: list[int] = []
    for number, piece in enumerate(pieces):
        joins = [
            earlier
            for earlier in range(number)
            if abs(piece.start_m - pieces[earlier].end_m) <= gap
            and piece.end_m - pieces[earlier].end_m >= (piece.end_m - piece.start_m) / 2
        ]
        gains = {earlier: worth[earlier] - _joint_cost(pieces[earlier], piece, settings) for earlier in joins}
        best = max(gains, key=lambda earlier: (gains[earlier], -earlier), default=-1)
        gain = gains.get(best, 0.0)
        before.append(best if gain > 0.0 else -1)
        worth.append(piece.value + max(gain, 0.0))
    last = [number for number in range(len(pieces)) if before[number] >= 0]
    if not last:
        return None
    place = max(last, key=lambda number: (worth[number], -number))
    chain: list[Piece] = []
    while place >= 0:
        chain.insert(0, pieces[place])
        place = before[place]
    tiling = Tiling(whole, tuple(chain))
    is_covered = sum(piece.share for piece in chain) >= settings.whole_share
    return tiling if is_covered and tiling.value > 0.0 else None


def _joint_cost(first: Piece, second: Piece, settings: IdentitySettings) -> float:
    return settings.joint_log_odds * abs(second.start_m - first.end_m) / settings.joint_gap_m


def find_tilings(ground: Ground) -> list[Tiling]:
    """Take the likeliest tiling first, until no free pieces cover a free whole; every piece is used once."""
    heap: list[tuple[float, int, Tiling]] = []
    for whole in sorted(ground.pieces):
        if len(ground.pieces[whole]) > 1 and whole not in ground.closed:
            _push(heap, ground.best(whole), ground.settings)
    found: list[Tiling] = []
    while heap:
        _, whole, tiling = heapq.heappop(heap)
        if any(piece.part in ground.used for piece in tiling.pieces):
            _push(heap, ground.best(whole), ground.settings)
            continue
        ground.used.update(piece.part for piece in tiling.pieces)
        found.append(tiling)
    return found


def _push(heap: list[tuple[float, int, Tiling]], tiling: Tiling | None, settings: IdentitySettings) -> None:
    if tiling is not None:
        heapq.heappush(heap, (-tiling.worth(settings), tiling.whole, tiling))


def tiling_rivals(ground: Ground, tilings: list[Tiling]) -> Floats:
    """Return for each tiling the weight of other stories of its pieces: another whole, or another part in a place.

    As with one-to-one pairs a story is a swap with what holds the other whole or part now, if anything does.
    """
    board = _Board.after(ground, tilings)
    weights: list[float] = []
    for tiling in tilings:
        costs = [*board.costs_elsewhere(tiling), *board.costs_of_others(tiling)]
        weights.append(float(sum(np.exp(-max(cost, 0.0)) for cost in costs)))
    return np.array(weights, dtype="float64")


@dataclass(frozen=True)
class _Board:
    """Where every part lies, and which parts each whole holds now."""

    on: Mapping[int, Mapping[int, Piece]]
    wholes_of: Mapping[int, list[int]]
    holdings: Mapping[int, Mapping[int, float]]
    holder: Mapping[int, int]

    @classmethod
    def after(cls, ground: Ground, tilings: list[Tiling]) -> _Board:
        on = {whole: {piece.part: piece for piece in pieces} for whole, pieces in sorted(ground.pieces.items())}
        wholes_of: dict[int, list[int]] = {}
        for whole, parts in on.items():
            for part in parts:
                wholes_of.setdefault(part, []).append(whole)
        holdings = {whole: {partner.part: partner.log_odds} for whole, partner in ground.whole_partner.items()}
        holdings |= {tiling.whole: {piece.part: piece.value for piece in tiling.pieces} for tiling in tilings}
        holder = {part: whole for whole, parts in holdings.items() for part in parts}
        return cls(on, wholes_of, holdings, holder)

    def costs_elsewhere(self, tiling: Tiling) -> list[float]:
        """Return what is lost when all pieces belong to another whole, and what that one holds to this one."""
        parts = [piece.part for piece in tiling.pieces]
        costs: list[float] = []
        for other in self.wholes_of[parts[0]]:
            there = self._value_on(parts, other)
            if other != tiling.whole and there is not None:
                held = self.holdings.get(other, {})
                given = self._value_on(held, tiling.whole)
                costs.append(tiling.value - there + sum(held.values()) - max(given or 0.0, 0.0))
        return costs

    def costs_of_others(self, tiling: Tiling) -> list[float]:
        """Return what is lost when another part that lies in the place of a piece changes places with it."""
        mine = {piece.part for piece in tiling.pieces}
        others = [piece for part, piece in self.on[tiling.whole].items() if part not in mine]
        return [
            piece.value - other.value + self._loss_of(other.part, piece.part, tiling.whole)
            for piece in tiling.pieces
            for other in others
            if _share_a_place(piece, other)
        ]

    def _value_on(self, parts: Iterable[int], whole: int) -> float | None:
        there = self.on.get(whole, {})
        pieces = [there.get(part) for part in parts]
        return None if any(piece is None for piece in pieces) else sum(piece.value for piece in pieces if piece)

    def _loss_of(self, part: int, substitute: int, whole: int) -> float:
        """Return what the holder of a part loses when it has to take the substitute for it."""
        holder = self.holder.get(part, whole)
        if holder == whole:
            return 0.0
        return self.holdings[holder][part] - max(self._value_on([substitute], holder) or 0.0, 0.0)


def _share_a_place(first: Piece, second: Piece) -> bool:
    both = min(first.end_m, second.end_m) - max(first.start_m, second.start_m)
    return both > 0.5 * (max(first.end_m, second.end_m) - min(first.start_m, second.start_m))
