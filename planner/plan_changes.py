"""Two saved plans compared: what was added, dropped and moved, why on both sides, and the figures of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.due import due_windows
from planner.factors import text_column
from planner.policy import Policy
from planner.why_text import why_in_words
from registry.fields import check_frame, columns_of, value_list

SIDES: Final = ("before", "after")
# what the settings say of a project that a scenario cancels
CANCELLED: Final = "cancelled"
_METRES_PER_KM: Final = 1000.0
_MANDATORY: Final = "mandatory"
# a batch goes on in others where they renew more than this share of it
_MOSTLY: Final = 0.5


@dataclass(frozen=True)
class PlanSide:
    """One of two plans: its frames, the segments as it saw them, and the due year of its mandatory segments."""

    batches: pd.DataFrame
    members: pd.DataFrame
    reasons: pd.DataFrame
    segments: gpd.GeoDataFrame
    due_year: pd.Series
    years: range
    budget_cny: tuple[float, ...]

    @property
    def placed(self) -> pd.DataFrame:
        """The batches that have a year."""
        return self.batches[self.batches["year"].notna()]


@dataclass(frozen=True)
class PlanChanges:
    """Frames `plan_changes`, `batch_changes`, `plan_change_years` and `plan_change_tiers`."""

    segments: pd.DataFrame
    batches: pd.DataFrame
    years: pd.DataFrame
    tiers: pd.DataFrame


def plan_side(
    frames: Mapping[str, pd.DataFrame],
    summary: Mapping[str, Any],
    segments: gpd.GeoDataFrame,
    policy: Policy,
    as_of: date,
) -> PlanSide:
    """Take what a comparison needs from a saved plan.

    What was changed by hand after the plan was made has its own reason: those of the plan are about other years.
    """
    members, scores = frames["batch_segments"], frames["scores"]
    check_frame(members, "batch_segments", ["batch_id", "year"])
    classes = scores["policy_class"].reindex(segments.index)
    until = due_windows(segments, classes, policy, as_of).due_until
    is_mandatory = (classes == _MANDATORY).to_numpy(dtype=bool, na_value=False) & ~np.isnat(until)
    year = until.astype("datetime64[Y]").astype(np.int64) + 1970
    years = range(summary["years"][0], summary["years"][-1] + 1)
    due = pd.Series(np.maximum(year, years[0]), segments.index)[is_mandatory]
    budgets = tuple(float(part) for part in summary["budget_cny"])
    reasons = _by_hand(frames["plan_reasons"], members)
    return PlanSide(frames["batches"], members, reasons, segments, due[due <= years[-1]], years, budgets)


def _by_hand(reasons: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    told = reasons.reindex(members.index)
    is_told = told["reason"].notna()
    is_same = (told["year"] == members["year"]).fillna(value=False) | (told["year"].isna() & members["year"].isna())
    hand = np.where(members["year"].isna(), "edited_out", "edited")
    told["reason"] = told["reason"].where(is_same | ~is_told, pd.Series(hand, members.index))
    told["year"] = members["year"]
    return told[is_told]


def compare_plans(before: PlanSide, after: PlanSide, language: str) -> PlanChanges:
    """Compare two plans by segment, by batch, and in their figures; the reasons are in the words of a language.

    Segments that both leave out are no change and not listed. Batches are the same where they have the same segments.
    One that only one plan has is `regrouped` where the other renews more than half of its length in other batches.

    Misleads where the plans were made from different censuses: a segment that was renewed in between is dropped.
    """
    return PlanChanges(
        segments=_segments(before, after, language),
        batches=_batches(before, after),
        years=_years(before, after),
        tiers=_tiers(before, after),
    )


def _moves(before: pd.Series, after: pd.Series) -> pd.Series:
    """Name the change of years, index as given."""
    old, new = (years.to_numpy(dtype="float64", na_value=np.nan) for years in (before, after))
    conditions = [np.isnan(old), np.isnan(new), new < old, new > old]
    moves = np.select(conditions, ["added", "dropped", "earlier", "later"], default="unchanged")
    return pd.Series(moves, before.index, dtype="str")


def _segments(before: PlanSide, after: PlanSide, language: str) -> pd.DataFrame:
    sides = dict(zip(SIDES, (before, after), strict=True))
    ids = before.members.index.union(after.members.index).astype("str").rename("segment_id")
    table = pd.DataFrame(index=ids)
    for name, side in sides.items():
        found = side.members.reindex(ids)
        is_placed = found["year"].notna()
        table[f"year_{name}"] = found["year"].astype("Int64")
        table[f"batch_{name}"] = found["batch_id"]
        table[f"cost_{name}_cny"] = found["cost_cny"].where(is_placed)
        table[f"project_{name}"] = found["project_id"]
        table[f"reason_{name}"] = side.reasons["reason"].reindex(ids)
        words = why_in_words(side.reasons, side.batches, side.members, language)
        table[f"why_{name}"] = words.reindex(ids)
    table = table[table["year_before"].notna() | table["year_after"].notna()]
    table["move"] = _moves(table["year_before"], table["year_after"])
    for column, values in (("tier", _tier), ("length_m", lambda pipes: pipes["length_m"])):
        old, new = (values(side.segments).reindex(table.index) for side in (before, after))
        table[column] = new.where(new.notna(), old)
    return table[columns_of("plan_changes")]


def _tier(segments: pd.DataFrame) -> pd.Series:
    return text_column(segments, "tier").fillna("unknown")


def _batches(before: PlanSide, after: PlanSide) -> pd.DataFrame:
    old, new = before.placed, after.placed
    ids = old.index.union(new.index).astype("str").rename("batch_id")
    facts = new.reindex(ids)
    table = pd.DataFrame(index=ids)
    for name in ("label", "length_m", "household_count"):
        table[name] = facts[name].where(facts["label"].notna(), old[name].reindex(ids))
    for name, side in zip(SIDES, (old, new), strict=True):
        found = side.reindex(ids)
        table[f"year_{name}"] = found["year"].astype("Int64")
        table[f"value_{name}"] = found["value"].fillna(0.0)
        table[f"cost_{name}_cny"] = found["cost_cny"].fillna(0.0)
    members, kept = _members_of_batches(before, after, ids)
    table["kept_share"] = (kept / members.groupby("batch_id")["length_m"].sum()).reindex(ids).fillna(0.0).clip(0.0, 1.0)
    moves = _moves(table["year_before"], table["year_after"])
    is_regrouped = moves.isin(["added", "dropped"]) & (table["kept_share"] > _MOSTLY)
    table["move"] = moves.mask(is_regrouped, "regrouped")
    for name, reasons in zip(SIDES, (before.reasons, after.reasons), strict=True):
        table[f"reason_{name}"] = _main_reasons(members, reasons).reindex(ids)
    return table[columns_of("batch_changes")]


def _members_of_batches(before: PlanSide, after: PlanSide, ids: pd.Index) -> tuple[pd.DataFrame, pd.Series]:
    """Return the segments of all placed batches of either plan with lengths, and the metres of each in both plans."""
    parts = [
        side.members.loc[side.members["batch_id"].isin(ids) & side.members["year"].notna(), ["batch_id"]].join(
            side.segments["length_m"]
        )
        for side in (before, after)
    ]
    members = pd.concat(parts).reset_index(names="segment_id").drop_duplicates(["segment_id", "batch_id"])
    both = [side.members.index[side.members["year"].notna()] for side in (before, after)]
    shared = members[members["segment_id"].isin(both[0].intersection(both[1]))]
    return members, shared.groupby("batch_id")["length_m"].sum().reindex(ids).fillna(0.0)


def _main_reasons(members: pd.DataFrame, reasons: pd.DataFrame) -> pd.Series:
    told = members.assign(reason=members["segment_id"].map(reasons["reason"])).dropna(subset=["reason"])
    metres = told.groupby(["batch_id", "reason"])["length_m"].sum().reset_index()
    order = metres.sort_values(["batch_id", "length_m", "reason"], ascending=[True, False, True])
    return order.drop_duplicates("batch_id").set_index("batch_id")["reason"]


def _years(before: PlanSide, after: PlanSide) -> pd.DataFrame:
    """Return the figures of both plans by year, and of the whole plans in the last row."""
    years = sorted({*before.years, *after.years})
    parts = {}
    for name, side in zip(SIDES, (before, after), strict=True):
        parts[name] = _figures(side).reindex([*years, None])
    table = pd.DataFrame({"year": pd.array([*years, None], dtype="Int64")})
    for column in columns_of("plan_change_years")[1:]:
        mine = next(name for name in SIDES if f"_{name}" in column)
        values = parts[mine][column.replace(f"_{mine}", "", 1)].to_numpy(dtype="float64")
        table[column] = pd.array(values, dtype="Int64") if column.endswith("_count") else values
    return table[columns_of("plan_change_years")]


def _figures(side: PlanSide) -> pd.DataFrame:
    """Return the figures of one plan, index year; the row of None is of the whole plan."""
    placed = side.placed
    rows = pd.DataFrame(
        {
            "cost_cny": placed["cost_cny"],
            "saving_cny": placed["saving_cny"],
            "value": placed["value"],
            "household_count": placed["household_count"].astype("float64").fillna(0.0),
            "joint_km": (placed["length_m"] / _METRES_PER_KM).where(placed["saving_cny"] > 0, 0.0),
        }
    )
    sums = rows.groupby(placed["year"].astype("int64").to_numpy()).sum().reindex(list(side.years)).fillna(0.0)
    sums["budget_cny"] = list(side.budget_cny)
    done = side.members["year"].reindex(side.due_year.index).astype("float64")
    metres = side.segments["length_m"].reindex(side.due_year.index) / _METRES_PER_KM
    late = metres.where(done > side.due_year, 0.0)
    sums["mandatory_late_km"] = late.groupby(done).sum().reindex(list(side.years)).fillna(0.0)
    sums["mandatory_left_km"] = np.nan
    whole = sums.sum(min_count=1)
    whole["mandatory_left_km"] = float(metres[done.isna()].sum())
    return pd.concat([sums.astype("object"), whole.to_frame().T.set_axis([None], axis="index")]).astype("float64")


def _tiers(before: PlanSide, after: PlanSide) -> pd.DataFrame:
    km: dict[str, dict[Any, float]] = {}
    for name, side in zip(SIDES, (before, after), strict=True):
        placed = side.members[side.members["year"].notna()]
        pipes = pd.DataFrame({"tier": _tier(side.segments), "km": side.segments["length_m"] / _METRES_PER_KM})
        rows = placed[["year"]].join(pipes)
        by_year = rows.groupby(["year", "tier"])["km"].sum()
        whole = rows.groupby("tier")["km"].sum()
        km[f"km_{name}"] = {**by_year.to_dict(), **{(None, tier): length for tier, length in whole.items()}}
    order = {tier: place for place, tier in enumerate(value_list("tier"))}
    keys = sorted(
        {key for side in km.values() for key in side},
        key=lambda key: (key[0] is None, key[0] or 0, order.get(str(key[1]), len(order))),
    )
    table = pd.DataFrame(
        {
            "year": pd.array([None if year is None else int(year) for year, _ in keys], dtype="Int64"),
            "tier": pd.array([tier for _, tier in keys], dtype="str"),
        }
    )
    for name, lengths in km.items():
        table[name] = np.array([lengths.get(key, 0.0) for key in keys], dtype="float64")
    return table[columns_of("plan_change_tiers")]


def moves_by_km(changes: pd.DataFrame) -> pd.DataFrame:
    """Add up segments and kilometres of the frame `plan_changes` by change and tier, in the order of the list."""
    moves = [move for move in value_list("plan_move") if move != "regrouped"]
    grouped = changes.groupby(["move", "tier"])["length_m"].agg(["size", "sum"])
    table = pd.DataFrame({"segment_count": grouped["size"], "km": grouped["sum"] / _METRES_PER_KM}).reset_index()
    rank = table["move"].map({move: place for place, move in enumerate(moves)})
    return table.iloc[np.lexsort((table["tier"], rank))].reset_index(drop=True)


def plan_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List what two plans were asked for otherwise: money, limits, weights, search, scenario; by their summaries."""
    from planner.score_changes import policy_differences

    return policy_differences(_settings(before), _settings(after))


