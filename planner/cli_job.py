"""What every verb of the planner works with: the census as of a day, the policy, the scores, the progress bars."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from planner.cli_effort import effort_facts, read_effort, tell_effort
from registry.console import Session, parse_day, parse_instant

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from planner.explain_facts import Evidence
    from planner.policy import Policy
    from planner.ranking import Ranking
    from registry.conditions import Condition
    from registry.store import Registry, SavedRun

PolicyPath = Annotated[
    Path | None, typer.Option("--policy", help="Policy file (TOML); the packaged default where none is given.")
]
YearsText = Annotated[str, typer.Option("--years", metavar="A-B", help="Planning years, for example 2027-2031.")]
SEGMENT_COLUMNS: Final = [
    "medium",
    "tier",
    "material",
    "diameter_mm",
    "pressure_class",
    "pressure_kpa",
    "installed_year_min",
    "installed_year_max",
    "coating",
    "cathodic_protection",
    "joint",
    "surface",
    "cover_depth_m",
    "street_name",
    "compound_name",
    "status",
    "assessment",
    "assessed_on",
    "is_encroached",
    "retired_on",
    "length_m",
    "geometry",
]


@dataclass(frozen=True)
class Job:
    """What every verb needs: where to read, as of when, by which policy."""

    session: Session
    registry: Registry
    policy: Policy
    as_of: date
    known_at: datetime | None
    bars: Any

    def frame(self, kind: str, columns: list[str] | None = None, where: Condition | None = None) -> Any:  # noqa: ANN401 - frame with or without geometry
        """Read one kind, or the rows of it that meet a condition, as of the day of the job."""
        return self.registry.frame(kind, columns, as_of=self.as_of, known_at=self.known_at, where=where)

    def segments(self) -> gpd.GeoDataFrame:
        """Read the segments, or say that there are none."""
        from registry.errors import PlanningError

        segments: gpd.GeoDataFrame = self.frame("segments", SEGMENT_COLUMNS)
        if segments.empty:
            raise PlanningError("plan_no_segments", as_of=self.as_of)
        return segments

    @contextmanager
    def step(self, code: str, total: int | None = None) -> Generator[Callable[[int], None]]:
        """Show one step while it runs."""
        task = self.bars.add_task(self.session.say(code), total=total)
        yield lambda done: self.bars.update(task, advance=done)
        self.bars.remove_task(task)

    def save(
        self,
        kind: str,
        name: str | None,
        frames: dict[str, pd.DataFrame],
        summary: dict[str, Any],
        parent_id: str | None = None,
    ) -> str:
        """Save the run with everything it was made from."""
        policy = self.policy.to_dict() | {"hash": self.policy.content_hash}
        return self.registry.save_run(
            kind,
            name,
            frames,
            policy=policy,
            summary=summary,
            as_of=self.as_of,
            known_at=self.known_at,
            parent_id=parent_id,
        )


def load_scored(registry: Registry, name: str | None) -> SavedRun:
    """Return the saved run with scores of that name, of `score` or else of `plan`; the latest scores without a name.

    Raises
    ------
    NotFoundError
        Where there is none.
    """
    from registry.errors import NotFoundError

    try:
        return registry.load_run("score", name)
    except NotFoundError:
        if name is None:
            raise
    try:
        return registry.load_run("plan", name)
    except NotFoundError:
        raise NotFoundError("run_scored_unknown", name=name) from None


def run_as_job(session: Session, registry: Registry, saved: SavedRun, bars: Any) -> Job:  # noqa: ANN401 - of rich
    """Return the job that a run was made in: its day, its policy, and what was known then.

    Raises
    ------
    PolicyError
        If the policy of the run is one of an older version that is no longer understood.
    """
    from planner.policy import Policy

    content = {name: part for name, part in saved.policy.items() if name != "hash"}
    # the transaction that saved a run began after every delivery that the run has read
    return Job(session, registry, Policy.from_dict(content), saved.as_of, saved.known_at or saved.made_at, bars)


@contextmanager
def open_job(session: Session, policy: Path | None, as_of: str | None, known_at: str | None) -> Generator[Job]:
    """Open the registry for a verb, with its policy, its times and its progress bars."""
    from planner.policy import read_policy

    chosen = read_policy(policy)
    day, instant = parse_day(as_of), parse_instant(known_at)
    with session.open() as registry, session.progress() as bars:
        yield Job(session, registry, chosen, day or registry.today(), instant, bars)


def score_city(
    job: Job, segments: gpd.GeoDataFrame, leaks: gpd.GeoDataFrame, ranking: Ranking, *, stores_beside: bool = False
) -> dict[str, pd.DataFrame]:
    """Link leaks, events and households to segments and score these: the frames of the run.

    With `stores_beside` the rate of a learned model that does not rank is stored as well.
    """
    from planner.cli_ranking import rank_scores
    from planner.emissions import find_emissions

    evidence, events = read_evidence(job, segments, leaks)
    scores = rank_scores(job, evidence, score_evidence(job, evidence), ranking, stores_beside=stores_beside)
    tell_effort(job, effort_facts(evidence.told.surveyed))
    frames = {"scores": scores, "leak_links": evidence.leak_links, "event_links": events}
    if job.policy.emissions is not None:
        frames["emissions"] = find_emissions(segments, job.policy.emissions)
    return frames


def read_evidence(job: Job, segments: gpd.GeoDataFrame, leaks: gpd.GeoDataFrame) -> tuple[Evidence, pd.DataFrame]:
    """Read and link all that a score is made from, and the links of the events."""
    from planner.explain_facts import Evidence
    from planner.predecessors import predecessor_links
    from planner.score import Told
    from planner.supply import Homes, link_households

    buildings = job.frame("buildings", ["use", "floor_count", "household_count", "compound_id", "geometry"])
    with job.step("plan_step_link"):
        successions, retired = read_lineage(job), read_gone(job)
        links, events = link_places(job, segments, leaks, successions, retired)
        homes = Homes(
            job.frame("customers", ["household_count", "building_id", "segment_id", "geometry"]),
            job.frame("risers", ["household_count", "building_id", "compound_id"]),
            buildings,
            job.frame("compounds", ["name", "household_count"]),
        )
        roads = job.frame("roads", ["name", "road_class", "geometry"])
        effort = read_effort(job, segments, retired, leaks)
        told = Told(
            predecessor_links(links, successions, segments),
            link_households(homes, segments, job.policy),
            context=job.frame("context", ["kind", "level", "geometry"]),
            roads=roads,
            street_links=link_nameless(segments, roads, job.policy),
            retired=retired,
            surveyed=None if effort is None else effort.surveyed,
            district_of=None if effort is None else effort.area_of,
        )
    return Evidence(segments, links, leaks, buildings, job.policy, job.as_of, told), events


def score_evidence(job: Job, evidence: Evidence) -> pd.DataFrame:
    """Score the segments by what was read of them, by the default."""
    with job.step("plan_step_score", len(evidence.segments)) as advance:
        return evidence.scores(advance)


def link_nameless(segments: gpd.GeoDataFrame, roads: gpd.GeoDataFrame, policy: Policy) -> pd.DataFrame | None:
    """Name the road of the segments that were delivered without a street."""
    from planner.streets import link_streets

    nameless = segments[segments["street_name"].isna()]
    if roads.empty or nameless.empty:
        return None
    return link_streets(nameless, roads, policy)


def read_gone(job: Job) -> gpd.GeoDataFrame:
    """Read the segments that are no more in the ground on the day of the job."""
    from registry.history.retired import read_retired

    return read_retired(job.registry, SEGMENT_COLUMNS, job.as_of, job.known_at)


def read_lineage(job: Job) -> pd.DataFrame:
    """Read which segment goes on as which: the frame `successions`."""
    from registry.history.retired import read_successions

    return read_successions(job.registry.connection, job.as_of, job.known_at)


def link_places(
    job: Job,
    segments: gpd.GeoDataFrame,
    leaks: gpd.GeoDataFrame,
    successions: pd.DataFrame,
    retired: gpd.GeoDataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Link leaks and events to the segments of the day and to those that were there before: the pipes that are gone."""
    import pandas as pd

    from planner.events import link_events
    from planner.leaks import link_leaks
    from planner.successors import name_successors

    candidates = segments if retired.empty else pd.concat([segments, retired])
    leaks, events = (name_successors(found, candidates, successions) for found in (leaks, job.frame("events")))
    return link_leaks(leaks, candidates, job.policy), link_events(events, candidates, job.policy)


def check_years(years: range, as_of: date) -> None:
    """Refuse years that are over by the as-of date: they cannot be planned."""
    from registry.errors import PlanningError

    if years[0] < as_of.year:
        raise PlanningError("plan_years_past", first=years[0], last=years[-1], as_of=as_of)


def policy_facts(policy: Policy) -> dict[str, Any]:
    """Return what the summary of a run says of its policy."""
    return {
        "policy": {"id": policy.id, "version": policy.version, "hash": policy.content_hash},
        "unverified_count": len(policy.unverified()),
    }


def tell_unverified(session: Session, policy: Policy) -> None:
    """Tell how many figures of the policy nobody has verified."""
    if count := len(policy.unverified()):
        session.tell("plan_unverified_note", count=count)
