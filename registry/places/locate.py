"""Find the places that rows name: one geometry for each row, how it was found and how surely, or why it was not."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from registry.places.explanations import explain
from registry.places.network import Network
from registry.places.questions import ask
from registry.places.solutions import answers

Objects = npt.NDArray[Any]
PLACES: Final = ("geometry", "located_by", "confidence", "problem", "asked", "offered")


def locate(rows: pd.DataFrame, network: Network) -> pd.DataFrame:
    """Return the place of each row: geometry, located_by, confidence, problem, asked, offered; same index.

    A row is located only where its words can mean one place; a row that names several has all of them, or none. Where
    cross streets do not settle it and it has house numbers, these do.
    `problem` is empty or one of street_unknown, crossing_unknown, number_unknown, stretch_apart and ambiguous, then
    `asked` says about what and `offered` what may have been meant. A row that names no place has neither.

    Parameters
    ----------
    rows
        street_name, cross_street_from, cross_street_to, number_from, number_to, address; any may be absent.
    network
        The roads it is looked for on.
    """
    result = _locate(rows, network)
    crosses = [name for name in ("cross_street_from", "cross_street_to") if name in rows]
    numbers = [name for name in ("number_from", "number_to") if name in rows]
    # where cross streets do not settle it, house numbers may
    again = result["problem"].notna() & rows[crosses].notna().any(axis=1) & rows[numbers].notna().any(axis=1)
    if again.any():
        second = _locate(rows[again].drop(columns=crosses), network)
        result.loc[second.index[second["problem"].isna()]] = second[second["problem"].isna()]
    return result


def _locate(rows: pd.DataFrame, network: Network) -> pd.DataFrame:
    asked = ask(rows)
    found = answers(network, asked)
    columns = {name: np.full(len(rows), None, dtype=object) for name in PLACES}
    columns["confidence"] = np.full(len(rows), np.nan)
    count = found.groupby("ask").size().reindex(asked.index, fill_value=0)
    faulty = asked[(count != 1).to_numpy()].drop_duplicates("row")
    held = faulty["row"].to_numpy(dtype=np.int64)
    for name, said in explain(faulty, found, network).items():
        columns[name][held] = said
    whole = asked[~asked["row"].isin(held)].join(found.set_index("ask")[["geometry", "confidence"]])
    _put_places(columns, whole.sort_values("row", kind="stable"))
    return pd.DataFrame(columns, index=rows.index)


def _put_places(columns: dict[str, Objects], parts: pd.DataFrame) -> None:
    """Give rows their geometry: of several places all, of mixed ones those of the highest dimension."""
    if parts.empty:
        return
    rows = parts["row"].drop_duplicates().to_numpy(dtype=np.int64)
    dimension = pd.Series(shapely.get_dimensions(parts["geometry"].to_numpy(dtype=object)), index=parts.index)
    kept = parts[dimension == dimension.groupby(parts["row"]).transform("max")]
    columns["geometry"][rows] = united(kept["geometry"].to_numpy(dtype=object), kept["row"].to_numpy(dtype=np.int64))
    columns["located_by"][rows] = kept.drop_duplicates("row")["form"].to_numpy(dtype=object)
    columns["confidence"][rows] = parts.groupby("row")["confidence"].min().to_numpy(dtype=np.float64)


def united(shapes: Objects, of: npt.NDArray[np.int64]) -> Objects:
    """Return one geometry for each run of equal numbers in `of`; a single geometry stays as it is."""
    starts = np.flatnonzero(np.diff(of, prepend=-1))
    result = shapes[starts].copy()
    size = np.diff(starts, append=len(of))
    for place in np.flatnonzero(size > 1):
        result[place] = shapely.union_all(shapes[starts[place] : starts[place] + size[place]])
    return result
