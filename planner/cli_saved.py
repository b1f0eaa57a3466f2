"""A saved plan read back with what it was made from, as it was known then: what verbs about saved plans work with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planner.cli_job import SEGMENT_COLUMNS, Job

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.meeting import City
    from planner.plan_edit import Source
    from registry.store import Registry, SavedRun


# what of a saved plan says what it promises
PROMISED: Final = ("batches", "batch_segments")


def source_of(job: Job, run: SavedRun) -> Source:
    """Read what a saved plan was made from, so that it can be priced again."""
    from planner.agreed import agree
    from planner.benefits import Worth
    from planner.cli_bearing import bearing_parts
    from planner.cli_overlap import read_city
    from planner.decisions import standing_decisions
    from planner.households import Supplied
    from planner.limits import Limits
    from planner.members import Members
    from planner.plan_edit import Source

    segments = job.segments()
    city = as_planned(read_city(job, segments), run, job)
    scores, pairs = run.frames["scores"], run.frames["pairs"]
    decisions = standing_decisions(city.decisions, pairs, city.successions)
    limits = Limits.of_summary(run.summary)
    years = limits.years
    members = run.frames["batch_segments"]
    together = agree(decisions, pairs, members.index, Members.of_groups(_numbers(members)), years)
    expected = scores["expected_household_count"]
    bearing = bearing_parts(job, city, scores, years)
    return Source(
        segments=segments,
        scores=scores,
        pairs=together.pairs,
        projects=city.projects,
        bans=bearing["ground"].bans,
        supplied=Supplied.from_frames(job.frame("compounds", ["name", "household_count"]), expected),
        decisions=decisions,
        policy=job.policy,
        as_of=run.as_of,
        limits=limits,
        emissions=run.frames.get("emissions"),
        worth=Worth(**run.summary.get("worth", {})),
        conditions=bearing["conditions"],
        outlook=bearing["outlook"],
        order=city.order,
        candidate_ids=_candidates(run),
        # plans of old say nothing of how they were searched, and were made without the rule
        is_cut_once="effort" in run.summary,
    )


def _candidates(run: SavedRun) -> pd.Index | None:
    """Return the segments that a saved plan chose from; None where it did not keep them."""
    reasons = run.frames.get("plan_reasons")
    return None if reasons is None or reasons.empty else reasons.index


def as_planned(city: City, run: SavedRun, job: Job) -> City:
    """Return the city as the scenario of a saved plan has it."""
    from planner.scenario import apply_scenario, scenario_of_run

    scenario = scenario_of_run(run.summary)
    return city if scenario is None else apply_scenario(city, scenario, job.policy, run.as_of)[0]


def _numbers(members: pd.DataFrame) -> Any:  # noqa: ANN401 - numbers of batches
    import pandas as pd

    return pd.factorize(members["batch_id"])[0].astype("int64")


def parts_of(registry: Registry, run: SavedRun, name: str) -> pd.DataFrame:
    """Return the frame `plan_parts` of a saved plan: by the census that it was made from, and the districts of now."""
    from planner.programme import plan_parts

    instant = run.known_at or run.made_at
    segments: gpd.GeoDataFrame = registry.frame("segments", SEGMENT_COLUMNS, as_of=run.as_of, known_at=instant)
    districts = registry.frame("districts", as_of=run.as_of)
    return plan_parts(name, run.frames["batches"], run.frames["batch_segments"], segments, districts)
