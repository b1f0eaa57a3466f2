"""The delivered files themselves, kept in the database by their hash, so that a delivery can be read again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import psycopg
import pyarrow as pa

from registry.db import connect, query
from registry.errors import FileFaultError

_CHUNK: Final = 4_000_000
# the fastest level: files of GIS are mostly compressed already
_LEVEL: Final = 1


def delivered_parts(path: Path) -> list[Path]:
    """Return the files that make up a delivery: all of a folder, all parts of a shapefile, else the file."""
    if path.is_dir():
        return sorted(entry for entry in path.rglob("*") if entry.is_file())
    if path.suffix.lower() == ".shp":
        return sorted(entry for entry in path.parent.iterdir() if entry.stem == path.stem)
    return [path]


class FileKeeper:
    """Keeps a delivered file over a connection and in a thread of its own, beside the writing of its rows.

    A file whose rows were not written in the end is removed with the next delivery.
    """

    def __init__(self, info: str, path: Path, digest: str) -> None:
        self._info = info
        self._path = path
        self._digest = digest
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._keep, name="digonce-keep-file")

    def start(self) -> None:
        """Begin to keep the file; once begun, nothing more."""
        if self._thread.ident is None:
            self._thread.start()

    def join(self) -> None:
        """Wait until the thread has ended, however it ended, if it was begun."""
        if self._thread.ident is not None:
            self._thread.join()

    def finish(self, connection: psycopg.Connection) -> None:
        """Wait until the file is kept, or raise what went wrong; `connection` is that of the rows.

        Files that imports left behind which were cut off are removed. Another writer may have taken this one for
        such a file while we waited for our turn, so it is looked for once more.
        """
        self.start()
        self.join()
        if self._fault is not None:
            raise self._fault
        connection.execute(query("sweep_files"), [self._digest])
        keep_file(connection, self._path, self._digest)

    def _keep(self) -> None:
        try:
            with connect(self._info) as connection:
                # the commit of the rows, later in the same log, makes it last
                connection.execute("SET LOCAL synchronous_commit = off")
                keep_file(connection, self._path, self._digest)
        except Exception as fault:
            self._fault = fault


def keep_file(connection: psycopg.Connection, path: Path, digest: str) -> None:
    """Keep a delivered file under its hash; one that is kept already is left alone."""
    codec = pa.Codec("zstd", compression_level=_LEVEL)
    exists = connection.execute(query("delivered_file_exists"), [digest]).fetchone()
    if exists is not None and exists[0]:
        return
    root = path if path.is_dir() else path.parent
    with connection.cursor() as cursor:
        for part in delivered_parts(path):
            name = part.relative_to(root).as_posix()
            with part.open("rb") as handle:
                number = 0
                while (block := handle.read(_CHUNK)) or number == 0:
                    packed = codec.compress(block, asbytes=True)
                    cursor.execute(query("insert_delivered_file"), [digest, name, number, len(block), packed])
                    number += 1


def restore_file(connection: psycopg.Connection, digest: str, file_name: str, folder: Path) -> Path:
    """Write a kept file into a folder and return its path, under the name that it was delivered with.

    Raises
    ------
    FileFaultError
        Where the file was not kept.
    """
    codec = pa.Codec("zstd")
    rows = connection.execute(query("delivered_file"), [digest]).fetchall()
    if not rows:
        raise FileFaultError("file_not_kept", file=file_name)
    names = {str(name) for name, _chunk, _size, _packed in rows}
    path = folder / file_name
    root = folder if file_name in names else path
    for name, _chunk, size, packed in rows:
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as handle:
            handle.write(codec.decompress(packed, size, asbytes=True))
    return path