def _settings(summary: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "km_per_year",
        "carried_share",
        "district_km_per_year",
        "district_households_per_year",
        "district_floor_share",
        "least_risk",
        "least_repair_cny",
        "least_methane_t",
        "worth",
        "effort",
        "locked",
    )
    budgets = dict(zip(map(str, summary["years"]), summary["budget_cny"], strict=True))
    return (
        {"budget_cny": budgets}
        | {name: summary[name] for name in names if summary.get(name) is not None}
        | ({"keeps_isolation": True} if summary.get("pool", {}).get("keeps_isolation") else {})
        | _scenario_settings(summary.get("scenario"))
    )


def _scenario_settings(scenario: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a scenario changed in the city, each thing under its name."""
    if scenario is None:
        return {}
    found: dict[str, Any] = {"scenario": scenario["content"]["name"]}
    for change in scenario["changes"]:
        days = [change.get(name) or "…" for name in ("starts_on", "ends_on")]
        if change["what"] == "project":
            found.setdefault("project", {})[change["id"]] = (
                CANCELLED if change.get("cancelled") else " – ".join(map(str, days))
            )
        elif change["what"] == "lifted":
            found.setdefault("lifted", {})[change["name"]] = change["count"]
        else:
            found.setdefault("closed", {})[change["name"]] = f"{change['first']} – {change['last']}"
    return found
