"""Mapping files: how the columns, values and units of one delivery are to be read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic import Field as Limits

from registry.errors import MappingError, Phrase
from registry.fields import Field, fields, value_list
from registry.intake.validation import nearest, sound_part
from registry.kinds import Kind
from registry.toml_files import TomlError, read_toml

Cell = str | int | float | bool
_LATER: Final = frozenset({"dates", "joined"})
# a day whose parts cannot be taken for each other
_SAMPLE_DAY: Final = date(2031, 12, 25)


class Source(BaseModel):
    """Where in the file the rows are and how its text and axes are to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    crs: str | None = None
    header_rows: int | None = Limits(default=None, ge=1)
    axis: Literal["easting-northing", "northing-easting"] | None = None


class Mapping(BaseModel):
    """One mapping file, validated; every part may be left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Source = Source()
    columns: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    units: dict[str, str] = {}
    defaults: dict[str, Cell] = {}
    filter: dict[str, list[Cell] | Cell] = {}
    dates: dict[str, str] = {}
    joined: dict[str, list[str]] = {}

    def digest(self) -> str:
        """Return a hash that is equal for mappings that mean the same."""
        # a mapping that lacks what came later means what it meant before
        said = {name: part for name, part in self.model_dump(mode="json").items() if part or name not in _LATER}
        text = json.dumps(said, sort_keys=True, ensure_ascii=False)
        return sha256(text.encode()).hexdigest()


_TO_UNIT: dict[tuple[str, str], float] = {
    ("m", "m"): 1.0,
    ("cm", "m"): 0.01,
    ("mm", "m"): 0.001,
    ("km", "m"): 1000.0,
    ("ft", "m"): 0.3048,
    ("mm", "mm"): 1.0,
    ("cm", "mm"): 10.0,
    ("m", "mm"): 1000.0,
    ("inch", "mm"): 25.4,
    ("kPa", "kPa"): 1.0,
    ("MPa", "kPa"): 1000.0,
    ("bar", "kPa"): 100.0,
    ("mbar", "kPa"): 0.1,
    ("CNY", "CNY"): 1.0,
    ("10k CNY", "CNY"): 10_000.0,
    ("万元", "CNY"): 10_000.0,
    ("元", "CNY"): 1.0,
    ("year", "year"): 1.0,
}


def unit_factor(given: str, wanted: str) -> float | None:
    """Return what a value in `given` is multiplied by to be in `wanted`, or None where that is unknown."""
    return _TO_UNIT.get((given, wanted))


def read_mapping(path: Path | None, kind: Kind) -> Mapping:
    """Read and check a mapping file; without one, an empty mapping.

    Raises
    ------
    MappingError
        With every fault in the file, each naming its key.
    """
    if path is None:
        return Mapping()
    try:
        raw = read_toml(path)
    except TomlError as fault:
        raise MappingError("mapping_unreadable", file=path.name, fault=fault.phrase) from fault
    mapping, faults = sound_part(raw, Mapping)
    faults += _faults(mapping, kind)
    if faults:
        raise MappingError("mapping_invalid", file=path.name, faults=tuple(faults))
    return mapping


def _faults(mapping: Mapping, kind: Kind) -> list[Phrase]:
    """Name every key that is not ours, every value not in its list and every unit that cannot be converted."""
    contract = fields()[kind.name]
    known = set(contract) | {"x", "y"}
    sections: dict[str, Iterable[str]] = {
        "columns": mapping.columns,
        "values": mapping.values,
        "units": mapping.units,
        "defaults": mapping.defaults,
        "dates": mapping.dates,
        "joined": mapping.joined,
    }
    faults = [
        _unknown_column(section, column, kind)
        for section, columns in sections.items()
        for column in columns
        if column not in known
    ]
    for column, words in mapping.values.items():
        faults += _value_faults(contract.get(column), words)
    for column, unit in mapping.units.items():
        wanted = contract[column].unit if column in contract else "m"
        if column in known and unit_factor(unit, wanted) is None:
            faults.append(_unit_fault(column, unit, wanted))
    faults += [
        Phrase("mapping_date_unknown", {"key": f"[dates] {column}", "value": form})
        for column, form in mapping.dates.items()
        if column in known and not (column in contract and contract[column].dtype == "date" and _says_a_day(form))
    ]
    faults += [
        Phrase("mapping_joined_twice", {"key": f"[joined] {column}"})
        for column in mapping.joined
        if column in mapping.columns or len(mapping.joined[column]) < 2
    ]
    return faults


def _says_a_day(form: str) -> bool:
    """Tell whether a day written in a form is read back as the same day."""
    try:
        return datetime.strptime(_SAMPLE_DAY.strftime(form), form).date() == _SAMPLE_DAY
    except ValueError:
        return False


def _unknown_column(section: str, column: str, kind: Kind) -> Phrase:
    choices = {
        name: field.column
        for field in fields()[kind.name].values()
        for name in (field.column, field.label_zh, field.label_en.lower(), *field.aliases)
    }
    told: dict[str, object] = {"key": f"[{section}] {column}", "kind": kind.name}
    near = nearest(column, choices)
    return Phrase("mapping_column_unknown", told | {"near": choices[near]} if near else told).or_alone("near")


def _unit_fault(column: str, unit: str, wanted: str) -> Phrase:
    known = ", ".join(given for given, ours in _TO_UNIT if ours == wanted)
    told: dict[str, object] = {"key": f"[units] {column}", "unit": unit, "known": known or None}
    return Phrase("mapping_unit_unknown", told).or_alone("known")


def _value_faults(field: Field | None, values: dict[str, str]) -> list[Phrase]:
    if field is None or not field.list_name:
        return []
    codes = {entry.code: entry for entry in value_list(field.list_name).values()}
    choices = {name: code for code, entry in codes.items() for name in (code, entry.label_zh, entry.label_en)}
    faults: list[Phrase] = []
    for theirs, ours in values.items():
        if ours not in codes:
            near = nearest(ours, choices)
            told: dict[str, object] = {"key": f"[values.{field.column}] {theirs}", "value": ours}
            told |= {"near": choices[near] if near else None, "known": ", ".join(codes)}
            faults.append(Phrase("mapping_value_unknown", told).or_alone("near"))
    return faults
