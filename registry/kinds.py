"""The kinds of things a registry keeps: which table, which id, which geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from registry.errors import UnknownKindError
from registry.fields import fields


@dataclass(frozen=True)
class Kind:
    """One kind of delivery: its plural name on the command line and its singular table."""

    name: str
    table: str

    @property
    def version_table(self) -> str:
        """The table that holds the versions of its rows."""
        return f"{self.table}_version"

    @property
    def id_column(self) -> str:
        """The column that holds the owner's id."""
        return next(field.column for field in fields()[self.name].values() if field.role == "index")

    @property
    def geometry_dtype(self) -> str | None:
        """Kind of geometry in fields.csv, or None where rows have no place of their own."""
        field = fields()[self.name].get("geometry")
        return field.dtype if field else None

    @property
    def takes_coordinates(self) -> bool:
        """Whether a table may give the place of a row as two columns of coordinates."""
        return self.geometry_dtype == "point" or self.name == "events"

    @property
    def is_placed_by_words(self) -> bool:
        """Whether a row may name its place: by street, cross streets, house numbers or an address."""
        return self.name in {"projects", "moratoria"}

    @property
    def takes_addresses(self) -> bool:
        """Whether a row without a position gets one from its address, as a hotline hands leaks and events on."""
        return self.name in {"leaks", "events"}

    @property
    def makes_ids(self) -> bool:
        """Whether a file without ids gets some made from its content: programmes and bans are published without."""
        return self.is_placed_by_words

    @property
    def attributes(self) -> list[str]:
        """Columns a delivery may fill, without id and geometry."""
        return [field.column for field in fields()[self.name].values() if field.role == "attribute"]


_TABLES: Final = {
    "segments": "segment",
    "nodes": "node",
    "leaks": "leak",
    "events": "event",
    "projects": "project",
    "compounds": "compound",
    "roads": "road",
    "pavements": "pavement",
    "moratoria": "moratorium",
    "decisions": "decision",
    "buildings": "building",
    "districts": "district",
    "customers": "customer",
    "risers": "riser_group",
    "valves": "valve",
    "surveys": "survey",
    "context": "context_object",
}

KINDS: Final = {name: Kind(name, table) for name, table in _TABLES.items()}


def kind_named(name: str) -> Kind:
    """Return the kind, or raise with the list of those that exist."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError("kind_unknown", kind=name, kinds=", ".join(KINDS)) from None
