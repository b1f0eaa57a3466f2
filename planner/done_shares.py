"""Monthly reports brought down to the segments of a plan, so that what was done can be counted by tier and district."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from planner.factors import number_column, text_column
from registry.fields import check_frame, columns_of

# between ids of segments; the same as the intake reads by
ID_SIGNS: Final = r"[,，、;；\s]+"
_COMPLETED: Final = "completed"
_UNKNOWN: Final = "unknown"
_FACTS: Final = ["segment_id", "batch_id", "tier", "medium", "district", "length_m"]


def done_shares(progress: pd.DataFrame, parts: pd.DataFrame, batches: pd.DataFrame) -> pd.DataFrame:
    """Spread each report over the segments that it speaks of, by their length: the frame `done_shares`.

    A report speaks of the segments of its batch, else of those that it names, else of those planned under the name of
    its street or compound in its year, or where there are none in any year; of these only those of its tier and medium
    where it names them. What it finds nowhere in the plans counts as outside of them, with its own tier.

    A report without kilometres adds none, but one of completed works adds all of the length of its batch that no
    report of it had told by that month; of segments without a batch their whole length. So with households.

    Misleads where a batch of several tiers is reported without them: its kilometres are spread by length, though one
    tier may have been built first.

    Parameters
    ----------
    progress
        The frame `progress`, as known.
    parts
        The frame `plan_parts` of all plans that were in force, the oldest first: of a segment that several plan, and
        of a batch that several hold, the last counts.
    batches
        The frame `batches` of the same plans, each batch once.
    """
    check_frame(progress, "progress", ["month"])
    check_frame(parts, "plan_parts")
    told = _told(progress)
    spoken = _spoken_of(told, parts)
    spoken["weight"] = _weights(spoken)
    outside = told[~told["progress_report_id"].isin(spoken["progress_report_id"])]
    alone = outside[["progress_report_id", "tier", "medium", "district"]].assign(weight=1.0)
    alone["tier"] = alone["tier"].fillna(_UNKNOWN)
    shares = pd.concat([spoken, alone], ignore_index=True)
    known = told.set_index("progress_report_id")
    row = shares["progress_report_id"]
    km = _kilometres(told, spoken).reindex(known.index).fillna(0.0)
    homes = _households(told, spoken, batches).reindex(known.index).fillna(0.0)
    shares["month"] = known["month"].reindex(row).array
    shares["km"] = km.reindex(row).to_numpy(dtype="float64") * shares["weight"].to_numpy(dtype="float64")
    order = shares.sort_values(["progress_report_id", "weight", "segment_id"], ascending=[True, False, True])
    is_first = ~order["progress_report_id"].duplicated()
    counted = homes.reindex(order["progress_report_id"]).to_numpy(dtype="float64")
    order["household_count"] = pd.array(np.round(np.where(is_first, counted, 0.0)).astype(np.int64), dtype="Int64")
    for column in ("progress_report_id", "batch_id", "segment_id", "tier", "medium", "district"):
        order[column] = pd.array(order[column].to_numpy(dtype=object), dtype="str")
    return order.reset_index(drop=True)[columns_of("done_shares")]


def completed_parts(progress: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Return the segments that some report calls completed, with the first month that does: segment_id, month."""
    told = _told(progress)
    spoken = _spoken_of(told[told["is_completed"]], parts)
    months = told.set_index("progress_report_id")["month"].reindex(spoken["progress_report_id"]).array
    found = pd.DataFrame({"segment_id": spoken["segment_id"], "month": months})
    return found.groupby("segment_id")[["month"]].min().reset_index()


def _told(progress: pd.DataFrame) -> pd.DataFrame:
    """Return the reports in the order of their months, with texts and numbers of one type."""
    told = pd.DataFrame(index=progress.index)
    month = pd.to_datetime(progress["month"])
    told["month"] = month.dt.to_period("M").dt.to_timestamp().astype("datetime64[s]")
    for column in ("batch_id", "segment_ids", "street_name", "tier", "medium", "district", "work_state"):
        told[column] = text_column(progress, column)
    told["km_done"] = number_column(progress, "km_done")
    told["households_done"] = number_column(progress, "households_done")
    told["is_completed"] = (told["work_state"] == _COMPLETED).to_numpy(dtype=bool, na_value=False)
    return told.reset_index().sort_values(["month", "progress_report_id"], ignore_index=True)


