"""Arrow's compute functions, which are made when the library is loaded, so that no type checker knows them."""

from __future__ import annotations

from typing import Any, Final

import pyarrow.compute

compute: Final[Any] = pyarrow.compute
