"""Answers to questions of place: every stretch, point or area that the words may mean, with what makes it doubtful.

Each answer is a row: ask, label (what it is called, to tell it from others), geometry and confidence.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from registry.places.network import Network
from registry.places.street_names import is_street_end
from registry.places.stretches import between, number_points, number_stretches

# confidence by form: the share that lay within 60 m of the truth on Kitchener's breaks (number, beyond) and, between
# cross streets, over at least 90 % of the road that the city itself calls so; the others are derived from these
_SURE: Final = {"street": 0.9, "stretch": 0.97, "numbers": 0.8, "number": 0.8, "crossing": 0.97, "block": 0.8}
_BEYOND: Final = 0.45
# what remains of it where the name left open the direction, the type of street, or both
_DOUBT: Final = np.array([1.0, 0.9, 0.8, 0.7])
# bounds that agree to this are of one stretch
_SAME_M: Final = 2.0
# the corners of one block lie within this
_BLOCK_M: Final = 1_500.0
Objects = npt.NDArray[Any]
ANSWER: Final = ["ask", "form", "label", "geometry", "confidence"]
_MEETING: Final = ["ask", "street", "other", "doubt", "geometry"]
# stands for a street where the loose end of another is meant
_END: Final = -1


def answers(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    """Return all answers to the questions (see `questions.ask`): none, one, or several for each."""
    by_form = {str(form): group for form, group in asked.groupby("form", sort=False)}
    found = [_SOLVERS[form](network, group) for form, group in by_form.items()]
    there = [part[ANSWER] for part in found if len(part)]
    if not there:
        return pd.DataFrame(columns=ANSWER)
    every = pd.concat(there)
    # two ways to the same place are one answer
    spot = np.round(shapely.bounds(every["geometry"].to_numpy(dtype=object)) / _SAME_M)
    again = pd.DataFrame(spot).assign(ask=every["ask"].to_numpy(), label=every["label"].to_numpy()).duplicated()
    is_twice = again.to_numpy() & (every["form"] == "stretch").to_numpy()
    return every[~is_twice].sort_values("ask", kind="stable").reset_index(drop=True)


def _answer(network: Network, found: pd.DataFrame, form: str) -> pd.DataFrame:
    """Give answers their label and confidence; `doubt` is what the names left open."""
    if found.empty:
        return pd.DataFrame(columns=ANSWER)
    doubt = found["doubt"].to_numpy(dtype=np.int64) if "doubt" in found else np.zeros(len(found), dtype=np.int64)
    names = found["street"].map(network.streets["name"])
    return found.assign(
        form=form, label=names.to_numpy(dtype=object), confidence=_SURE[form] * _DOUBT[np.minimum(doubt, 3)]
    )


def _whole_streets(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    found = network.candidates(asked["street"])
    return _answer(network, found.assign(geometry=network.lines[found["street"]]), "street")


def _single_numbers(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    wanted = network.candidates(asked["street"])
    wanted = wanted.assign(number=asked["number_from"].reindex(wanted["ask"]).astype("int64").to_numpy())
    points = number_points(network, wanted).merge(wanted[["ask", "street", "doubt"]], on=["ask", "street"])
    if len(points):
        # where one of several streets holds the number, another that almost does is not meant
        is_weaker = points["is_beyond"] & ~points.groupby("ask")["is_beyond"].transform("all")
        points = points[~is_weaker]
    found = _answer(network, points, "number")
    if len(found):
        is_beyond = found["is_beyond"].to_numpy(dtype=bool)
        found["confidence"] *= np.where(is_beyond, _BEYOND / _SURE["number"], 1.0)
    return found


def _number_stretches(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    wanted = network.candidates(asked["street"])
    ends = asked[["number_from", "number_to"]].astype("int64").reindex(wanted["ask"]).set_axis(wanted.index)
    wanted = wanted.assign(number_from=ends["number_from"], number_to=ends["number_to"])
    found = number_stretches(network, wanted).merge(wanted, on=["ask", "street"])
    points = [number_points(network, wanted.assign(number=wanted[name])) for name in ("number_from", "number_to")]
    twice = pd.concat([part[part.duplicated(["ask", "street"])] for part in points])
    # what lies between the two ends belongs to it, numbered or not
    once = [part.drop_duplicates(["ask", "street"]).rename(columns={"geometry": name}) for part, name in
            zip(points, ("first", "last"), strict=True)]  # fmt: skip
    columns = ["ask", "street"]
    ends_of = once[0][[*columns, "first"]].merge(once[1][[*columns, "last"]], on=columns)
    filled = between(network, ends_of).rename(columns={"geometry": "filled"})
    found = found.merge(filled, on=columns, how="left")
    lines = found["geometry"].to_numpy(dtype=object)
    if len(found):
        united = shapely.union(lines, found["filled"].where(found["filled"].notna(), None).to_numpy(dtype=object))
        lines = np.where(shapely.is_missing(united), lines, shapely.line_merge(united))
    again = found.assign(geometry=lines).merge(twice[columns].drop_duplicates(), on=columns)
    return _answer(network, pd.concat([found.assign(geometry=lines), again]), "numbers")


def _crossings(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    corners = pd.DataFrame(asked["corners"].tolist(), index=asked.index, columns=["street", "other"])
    return _answer(network, _meetings(network, corners["street"], corners["other"]), "crossing")


def _meetings(network: Network, streets: pd.Series, others: pd.Series) -> pd.DataFrame:
    """Return where two named streets meet: ask, street, other, doubt, geometry."""
    here = network.candidates(streets)
    there = network.candidates(others).rename(columns={"street": "other", "doubt": "doubt_other"})
    pairs = here.merge(there, on="ask")
    found = pairs.merge(network.crossings(pairs), on=["street", "other"])
    found = found.assign(doubt=np.maximum(found["doubt"], found["doubt_other"]))
    is_end = others.map(is_street_end).astype(bool)
    ends = here[here["ask"].isin(others.index[is_end])].merge(network.loose_ends, on="street").assign(other=_END)
    return pd.concat([found[_MEETING], ends[_MEETING]], ignore_index=True) if len(ends) else found[_MEETING]


def _cross_stretches(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    first = _meetings(network, asked["street"], asked["cross_from"])
    last = _meetings(network, asked["street"], asked["cross_to"])
    of = ["ask", "street", "other"]
    first, last = (met.assign(place=met.groupby(of).cumcount()) for met in (first, last))
    pairs = first.merge(last, on=["ask", "street"], suffixes=("", "_last"))
    # a street that begins and ends at the same cross street: from its first crossing to the second
    is_again = (pairs["other"] == pairs["other_last"]) & (pairs["place"] >= pairs["place_last"])
    pairs = pairs[~is_again].reset_index(drop=True)
    ends = pairs.assign(ask=pairs.index).rename(columns={"geometry": "first", "geometry_last": "last"})
    cut = between(network, ends[["ask", "street", "first", "last"]])
    doubt = np.maximum(pairs["doubt"].to_numpy(dtype=np.int64), pairs["doubt_last"].to_numpy(dtype=np.int64))
    chosen = cut["ask"].to_numpy(dtype=np.int64)
    found = cut.assign(ask=pairs["ask"].to_numpy()[chosen], doubt=doubt[chosen])
    return _answer(network, found, "stretch")


def _blocks(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    """Return the areas between the crossings of three or more streets."""
    pairs = [(label, *pair) for label, names in asked["corners"].items() for pair in combinations(names, 2)]
    table = pd.DataFrame(pairs, columns=["of", "street", "other"])
    met = _meetings(network, table["street"], table["other"])
    if met.empty:
        return met
    met = met.assign(of=table["of"].to_numpy()[met["ask"].to_numpy(dtype=np.int64)]).sort_values("of", kind="stable")
    number = met.groupby("of", sort=False).ngroup().to_numpy(dtype=np.int64)
    found = met.drop_duplicates("of").assign(doubt=met.groupby("of", sort=False)["doubt"].max().to_numpy())
    corners = shapely.multipoints(met["geometry"].to_numpy(dtype=object), indices=number)
    hulls = np.asarray(shapely.convex_hull(corners), dtype=object)
    west, south, east, north = shapely.bounds(hulls).T
    is_block = (shapely.get_type_id(hulls) == shapely.GeometryType.POLYGON) & (
        np.hypot(east - west, north - south) <= _BLOCK_M
    )
    return _answer(network, found.assign(ask=found["of"], geometry=hulls)[is_block], "block")


_SOLVERS: Final[dict[str, Callable[[Network, pd.DataFrame], pd.DataFrame]]] = {
    "street": _whole_streets,
    "stretch": _cross_stretches,
    "numbers": _number_stretches,
    "number": _single_numbers,
    "crossing": _crossings,
    "block": _blocks,
}
