"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from registry.errors import DigonceError, FileFaultError

# packages whose faults in writing come from the disk: GDAL tells of a full one in SQL
_WRITERS: Final = frozenset({"pyogrio", "xlsxwriter", "pyarrow"})
_STATEMENT: Final = re.compile(r"sqlite3_exec\(.*\) failed: ", re.DOTALL)


@contextmanager
def written_whole(path: Path) -> Generator[Path]:
    """Give the path to write to, and put the file in its place once it is whole; what stood there is kept until then.

    What is no ordinary file (a pipe, a terminal) is written to as it is. Folders must exist.

    Raises
    ------
    FileFaultError
        Where the system or the format's library could not write it; then nothing of it is left.
    """
    target = path.resolve()
    is_special = target.exists() and not target.is_file()
    part = target if is_special else target.with_name(f".{target.stem}.part{target.suffix}")
    try:
        if not is_special:
            part.unlink(missing_ok=True)
        yield part
        if not is_special:
            _put_in_place(part, target)
    except BaseException as fault:
        if not is_special:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        if not _is_of_the_disk(fault):
            raise
        reason = getattr(fault, "strerror", None) or _STATEMENT.sub("", str(fault))
        raise FileFaultError(
            "file_not_written", file=str(path), fault=reason.rstrip("."), free_mb=_free_mb(path)
        ) from fault


def _put_in_place(part: Path, target: Path) -> None:
    if target.exists():
        if not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
        shutil.copymode(target, part)
    part.replace(target)


def _is_of_the_disk(fault: BaseException) -> bool:
    if isinstance(fault, DigonceError) or not isinstance(fault, Exception):
        return False
    return isinstance(fault, OSError) or type(fault).__module__.partition(".")[0] in _WRITERS


def _free_mb(path: Path) -> int:
    folder = next((entry for entry in path.absolute().parents if entry.is_dir()), Path("/"))
    return shutil.disk_usage(folder).free // 1_000_000
