"""Mapping files: how the columns, values and units of one delivery are to be read."""

from __future__ import annotations

import json
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from registry.errors import MappingError
from registry.fields import Field, fields, value_list
from registry.kinds import Kind

Cell = str | int | float | bool


class Source(BaseModel):
    """Where in the file the rows are and how its text and axes are to be read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layer: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    crs: str | None = None
    header_rows: int | None = None
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

    def digest(self) -> str:
        """Return a hash that is equal for mappings that mean the same."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
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
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise MappingError("mapping_unreadable", file=path.name, fault=str(fault)) from fault
    try:
        mapping = Mapping.model_validate(raw)
    except ValidationError as fault:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in fault.errors()]
        raise MappingError("mapping_invalid", file=path.name, faults="; ".join(faults)) from fault
    faults = _faults(mapping, kind)
    if faults:
        raise MappingError("mapping_invalid", file=path.name, faults="; ".join(faults))
    return mapping


def _faults(mapping: Mapping, kind: Kind) -> list[str]:
    """Name every key that is not ours, every value not in its list and every unit that cannot be converted."""
    contract = fields()[kind.name]
    known = set(contract) | {"x", "y"}
    faults = [
        f"[{section}] {column}: not a column of {kind.name}; known are {', '.join(sorted(known))}"
        for section, columns in (
            ("columns", mapping.columns),
            ("values", mapping.values),
            ("units", mapping.units),
            ("defaults", mapping.defaults),
        )
        for column in columns
        if column not in known
    ]
    faults += [
        fault for column, values in mapping.values.items() for fault in _value_faults(contract.get(column), values)
    ]
    faults += [
        f"[units] {column}: {unit} cannot be turned into {contract[column].unit or 'a column without unit'}"
        for column, unit in mapping.units.items()
        if column in contract and unit_factor(unit, contract[column].unit) is None
    ]
    return faults


def _value_faults(field: Field | None, values: dict[str, str]) -> list[str]:
    if field is None or not field.list_name:
        return []
    codes = value_list(field.list_name)
    return [
        f"[values.{field.column}] {theirs} = {ours}: not a code; known are {', '.join(codes)}"
        for theirs, ours in values.items()
        if ours not in codes
    ]
