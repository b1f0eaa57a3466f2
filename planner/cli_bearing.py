"""What bears on a plan, read from the registry: closed streets, deadlines, sections, districts, and ageing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.cli_job import Job
    from planner.conditions import Conditions
    from planner.limits import Limits
    from planner.meeting import City

_BY_DISTRICT: Final = {
    "--district-km": "district_km_per_year",
    "--district-households": "district_households_per_year",
    "--district-floor": "district_floor_share",
}


def bearing_parts(job: Job, city: City, scores: pd.DataFrame, years: range) -> dict[str, Any]:
    """Return `conditions` and `order` of the segments, their `ground`, and the `outlook` of leaks to the horizon."""
    from planner.closing import Ground
    from planner.conditions import find_conditions
    from planner.forecast.outlook import leak_outlook

    policy, as_of = job.policy, job.as_of
    bans = city.bans(policy, as_of)
    districts = job.frame("districts", ["name", "geometry"])
    classes = scores["policy_class"].reindex(city.segments.index)
    conditions = find_conditions(city.segments, classes, bans, city.roads, districts, years, policy, as_of)
    horizon = max(round(policy.planning.horizon_years.value), len(years))
    outlook = leak_outlook(city.segments, scores, policy, range(years.start, years.start + horizon), as_of)
    return {"conditions": conditions, "outlook": outlook, "ground": Ground(bans, as_of), "order": city.order}


def warn_of_districts(job: Job, limits: Limits, conditions: Conditions) -> None:
    """Warn where options, scenario or parent ask for limits by district, and no segment lies in one."""
    from planner.conditions import NONE

    asked = [option for option, name in _BY_DISTRICT.items() if getattr(limits, name) is not None]
    if asked and bool((conditions.district == NONE).all()):
        job.session.warn("plan_no_districts", options=", ".join(asked))


def isolation_of(job: Job, segments: gpd.GeoDataFrame, *, is_kept: bool) -> pd.Series | None:
    """Return the isolation section of each segment by the valves of the registry; None where runs need not keep to one.

    `segments` are all of the census: a network without some of its pipes falls into other sections.
    """
    if not is_kept:
        return None
    from planner.isolation import isolation_sections

    return isolation_sections(segments, job.frame("valves", ["kind", "segment_id", "geometry"]), job.policy)
