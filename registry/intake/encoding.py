"""Text of deliveries: strict UTF-8 first, then GB 18030, and an error that shows the place where neither holds.

UTF-16 is read where its mark stands at the beginning.
"""

from __future__ import annotations

import codecs
from typing import Final

from registry.errors import FileFaultError

ENCODINGS: Final = ("utf-8-sig", "gb18030")
# what Excel calls Unicode text; it begins with a mark that no text in another encoding begins with
UTF_16: Final = ("utf-16",)
_MARKS_OF_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(content: bytes, file_name: str, encoding: str | None = None) -> tuple[str, str]:
    """Return the text and the encoding it was read with.

    GB 18030 contains GBK and GB 2312. Latin-1 is never tried: it reads anything and would hide a mistake. Bytes that
    switch encoding half-way (a file pasted together) fit neither and are refused.

    Raises
    ------
    FileFaultError
        With the line at which reading failed and the encodings tried.
    """
    tried = (encoding,) if encoding else UTF_16 if content.startswith(_MARKS_OF_UTF_16) else ENCODINGS
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
