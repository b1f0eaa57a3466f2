"""Files of TOML that people write: scenarios, policies and mappings, with or without the mark of an editor."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from registry.errors import Phrase

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable
    from pathlib import Path


class TomlError(ValueError):
    """A file could not be read as TOML; `phrase` says why, as a part of a message."""

    def __init__(self, phrase: Phrase) -> None:
        self.phrase = phrase
        super().__init__(phrase.say("en"))

    @property
    def is_absent(self) -> bool:
        """Tell whether there is no such file."""
        return self.phrase.code == "toml_absent"


def read_toml(path: Path | Traversable) -> dict[str, Any]:
    """Return what a file of TOML states; a byte order mark, as editors of Windows put it, is no part of it.

    Raises
    ------
    TomlError
        If there is no such file, or it is closed, a folder, not in UTF-8, or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError) as fault:
        raise TomlError(Phrase("toml_absent")) from fault
    except IsADirectoryError as fault:
        raise TomlError(Phrase("toml_folder")) from fault
    except PermissionError as fault:
        raise TomlError(Phrase("toml_closed")) from fault
    except OSError as fault:
        raise TomlError(Phrase("toml_refused", {"fault": fault.strerror or str(fault)})) from fault
    except UnicodeDecodeError as fault:
        raise TomlError(Phrase("toml_not_utf8")) from fault
    except tomllib.TOMLDecodeError as fault:
        raise TomlError(Phrase("toml_syntax", {"fault": str(fault)})) from fault
