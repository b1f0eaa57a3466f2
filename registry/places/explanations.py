"""Why a place was not found, and what may have been meant: the words of the queue."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from registry.places.network import MEETING_M, Network
from registry.places.street_names import is_street_end, read_street_name

# of three characters two must agree
_LIKENESS: Final = 65
_OFFERED: Final = 4
_APART: Final = " | "


def explain(faulty: pd.DataFrame, found: pd.DataFrame, network: Network) -> dict[str, list[str | None]]:
    """Return problem, asked and offered of each question that has no answer or several; see `locate`."""
    rows = faulty.reset_index().to_dict("records")
    names = pd.Series(sorted({name for row in rows for name in _names(row)}), dtype=object)
    streets = network.candidates(names)
    known: dict[str, list[int]] = {str(names[label]): list(of) for label, of in streets.groupby("ask")["street"]}
    explainer = _Explainer(network, known, found.groupby("ask").groups, found)
    said = [explainer.explain(row) for row in rows]
    return {name: [entry[at] for entry in said] for at, name in enumerate(("problem", "asked", "offered"))}


class _Explainer:
    def __init__(
        self, network: Network, known: dict[str, list[int]], groups: dict[Hashable, Any], found: pd.DataFrame
    ) -> None:
        self._network = network
        self._groups = groups
        self._found = found
        self._names = [str(name) for name in network.streets["name"]]
        self._keys = [read_street_name(name).key for name in self._names]
        self._known = known

    def explain(self, row: dict[Hashable, Any]) -> tuple[str, str, str | None]:
        if row["ask"] in self._groups:
            return "ambiguous", _said(row), self._choices(self._found.loc[self._groups[row["ask"]]])
        names = _names(row)
        for name in names:
            if not self._streets(name) and not is_street_end(name):
                return "street_unknown", name, self._nearest(name)
        if row["form"] in {"number", "numbers"}:
            return "number_unknown", _said(row), self._numbers(names[0])
        if row["form"] == "block":
            return "crossing_unknown", _said(row), None
        pairs = [(names[0], other) for other in names[1:]]
        for street, other in pairs:
            if not self._meet(street, other):
                return "crossing_unknown", f"{street} × {other}", self._crossing(street, other)
        return "stretch_apart", _said(row), None

    def _streets(self, name: str) -> list[int]:
        return self._known.get(name, [])

    def _nearest(self, name: str, among: list[int] | None = None) -> str | None:
        from rapidfuzz import fuzz, process

        keys = self._keys if among is None else {at: self._keys[at] for at in among}
        found = process.extractOne(read_street_name(name).key, keys, scorer=fuzz.ratio, score_cutoff=_LIKENESS)
        return self._names[found[2]] if found else None

    def _meet(self, street: str, other: str) -> bool:
        lines = self._network.lines
        ours, theirs = (lines[self._streets(name)] for name in (street, other))
        met = shapely.dwithin(ours[:, None], theirs[None, :], MEETING_M)
        is_same = np.equal.outer(self._streets(street), self._streets(other))
        has_end = is_street_end(other) and self._network.loose_ends["street"].isin(self._streets(street)).any()
        return bool(has_end or (met & ~is_same).any())

    def _crossing(self, street: str, other: str) -> str | None:
        """Return which street that does meet it has the likest name."""
        ours = self._streets(street)
        _at, met = self._network.tree.query(self._network.lines[ours], predicate="dwithin", distance=MEETING_M)
        nearest = self._nearest(other, [int(at) for at in np.unique(met) if at not in ours])
        return f"{street} × {nearest}" if nearest else None

    def _numbers(self, street: str) -> str | None:
        """Return the numbers that are known of a street."""
        sides = self._network.sides
        ours = sides[sides["street"].isin(self._streets(street))]
        return f"{ours['low'].min()}-{ours['high'].max()} {street}" if len(ours) else None

    def _choices(self, several: pd.DataFrame) -> str:
        """Return what may be meant; answers of one name are told apart by their length or middle."""
        several = several.assign(length=shapely.length(several["geometry"].to_numpy(dtype=object)))
        several = several.sort_values("length", kind="stable")
        labels = several["label"].astype("str")
        is_repeated = labels.duplicated(keep=False)
        middle = shapely.get_coordinates(shapely.centroid(several["geometry"].to_numpy(dtype=object)))
        told = [
            f"{label} ({length:.0f} m)" if length else f"{label} ({x:.0f}, {y:.0f})"
            for label, length, (x, y) in zip(labels, several["length"], middle, strict=True)
        ]
        shown = labels.where(~is_repeated, pd.Series(told, index=labels.index)).drop_duplicates()
        return _APART.join(shown[:_OFFERED]) + (f"{_APART}…" if len(shown) > _OFFERED else "")


def _names(row: dict[Hashable, Any]) -> list[str]:
    """Return the streets that a question names, its own first."""
    named = row["corners"] or (row["street"], row["cross_from"], row["cross_to"])
    return [str(name) for name in named if isinstance(name, str)]


def _said(row: dict[Hashable, Any]) -> str:
    """Say a question as a person would write it."""
    if row["corners"]:
        return " & ".join(row["corners"])
    if row["form"] == "stretch":
        return f"{row['street']} ({row['cross_from']} - {row['cross_to']})"
    if row["form"] in {"number", "numbers"}:
        numbers = dict.fromkeys(f"{row[name]:.0f}" for name in ("number_from", "number_to"))
        return f"{'-'.join(numbers)} {row['street']}"
    return str(row["street"])
