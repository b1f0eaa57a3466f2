"""Results as JSON knows them: no NaN, no missing value of pandas, no number of numpy."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any


def as_json(values: Mapping[str, Any]) -> str:
    """Return values as strict JSON; what is missing or not finite becomes null."""
    return json.dumps(plain(values), ensure_ascii=False, allow_nan=False, indent=1)


def plain(value: Any) -> Any:  # noqa: ANN401 - any value in, any value of JSON out
    """Return a value made of what JSON knows; a day or an instant becomes ISO text, a path text."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    if _is_missing(value):
        return None
    if isinstance(value, date | datetime):
        return value.isoformat()
    # numbers and arrays of numpy know how to become those of Python
    to_python = getattr(value, "tolist", None)
    return plain(to_python()) if callable(to_python) else str(value)


def _is_missing(value: object) -> bool:
    # a missing value of pandas can only be there where pandas is loaded already
    pandas = sys.modules.get("pandas")
    return pandas is not None and (value is pandas.NaT or value is pandas.NA)
