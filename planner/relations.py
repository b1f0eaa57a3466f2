"""How a renewal and a project stand to each other in time: the relation of each pair, who would have to move, how far.

The relation of a pair is the first of these that holds. D is the due window of the segment, P the stated window of the
project; all ends are included. The *gap* is by how many days one of the two would have to move for them to share a day.

| relation | holds where |
|---|---|
| `not_due` | nothing asks for the renewal of the segment: it has no due window |
| `too_late` | bans that are already there leave no open day in D |
| `not_due` | the project is over or cancelled: there is nothing to settle with it |
| `undated` | the project has no usable window |
| `together` | D and P share at least one day |
| `race` | P ends before D begins, and the ban that it brings is in force when D begins: the last chance |
| `near_miss` | the gap is at most `near_miss_years`, and one side can move that far |
| `conflict` | the gap is at most `joint_horizon_years`: both dig the same place apart |
| `not_due` | the gap is wider: the two have nothing to do with each other |

A project can move as far as its `earliest_on` and `latest_on` let it, as a whole, and not into the past; one that is
under way can only end later. A renewal can be brought forward and made to wait by the years of its class.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ban_exceptions import applicable_exceptions
from planner.days import Days, as_day
from planner.due import DueWindows, due_windows
from planner.factors import Flags, day_column, number_column, text_column
from planner.freedom import WINDOW_COLUMNS, project_freedom
from planner.locks import Locks, Spans
from planner.policy import Policy
from planner.record import DAYS_PER_YEAR
from planner.seasons import shared_seasons
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of

RELATIONS: Final = ("together", "near_miss", "race", "conflict", "too_late", "undated", "not_due")


@dataclass(frozen=True)
class Sides:
    """Both sides of each pair as arrays of days, both ends included; a missing day is not known."""

    due_from: Days
    due_until: Days
    reach_from: Days
    reach_until: Days
    project_from: Days
    project_until: Days
    project_earliest: Days
    project_latest: Days
    is_over: Flags
    is_closed: Flags
    locks_due: Flags


@dataclass(frozen=True)
class Limits:
    """The widest gaps, in days, of a near miss and of a conflict."""

    near_miss_days: int
    horizon_days: int

    @classmethod
    def of(cls, policy: Policy) -> Limits:
        """Take the limits of a policy."""
        near, horizon = policy.timing.near_miss_years.value, policy.timing.joint_horizon_years.value
        return cls(round(near * DAYS_PER_YEAR), round(horizon * DAYS_PER_YEAR))


def relate(
    pairs: pd.DataFrame,
    scores: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    projects: gpd.GeoDataFrame,
    bans: gpd.GeoDataFrame,
    policy: Policy,
    as_of: date,
) -> pd.DataFrame:
    """Return for each pair how renewal and project stand in time; the module says what each relation means.

    A ban concerns a segment if at least `timing.least_closed_m` of it lie on the closed ground; bans that works still
    to be done will bring count only for the pair of their own project. What is locked, by which rule and with which
    exceptions that could apply: of `too_late` the bans that close the due window, else the ban that the project
    brings, else bans that close a part of the due window; named is the rule whose ban ends last.

    The relation does not look at the calendar of the ban set: `season` does, as `planner.seasons` says. Misleads where
    dates of projects are only a year, and where a permit for a closed street is already at hand. A project whose end
    has passed and that nobody has reported as done counts as one that is still to come.

    Returns
    -------
    The frame `pair_times`, index and order as `pairs`.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If a pair names a segment without a score, or a segment or project that is not there.
    """
    check_frame(pairs, "pairs", ["segment_id", "project_id"])
    check_frame(scores, "scores", ["policy_class"])
    check_frame(segments, "segments", ["medium", "geometry"])
    check_frame(projects, "projects", ["kind"])
    check_frame(bans, "bans", ["source_kind", "source_id", "rule_code", "starts_on", "is_planned", "exceptions"])
    segment = _rows(pairs["segment_id"], segments.index, "segments")
    project = _rows(pairs["project_id"], projects.index, "projects")
    _rows(pairs["segment_id"], scores.index, "scores")
    due = due_windows(segments, scores["policy_class"].reindex(segments.index), policy, as_of)
    concerned, inverse = np.unique(segment, return_inverse=True)
    existing = Locks.of_ground(segments.iloc[concerned], bans, policy)
    standing = existing.within(due.due_from[concerned], due.due_until[concerned]).take(inverse)
    brought = Locks.of_projects(projects, bans).spans().take(project)
    is_over = text_column(projects, "state").isin(list(policy.overlap.inactive_states)).to_numpy(dtype=bool)
    freedom = project_freedom(projects, as_of).iloc[project]
    sides = _sides(due, segment, freedom, is_over[project], standing, brought)
    times = relation_table(sides, Limits.of(policy)).set_index(pairs.index)
    times.insert(0, "segment_id", pairs["segment_id"].astype("str"))
    times.insert(1, "project_id", pairs["project_id"].astype("str"))
    is_late = (times["relation"] == "too_late").to_numpy(dtype=bool)
    locks = standing.where(is_late | np.isnat(brought.start), brought)
    locked = locks.columns(bans)
    times = times.assign(**{name: locked[name].array for name in ("locked_from", "locked_until", "rule_code")})
    applicable = _exceptions(locked, segments.iloc[segment], scores, projects.iloc[project], sides, policy, as_of)
    times["exceptions"] = applicable.array
    times = times.join(_seasons(sides, segments["medium"].iloc[segment].set_axis(times.index), policy, as_of))
    return times[columns_of("pair_times")]


def _sides(
    due: DueWindows,
    segment: NDArray[np.int64],
    freedom: pd.DataFrame,
    is_over: Flags,
    standing: Spans,
    brought: Spans,
) -> Sides:
    """Bring together what is known of each pair."""
    first, last = due.due_from[segment], due.due_until[segment]
    return Sides(
        due_from=first,
        due_until=last,
        reach_from=due.reach_from[segment],
        reach_until=due.reach_until[segment],
        project_from=day_column(freedom, "project_from"),
        project_until=day_column(freedom, "project_until"),
        project_earliest=day_column(freedom, "project_earliest"),
        project_latest=day_column(freedom, "project_latest"),
        is_over=is_over,
        is_closed=standing.closes_all,
        locks_due=(brought.start <= first) & (first <= brought.end),
    )


def _seasons(sides: Sides, medium: pd.Series, policy: Policy, as_of: date) -> pd.DataFrame:
    """Return what the calendar leaves of the days that the due window and the project share."""
    first = np.maximum(sides.due_from, sides.project_from)
    return shared_seasons(first, np.minimum(sides.due_until, sides.project_until), medium, policy, as_of)


def relation_table(sides: Sides, limits: Limits) -> pd.DataFrame:
    """Return the relation of each pair, with overlap, gap and who would have to move; rows as the sides.

    Pure arithmetic on days: it moves with its windows, whatever the calendar.
    """
    first, last, start, end = sides.due_from, sides.due_until, sides.project_from, sides.project_until
    is_due = ~np.isnat(first)
    is_dated = ~np.isnat(start)
    is_known = is_due & is_dated
    shared = np.where(is_known, _count(np.minimum(last, end) - np.maximum(first, start)) + 1, 0)
    before, after = _count(first - end), _count(start - last)
    gap = np.where(is_known, np.maximum(np.maximum(before, after), 0), 0)
    theirs = np.where(
        after > 0, _count(start - sides.project_earliest) >= gap, _count(sides.project_latest - end) >= gap
    )
    ours = np.where(after > 0, sides.reach_until >= start, sides.reach_from <= end)
    is_apart = is_known & (gap > 0)
    mover = np.where(ours, np.where(theirs, "either", "ours"), np.where(theirs, "theirs", "none"))
    can_move = is_apart & (ours | theirs)
    rules = [
        (~is_due, "not_due"),
        (sides.is_closed, "too_late"),
        (sides.is_over, "not_due"),
        (~is_dated, "undated"),
        (gap == 0, "together"),
        ((before > 0) & sides.locks_due, "race"),
        ((gap <= limits.near_miss_days) & can_move, "near_miss"),
        (gap <= limits.horizon_days, "conflict"),
    ]
    relation = np.select([holds for holds, _ in rules], [name for _, name in rules], default="not_due")
    is_settled = np.isin(relation, ["race", "near_miss", "conflict"])
    days = {"due_from": first, "due_until": last, **{name: getattr(sides, name) for name in WINDOW_COLUMNS}}
    table = pd.DataFrame({name: day.astype("datetime64[s]") for name, day in days.items()})
    table["relation"] = pd.Series(relation, dtype="str")
    table["overlap_days"] = pd.Series(np.maximum(shared, 0), dtype="Int64").where(is_known)
    table["gap_days"] = pd.Series(gap, dtype="Int64").where(is_known)
    table["years_apart"] = pd.Series(gap / DAYS_PER_YEAR).where(is_known)
    table["mover"] = pd.Series(mover, dtype="str").where(is_settled)
    table["move_days"] = pd.Series(gap, dtype="Int64").where(is_settled & can_move)
    return table


def _count(span: NDArray[np.timedelta64]) -> NDArray[np.int64]:
    """Return whole days; a missing span counts as a gap that is never reached."""
    return np.where(np.isnat(span), np.int64(-1), span.astype("timedelta64[D]").astype(np.int64))


def _rows(ids: pd.Series, index: pd.Index, frame: str) -> NDArray[np.int64]:
    """Return the row of each id, or say which is missing."""
    rows = index.get_indexer(pd.Index(ids))
    if (rows < 0).any():
        absent = str(ids.iloc[int(np.flatnonzero(rows < 0)[0])])
        raise PlanningError("plan_pair_unknown", id=absent, frame=frame)
    return np.asarray(rows, dtype=np.int64)


def _exceptions(
    locked: pd.DataFrame,
    segments: pd.DataFrame,
    scores: pd.DataFrame,
    projects: pd.DataFrame,
    sides: Sides,
    policy: Policy,
    as_of: date,
) -> pd.Series:
    cases = pd.DataFrame(
        {
            "exceptions": locked["exceptions"].array,
            "medium": segments["medium"].array,
            "policy_class": scores["policy_class"].reindex(segments.index).array,
            "diameter_mm": number_column(segments, "diameter_mm"),
            "project_kind": projects["kind"].array,
            "days_until_works": _count(sides.project_from - as_day(as_of)),
        }
    )
    # works that are over or have no date renew nothing that could be dug before
    cases.loc[sides.is_over | np.isnat(sides.project_from), "days_until_works"] = np.nan
    return applicable_exceptions(cases, policy)
