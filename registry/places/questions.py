"""What is asked of each row: which street, between which cross streets or numbers; one row for each place it names."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.places.wording import Wording, read_wording

Objects = npt.NDArray[Any]
COLUMNS: Final = ("street", "cross_from", "cross_to", "number_from", "number_to", "corners")


def ask(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the places that rows name: row (position), form and what it needs; a row that names nothing has none.

    Columns of their own go before the text: a street with both cross streets is a `stretch`, with one a `crossing`,
    with a house number `numbers` (or a `number` where it is one). Else the text is read. Else it is the whole `street`.
    A text that names nothing but a street says no more than the street column, which then decides.

    Parameters
    ----------
    rows
        street_name, cross_street_from, cross_street_to, number_from, number_to, address; any may be absent.
    """
    street, address = _texts(rows, "street_name"), _texts(rows, "address")
    crossed = _texts(rows, "cross_street_from"), _texts(rows, "cross_street_to")
    numbers = [_numbers(rows, name) for name in ("number_from", "number_to")]
    numbers = [np.where(np.isnan(numbers[at]), numbers[1 - at], numbers[at]) for at in (0, 1)]
    has_street, has_numbers = _is_said(street), ~np.isnan(numbers[0])
    has_cross = _is_said(crossed[0]) | _is_said(crossed[1])
    is_told = has_street & (has_cross | has_numbers)
    table = pd.DataFrame({"row": np.arange(len(rows)), "street": street})
    table["cross_from"], table["cross_to"] = crossed
    table["number_from"], table["number_to"] = np.minimum(*numbers), np.maximum(*numbers)
    table["corners"] = None
    one_cross = has_cross & ~(_is_said(crossed[0]) & _is_said(crossed[1]))
    other = np.where(_is_said(crossed[0]), crossed[0], crossed[1])
    table.loc[one_cross, "corners"] = pd.Series(list(zip(street, other, strict=True)), dtype=object)[one_cross]
    # the text is read once for each of its distinct forms
    read = {text: read_wording(text) for text in pd.unique(address[_is_said(address) & ~is_told])}
    texts = _read_texts(address, has_street, is_told, read)
    by_street = has_street & ~is_told & ~np.isin(np.arange(len(rows)), texts["row"].to_numpy(dtype=np.int64))
    whole = table[by_street].assign(cross_from=None, cross_to=None, number_from=np.nan, number_to=np.nan)
    asked = pd.concat([part for part in (table[is_told], whole, texts) if len(part)] or [table[:0]])
    asked = asked.sort_values("row", kind="stable").reset_index(drop=True)
    return asked.assign(form=_forms(asked)).rename_axis("ask")


def _read_texts(
    address: Objects, has_street: Objects, is_told: Objects, read: dict[str, list[Wording]]
) -> pd.DataFrame:
    found = [
        (row, *(getattr(wording, name) for name in COLUMNS))
        for row in np.flatnonzero(_is_said(address) & ~is_told)
        for wording in read[address[row]]
        # beside a street of its own column, a text that is no place of ours is a remark
        if not (has_street[row] and _is_bare(wording))
    ]
    return pd.DataFrame(found, columns=["row", *COLUMNS]).astype({"number_from": float, "number_to": float})


def _is_bare(wording: Wording) -> bool:
    return not wording.corners and wording.cross_from is None and wording.number_from is None


def _forms(asked: pd.DataFrame) -> Objects:
    corner_count = asked["corners"].map(len, na_action="ignore").fillna(0).astype(int).to_numpy()
    is_number = asked["number_from"].notna().to_numpy()
    is_one = (asked["number_from"] == asked["number_to"]).to_numpy()
    is_stretch = (asked["cross_from"].notna() & asked["cross_to"].notna()).to_numpy()
    conditions = [is_stretch, corner_count > 2, corner_count == 2, is_number & is_one, is_number]
    return np.select(conditions, ["stretch", "block", "crossing", "number", "numbers"], "street").astype(object)


def _texts(rows: pd.DataFrame, name: str) -> Objects:
    if name not in rows:
        return np.full(len(rows), None, dtype=object)
    column = rows[name].astype(object)
    return column.where(column.notna(), None).to_numpy(dtype=object)


def _is_said(texts: Objects) -> npt.NDArray[np.bool_]:
    return np.asarray(pd.notna(texts) & (texts != ""), dtype=bool)


def _numbers(rows: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    if name not in rows:
        return np.full(len(rows), np.nan)
    return pd.to_numeric(rows[name]).to_numpy(dtype=np.float64, na_value=np.nan)
