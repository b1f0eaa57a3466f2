"""Which column of a file is which of ours: by mapping, by our name, or by what surveys call it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from registry.errors import FileFaultError, MappingError
from registry.fields import Field, fields
from registry.intake.mapping import Mapping
from registry.kinds import Kind

if TYPE_CHECKING:
    import pandas as pd

# a survey's X is its northing and its Y its easting; the axes are settled by size, see crs.py
X_HEADINGS: Final = ("x", "X坐标", "横坐标", "经度", "lon", "longitude", "东坐标", "easting")
Y_HEADINGS: Final = ("y", "Y坐标", "纵坐标", "纬度", "lat", "latitude", "北坐标", "northing")
# what stands first in a row that only adds up the others
_TOTALS: Final = frozenset({"合计", "小计", "总计", "total", "subtotal", "grandtotal", "sum"})
# one delivered column fills both ends of an interval
_INTERVAL_ENDS: Final = {"installed_year_min": "installed_year_max", "starts_on": "ends_on"}


def normalised(heading: str) -> str:
    """Return a heading without case, spaces, unit brackets and full-width forms."""
    text = heading.strip().replace("（", "(").replace("）", ")").casefold()
    return "".join(text.split())


def is_total(word: str) -> bool:
    """Tell whether a word that stands first in a row says that the row adds up others."""
    return normalised(word).strip(":：") in _TOTALS


def names_for(field: Field) -> tuple[str, ...]:
    """Return everything a file may call this column."""
    return (field.column, field.label_zh, field.label_en, *field.aliases)


def known_headings(kind: Kind) -> set[str]:
    """Return all headings of a kind, for finding the header row."""
    names = {normalised(name) for field in fields()[kind.name].values() for name in names_for(field)}
    return names | {normalised(name) for name in (*X_HEADINGS, *Y_HEADINGS)}


@dataclass(frozen=True)
class Headings:
    """Our column -> heading in the file; `unused` are headings that nothing was read from.

    A column that is joined from several headings has them in `joined`; its heading is then only what it is called.
    """

    by_column: dict[str, str]
    unused: tuple[str, ...]
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def column(self, raw: pd.DataFrame, name: str) -> pd.Series:
        """Return what the file says of one of our columns; joined parts have a space between them."""
        if name not in self.joined:
            return raw[self.by_column[name]]
        from registry.intake.convert import join_texts

        return join_texts([raw[heading] for heading in self.joined[name]])


def match_headings(headings: list[str], kind: Kind, mapping: Mapping, file_name: str) -> Headings:
    """Settle the heading of each of our columns.

    A mapping wins; else the exact name; else an alias, in the order of fields.csv. Each heading is used once, except
    that a single year or date may fill both ends of an interval.

    Raises
    ------
    MappingError
        Where the mapping names a heading that the file does not have.
    FileFaultError
        Where a required column is found nowhere.
    """
    absent = {ours: theirs for ours, theirs in mapping.columns.items() if theirs not in headings}
    absent |= {ours: part for ours, parts in mapping.joined.items() for part in parts if part not in headings}
    if absent:
        wanted = ", ".join(f"{ours} = “{theirs}”" for ours, theirs in absent.items())
        raise MappingError("mapping_heading_absent", file=file_name, wanted=wanted, headings=", ".join(headings))
    joined = {ours: tuple(parts) for ours, parts in mapping.joined.items()}
    taken = {*mapping.columns.values(), *(part for parts in joined.values() for part in parts)}
    found = mapping.columns | {ours: " + ".join(parts) for ours, parts in joined.items()}
    free = {normalised(heading): heading for heading in reversed(headings) if heading not in taken}
    contract = [entry for entry in fields()[kind.name].values() if entry.role in {"index", "attribute"}]
    candidates = [(field.column, (field.column, *names_for(field))) for field in contract]
    if kind.takes_coordinates:
        candidates += [("x", X_HEADINGS), ("y", Y_HEADINGS)]
    for column, names in candidates:
        if column in found or column in mapping.defaults:
            continue
        heading = next((free[normalised(name)] for name in names if normalised(name) in free), None)
        if heading is not None:
            found[column] = heading
            free.pop(normalised(heading))
    for first, last in _INTERVAL_ENDS.items():
        if first in found and last not in found and any(field.column == last for field in contract):
            found[last] = found[first]
    _require(
        found,
        [field for field in contract if not (kind.makes_ids and field.role == "index")],
        mapping,
        file_name,
        headings,
    )
    unused = tuple(heading for heading in headings if heading not in taken | set(found.values()))
    return Headings(found, unused, joined)


def _require(
    found: dict[str, str], contract: list[Field], mapping: Mapping, file_name: str, headings: list[str]
) -> None:
    missing = [
        f"{field.column} ({field.label_zh})"
        for field in contract
        if not field.is_nullable and field.column not in found and field.column not in mapping.defaults
    ]
    if missing:
        raise FileFaultError(
            "columns_absent", file=file_name, columns=", ".join(missing), headings=", ".join(headings[:40])
        )
