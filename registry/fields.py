"""The one truth for attributes: what `fields.csv` and the value lists say, and the check of a frame against them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from registry.errors import FrameError, Phrase

if TYPE_CHECKING:
    import pandas as pd

NUMERIC_DTYPES: Final = frozenset({"double", "integer"})
GEOMETRY_DTYPES: Final = frozenset({"point", "linestring", "multipolygon", "geometry"})


@dataclass(frozen=True)
class Field:
    """One column of one frame, as fields.csv declares it."""

    frame: str
    column: str
    role: str
    dtype: str
    unit: str
    is_nullable: bool
    minimum: float | None
    maximum: float | None
    list_name: str
    label_en: str
    label_zh: str
    aliases: tuple[str, ...]
    description: str

    def label(self, language: str) -> str:
        """Return the heading of the column in the given language."""
        return self.label_zh if language == "zh" else self.label_en


@dataclass(frozen=True)
class ListedValue:
    """One entry of a value list: the code we keep, its words, and what surveys write for it."""

    code: str
    label_en: str
    label_zh: str
    aliases: tuple[str, ...]

    def label(self, language: str) -> str:
        """Return the word for the code in the given language."""
        return self.label_zh if language == "zh" else self.label_en


def _read(name: str) -> list[dict[str, str]]:
    text = files("registry").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def _number(text: str) -> float | None:
    return float(text) if text else None


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for word in text.split("|") if word)


@cache
def fields() -> dict[str, dict[str, Field]]:
    """Return frame -> column -> field, in the order of the file."""
    frames: dict[str, dict[str, Field]] = {}
    for row in _read("fields.csv"):
        field = Field(
            frame=row["frame"],
            column=row["column"],
            role=row["role"],
            dtype=row["dtype"],
            unit=row["unit"],
            is_nullable=row["nullable"] == "yes",
            minimum=_number(row["minimum"]),
            maximum=_number(row["maximum"]),
            list_name=row["list"],
            label_en=row["label_en"],
            label_zh=row["label_zh"],
            aliases=_words(row["aliases"]),
            description=row["description"],
        )
        frames.setdefault(field.frame, {})[field.column] = field
    return frames


@cache
def value_list(name: str) -> dict[str, ListedValue]:
    """Return code -> entry of one value list."""
    return {
        row["code"]: ListedValue(row["code"], row["label_en"], row["label_zh"], _words(row["aliases"]))
        for row in _read(f"lists/{name}.csv")
        if row["is_active"] == "yes"
    }


def value_list_names() -> list[str]:
    """Return the names of all value lists."""
    folder = files("registry").joinpath("lists")
    return sorted(entry.name.removesuffix(".csv") for entry in folder.iterdir() if entry.name.endswith(".csv"))


def columns_of(frame: str) -> list[str]:
    """Return the attribute columns of a frame, without its index and its geometry."""
    return [field.column for field in fields()[frame].values() if field.role not in {"index", "geometry"}]


def index_of(frame: str) -> str | None:
    """Return the name of the index of a frame, or None where rows have no id of their own."""
    return next((field.column for field in fields()[frame].values() if field.role == "index"), None)


def _column_faults(field: Field, values: pd.Series) -> list[Phrase]:
    """List what is wrong with one column."""
    where: dict[str, object] = {"frame": field.frame, "column": field.column}
    missing = values.isna()
    faults: list[Phrase] = []
    if not field.is_nullable and missing.any():
        faults.append(Phrase("frame_value_missing", where | {"count": int(missing.sum())}))
    present = values[~missing]
    if field.dtype in NUMERIC_DTYPES:
        try:
            numbers = present.astype("float64")
        except (TypeError, ValueError):
            return [*faults, Phrase("frame_not_numeric", where)]
        below = numbers < field.minimum if field.minimum is not None else numbers != numbers
        above = numbers > field.maximum if field.maximum is not None else numbers != numbers
        if (below | above).any():
            faults.append(Phrase("frame_out_of_range", where | {"example": numbers[below | above].iloc[0]}))
    if field.list_name:
        strangers = set(present.unique()) - set(value_list(field.list_name))
        if strangers:
            faults.append(Phrase("frame_value_unlisted", where | {"example": sorted(map(str, strangers))[0]}))
    return faults


def check_frame(table: pd.DataFrame, frame: str, columns: list[str] | None = None) -> None:
    """Check a frame against its contract and raise once with every fault found.

    Parameters
    ----------
    table
        The frame; its index must carry the name of the index column of the contract.
    frame
        Name of the contract in fields.csv.
    columns
        The columns that the caller needs; by default all that are not nullable. Columns that the contract does
        not declare are a fault: no undeclared column passes between packages.

    Raises
    ------
    FrameError
        With all faults in its message.
    """
    contract = fields()[frame]
    index = index_of(frame)
    faults: list[Phrase] = []
    if index is not None and table.index.name != index:
        faults.append(Phrase("frame_index_name", {"frame": frame, "column": index, "found": str(table.index.name)}))
    if index is not None and not table.index.is_unique:
        faults.append(Phrase("frame_index_repeated", {"frame": frame, "column": index}))
    needed = (
        columns
        if columns is not None
        else [field.column for field in contract.values() if not field.is_nullable and field.role != "index"]
    )
    absent = [column for column in needed if column not in table.columns]
    if absent:
        faults.append(Phrase("frame_columns_absent", {"frame": frame, "columns": ", ".join(absent)}))
    undeclared = [str(column) for column in table.columns if column not in contract]
    if undeclared:
        faults.append(Phrase("frame_columns_undeclared", {"frame": frame, "columns": ", ".join(undeclared)}))
    for field in contract.values():
        if field.column in table.columns and field.role in {"attribute", "generated", "computed"}:
            faults.extend(_column_faults(field, table[field.column]))
    if "geometry" in table.columns and getattr(table, "crs", None) is not None and table.crs.is_geographic:
        faults.append(Phrase("frame_crs_in_degrees", {"frame": frame}))
    if faults:
        raise FrameError("frame_breaks_contract", frame=frame, faults=tuple(faults))
