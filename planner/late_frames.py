"""The frames of late work: what is late and what would help, and what stood in its way year by year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.choice import Duties
from planner.classes import CLASS_ORDER
from planner.conditions import NONE
from planner.factors import Floats
from planner.members import Rows
from registry.fields import columns_of, fields, index_of

# where nothing keeps it out of a year, the search ended before it
UNFOUND: Final = "unfound"
_TYPES: Final = {"text": "str", "integer": "Int64", "double": "float64", "date": "datetime64[s]"}


@dataclass(frozen=True)
class Late:
    """The frames `late_work`, a row for each segment that is late or left out, and `late_years`, why, year by year.

    `batch` tells for each row of `late_years` which of the offered batches was looked at.
    """

    work: pd.DataFrame
    years: pd.DataFrame
    batch: Rows


def nothing_late() -> Late:
    """Return the frames of a plan in which nothing is late."""
    work, years = (_typed(pd.DataFrame(), frame) for frame in ("late_work", "late_years"))
    return Late(work.set_index("segment_id"), years, np.zeros(0, dtype=np.int64))


def late_frames(  # noqa: PLR0913 - what was found, and what it was found for
    duties: Duties,
    done: Rows,
    segment_ids: pd.Series,
    length_m: Floats,
    years: range,
    nearest: pd.DataFrame,
    money: pd.DataFrame,
    opening: pd.DataFrame,
) -> Late:
    """Write out for segments what was found for items; worst first in `late_work`, by segment and year in `late_years`.

    What is left out counts as late to the year after the last. Worst is the stricter class, then most metres times
    years.

    Parameters
    ----------
    nearest
        By item and year: the batch looked at, its `rules`, `missing_cny`, `bans` and `until`.
    money, opening
        By item: the try that money alone, or opening the ground alone, would make fit.
    """
    items = np.unique(nearest["item"].to_numpy(dtype=np.int64))
    late = np.flatnonzero(np.isin(duties.item_of_segment, items))
    item = duties.item_of_segment[late]
    work = pd.DataFrame({"item": item, "segment_id": segment_ids.to_numpy(dtype=object)[late]})
    work["policy_class"] = np.array(CLASS_ORDER, dtype=object)[duties.severity[item]]
    work["length_m"] = length_m[late]
    work["due_year"] = duties.deadline[item] + years.start
    work["year"] = _calendar(done[item], years)
    work["late_years"] = np.where(done[item] == NONE, len(years), done[item]) - duties.deadline[item]
    work = work.merge(_help(money, years, "extra", {"missing_cny": "extra_cny"}), on="item", how="left")
    work = work.merge(
        _help(opening, years, "open", {"rules": "open_rules", "bans": "open_bans"}), on="item", how="left"
    )
    by_year = work[["item", "segment_id"]].merge(nearest, on="item")
    by_year = by_year.sort_values(["segment_id", "year"], kind="stable", ignore_index=True)
    batch = by_year["batch"].to_numpy(dtype=np.int64)
    rules: list[tuple[str, ...]] = by_year["rules"].tolist()
    lacks_money = pd.Series(["budget" in one for one in rules], by_year.index, dtype="bool")
    by_year = by_year.assign(
        year=by_year["year"] + years.start,
        rules=["|".join(one) or UNFOUND for one in rules],
        missing_cny=by_year["missing_cny"].where(lacks_money),
        closed_until=by_year["until"],
    )
    badness = work["late_years"] * work["length_m"]
    order = work.assign(badness=-badness, severity=duties.severity[item])
    order = order.sort_values(["severity", "badness", "segment_id"], kind="stable")
    made = _typed(work.loc[order.index], "late_work").set_index("segment_id")
    return Late(made, _typed(by_year, "late_years"), batch)


def _help(found: pd.DataFrame, years: range, name: str, columns: dict[str, str]) -> pd.DataFrame:
    """Return what would help each item, its year as `<name>_year`."""
    told = found[["item", *columns]].rename(columns=columns)
    if "open_rules" in told:
        told["open_rules"] = told["open_rules"].map("|".join)
    return told.assign(**{f"{name}_year": found["year"] + years.start})


def _calendar(place: Rows, years: range) -> Any:  # noqa: ANN401 - a pandas array
    return pd.Series(place + years.start, dtype="Int64").where(pd.Series(place != NONE)).array


def _typed(table: pd.DataFrame, frame: str) -> pd.DataFrame:
    """Return the declared columns, index column included, in the types of the contract."""
    declared, index = fields()[frame], index_of(frame)
    names = [*([index] if index else []), *columns_of(frame)]
    full = table.reindex(columns=names)
    return full.astype({name: _TYPES[declared[name].dtype] for name in names}).reset_index(drop=True)
