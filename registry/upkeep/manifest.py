"""What a backup says of itself: a few lines of JSON behind the dump, in the same file.

pg_dump's custom format names where its parts lie, so pg_restore reads such a file as if the lines were not there:
a database administrator needs no digonce to get at the data.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from registry.errors import FileFaultError

_SEAL: Final = re.compile(rb"\ndigonce-backup 1 (\d{10}) ([0-9a-f]{64})\n")
_SEAL_BYTES: Final = 16 + 2 + 10 + 1 + 64 + 1
_CHUNK_BYTES: Final = 8 * 1024**2


@dataclass(frozen=True)
class Manifest:
    """What was backed up: enough to tell whether a restored registry is the same."""

    registry: str
    city: str
    srid: int
    timezone: str
    made_at: str
    schema_version: str
    migrations: dict[str, str]
    digonce_version: str
    postgres_version: str
    postgis_version: str
    rows: dict[str, int]
    state_hash: str
    dump_bytes: int = 0
    dump_sha256: str = ""


def append_manifest(path: Path, manifest: Manifest) -> None:
    """Write the manifest behind the dump and see that all of it is on the disk."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode()
    with path.open("ab") as file:
        file.write(text)
        file.write(f"\ndigonce-backup 1 {len(text):010d} {sha256(text).hexdigest()}\n".encode())
        file.flush()
        os.fsync(file.fileno())


def read_manifest(path: Path) -> Manifest:
    """Read what a backup says of itself; the dump before it is not looked at.

    Raises
    ------
    FileFaultError
        Where the file is absent, unreadable, cut short or not a backup of ours.
    """
    try:
        with path.open("rb") as file:
            return _manifest(file, path)
    except OSError as fault:
        raise FileFaultError("backup_unreadable", file=path, detail=fault.strerror or fault) from fault


def _manifest(file: BinaryIO, path: Path) -> Manifest:
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _SEAL_BYTES))
    seal = _SEAL.fullmatch(file.read())
    if seal is None:
        raise FileFaultError("backup_foreign", file=path)
    begins_at = length - _SEAL_BYTES - int(seal[1])
    file.seek(max(0, begins_at))
    text = file.read(int(seal[1]))
    if sha256(text).hexdigest().encode() != seal[2]:
        raise FileFaultError("backup_damaged", file=path)
    manifest = Manifest(**json.loads(text))
    if manifest.dump_bytes != begins_at:
        raise FileFaultError("backup_damaged", file=path)
    return manifest


def hash_dump(path: Path, length: int, report: Callable[[int, int], None]) -> str:
    """Return the SHA-256 of the first `length` bytes of a file."""
    digest = sha256()
    done = 0
    with path.open("rb") as file:
        for chunk in _chunks(file, length):
            digest.update(chunk)
            done += len(chunk)
            report(done, length)
    return digest.hexdigest()


def _chunks(file: BinaryIO, length: int) -> Iterator[bytes]:
    left = length
    while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
        left -= len(chunk)
        yield chunk
