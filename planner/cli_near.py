"""What an explanation of a few segments needs of a city, and no more: their streets, their leaks, what stands near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planner.cli_job import SEGMENT_COLUMNS, link_nameless

if TYPE_CHECKING:
    from collections.abc import Collection

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from planner.cli_job import Job
    from planner.explain_facts import Evidence
    from planner.policy import Policy

_ROADS: Final = ["name", "road_class", "geometry"]
_BUILDINGS: Final = ["use", "floor_count", "household_count", "compound_id", "geometry"]
_CONTEXT: Final = ["kind", "level", "geometry"]


def read_near(job: Job, run_id: str, asked: Collection[str]) -> Evidence:
    """Read the evidence of a saved run as far as the facts of some segments follow from it.

    The segments are those asked for and the pipes of their streets and compounds; leaks are linked as the run has
    them. Enough for `find_facts` of the segments asked for, not for scoring them again.
    """
    from planner.explain_facts import Evidence
    from planner.score import Told
    from registry.conditions import named
    from registry.history.retired import read_retired
    from registry.saved import run_rows

    chosen = job.frame("segments", SEGMENT_COLUMNS, where=named("segment_id", asked))
    pipes, roads, street_links, street = _of_streets(job, chosen)
    gone = read_retired(job.registry, SEGMENT_COLUMNS, job.as_of, job.known_at, where=street)
    links = run_rows(job.registry, run_id, "leak_links", [*pipes.index, *gone.index])
    leaks = job.frame("leaks", where=named("leak_id", links["leak_id"]))
    buildings, context = _surroundings(job, chosen)
    told = Told(context=context, roads=roads, street_links=street_links, retired=gone)
    return Evidence(pipes, links, leaks, buildings, job.policy, job.as_of, told)


def _of_streets(
    job: Job, chosen: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame, pd.DataFrame | None, Any]:
    """Return the pipes of the streets of some segments, their roads and links, and how to ask for these streets."""
    from planner.record_groups import street_names
    from registry.conditions import absent, all_of, any_of, named, within

    reach_m, srid = job.policy.streets.reach_m.value, job.registry.srid
    # only pipes without a street are linked to the roads beside them
    near = _nameless(chosen)
    roads = job.frame("roads", _ROADS, where=within(near, reach_m, srid))
    street = street_names(chosen, link_nameless(chosen, roads, job.policy)).dropna()
    # a compound is told by the tab that keeps its name apart
    names = [name for name in street if not name.startswith("\t")]
    there = any_of(named("street_name", names), named("compound_name", street.str.removeprefix("\t")))
    roads = _with_more(job, roads, "roads", _ROADS, ("name", names))
    axes = roads.geometry[roads["name"].isin(names).to_numpy(dtype=bool)].to_numpy()
    # pipes without a street may lie in one of these
    is_nameless = all_of(absent("street_name"), within(axes, reach_m, srid))
    pipes = _joined(chosen, job.frame("segments", SEGMENT_COLUMNS, where=any_of(there, is_nameless)))
    if len(others := _nameless(pipes)):
        roads = _joined(roads, job.frame("roads", _ROADS, where=within(others, reach_m, srid)))
    return pipes, roads, link_nameless(pipes, roads, job.policy), there


def _nameless(segments: gpd.GeoDataFrame) -> NDArray[Any]:
    """Return the lines of the segments without a street."""
    import numpy as np

    shapes: NDArray[Any] = np.asarray(segments.geometry.array)
    chosen: NDArray[Any] = shapes[segments["street_name"].isna().to_numpy(dtype=bool)]
    return chosen


def _surroundings(job: Job, chosen: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the buildings and context near some segments, and one of each kind: whether a city knows any matters."""
    from registry.conditions import within

    srid, shapes = job.registry.srid, chosen.geometry.to_numpy()
    building_m, context_m = _reaches(job.policy)
    buildings = job.frame("buildings", _BUILDINGS, where=within(shapes, building_m, srid))
    context = job.frame("context", _CONTEXT, where=within(shapes, context_m, srid))
    return (
        _with_more(job, buildings, "buildings", _BUILDINGS, ("building_id", _samples(job, "buildings"))),
        _with_more(job, context, "context", _CONTEXT, ("context_id", _samples(job, "context"))),
    )


def _with_more(job: Job, frame: Any, kind: str, columns: list[str], asked: tuple[str, list[str]]) -> Any:  # noqa: ANN401
    """Return a frame with the rows of its kind that have one of some values in a column."""
    from registry.conditions import named

    column, values = asked
    return _joined(frame, job.frame(kind, columns, where=named(column, values))) if values else frame


def _reaches(policy: Policy) -> tuple[float, float]:
    """Return how far away buildings and context still count."""
    near, ground = policy.weights.consequence, policy.weights.likelihood
    building_m = near.building_reach_m.value
    return building_m, max(building_m, near.void_reach_m, ground.stray_current_reach_m.value)


def _samples(job: Job, kind: str) -> list[str]:
    from registry.db import query

    rows = job.registry.connection.execute(query(f"samples_{kind}"), {"as_of": job.as_of, "known_at": job.known_at})
    return [str(row[0]) for row in rows]


def _joined(first: Any, second: Any) -> Any:  # noqa: ANN401 - frames with geometry, of one kind
    """Return both frames as one in the order of ids, each row once."""
    import pandas as pd

    other = second[~second.index.isin(first.index)]
    if other.empty:
        return first
    return other if first.empty else pd.concat([first, other]).sort_index(kind="stable")