def _spoken_of(told: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """Return report by segment: progress_report_id and the facts of the segment."""
    by_batch = parts.drop_duplicates(["batch_id", "segment_id"], keep="last")
    current = parts.drop_duplicates("segment_id", keep="last")
    own = ["progress_report_id", "tier", "medium", "is_whole"]
    names_segments = told["segment_ids"].notna()
    told = told.assign(is_whole=~names_segments & told["batch_id"].notna())
    batch_rows = told[told["is_whole"]]
    segment_rows = told[names_segments]
    street_rows = told[told["batch_id"].isna() & ~names_segments & told["street_name"].notna()]
    named = segment_rows.assign(segment_id=segment_rows["segment_ids"].str.split(ID_SIGNS, regex=True)).explode(
        "segment_id"
    )
    found = [
        batch_rows[[*own, "batch_id"]].merge(by_batch[_FACTS], on="batch_id", suffixes=("_told", "")),
        named[[*own, "segment_id"]]
        .drop_duplicates(["progress_report_id", "segment_id"])
        .merge(current[_FACTS], on="segment_id", suffixes=("_told", "")),
        _by_place(street_rows, current, own),
    ]
    spoken = pd.concat(found, ignore_index=True)
    fits = np.ones(len(spoken), dtype=bool)
    for column in ("tier", "medium"):
        stated = spoken[f"{column}_told"]
        fits &= (stated.isna() | (stated == spoken[column])).to_numpy(dtype=bool, na_value=False)
    return spoken.loc[fits, ["progress_report_id", "is_whole", *_FACTS]].reset_index(drop=True)


def _by_place(street_rows: pd.DataFrame, current: pd.DataFrame, own: list[str]) -> pd.DataFrame:
    asked = street_rows[[*own, "month", "street_name"]]
    facts = [*_FACTS, "place", "year"]
    met = asked.merge(current[facts], left_on="street_name", right_on="place", suffixes=("_told", ""))
    is_due = (met["year"] == met["month"].dt.year).to_numpy(dtype=bool, na_value=False)
    has_due = met["progress_report_id"].isin(met.loc[is_due, "progress_report_id"]).to_numpy(dtype=bool)
    kept: pd.DataFrame = met[is_due | ~has_due]
    return kept.drop(columns=["month", "street_name", "place", "year"])


def _weights(spoken: pd.DataFrame) -> pd.Series:
    """Return the share of each segment in the length that its report speaks of; equal shares where all have none."""
    report = spoken.groupby("progress_report_id")["length_m"]
    total, count = report.transform("sum"), report.transform("size")
    length_m, whole_m = spoken["length_m"].to_numpy(dtype="float64"), total.to_numpy(dtype="float64")
    equal = 1.0 / count.to_numpy(dtype="float64")
    shares = np.divide(length_m, whole_m, out=equal, where=whole_m > 0)
    return pd.Series(shares, spoken.index)


def _kilometres(told: pd.DataFrame, spoken: pd.DataFrame) -> pd.Series:
    """Return the kilometres of each report: as stated, else what completed works leave untold."""
    length = spoken.groupby("progress_report_id")["length_m"].sum() / 1000.0
    spent = pd.Series(length.reindex(told["progress_report_id"]).to_numpy(dtype="float64"), told.index).fillna(0.0)
    return _stated_or_rest(told, "km_done", spent, spoken)


def _households(told: pd.DataFrame, spoken: pd.DataFrame, batches: pd.DataFrame) -> pd.Series:
    homes = number_column(batches, "household_count")
    known = pd.Series(homes, batches.index).fillna(0.0)
    of_batch = pd.Series(known.reindex(told["batch_id"]).to_numpy(dtype="float64"), told.index)
    whole = of_batch.fillna(0.0).where(told["segment_ids"].isna(), 0.0)
    return _stated_or_rest(told, "households_done", whole, spoken)


def _stated_or_rest(told: pd.DataFrame, column: str, whole: pd.Series, spoken: pd.DataFrame) -> pd.Series:
    """Return what each report states; of completed works that state nothing, the whole less what was stated before.

    Only the first such report of a batch counts the rest; what others stated of it in an earlier or the same month,
    by batch or by segments, is taken off. Stated figures are never changed.
    """
    stated = told[column]
    value = stated.fillna(0.0)
    is_rest = told["is_completed"] & stated.isna()
    batch = spoken.drop_duplicates(["progress_report_id"]).set_index("progress_report_id")["batch_id"]
    found = batch.reindex(told["progress_report_id"]).to_numpy(dtype=object)
    of_batch = told["batch_id"].where(told["batch_id"].notna(), pd.Series(found, told.index, dtype="str"))
    said = pd.DataFrame({"batch_id": of_batch, "month": told["month"], "stated": value})
    said = said[said["batch_id"].notna() & stated.notna()]
    rests = pd.DataFrame({"batch_id": of_batch, "month": told["month"], "row": told.index})[is_rest]
    is_again = rests["batch_id"].notna() & rests.duplicated("batch_id") & told.loc[rests.index, "segment_ids"].isna()
    met = rests.merge(said, on="batch_id", suffixes=("", "_said"))
    told_before = met[met["month_said"] <= met["month"]].groupby("row")["stated"].sum()
    rest = (whole.loc[rests.index] - told_before.reindex(rests.index).fillna(0.0)).clip(lower=0.0)
    named = told.loc[rests.index, "segment_ids"].notna()
    rest = rest.where(~named, whole.loc[rests.index]).where(~is_again, 0.0)
    value = value.copy()
    value.loc[rests.index] = rest
    return pd.Series(value.to_numpy(dtype="float64"), pd.Index(told["progress_report_id"]))
