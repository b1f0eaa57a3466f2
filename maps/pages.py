"""Pages on the disk: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from registry.writing import written_whole


def save_page(html: str, path: Path) -> Path:
    """Write a page to a file and return its path.

    Raises
    ------
    FileFaultError
        Where the system refuses to write it; no part of a page is left.
    """
    with written_whole(path) as part:
        part.write_text(html, encoding="utf-8", newline="\n")
    return path
