"""What became of each batch that an adopted plan promised for a year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from registry.fields import check_frame, columns_of, fields

# reported lengths are rounded to metres: a batch is finished when less than this share of it is left
_LEFT_SHARE: Final = 1e-3


@dataclass(frozen=True)
class InForce:
    """A plan that was in force: its parts and batches, from which day, until which (None: still), how it ended."""

    name: str
    parts: pd.DataFrame
    batches: pd.DataFrame
    adopted_on: date
    ended_on: date | None = None


def finished_batches(parts: pd.DataFrame, completed: pd.DataFrame, shares: pd.DataFrame) -> pd.Series:
    """Return the first month by which each batch was finished, index `batch_id`; batches that are not are left out.

    A batch is finished when reports call all of its segments completed, or when the kilometres that were reported of it
    reach its length.
    """
    members = parts.drop_duplicates(["batch_id", "segment_id"])
    month = completed.set_index("segment_id")["month"].astype("datetime64[s]").reindex(members["segment_id"])
    called = members.assign(month=month.array).groupby("batch_id")["month"].agg(lambda months: months.max(skipna=False))
    length_km = members.groupby("batch_id")["length_m"].sum() / 1000.0
    own = shares[shares["batch_id"].notna()].groupby(["batch_id", "month"])[["km"]].sum().reset_index()
    own = own.sort_values(["batch_id", "month"])
    so_far = own.groupby("batch_id")["km"].cumsum()
    whole = length_km.reindex(own["batch_id"]).to_numpy(dtype="float64")
    enough = own[so_far.to_numpy(dtype="float64") >= whole * (1.0 - _LEFT_SHARE)]
    reached = enough[enough["km"] > 0].groupby("batch_id")["month"].min()
    both = pd.concat([called.dropna(), reached])
    earliest: pd.Series = both.groupby(level=0).min().rename("finished_in").rename_axis("batch_id")
    return earliest


def promises(plans: list[InForce], finished: pd.Series, shares: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Tell of each promised batch whether the promise was kept: the frame `promises`, by year, plan and batch.

    - finished in its year or before: kept; finished later: late; its year over and not finished: broken; else open;
    - of a plan that is no longer in force, what was neither finished nor over when it ended is judged by the plans that
      came after it: most of its length in another year: moved; in none: dropped; in the same year: theirs to keep, and
      not listed here. A broken promise stays broken; where a later plan takes it up, `moved_to_year` says when.

    Parameters
    ----------
    plans
        The plans that were in force up to `as_of`, the oldest first.
    finished
        As `finished_batches` returns.
    """
    found = [_of_plan(plan, plans[number + 1 :], finished, as_of) for number, plan in enumerate(plans)]
    listed = [part for part in found if len(part)]
    table = pd.concat(listed or found[:1] or [_no_promises()], ignore_index=True)
    km = shares[shares["batch_id"].notna()].groupby("batch_id")["km"].sum()
    table["km_done"] = np.nan_to_num(km.reindex(table["batch_id"]).to_numpy(dtype="float64"))
    table = table.reindex(columns=columns_of("promises"))
    return table.sort_values(["year", "plan_name", "batch_id"], ignore_index=True)


def _no_promises() -> pd.DataFrame:
    types = {"text": "str", "integer": "Int64", "double": "float64", "date": "datetime64[s]"}
    declared = fields()["promises"].values()
    return pd.DataFrame({field.column: pd.Series([], dtype=types[field.dtype]) for field in declared})


def _promised(plan: InForce) -> pd.DataFrame:
    check_frame(plan.parts, "plan_parts")
    placed = plan.parts.groupby("batch_id").agg(
        plan_name=("plan_name", "first"), place=("place", "first"), year=("year", "first"), length_m=("length_m", "sum")
    )
    placed["km"] = placed.pop("length_m") / 1000.0
    placed["household_count"] = plan.batches["household_count"].reindex(placed.index).astype("Int64")
    return placed.reset_index()


def _of_plan(plan: InForce, later: list[InForce], finished: pd.Series, as_of: date) -> pd.DataFrame:
    table = _promised(plan)
    table["finished_in"] = finished.astype("datetime64[s]").reindex(table["batch_id"]).array
    table["moved_to_year"] = _later_years(plan, later, table["batch_id"])
    year = table["year"].to_numpy(dtype="float64")
    done_year = table["finished_in"].dt.year.to_numpy(dtype="float64")
    is_done = ~np.isnan(done_year)
    moved = table["moved_to_year"].to_numpy(dtype="float64", na_value=np.nan)
    last_day = plan.ended_on or as_of
    is_over = year < last_day.year
    verdict = np.where(is_over, "broken", "open").astype(object)
    is_judged_later = ~is_over & (plan.ended_on is not None)
    verdict[is_judged_later] = np.where(np.isnan(moved), "dropped", "moved")[is_judged_later]
    verdict[is_done] = np.where(done_year <= year, "kept", "late")[is_done]
    table["verdict"] = pd.array(verdict, dtype="str")
    is_carried = is_judged_later & (moved == year)
    kept: pd.DataFrame = table[~is_carried]
    return kept


def _later_years(plan: InForce, later: list[InForce], batch_ids: pd.Series) -> pd.Series:
    """Return the year in which the plans that came later renew most of each batch; missing where they do not."""
    if not later:
        return pd.Series(pd.array([None] * len(batch_ids), dtype="Int64"), batch_ids.index)
    current = pd.concat([one.parts for one in later]).drop_duplicates("segment_id", keep="last")
    own = plan.parts[["batch_id", "segment_id", "length_m"]]
    met = own.merge(current[["segment_id", "year"]].rename(columns={"year": "year_later"}), on="segment_id", how="left")
    # pandas leaves missing keys out unless told; left out of a later plan must compete with every year
    lengths = met.groupby(["batch_id", "year_later"], dropna=False)[["length_m"]].sum().reset_index()
    best = lengths.sort_values(["batch_id", "length_m", "year_later"], ascending=[True, False, True])
    chosen = best.drop_duplicates("batch_id").set_index("batch_id")["year_later"].astype("Int64")
    return pd.Series(chosen.reindex(batch_ids).array, batch_ids.index)
