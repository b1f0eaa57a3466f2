"""Where on a street: house numbers along its sides, stretches between two points of it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from registry.places.cutting import SHORTEST_M, cut_lines
from registry.places.network import Network

Geometries = npt.NDArray[Any]
Shares = npt.NDArray[np.float64]
# two answers that lie closer together are one place
SAME_PLACE_M: Final = 250.0
# how far a crossing may lie from the piece of street that is cut there: half a wide street with its junction
_REACH_M: Final = 40.0
# how far beyond the known numbers of a street a number is still looked for at its end
_NUMBERS_BEYOND: Final = 20


def number_points(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    """Return where house numbers lie on the centreline: ask, street, geometry, is_beyond, fits_parity.

    Houses are taken to be evenly spaced along a side; one number alone lies in its middle. A side whose numbers are odd
    or even like ours goes before one of the others. A number that no side holds lies at the nearest end where that is
    at most 20 numbers away (`is_beyond`). Where a street of that name has the number twice, far apart, both are
    returned.

    Parameters
    ----------
    asked
        ask (label), street (number of the network), number; any index.
    """
    wanted = asked[["street", "number"]].drop_duplicates()
    pairs = wanted.merge(network.sides, on="street")
    gap = np.maximum(0, np.maximum(pairs["low"] - pairs["number"], pairs["number"] - pairs["high"]))
    fits = (pairs["parity"] == pairs["number"] % 2) | (pairs["parity"] == -1)
    pairs = pairs.assign(gap=gap, fits_parity=fits, width=pairs["high"] - pairs["low"])[gap <= _NUMBERS_BEYOND]
    pairs = pairs.assign(is_beyond=pairs["gap"] > 0, is_other=~pairs["fits_parity"])
    keys = ["is_beyond", "is_other", "gap", "width"]
    pairs = pairs.sort_values(["street", "number", *keys], kind="stable")
    best = pairs.groupby(["street", "number"], sort=False)[["is_beyond", "is_other"]].transform("first")
    pairs = pairs[(pairs[["is_beyond", "is_other"]] == best).all(axis=1)]
    pairs = pairs.assign(geometry=_at_share(network, pairs, _share(pairs, pairs["number"])))
    first = pairs.groupby(["street", "number"], sort=False)["geometry"].transform("first")
    far = shapely.distance(pairs["geometry"].to_numpy(dtype=object), first.to_numpy(dtype=object)) > SAME_PLACE_M
    is_first = ~pairs.duplicated(["street", "number"])
    # of the far ones the first alone: that there is another is enough to know
    second = pairs[far & ~is_first.to_numpy()].drop_duplicates(["street", "number"])
    chosen = pd.concat([pairs[is_first], second])[["street", "number", "geometry", "is_beyond", "fits_parity"]]
    return asked.merge(chosen, on=["street", "number"])[["ask", "street", "geometry", "is_beyond", "fits_parity"]]


def _share(pairs: pd.DataFrame, number: pd.Series, lots: float = 0.0) -> Shares:
    """Return how far along its road each number lies, 0 to 1, or so many lots beyond it.

    Every number has a lot of one width; between the first lot's middle and the crossing lies one more, the corner lot
    and half of the cross street: on Kitchener's breaks that halves the error of a range drawn from crossing to
    crossing near its ends. A side with one number has it in the middle.
    """
    low, high = pairs["low"].to_numpy(dtype=np.float64), pairs["high"].to_numpy(dtype=np.float64)
    step = np.where(pairs["parity"].to_numpy() == -1, 1.0, 2.0)
    along = np.clip(number.to_numpy(dtype=np.float64), low, high) - low + (1.0 + lots) * step
    share: Shares = np.divide(along, high - low + 2.0 * step)
    is_reversed = (pairs["number_from"] > pairs["number_to"]).to_numpy(dtype=bool)
    return np.where(is_reversed, 1.0 - share, share)


def _spans(pairs: pd.DataFrame) -> tuple[Shares, Shares]:
    """Return where on its road the lots from `first` to `last` begin and end, 0 to 1; a whole range is all of it."""
    start, end = _share(pairs, pairs["first"], -0.5), _share(pairs, pairs["last"], 0.5)
    is_reversed = (pairs["number_from"] > pairs["number_to"]).to_numpy(dtype=bool)
    reaches_low, reaches_high = (pairs["first"] <= pairs["low"]), (pairs["last"] >= pairs["high"])
    start = np.where(reaches_low, is_reversed.astype(np.float64), start)
    end = np.where(reaches_high, (~is_reversed).astype(np.float64), end)
    return np.minimum(start, end), np.maximum(start, end)


def _at_share(network: Network, pairs: pd.DataFrame, share: Shares) -> Geometries:
    lines = network.roads["geometry"].to_numpy(dtype=object)[pairs["road"].to_numpy(dtype=np.int64)]
    return np.asarray(shapely.line_interpolate_point(lines, share, normalized=True), dtype=object)


def number_stretches(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of roads that hold the numbers from one to another: ask, street, geometry.

    Where both numbers are odd, or even, the sides that are so too decide, if there are any.

    Parameters
    ----------
    asked
        ask, street, number_from, number_to (not less); any index.
    """
    pairs = asked.rename(columns={"number_from": "first", "number_to": "last"}).merge(network.sides, on="street")
    pairs = pairs[(pairs["low"] <= pairs["last"]) & (pairs["high"] >= pairs["first"])]
    one_side = pairs["first"] % 2 == pairs["last"] % 2
    fits = ~one_side | (pairs["parity"] == pairs["first"] % 2)
    has_fitting = fits.groupby([pairs["ask"], pairs["street"]]).transform("any").astype(bool)
    pairs = pairs[fits | ~has_fitting]
    start, end = _spans(pairs)
    pairs = pairs.assign(start=start, end=end)
    spans = pairs.groupby(["ask", "street", "road"], as_index=False).agg(start=("start", "min"), end=("end", "max"))
    lines = network.roads["geometry"].to_numpy(dtype=object)[spans["road"].to_numpy(dtype=np.int64)]
    length = shapely.length(lines)
    cut = cut_lines(lines, spans["start"].to_numpy() * length, spans["end"].to_numpy() * length)
    return _gathered(spans.assign(geometry=cut))


