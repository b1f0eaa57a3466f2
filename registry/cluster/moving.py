"""The one step of an upgrade that a start must know of: two data folders change places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

# A whole data folder of the new major, stopped and proved equal to the old one, waits under this name.
MOVED_NAME: Final = "cluster.upgraded"


def finish_move(data_folder: Path) -> None:
    """Bring in the new data folder where an upgrade was killed after it had taken the old one away."""
    moved = data_folder.with_name(MOVED_NAME)
    if not data_folder.exists() and moved.is_dir():
        moved.rename(data_folder)


def aside_name(data_folder: Path) -> Path:
    """Return a free name beside the data folder under which the old one is kept, with its major."""
    major = (data_folder / "PG_VERSION").read_text(encoding="ascii").strip()
    names = (data_folder.with_name(f"{data_folder.name}.pg{major}{mark}") for mark in _marks())
    return next(name for name in names if not name.exists())


def _marks() -> Iterator[str]:
    yield ""
    yield from (f".{number}" for number in count(2))
