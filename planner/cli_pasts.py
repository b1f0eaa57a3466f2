"""The past of a city as a verb reads it: the whole record, and what the registry had recorded by each cut-off."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from planner.cli_effort import effort_facts, read_effort, tell_effort
from planner.cli_job import SEGMENT_COLUMNS, Job, link_nameless, link_places, read_gone, read_lineage

if TYPE_CHECKING:
    import geopandas as gpd

    from planner.forecast.backtest import PanelAt
    from planner.forecast.history import History
    from planner.forecast.panel import Panel
    from registry.store import Registry

# a forecast of pipes needs both
_NEEDED: Final = ("segments", "leaks")


def read_history(job: Job, first: int, last: int) -> History:
    """Read the record up to the end of a year: pipes in the ground and gone, leaks, surveys, streets of the nameless.

    What surveys found from the first year on teaches nothing: it would tell of the test years.

    Raises
    ------
    PlanningError
        Where there are no segments, or no leak can be counted on one.
    """
    from registry.errors import PlanningError

    end = date(last, 12, 31)
    history = _read(job, job.segments(), end, date(first, 1, 1), tells=True)
    if history is None:
        raise PlanningError("forecast_no_record", as_of=end)
    return history


def panel_at(job: Job) -> PanelAt:
    """Return what gives the panel as the registry knew it when a year began; none where it had not recorded enough.

    Enough are segments and a leak record of as many years as a first window needs. What was true is asked for the last
    day of the year before, what was known for the first instant of the year in the time zone of the registry.
    """
    since = recorded_since(job.registry)
    zone = ZoneInfo(job.registry.timezone)

    def known(year: int) -> Panel | None:
        from planner.forecast.backtest import LEAST_HISTORY_YEARS

        cut_off = datetime(year, 1, 1, tzinfo=zone)
        if since is None or since > cut_off:
            return None
        instant = cut_off if job.known_at is None else min(cut_off, job.known_at)
        end = date(year - 1, 12, 31)
        then = replace(job, as_of=end, known_at=instant)
        history = _read(then, then.frame("segments", SEGMENT_COLUMNS), end, date(year, 1, 1))
        if history is None or len(history.panel.years) < LEAST_HISTORY_YEARS:
            return None
        return history.panel

    return known


def recorded_since(registry: Registry) -> datetime | None:
    """Return the instant from which the registry has recorded both pipes and leaks; none where it lacks one of them."""
    deliveries = registry.deliveries()
    applied = deliveries[deliveries["kind"].isin(_NEEDED)].dropna(subset="applied_at")
    first = applied.groupby("kind")["applied_at"].min()
    return first.max().to_pydatetime() if len(first) == len(_NEEDED) else None


def _read(job: Job, segments: gpd.GeoDataFrame, end: date, learn_until: date, *, tells: bool = False) -> History | None:
    """Link the leaks to the segments and count them by year; none where none can be counted."""
    import pandas as pd

    from planner.forecast.history import make_history, years_on_record
    from planner.survey_effort import panel_effort

    leaks = job.frame("leaks")
    with job.step("plan_step_link"):
        retired = read_gone(job)
        links, _ = link_places(job, segments, leaks, read_lineage(job), retired)
        named = link_nameless(segments, job.frame("roads", ["name", "road_class", "geometry"]), job.policy)
    years = years_on_record(links, leaks, end)
    if not years:
        return None
    everything = segments if retired.empty else pd.concat([segments, retired])
    effort = read_effort(job, segments, retired, leaks, learn_until)
    looked_at = None if effort is None else panel_effort(effort.surveyed, effort.area_of, years)
    areas = None if effort is None else effort.area_of
    if tells:
        tell_effort(job, effort_facts(None if effort is None else effort.surveyed))
    return make_history(
        everything, links, leaks, job.policy, years, end, street_links=named, effort=looked_at, districts=areas
    )
