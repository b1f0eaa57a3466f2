"""The tables of the overlap report: pure frames by the contracts `report_*` of fields.csv, with totals that add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from maps.inputs import Inputs
from maps.numbers import planned
from maps.report_late import last_chance_rows, late_rows
from maps.report_pairs import closed_rows, pair_rows, place_rows
from planner.emissions import batch_methane
from registry.catalogue import say
from registry.errors import DrawingError
from registry.fields import columns_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

CLASSES: Final = ("mandatory", "due", "assess", "keep")
_SEGMENT_COLUMNS: Final = (
    "street_name",
    "compound_name",
    "tier",
    "material",
    "diameter_mm",
    "installed_year_min",
    "installed_year_max",
    "length_m",
)
_SUMS: Final = (
    "segment_count",
    "length_m",
    "mandatory_m",
    "household_count",
    "cost_alone_cny",
    "saving_cny",
    "cost_cny",
)


@dataclass(frozen=True)
class ReportTables:
    """All tables of one report; `unassigned_saving_cny` is what batches save without naming a project.

    `pairs`, `places`, `closed` and `batch_methane` are None where a run of an earlier version does not hold what they
    need.
    """

    projects: pd.DataFrame
    segments: pd.DataFrame
    years: pd.DataFrame
    batches: pd.DataFrame
    held: pd.DataFrame
    unassigned_saving_cny: float
    pairs: pd.DataFrame | None
    places: pd.DataFrame | None
    closed: pd.DataFrame | None
    batch_methane: pd.DataFrame | None = None
    late: pd.DataFrame | None = None
    last_chances: pd.DataFrame | None = None


def make_tables(inputs: Inputs, language: str) -> ReportTables:
    """Return the tables of the report in the given language (remarks and reasons are sentences).

    A segment that lies in two projects counts in both: metres by project add up to metres by pair, not to metres of
    pipe.

    Raises
    ------
    DrawingError
        If no overlaps have been looked for; that none was found is a report too.
    """
    if inputs.pairs is None or inputs.projects is None:
        raise DrawingError("maps_report_needs_pairs")
    rows = _segment_rows(inputs, inputs.pairs, inputs.projects)
    batches = planned(inputs.batches) if inputs.batches is not None else _empty("batches")
    saved = batches.groupby("project_id")["saving_cny"].sum() if len(batches) else pd.Series(dtype="float64")
    projects = _project_rows(inputs, inputs.projects, rows, saved, language)
    return ReportTables(
        projects=projects,
        segments=rows[columns_of("report_segments")],
        years=_year_rows(batches, inputs.summary),
        batches=_sorted_batches(inputs),
        batch_methane=_batch_methane(inputs),
        held=_held_rows(inputs.held, language),
        unassigned_saving_cny=float(batches["saving_cny"].sum() - projects["saving_cny"].sum())
        if len(batches)
        else 0.0,
        pairs=pair_rows(inputs, language),
        places=None if inputs.meeting is None else place_rows(inputs.meeting, language),
        closed=closed_rows(inputs, language, is_quoted=True),
        late=late_rows(inputs, language),
        last_chances=last_chance_rows(inputs),
    )


def _empty(frame: str) -> pd.DataFrame:
    return pd.DataFrame(columns=pd.Index(columns_of(frame)))


def _segment_rows(inputs: Inputs, pairs: pd.DataFrame, projects: pd.DataFrame) -> pd.DataFrame:
    """Return one row per pair of segment and project with what the meeting asks about it."""
    rows = pairs[pairs["overlap_m"] > 0].copy()
    rows["name"] = rows["project_id"].map(projects["name"]).fillna(rows["project_id"])
    for column in _SEGMENT_COLUMNS:
        source = inputs.segments.get(column)
        rows[column] = rows["segment_id"].map(source) if source is not None else pd.NA
    for column in ("policy_class", "policy_is_certain", "grade"):
        rows[column] = _looked_up(inputs.scores, column, rows["segment_id"])
    for column in ("batch_id", "year"):
        rows[column] = _looked_up(inputs.batch_segments, column, rows["segment_id"])
    rows["year"] = pd.to_numeric(rows["year"]).astype("Int64")
    is_within = (rows["year"] >= rows["first_year"]) & (rows["year"] <= rows["last_year"])
    rows["is_together"] = (is_within.fillna(value=False) & rows["meets_years"]).astype("bool")
    return rows.sort_values(["project_id", "segment_id"], kind="stable").reset_index(drop=True)


def _looked_up(table: pd.DataFrame | None, column: str, ids: pd.Series) -> pd.Series:
    if table is None or table.empty:
        return pd.Series(pd.NA, index=ids.index, dtype="object")
    return ids.map(table[column])


def _project_rows(
    inputs: Inputs, projects: pd.DataFrame, rows: pd.DataFrame, saved: pd.Series, language: str
) -> pd.DataFrame:
    by_project = rows.groupby("project_id")
    table = projects[["name", "kind", "state", "starts_on", "ends_on", "owner"]].copy()
    table["meets_years"] = by_project["meets_years"].any().reindex(table.index).fillna(value=False).astype("bool")
    table["segment_count"] = by_project.size().reindex(table.index).fillna(0).astype("Int64")
    table["overlap_m"] = by_project["overlap_m"].sum().reindex(table.index).fillna(0.0)
    for one in (*CLASSES, "unscored"):
        is_one = rows["policy_class"].isna() if one == "unscored" else rows["policy_class"] == one
        metres = rows["overlap_m"].where(is_one.fillna(value=False), 0.0).groupby(rows["project_id"]).sum()
        table[f"{one}_m"] = metres.reindex(table.index).fillna(0.0)
    together = rows[rows["is_together"]]
    table["batch_count"] = (
        together.groupby("project_id")["batch_id"].nunique().reindex(table.index).fillna(0).astype("Int64")
    )
    table["batch_places"] = _batch_places(inputs, together, language).reindex(table.index)
    table["saving_cny"] = saved.reindex(table.index).fillna(0.0)
    table["to_decide"] = [
        _to_decide(row, has_plan=inputs.has_plan, language=language) for row in table.to_dict("records")
    ]
    is_first = table["overlap_m"] > 0
    ordered = table.assign(is_first=is_first).sort_values(["is_first", "overlap_m"], ascending=False, kind="stable")
    return ordered.drop(columns="is_first")


def _batch_places(inputs: Inputs, together: pd.DataFrame, language: str) -> pd.Series:
    """Return project_id -> year and place of its batches, in order; several batches of one place are counted."""
    if inputs.batches is None or together.empty:
        return pd.Series(dtype="str")
    named = together[["project_id", "batch_id", "year"]].drop_duplicates()
    unnamed = say("maps_place_unnamed", language)
    place = named["batch_id"].map(inputs.batches["label"]).fillna(unnamed).replace({"—": unnamed, "": unnamed})
    counts = named.groupby(["project_id", named["year"].astype("str"), place.rename("place")]).size()
    rows = counts.rename("batch_count").reset_index()
    repeated = (" ×" + rows["batch_count"].astype("str")).where(rows["batch_count"] > 1, "")
    text = rows["year"] + " " + rows["place"] + repeated
    return text.groupby(rows["project_id"]).agg("; ".join)


def _to_decide(row: Mapping[Hashable, Any], *, has_plan: bool, language: str) -> str:
    """Return what the meeting has to decide about one project, as one sentence."""
    urgent = row["mandatory_m"] + row["due_m"]
    facts = {"urgent": urgent, "assess": row["assess_m"], "batches": row["batch_places"]}
    if row["overlap_m"] <= 0:
        code = "maps_decide_nothing"
    elif pd.isna(row["starts_on"]) or pd.isna(row["ends_on"]):
        code = "maps_decide_dates"
    elif row["batch_count"]:
        code = "maps_decide_together"
    elif urgent <= 0:
        code = "maps_decide_assess" if row["assess_m"] > 0 else "maps_decide_protect"
    elif not row["meets_years"]:
        code = "maps_decide_outside"
    else:
        code = "maps_decide_missed" if has_plan else "maps_decide_plan"
    return say(code, language, **facts)


def _year_rows(batches: pd.DataFrame, summary: Mapping[str, Any]) -> pd.DataFrame:
    """Sum up the batches by year, beside the budget of the year where the plan kept one."""
    if batches.empty:
        return _empty("report_years")
    grouped = batches.groupby("year", sort=True)
    table = grouped[list(_SUMS)].sum()
    table.insert(0, "batch_count", grouped.size())
    budgets = dict(zip(summary.get("years", []), summary.get("budget_cny", []), strict=True))
    table["budget_cny"] = [float(budgets.get(int(year), "nan")) for year in table.index]
    return table.reset_index()


def _sorted_batches(inputs: Inputs) -> pd.DataFrame:
    if inputs.batches is None:
        return _empty("batches")
    return inputs.batches.sort_values(["year", "label"], kind="stable", na_position="last")


def _batch_methane(inputs: Inputs) -> pd.DataFrame | None:
    """Return the methane of the batches in their order, by the stored figures of the segments; None without any."""
    if inputs.batches is None or inputs.emissions is None or inputs.batch_segments is None:
        return None
    return batch_methane(inputs.emissions, inputs.batch_segments).reindex(_sorted_batches(inputs).index)


def _held_rows(held: pd.DataFrame | None, language: str) -> pd.DataFrame:
    if held is None:
        return _empty("report_held")
    table = held.rename(columns={f"reason_{language}": "reason"})
    table["length_m"] = pd.to_numeric(table["length_m"]).astype("float64")
    table["row_count"] = pd.to_numeric(table["row_count"]).astype("int64")
    return table[columns_of("report_held")].reset_index(drop=True)


def total(table: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """Return the sums of some columns; a missing value counts as nothing."""
    return {column: float(pd.to_numeric(table[column]).fillna(0).sum()) for column in columns}
