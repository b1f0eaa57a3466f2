"""Write a screenshot anew with a palette of 256 colours, so that the picture of the README stays small.

    python scripts/shrink_png.py SCREENSHOT PICTURE

Reads what a browser writes: eight bits a channel, with or without alpha, not interlaced.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Bytes = NDArray[np.uint8]
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}
_COLOURS = 256


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of every chunk."""
    at = len(_SIGNATURE)
    while at < len(content):
        length, name = struct.unpack(">I4s", content[at : at + 8])
        yield name, content[at + 8 : at + 8 + length]
        at += 12 + length


def unfiltered(kind: int, row: Bytes, above: Bytes, step: int) -> Bytes:
    """Undo the filter of one row, as the PNG specification (chapter 9) says."""
    if kind == 0:
        return row
    if kind == 2:
        return row + above
    if kind == 1:
        return np.cumsum(row.reshape(-1, step), axis=0, dtype=np.uint8).ravel()
    filtered, up = row.tolist(), above.tolist()
    done = [0] * len(filtered)
    for place, value in enumerate(filtered):
        left = done[place - step] if place >= step else 0
        corner = up[place - step] if place >= step else 0
        guess = (left + up[place]) // 2 if kind == 3 else _paeth(left, up[place], corner)
        done[place] = (value + guess) & 255
    return np.array(done, dtype=np.uint8)


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda near: abs(guess - near))


def read_pixels(content: bytes) -> Bytes:
    """Return the picture as height x width x red, green, blue."""
    parts = list(chunks(content))
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", parts[0][1])
    if not content.startswith(_SIGNATURE) or depth != 8 or colour not in _CHANNELS or interlace:
        message = "not a PNG as a browser writes it"
        raise ValueError(message)
    step = _CHANNELS[colour]
    packed = b"".join(data for name, data in parts if name == b"IDAT")
    lines = np.frombuffer(zlib.decompress(packed), dtype=np.uint8).reshape(height, 1 + width * step)
    above = np.zeros(width * step, dtype=np.uint8)
    rows = []
    for line in lines:
        above = unfiltered(int(line[0]), line[1:], above, step)
        rows.append(above)
    return np.stack(rows).reshape(height, width, step)[:, :, :3]


def write_picture(pixels: Bytes) -> bytes:
    """Return a PNG with the most frequent colours; every other pixel takes the nearest of them."""
    height, width, _ = pixels.shape
    colours, place, count = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-count, kind="stable")[:_COLOURS]]
    nearest = np.asarray(cKDTree(palette).query(colours)[1])
    lines = np.zeros((height, width + 1), dtype=np.uint8)
    lines[:, 1:] = nearest[place.ravel()].reshape(height, width)
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return _SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(write_picture(read_pixels(Path(sys.argv[1]).read_bytes())))
