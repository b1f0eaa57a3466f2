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
        return self.is_placed_by_words or self.subject_columns is not None

    @property
    def subject_columns(self) -> frozenset[str] | None:
        """Columns that say what a row is about, where its id is made of them alone; None where of all of them.

        A month that is reported again with other kilometres is then the same row, and changes it.
        """
        return _SUBJECTS.get(self.name)

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
    "tasks": "yearly_task",
    "progress": "progress_report",
}
_SUBJECTS: Final = {
    "tasks": frozenset({"year", "tier", "medium", "district", "owner"}),
    "progress": frozenset(
        {"month", "plan_name", "batch_id", "segment_ids", "street_name", "tier", "medium", "district", "owner"}
    ),
}

# what may be delivered
KINDS: Final = {name: Kind(name, table) for name, table in _TABLES.items()}
# and what only our own verbs write: kept with history, read and undone like the others
KEPT_KINDS: Final = KINDS | {"plan_states": Kind("plan_states", "plan_state")}


def kind_named(name: str) -> Kind:
    """Return the kind of a delivery, or raise with the list of those that exist."""
    try:
        return KINDS[name]
    except KeyError:
        raise UnknownKindError("kind_unknown", kind=name, kinds=", ".join(KINDS)) from None
