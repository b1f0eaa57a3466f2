"""Text of deliveries: strict UTF-8 first, then GB 18030, and an error that shows the place where neither holds."""

from __future__ import annotations

from typing import Final

from registry.errors import FileFaultError

ENCODINGS: Final = ("utf-8-sig", "gb18030")


def decode(content: bytes, file_name: str, encoding: str | None = None) -> tuple[str, str]:
    """Return the text and the encoding it was read with.

    GB 18030 contains GBK and GB 2312. Latin-1 is never tried: it reads anything and would hide a mistake. Bytes that
    switch encoding half-way (a file pasted together) fit neither and are refused.

    Raises
    ------
    FileFaultError
        With the line at which reading failed and the encodings tried.
    """
    tried = (encoding,) if encoding else ENCODINGS
    furthest = 0
    for name in tried:
        try:
            return content.decode(name), name
        except LookupError:
            raise FileFaultError("encoding_unknown", file=file_name, encoding=name) from None
        except UnicodeDecodeError as fault:
            furthest = max(furthest, fault.start)
    line = content.count(b"\n", 0, furthest) + 1
    raise FileFaultError("encoding_mixed", file=file_name, encodings=", ".join(tried), line=line)
