"""What leak surveys on record say of exposure, for the verbs that learn from leaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    import geopandas as gpd
    import pandas as pd

    from planner.cli_job import Job
    from planner.survey_effort import Effort


def read_effort(
    job: Job,
    segments: gpd.GeoDataFrame,
    retired: gpd.GeoDataFrame,
    leaks: pd.DataFrame,
    learn_until: date | None = None,
) -> Effort | None:
    """Return which share of leaks could be found where and when; None where no survey is on record."""
    import pandas as pd

    from planner.survey_effort import find_effort

    surveys = job.frame("surveys")
    if surveys.empty:
        return None
    pipes = segments if retired.empty else pd.concat([segments, retired])
    return find_effort(pipes, surveys, job.frame("districts"), leaks, job.as_of, learn_until)


def effort_facts(surveyed: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return the years that surveys speak of and the mean share of leaks that could be found, area by area alike."""
    if surveyed is None:
        return None
    return {
        "first_year": int(surveyed["year"].min()),
        "last_year": int(surveyed["year"].max()),
        "area_count": int(surveyed["district_id"].nunique()),
        "mean_share_found": float(surveyed["share"].mean()),
    }


def tell_effort(job: Job, facts: dict[str, Any] | None) -> None:
    """Say what surveys make of the exposure, where there are any."""
    if facts is not None:
        job.session.tell(
            "forecast_effort",
            areas=facts["area_count"],
            first=facts["first_year"],
            last=facts["last_year"],
            share=facts["mean_share_found"],
        )
