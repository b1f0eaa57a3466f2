"""Files that are written whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from registry.errors import DigonceError, FileFaultError

# packages whose faults in writing come from the disk: GDAL tells of a full one in SQL
_WRITERS: Final = frozenset({"pyogrio", "xlsxwriter", "pyarrow"})
_STATEMENT: Final = re.compile(r"sqlite3_exec\(.*\) failed: ", re.DOTALL)


@contextmanager
def written_whole(path: Path) -> Generator[None]:
    """Remove what was written of a file where its writing fails; a file that was not touched is left alone.

    Raises
    ------
    FileFaultError
        Where the system or the format's library could not write it.
    """
    before = _state(path)
    try:
        yield
    except DigonceError:
        raise
    except Exception as fault:
        if not isinstance(fault, OSError) and type(fault).__module__.partition(".")[0] not in _WRITERS:
            raise
        if _state(path) != before:
            path.unlink(missing_ok=True)
        reason = getattr(fault, "strerror", None) or _STATEMENT.sub("", str(fault))
        raise FileFaultError(
            "file_not_written", file=str(path), fault=reason.rstrip("."), free_mb=_free_mb(path)
        ) from fault


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _free_mb(path: Path) -> int:
    folder = next((entry for entry in path.absolute().parents if entry.is_dir()), Path("/"))
    return shutil.disk_usage(folder).free // 1_000_000
