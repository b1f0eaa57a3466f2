"""What is wrong with the rows of a delivery: collected over all checks, then listed once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

Mask = npt.NDArray[np.bool_]


@dataclass
class Findings:
    """Faults by row position; a row with any fault is held back."""

    row_count: int
    # what the file calls our columns
    headings: Mapping[str, str] = field(default_factory=dict)
    _found: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        rows: Mask,
        column: str,
        code: str,
        values: npt.ArrayLike | None = None,
        offered: npt.ArrayLike | None = None,
        **parameters: object,
    ) -> None:
        """Note that the rows where the mask holds have the fault `code` in `column`.

        `values` and `offered` are given for all rows of the delivery, in its order.
        """
        positions = np.flatnonzero(rows)
        if positions.size == 0:
            return
        if column in self.headings:
            parameters["heading"] = self.headings[column]
        if (other := parameters.get("other")) in self.headings:
            parameters["other_heading"] = self.headings[str(other)]
        self._found.append(
            {
                "position": positions,
                "column_name": column,
                "code": code,
                "value": None if values is None else np.asarray(values, dtype=object)[positions],
                "offered": None if offered is None else np.asarray(offered, dtype=object)[positions],
                "parameters": parameters,
            }
        )

    def part(self, start: int, stop: int) -> Findings:
        """Return the findings of the rows from `start` up to `stop`, counted from there."""
        findings = Findings(stop - start, self.headings)
        for found in self._found:
            inside = (found["position"] >= start) & (found["position"] < stop)
            if inside.any():
                kept = {name: None if found[name] is None else found[name][inside] for name in ("value", "offered")}
                findings._found.append(found | kept | {"position": found["position"][inside] - start})
        return findings

    @property
    def held(self) -> Mask:
        """Which rows have any fault."""
        held = np.zeros(self.row_count, dtype=bool)
        for found in self._found:
            held[found["position"]] = True
        return held

    def table(self) -> pd.DataFrame:
        """Return one row for each fault: position, column_name, code, value, offered, parameters."""
        import pandas as pd

        columns = ["position", "column_name", "code", "value", "offered", "parameters"]
        if not self._found:
            return pd.DataFrame(columns=columns)
        parts = [
            pd.DataFrame(
                {
                    "position": found["position"],
                    "column_name": found["column_name"],
                    "code": found["code"],
                    "value": found["value"],
                    "offered": found["offered"],
                    "parameters": [found["parameters"]] * len(found["position"]),
                }
            ).astype({"value": object, "offered": object})
            for found in self._found
        ]
        faults = pd.concat(parts, ignore_index=True)
        return faults.drop_duplicates(["position", "column_name", "code"]).sort_values("position", kind="stable")
