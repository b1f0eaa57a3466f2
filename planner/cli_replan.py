"""What `plan --from` and `plan --scenario` take from a saved plan and a scenario file, and how they tell it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli_job import open_job, run_as_job
from registry.catalogue import CNY_PER_UNIT
from registry.console import parse_instant

if TYPE_CHECKING:
    from planner.cli_job import Job
    from planner.meeting import City
    from planner.programme import LockedBatch
    from planner.scenario import Scenario
    from registry.console import Session
    from registry.errors import Phrase
    from registry.store import SavedRun

Parent = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="PLAN",
        help="Make the plan anew out of a saved one: its settings, its locked batches, its data unless --as-of.",
    ),
]
ScenarioPath = Annotated[
    Path | None,
    typer.Option("--scenario", metavar="FILE", help="What the plan is made under instead of the registry (TOML)."),
]


@dataclass(frozen=True)
class Origin:
    """The saved plan that a new one is made out of, or none, and the scenario that it is made under, or none."""

    run: SavedRun | None
    scenario: Scenario | None

    @property
    def summary(self) -> dict[str, Any] | None:
        """The summary of the saved plan."""
        return None if self.run is None else self.run.summary

    @property
    def parent_id(self) -> str | None:
        """The run of the saved plan."""
        return None if self.run is None else self.run.run_id

    def locks(self) -> tuple[LockedBatch, ...]:
        """Return the locked batches of the saved plan."""
        from planner.programme import locked_batches

        return () if self.run is None else tuple(locked_batches(self.run.frames["plan_locks"]))

    def of_city(self, city: City, job: Job) -> tuple[City, dict[str, Any]]:
        """Return the city as the scenario has it, and what the summary of the run says of scenario and parent."""
        from planner.scenario import apply_scenario

        told: dict[str, Any] = {}
        if self.scenario is not None:
            city, changes = apply_scenario(city, self.scenario, job.policy, job.as_of)
            told["scenario"] = {"content": self.scenario.to_dict(), "changes": changes}
        return city, told

    def parent_facts(self, locked: dict[str, int]) -> dict[str, Any]:
        """Return what the summary says of the saved plan that it was made out of."""
        if self.run is None:
            return {}
        return {"replanned": {"parent_id": self.run.run_id, "parent": self.run.name or self.run.run_id, **locked}}


@contextmanager
def open_origin(
    session: Session,
    parent: str | None,
    scenario: Path | None,
    policy: Path | None,
    as_of: str | None,
    known_at: str | None,
) -> Generator[tuple[Job, Origin]]:
    """Open the registry for a plan that may be made out of a saved one, and read what it is made out of.

    Without `--as-of` it sees the day and the data of the saved plan, so that both can be compared; without `--policy`
    it has the policy of the saved plan. A scenario that is given takes the place of that of the saved plan.
    """
    from planner.scenario import scenario_of_run
    from registry.errors import UsageError

    opened = None if parent is not None else lambda: open_job(session, policy, as_of, known_at)
    stated = None if scenario is None else _stated(scenario, opened)
    if parent is not None and known_at is not None and as_of is None:
        raise UsageError("plan_from_known_at")
    with open_job(session, policy, as_of, known_at) as job:
        if parent is None:
            yield job, Origin(None, stated)
            return
        run = job.registry.load_run("plan", parent, ("plan_locks",))
        old = run_as_job(session, job.registry, run, job.bars)
        anew = replace(
            job,
            policy=old.policy if policy is None else job.policy,
            as_of=old.as_of if as_of is None else job.as_of,
            known_at=old.known_at if as_of is None else parse_instant(known_at),
        )
        yield anew, Origin(run, stated or scenario_of_run(run.summary))


def _stated(path: Path, opened: Callable[[], AbstractContextManager[Job]] | None) -> Scenario:
    """Read a scenario before anything else; where it has faults, look up its names, so that all are told at once."""
    from planner.scenario import Scenario, written_scenario
    from planner.scenario_faults import unknown_names
    from registry.errors import DigonceError, PolicyError

    content = written_scenario(path)
    try:
        return Scenario.from_dict(content, str(path))
    except PolicyError as fault:
        faults: tuple[Phrase, ...] = fault.parameters["faults"]  # type: ignore[assignment]
        # a registry that cannot be opened has its own answer, once the file is mended
        with suppress(DigonceError):
            if opened is not None:
                with opened() as job:
                    faults += unknown_names(content, job.frame("projects", ["name"]), job.frame("roads", ["name"]))
        raise PolicyError(fault.code, file=str(path), faults=faults) from fault


def tell_origin(session: Session, summary: dict[str, Any]) -> None:
    """Say what the plan was made out of and under which scenario."""
    from planner.scenario_words import scenario_phrases

    if replanned := summary.get("replanned"):
        session.tell("replanned_from", **replanned)
        if replanned["outside"]:
            session.warn("replanned_outside", count=replanned["outside"])
    for phrase in scenario_phrases(summary.get("scenario"), CNY_PER_UNIT[session.language]):
        session.tell(phrase.code, **phrase.parameters)
