"""What edits of a plan by hand bring about: money, value, kilometres, bans and mandatory work, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.agreed import agree
from planner.benefits import PARTS
from planner.conditions import NONE
from planner.days import Days
from planner.due import due_windows
from planner.edit_apart import torn_batches
from planner.edit_limits import broken_limits, funds_of, limit_changes, over_year_limits
from planner.edit_order import out_of_order
from planner.factors import Flags, Floats, text_column
from planner.locks import Locks
from planner.plan_edit import Draft, Source
from registry.errors import Phrase
from registry.fields import columns_of

_UNKNOWN: Final = "unknown"
_MANDATORY: Final = "mandatory"
# what was found of the choice of the parent, and is not computed anew
OF_CHOICE: Final = frozenset({"alignment", "certificate", "duties", "stability", "worth_per_million"})
# what an edited plan tells of itself, as any plan does of all its batches
_TOTALS: Final = (*PARTS, "cost_cny", "saving_cny", "km", "joint_km")
_COUNTS: Final = ("batch_count", "joint_batch_count")


@dataclass(frozen=True)
class Effects:
    """Both sides of an edit: frames by year and tier, totals of each side, and the limits that it breaks.

    `limits` is the frame `plan_edit_limits`; `rest_by_year` has what `by_year` does not tell of the side after.
    `torn` are the batches that do not hang together (`torn_batches`).
    """

    by_year: pd.DataFrame
    by_tier: pd.DataFrame
    limits: pd.DataFrame
    before: dict[str, Any]
    after: dict[str, Any]
    breaches: tuple[Phrase, ...]
    rest_by_year: tuple[dict[str, Any], ...]
    torn: pd.Series


def edit_effects(before: Draft, after: Draft, source: Source) -> Effects:
    """Compare a plan with what edits made of it, by the same prices, pairs and bans.

    A limit is broken by a year that costs more than there is, with what is carried over, or digs more than it may, and
    by more than before; by what `planner.edit_limits` and `planner.edit_order` find of the other limits that the plan
    was made under; by a batch in a year in which its ground is closed on every day, a batch in a year that a meeting
    excluded, and mandatory length that is later than before: left out, or planned for after the end of its due window.
    What was broken before is not held against the edit.

    Misleads where a ban allows an exception: that is for the authority to say.

    Returns
    -------
    `by_year` as the frame `plan_edit_years`, `by_tier` as `plan_edit_tiers`.
    """
    sides = {name: _figures(draft, source) for name, draft in (("before", before), ("after", after))}
    limits = source.limits
    years = pd.DataFrame({"year": pd.array(list(source.years), dtype="Int64"), "budget_cny": list(limits.budget_cny)})
    for name, figures in sides.items():
        years[f"fund_{name}_cny"] = funds_of(figures["cost_cny"], limits) if limits.carried_share else np.nan
        years[f"cost_{name}_cny"], years[f"saving_{name}_cny"] = figures["cost_cny"], figures["saving_cny"]
        years[f"value_{name}"], years[f"km_{name}"] = figures["value"], figures["km"]
        years[f"closed_{name}_m"] = figures["closed"]
    tiers = pd.concat(
        [_by_tier(draft).rename(f"km_{name}") for name, draft in (("before", before), ("after", after))], axis=1
    )
    tiers = tiers.fillna(0.0).rename_axis("tier").sort_index().reset_index()
    told = {name: _totals(figures) for name, figures in sides.items()}
    changes = limit_changes(before, after, source)
    breaches = (
        *over_year_limits(years, limits),
        *broken_limits(changes, before, after, source),
        *out_of_order(before, after, source),
        *_in_closed_ground(before, after, source),
        *_against_meetings(before, after, source),
        *_later_than_due(told),
    )
    return Effects(
        years[columns_of("plan_edit_years")],
        tiers[columns_of("plan_edit_tiers")],
        changes,
        **told,
        breaches=breaches,
        rest_by_year=_rest(sides["after"]),
        torn=torn_batches(before, after, source),
    )


def _rest(figures: dict[str, Floats]) -> tuple[dict[str, Any], ...]:
    """Return what the summary of a plan tells of each year besides what both sides are compared by."""
    rest = {name: figures[name].tolist() for name in (*PARTS, "joint_km")}
    rest |= {name: figures[name].astype(int).tolist() for name in _COUNTS}
    return tuple(dict(zip(rest, row, strict=True)) for row in zip(*rest.values(), strict=True))


def _figures(draft: Draft, source: Source) -> dict[str, Floats]:
    """Return sums by planning year, and the metres of mandatory work that is late."""
    placed = np.flatnonzero(draft.year != NONE)
    at, count, table = draft.year[placed], len(source.years), draft.table
    is_joint = table.batches.saving_cny[placed, at] > 0
    km = table.batches.length_m[placed] / 1000.0

    def by_year(amounts: Floats) -> Floats:
        return np.bincount(at, weights=amounts, minlength=count).astype("float64")

    closed = np.where(_closed(draft, source), table.segments["length_m"].to_numpy(dtype="float64"), 0.0)
    year = draft.year[table.group]
    return {
        **{part: by_year(amounts[placed, at]) for part, amounts in table.batches.parts.items()},
        "cost_cny": by_year(table.batches.cost_cny[placed, at]),
        "saving_cny": by_year(table.batches.saving_cny[placed, at]),
        "value": by_year(table.batches.value[placed, at]),
        "km": by_year(km),
        "joint_km": by_year(np.where(is_joint, km, 0.0)),
        "batch_count": by_year(np.ones(len(placed))),
        "joint_batch_count": by_year(is_joint.astype("float64")),
        "closed": np.bincount(year[year >= 0], weights=closed[year >= 0], minlength=count).astype("float64"),
        "late_m": np.array([_late_m(draft, source)]),
        "left_m": np.array([table.batches.mandatory_m[draft.year == NONE].sum()]),
        "left_batches": np.array([float((table.is_mandatory & (draft.year == NONE)).sum())]),
    }


def _totals(figures: dict[str, Floats]) -> dict[str, Any]:
    return {
        "value": float(figures["value"].sum()),
        **{name: float(figures[name].sum()) for name in _TOTALS},
        **{name: int(figures[name].sum()) for name in _COUNTS},
        "closed_m": float(figures["closed"].sum()),
        "mandatory_late_m": float(figures["late_m"][0]),
        "mandatory_left_m": float(figures["left_m"][0]),
        "mandatory_left_batch_count": int(figures["left_batches"][0]),
    }


def _by_tier(draft: Draft) -> pd.Series:
    placed = draft.batch_segments.index[draft.batch_segments["year"].notna()]
    pipes = draft.table.segments.loc[placed]
    return pipes["length_m"].groupby(text_column(pipes, "tier").fillna(_UNKNOWN).to_numpy()).sum() / 1000.0


def _closed(draft: Draft, source: Source) -> Flags:
    """Tell which segments are planned in a year on every day of which their ground is closed, by bans that come too."""
    segments = draft.table.segments
    year = draft.year[draft.table.group]
    bans = source.bans.assign(is_planned=pd.array(np.zeros(len(source.bans), dtype=bool), dtype="boolean"))
    locks = Locks.of_ground(segments, bans, source.policy)
    calendar = np.where(year == NONE, 1970, year + source.years[0]) - 1970
    first, after = (days.astype("datetime64[Y]").astype("datetime64[D]") for days in (calendar, calendar + 1))
    last: Days = (after.astype(np.int64) - 1).astype("datetime64[D]")
    closed: Flags = locks.within(first, last).closes_all & (year != NONE)
    return closed


def _late_m(draft: Draft, source: Source) -> float:
    """Return the mandatory metres that are left out, or planned after the end of their due window."""
    segments = draft.table.segments
    classes = source.scores["policy_class"].reindex(segments.index)
    until = due_windows(segments, classes, source.policy, source.as_of).due_until
    year = draft.year[draft.table.group]
    starts = (year + source.years[0] - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    is_late = (year == NONE) | (starts > until)
    is_mandatory = (classes == _MANDATORY).to_numpy(dtype=bool, na_value=False)
    return float(segments["length_m"].to_numpy(dtype="float64")[is_late & is_mandatory].sum())


def _newly(before: Draft, after: Draft) -> Flags:
    """Tell which batches stand in a year in which they did not stand before."""
    old = before.batches["year"].reindex(after.batches.index)
    new = after.batches["year"]
    return (new.notna() & ~(new == old).fillna(value=False)).to_numpy(dtype=bool)


def _in_closed_ground(before: Draft, after: Draft, source: Source) -> list[Phrase]:
    length = after.table.segments["length_m"].where(_closed(after, source), 0.0)
    metres = length.groupby(after.batch_segments["batch_id"]).sum().reindex(after.batches.index)
    hit = after.batches[_newly(before, after) & (metres > 0).to_numpy(dtype=bool)]
    return [
        Phrase("plan_breach_ban", {"batch": name, "year": int(year), "metres": float(closed_m)})
        for name, year, closed_m in zip(hit.index, hit["year"], metres.loc[hit.index], strict=True)
    ]


def _against_meetings(before: Draft, after: Draft, source: Source) -> list[Phrase]:
    table = after.table
    agreed = agree(source.decisions, source.pairs, table.segments.index, table.grouping.members, source.years)
    at = np.where(after.year == NONE, 0, after.year)
    is_shut = ~agreed.is_open[np.arange(len(at)), at] & _newly(before, after)
    return [
        Phrase("plan_breach_meeting", {"batch": name, "year": int(year)})
        for name, year in after.batches["year"][is_shut].items()
    ]


def _later_than_due(told: dict[str, dict[str, Any]]) -> list[Phrase]:
    before, after = (told[side]["mandatory_late_m"] for side in ("before", "after"))
    if after <= before + 1e-6:
        return []
    return [Phrase("plan_breach_mandatory", {"metres": after - before, "total": after})]


def edited_summary(parent: dict[str, Any], effects: Effects, parent_id: str, parent_name: str | None) -> dict[str, Any]:
    """Return the summary of an edited plan: its own figures, and the bound and the comparisons of its parent.

    The bound of the parent holds for plans that keep every limit and the batches of the parent; an edit that breaks a
    limit or cuts batches anew may pass it.
    """
    years = effects.by_year
    by_year = [
        {
            "year": int(row["year"]),
            "budget_cny": row["budget_cny"],
            "value": row["value_after"],
            "cost_cny": row["cost_after_cny"],
            "saving_cny": row["saving_after_cny"],
            "km": row["km_after"],
        }
        | rest
        for row, rest in zip(years.to_dict("records"), effects.rest_by_year, strict=True)
    ]
    totals = effects.after
    bound = float(parent["bound"])
    told = {name: totals[name] for name in (*_TOTALS, *_COUNTS)}
    left = {"left_km": totals["mandatory_left_m"] / 1000.0, "left_batch_count": totals["mandatory_left_batch_count"]}
    mandatory = dict(parent["mandatory"]) | left
    still_so = {name: value for name, value in parent.items() if name not in OF_CHOICE}
    return (
        still_so
        | told
        | {
            "objective": totals["value"],
            "gap_share": max(bound - totals["value"], 0.0) / bound if bound > 0 else 0.0,
            "by_year": by_year,
            "mandatory": mandatory,
            "edited": {
                "parent_id": parent_id,
                "parent_name": parent_name,
                "before": effects.before,
                "after": totals,
                "funds_cny": list(years["fund_after_cny"]) if years["fund_after_cny"].notna().any() else None,
                "limits": effects.limits.to_dict("records"),
                "breaches": [{"code": breach.code, **breach.parameters} for breach in effects.breaches],
            },
        }
    )