def between(network: Network, asked: pd.DataFrame) -> pd.DataFrame:
    """Return what lies between two points of a street on each piece that passes both: ask, street, geometry.

    A piece passes a point within 40 m; so both carriageways of a divided street are taken. Where no single piece
    passes both, nothing is returned.

    Parameters
    ----------
    asked
        ask, street, first, last (points); unique asks; any index.
    """
    pairs = asked.merge(network.pieces, on="street")
    lines = pairs["geometry"].to_numpy(dtype=object)
    first, last = pairs["first"].to_numpy(dtype=object), pairs["last"].to_numpy(dtype=object)
    passes = shapely.dwithin(lines, first, _REACH_M) & shapely.dwithin(lines, last, _REACH_M)
    pairs, lines, first, last = pairs[passes], lines[passes], first[passes], last[passes]
    cut = cut_lines(lines, shapely.line_locate_point(lines, first), shapely.line_locate_point(lines, last))
    return _gathered(pairs.assign(geometry=cut))


def _gathered(parts: pd.DataFrame) -> pd.DataFrame:
    """Unite the lines of each ask and street."""
    there = parts[~shapely.is_missing(parts["geometry"].to_numpy(dtype=object))]
    there = there[shapely.length(there["geometry"].to_numpy(dtype=object)) >= SHORTEST_M]
    there = there.sort_values(["ask", "street"], kind="stable")
    number = there.groupby(["ask", "street"], sort=False).ngroup().to_numpy(dtype=np.int64)
    kept: pd.DataFrame = there.drop_duplicates(["ask", "street"])[["ask", "street"]].reset_index(drop=True)
    if kept.empty:
        return kept.assign(geometry=pd.Series(dtype=object))
    lines = shapely.line_merge(shapely.multilinestrings(there["geometry"].to_numpy(dtype=object), indices=number))
    return kept.assign(geometry=np.asarray(lines, dtype=object))
