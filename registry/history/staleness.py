"""When each segment and each of its attributes was last verified, and what has become stale since.

A delivery verifies the attributes that it says, of the rows that it adds, changes or says again as they were known. A
correction verifies what it sets. An inspection verifies that the pipe is there, but none of its attributes.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from psycopg import sql

from registry.db import query
from registry.errors import EditError
from registry.fields import columns_of, fields
from registry.history.deliveries import frame_of
from registry.history.slices import statement
from registry.kinds import KINDS

if TYPE_CHECKING:
    from registry.store import Registry

Days = NDArray[np.datetime64]
_SEGMENTS: Final = KINDS["segments"]
# the pipe as a whole: that it is there
WHOLE: Final = "segment"
GROUPS: Final = ("owner", "district", "material")
_DAYS_PER_YEAR: Final = 365.25


@dataclass(frozen=True)
class Limit:
    """After how many years an attribute that nobody said again is stale; `segment` stands for the pipe as a whole."""

    attribute: str
    years: float
    source: str
    confidence: str


@cache
def packaged_limits() -> tuple[Limit, ...]:
    """Return the limits of `registry/staleness.csv`."""
    text = files("registry").joinpath("staleness.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple(Limit(row["attribute"], float(row["years"]), row["source"], row["confidence"]) for row in rows)


def chosen_limits(years: float | None, attribute: str | None) -> tuple[Limit, ...]:
    """Return the limits that a question asks about: those of the file, or of one attribute, or a number of years.

    Raises
    ------
    EditError
        Where segments have no such attribute, or where the file has no limit for it and no years are given.
    """
    known = {limit.attribute: limit for limit in packaged_limits()}
    if attribute is None:
        if years is None:
            return tuple(known.values())
        return tuple(Limit(name, years, "", "") for name in (WHOLE, *_SEGMENTS.attributes))
    if attribute != WHOLE and attribute not in _SEGMENTS.attributes:
        columns = ", ".join((WHOLE, *_SEGMENTS.attributes))
        raise EditError("stale_attribute_unknown", column=attribute, columns=columns)
    if years is not None:
        return (Limit(attribute, years, "", ""),)
    if attribute not in known:
        raise EditError("stale_limit_absent", column=attribute, columns=", ".join(known))
    return (known[attribute],)


def read_staleness(
    registry: Registry, limits: Sequence[Limit], as_of: date, known_at: datetime | None = None
) -> pd.DataFrame:
    """Return for every segment when it was last verified and what of it is stale: the frame `staleness`.

    An attribute of which nothing is known cannot become stale.
    """
    connection = registry.connection
    said = frame_of(connection, query("stale_deliveries"), {"as_of": as_of, "known_at": known_at})
    names = [limit.attribute for limit in limits if limit.attribute != WHOLE]
    known: list[sql.Composable] = [
        sql.SQL("s.{} IS NOT NULL AS {}").format(sql.Identifier(n), sql.Identifier(f"knows_{n}")) for n in names
    ]
    text = statement(
        "stale_segments",
        _SEGMENTS,
        deliveries=sql.Literal(said["delivery_id"].tolist()),
        as_of=sql.SQL("{}::date").format(sql.Literal(as_of)),
        known_at=sql.SQL("{}::timestamptz").format(sql.Literal(known_at)),
        known=sql.SQL(", ").join(known or [sql.SQL("true AS knows_segment")]),
    )
    rows = registry.read(text).to_pandas()
    rows["district"] = _districts(rows, registry, as_of, known_at)
    return find_stale(rows, said, limits, as_of)


def find_stale(rows: pd.DataFrame, said: pd.DataFrame, limits: Sequence[Limit], as_of: date) -> pd.DataFrame:
    """Return the frame `staleness` of segments of which is known which deliveries spoke of them.

    Parameters
    ----------
    rows
        One for each segment: `spoken` (numbers of deliveries from 1 on, with commas), `inspected_on`, `knows_…` for
        each attribute, and what it is grouped by.
    said
        The deliveries in this order: `day` and `said_columns` (None for all).
    """
    codes, patterns = pd.factorize(rows["spoken"].fillna(""))
    spoken = [[int(number) - 1 for number in str(pattern).split(",") if number] for pattern in patterns]
    days, columns = said["day"].tolist(), said["said_columns"].tolist()
    today = np.datetime64(as_of)
    whole = np.fmax(_last(spoken, days, columns, None)[codes], rows["inspected_on"].to_numpy(dtype="datetime64[D]"))
    stale: dict[str, NDArray[np.bool_]] = {}
    for limit in limits:
        verified = whole if limit.attribute == WHOLE else _last(spoken, days, columns, limit.attribute)[codes]
        is_old = ~(verified >= today - np.timedelta64(round(limit.years * _DAYS_PER_YEAR), "D"))
        knows = True if limit.attribute == WHOLE else rows[f"knows_{limit.attribute}"].to_numpy(dtype=bool)
        stale[limit.attribute] = is_old & knows
    table = rows.assign(
        verified_on=whole.astype("datetime64[s]"),
        stale_attributes=_names(stale, len(rows)),
        is_stale=np.logical_or.reduce(list(stale.values())),
    )
    if len(limits) == 1 and limits[0].attribute != WHOLE:
        table["verified_on"] = _last(spoken, days, columns, limits[0].attribute)[codes].astype("datetime64[s]")
    return table.set_index(_SEGMENTS.id_column)[columns_of("staleness")]


def _last(spoken: list[list[int]], days: list[date], columns: list[Any], attribute: str | None) -> Days:
    """Return for each pattern the last day on which a delivery said the attribute, or anything at all."""
    found = np.full(len(spoken), np.datetime64("NaT"), dtype="datetime64[D]")
    for place, numbers in enumerate(spoken):
        told = [days[number] for number in numbers if _says(columns[number], attribute)]
        if told:
            found[place] = np.datetime64(max(told))
    return found


def _says(columns: list[str] | None, attribute: str | None) -> bool:
    if columns is None:
        return True
    return bool(columns) if attribute is None else attribute in columns


def _names(stale: dict[str, NDArray[np.bool_]], count: int) -> NDArray[np.object_]:
    """Name what is stale of each segment; there are few combinations, so each is spelt once."""
    pattern = np.zeros(count, dtype=np.int64)
    for place, flags in enumerate(stale.values()):
        pattern |= flags.astype(np.int64) << place
    found, where = np.unique(pattern, return_inverse=True)
    spelt = [",".join(name for place, name in enumerate(stale) if int(code) >> place & 1) for code in found]
    return np.array(spelt, dtype=object)[where]


def _districts(rows: pd.DataFrame, registry: Registry, as_of: date, known_at: datetime | None) -> NDArray[np.object_]:
    """Return the name of the district in which the middle of each segment lies."""
    names = np.full(len(rows), None, dtype=object)
    for district in registry.frame("districts", as_of=as_of, known_at=known_at).itertuples():
        shapely.prepare(district.geometry)
        inside = shapely.contains_xy(district.geometry, rows["middle_x"].to_numpy(), rows["middle_y"].to_numpy())
        names[inside & (names == None)] = district.name  # noqa: E711 - element by element
    return names


def summarise(staleness: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return rows and kilometres, all and stale, by owner, district or material: the frame `stale_summary`."""
    km, is_stale = staleness["length_m"] / 1000.0, staleness["is_stale"].astype("bool")
    value = staleness[group].astype("str").fillna("")
    parts = pd.DataFrame(
        {
            "segment_count": 1,
            "km": km,
            "stale_segment_count": is_stale.astype("int64"),
            "stale_km": km.where(is_stale, 0.0),
            "value": value,
        }
    )
    table = parts.groupby("value", as_index=False).sum().sort_values(["stale_km", "value"], ascending=[False, True])
    table["value"] = table["value"].where(table["value"] != "")
    return table.reset_index(drop=True)[list(fields()["stale_summary"])]
