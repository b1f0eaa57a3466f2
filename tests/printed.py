"""What the pages say that a command prints: compared line by line, without ids and days of a single run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_BLOCK: Final = re.compile(r"^```text\n(.*?)^```$", re.M | re.S)
_DELIVERY: Final = re.compile(r"D\d{8}-[0-9a-f]{8}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_RUN: Final = re.compile(r" Run [0-9a-f-]{36}\.$")


def anonymous(text: str) -> str:
    """Return the text without what differs between two runs of the same command."""
    return _RUN.sub("", _DAY.sub("a day", _DELIVERY.sub("a delivery", text.strip())))


def shown(page: Path, beginning: tuple[str, ...]) -> list[str]:
    """Return the lines of printed blocks of a page, of those blocks that begin with one of these words."""
    blocks = [block for block in _BLOCK.findall(page.read_text(encoding="utf-8")) if block.startswith(beginning)]
    return [anonymous(line) for block in blocks for line in block.splitlines()]


def missing(page: Path, beginning: tuple[str, ...], printed: str) -> list[str]:
    """Return the lines that a page shows and that were not printed."""
    lines = {anonymous(line) for line in printed.splitlines()}
    return [line for line in shown(page, beginning) if line not in lines]
