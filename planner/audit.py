"""What a coordination meeting has to answer for: digs under a ban, emergencies foreseen, promises not kept, gaps.

Each rule is a function that returns some of the columns of the frame `audit_findings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.days import calendar_years
from planner.extents import project_extents
from planner.factors import Flags, day_column, text_column
from planner.policy import Policy
from planner.successors import last_segments
from registry.fields import check_frame, columns_of

DIGS: Final = ("excavation", "emergency_excavation")
_EMERGENCY: Final = "emergency_excavation"
_HIGH_GRADES: Final = ("high", "severe")
_PRESSING: Final = ("mandatory", "due")
_OVER: Final = ("cancelled",)
_ON_SITE: Final = ("under_way", "done")
# closed ground and a site that share less touch at their edge
_LEAST_SHARED_M2: Final = 1.0
# a link below this leaves it open which pipe the crew dug for
_LIKELY: Final = 0.5


@dataclass(frozen=True)
class Audited:
    """What is audited, by the contracts of the registry and of the planner.

    `planned` is the frame `batch_segments` of the plan in force, or None; `announced` holds the dates that each
    project of a decision had on the day of the meeting: decision_id, starts_on, ends_on. `held` are the held-back rows
    of projects: project_id and code.
    """

    segments: gpd.GeoDataFrame
    projects: gpd.GeoDataFrame
    events: gpd.GeoDataFrame
    event_links: pd.DataFrame
    scores: pd.DataFrame
    bans: gpd.GeoDataFrame
    decisions: pd.DataFrame
    successions: pd.DataFrame
    announced: pd.DataFrame
    held: pd.DataFrame
    planned: pd.DataFrame | None = None


def audit(audited: Audited, years: range, policy: Policy, as_of: date) -> pd.DataFrame:
    """Return everything that the meeting has to answer for, worst kind first, then by day.

    Misleads where digs are reported without a place or under the wrong kind, and where decisions were carried out but
    the census was not brought up to date.

    Returns
    -------
    The frame `audit_findings`.
    """
    check_frame(audited.projects, "projects", ["kind", "geometry"])
    check_frame(audited.events, "events", ["kind", "happened_on", "geometry"])
    found = [part for part in _findings(audited, years, policy, as_of) if len(part)]
    names = columns_of("audit_findings")
    if not found:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in names}).astype(_DAYS)
    told = pd.concat([part.reindex(columns=names) for part in found], ignore_index=True)
    rank = told["code"].map({code: number for number, code in enumerate(_ORDER)})
    order = told.assign(rank=rank).sort_values(["rank", "day", "project_id", "segment_id", "object_id"], kind="stable")
    texts = {name: "str" for name in names if name not in _DAYS}
    return order[names].reset_index(drop=True).astype(_DAYS | texts)


_DAYS: Final = {"day": "datetime64[s]", "until_on": "datetime64[s]"}
_ORDER: Final = (
    "dig_in_ban",
    "works_in_ban",
    "emergency_in_ban",
    "emergency_foreseen",
    "promise_broken",
    "project_without_extent",
    "project_without_dates",
    "party_silent",
)


def _findings(audited: Audited, years: range, policy: Policy, as_of: date) -> Iterator[pd.DataFrame]:
    yield _digs_in_bans(audited)
    yield _works_in_bans(audited, policy, as_of)
    yield _foreseen_emergencies(audited)
    yield _broken_promises(audited, as_of)
    yield _without_extent(audited.held)
    yield _without_dates(audited.projects)
    yield _silent_parties(audited.projects, years)


def _digs_in_bans(audited: Audited) -> pd.DataFrame:
    """Excavations in closed ground on a forbidden day; both ends of the ban are forbidden."""
    digs = audited.events[audited.events["kind"].isin(list(DIGS))]
    places = _places(digs, audited.segments)
    dig, ban = _meetings(places, np.asarray(audited.bans.geometry.array))
    day = day_column(digs, "happened_on")[dig]
    bans = audited.bans.iloc[ban]
    is_forbidden = _is_within(day, bans)
    kind = digs["kind"].to_numpy(dtype=object)[dig]
    rows = pd.DataFrame(
        {
            "code": np.where(kind == _EMERGENCY, "emergency_in_ban", "dig_in_ban"),
            "object_id": digs.index.to_numpy(dtype=object)[dig],
            "segment_id": text_column(digs, "segment_id").to_numpy(dtype=object)[dig],
            "party": text_column(digs, "owner").to_numpy(dtype=object)[dig],
            "day": day,
            **_of_bans(bans),
        }
    )[is_forbidden]
    # the longest ban is told where several close one ground
    return rows.sort_values("until_on", na_position="last", kind="stable").drop_duplicates("object_id", keep="last")


def _works_in_bans(audited: Audited, policy: Policy, as_of: date) -> pd.DataFrame:
    """Works of other utilities that are or were on site in closed ground; the works that closed it are none."""
    is_dig = (audited.projects["kind"] == "utility") & text_column(audited.projects, "state").isin(list(_ON_SITE))
    works = audited.projects[is_dig]
    extents: NDArray[Any] = np.asarray(project_extents(works, policy).array)
    project, ban = _meetings(extents, np.asarray(audited.bans.geometry.array))
    bans = audited.bans.iloc[ban]
    start, end = day_column(works, "starts_on")[project], day_column(works, "ends_on")[project]
    end = np.where(np.isnat(end), np.datetime64(as_of), end)
    meets = (start <= _last_days(bans)) & (end >= day_column(bans, "starts_on"))
    names = works.index.to_numpy(dtype=object)[project]
    shared = shapely.area(shapely.intersection(extents[project], np.asarray(bans.geometry.array)))
    is_own = bans["source_id"].to_numpy(dtype=object) == names
    rows = pd.DataFrame(
        {
            "code": "works_in_ban",
            "project_id": names,
            "party": text_column(works, "owner").to_numpy(dtype=object)[project],
            "day": np.maximum(start, day_column(bans, "starts_on")),
            **_of_bans(bans),
        }
    )
    told: pd.DataFrame = rows[meets & ~is_own & (shared > _LEAST_SHARED_M2)]
    return told.sort_values("until_on", kind="stable").drop_duplicates("project_id", keep="last")


def _foreseen_emergencies(audited: Audited) -> pd.DataFrame:
    """Emergency digs for a pipe that stood high: mandatory or due, of a high grade, or due in the plan by then."""
    digs = audited.events[audited.events["kind"] == _EMERGENCY]
    likely = audited.event_links[audited.event_links["probability"] >= _LIKELY]
    rows = likely[likely["event_id"].isin(digs.index)]
    rows = rows.merge(audited.scores[["policy_class", "grade"]], left_on="segment_id", right_index=True)
    own = digs.loc[rows["event_id"]]
    day = day_column(own, "happened_on")
    stands_high = rows["policy_class"].isin(list(_PRESSING)) | rows["grade"].isin(list(_HIGH_GRADES))
    is_high: Flags = stands_high.to_numpy(dtype=bool)
    if audited.planned is not None:
        year = rows["segment_id"].map(audited.planned["year"]).to_numpy(dtype="float64", na_value=np.nan)
        is_high = is_high | (year <= calendar_years(day))
    return pd.DataFrame(
        {
            "code": "emergency_foreseen",
            "object_id": rows["event_id"].to_numpy(dtype=object),
            "segment_id": rows["segment_id"].to_numpy(dtype=object),
            "party": text_column(own, "owner").to_numpy(dtype=object),
            "day": day,
        }
    )[is_high]


def _broken_promises(audited: Audited, as_of: date) -> pd.DataFrame:
    """Decisions that are overdue and were not carried out, as far as the census tells; the latest of a subject counts.

    `together` and `ours_moves` are carried out when the segment is gone or replaced, `theirs_moves` when the project
    has other dates than on the day of the meeting; `separate` asks for nothing. About a whole project only
    `theirs_moves` can be told.
    """
    told = audited.decisions.reset_index()
    subject = told["project_id"] + "@" + told["segment_id"].fillna("")
    latest = told.assign(subject=subject).sort_values(["decided_on", "decision_id"], kind="stable")
    latest = latest.drop_duplicates("subject", keep="last").reset_index(drop=True)
    dates = audited.projects.reindex(latest["project_id"])
    due = day_column(latest, "due_on")
    # what was to be done together is over when the project is
    due = np.where(np.isnat(due) & (latest["verdict"] == "together"), day_column(dates, "ends_on"), due)
    is_overdue = due < np.datetime64(as_of)
    is_ours = latest["verdict"].isin(["together", "ours_moves"]).to_numpy(dtype=bool)
    is_open = np.where(is_ours, _is_still_there(latest, audited), False)
    is_open |= (latest["verdict"] == "theirs_moves").to_numpy(dtype=bool) & _has_same_dates(latest, dates, audited)
    return pd.DataFrame(
        {
            "code": "promise_broken",
            "object_id": latest["decision_id"],
            "project_id": latest["project_id"],
            "segment_id": latest["segment_id"],
            "party": latest["decided_by"],
            "day": latest["decided_on"],
            "until_on": due,
        }
    )[is_overdue & is_open]


def _is_still_there(decisions: pd.DataFrame, audited: Audited) -> Flags:
    """Tell whether the pipe of a decision, or one that continues it, is in the ground as it was."""
    known = audited.segments.index
    continued = last_segments(pd.Index(decisions["segment_id"].dropna().unique()), audited.successions, known)
    there = {*known, *continued["first_id"]}
    return decisions["segment_id"].isin(list(there)).to_numpy(dtype=bool)


def _has_same_dates(decisions: pd.DataFrame, now: pd.DataFrame, audited: Audited) -> Flags:
    """Tell whether a project has the dates that it had on the day of the meeting."""
    then = audited.announced.set_index("decision_id").reindex(decisions["decision_id"])
    same = np.ones(len(decisions), dtype=bool)
    for name in ("starts_on", "ends_on"):
        was, is_ = day_column(then, name), day_column(now, name)
        same &= (was == is_) | (np.isnat(was) & np.isnat(is_))
    return same


def _without_extent(held: pd.DataFrame) -> pd.DataFrame:
    rows = held[held["code"] == "project_without_extent"].drop_duplicates("project_id")
    return pd.DataFrame({"code": "project_without_extent", "project_id": rows["project_id"]})


def _without_dates(projects: gpd.GeoDataFrame) -> pd.DataFrame:
    """Projects still to come of which the first or the last day is not known."""
    is_dated = ~np.isnat(day_column(projects, "starts_on")) & ~np.isnat(day_column(projects, "ends_on"))
    is_over = text_column(projects, "state").isin(["done", *_OVER]).to_numpy(dtype=bool)
    rows = projects[~is_dated & ~is_over]
    return pd.DataFrame(
        {
            "code": "project_without_dates",
            "project_id": rows.index.to_numpy(dtype=object),
            "party": text_column(rows, "owner").to_numpy(dtype=object),
        }
    )


def _silent_parties(projects: gpd.GeoDataFrame, years: range) -> pd.DataFrame:
    """Parties that had projects once and have announced none for the years: no programme came from them."""
    is_over = text_column(projects, "state").isin(list(_OVER)).to_numpy(dtype=bool)
    end = day_column(projects, "ends_on")
    is_ahead = ~is_over & (np.isnat(end) | (end >= np.datetime64(date(years[0], 1, 1))))
    party = text_column(projects, "owner")
    last = pd.DataFrame({"party": party, "day": end, "is_ahead": is_ahead}).dropna(subset=["party"])
    known = last.groupby("party").agg({"day": "max", "is_ahead": "any"})
    silent = known[~known["is_ahead"]]
    return pd.DataFrame({"code": "party_silent", "party": silent.index.to_numpy(dtype=object), "day": silent["day"]})


def _places(events: gpd.GeoDataFrame, segments: gpd.GeoDataFrame) -> NDArray[Any]:
    """Return where each event was: its own place, else that of the segment that it names."""
    own: NDArray[Any] = np.asarray(events.geometry.array).copy()
    named: NDArray[Any] = np.asarray(segments.geometry.reindex(text_column(events, "segment_id")).array)
    lacks = shapely.is_missing(own)
    own[lacks] = named[lacks]
    return own


def _meetings(shapes: NDArray[Any], grounds: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of a shape and a closed ground that share any point."""
    shape, ground = shapely.STRtree(grounds).query(shapes, predicate="intersects")
    return shape.astype(np.int64), ground.astype(np.int64)


def _last_days(bans: pd.DataFrame) -> NDArray[np.datetime64]:
    end = day_column(bans, "ends_on")
    return np.where(np.isnat(end), np.datetime64("9999-12-31"), end)


def _is_within(day: NDArray[np.datetime64], bans: pd.DataFrame) -> Flags:
    within: Flags = (day_column(bans, "starts_on") <= day) & (day <= _last_days(bans))
    return within


def _of_bans(bans: pd.DataFrame) -> dict[str, Any]:
    return {
        "until_on": day_column(bans, "ends_on"),
        "rule_code": text_column(bans, "rule_code").to_numpy(dtype=object),
        "street_name": text_column(bans, "street_name").to_numpy(dtype=object),
    }
