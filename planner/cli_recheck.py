"""`explain PLAN SEGMENT --check`: the problem of a saved plan read again, and its reasons put to the test."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from planner.cli_saved import source_of

if TYPE_CHECKING:
    import pandas as pd

    from planner.cli_job import Job
    from planner.plan import Problem
    from planner.recheck import Checked
    from registry.errors import Phrase
    from registry.store import SavedRun


def check_reasons(job: Job, saved: SavedRun, reasons: pd.DataFrame) -> list[Checked]:
    """Solve a saved plan again with each segment of `reasons` forced, and return what came of it, in their order.

    Raises
    ------
    PlanningError
        Where the plan was changed by hand, or cannot be made again from what was known then.
    """
    import numpy as np

    from planner.cli_job import run_as_job
    from planner.recheck import check_reason, saved_choice
    from registry.errors import PlanningError

    name = saved.name or saved.run_id
    if saved.summary.get("edited") or "only_mandatory_years" not in saved.summary.get("duties", {}):
        raise PlanningError("plan_recheck_not_made", plan=name)
    then = run_as_job(job.session, job.registry, saved, job.bars)
    with job.step("plan_step_check", len(reasons)) as advance:
        problem = _problem(then, saved)
        only_mandatory = np.isin(problem.limits.years, saved.summary["duties"]["only_mandatory_years"])
        choice = saved_choice(problem, saved.frames["batch_segments"], only_mandatory=only_mandatory)
        found = []
        for segment, row in zip(reasons.index.astype("str"), reasons.to_dict("records"), strict=True):
            gap = float(saved.summary["gap_share"])
            found.append(check_reason(choice, segment, str(row["reason"]), float(row["loss"]), gap))
            advance(1)
    return found


def check_phrases(one: Checked) -> tuple[Phrase, Phrase]:
    """Say what came of forcing a segment, and whether the reason given agrees with it."""
    from planner.recheck import NO_PLAN
    from registry.errors import Phrase

    code = "forced_out" if not one.is_forced_in else "forced_in" if one.is_possible else "impossible"
    if not one.is_forced_in and not one.is_possible:
        code = "needed"
    if one.is_undecided:
        code = "undecided"
    if one.agrees:
        verdict = "agrees"
    elif one.is_undecided:
        verdict = "open"
    elif one.is_possible and one.reason in NO_PLAN:
        verdict = "differs_possible"
    elif one.is_forced_in and not one.is_possible:
        verdict = "differs_impossible"
    else:
        verdict = "differs"
    facts: dict[str, object] = {
        "segment": one.segment_id,
        "change": -one.cost,
        "best": -one.least_cost,
        "year": one.year,
    }
    return Phrase(f"plan_recheck_{code}", facts), Phrase(f"plan_recheck_{verdict}")


def checks_told(found: list[Checked]) -> list[dict[str, Any]]:
    """Return checks as values for JSON."""
    return [{key: _plain(value) for key, value in asdict(one).items()} for one in found]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a value for JSON
    return None if isinstance(value, float) and math.isnan(value) else value


def _problem(then: Job, saved: SavedRun) -> Problem:
    """Read the problem of a saved plan, as it was known then."""
    from dataclasses import replace

    from planner.choice import Effort
    from planner.cli_bearing import isolation_of
    from planner.plan import Bearing, plan_problem
    from planner.programme import locked_batches

    source, summary = source_of(then, saved), saved.summary
    bearing = Bearing(
        conditions=source.conditions,
        outlook=source.outlook,
        emissions=source.emissions,
        worth=source.worth,
        order=source.order,
        decisions=source.decisions,
        effort=replace(Effort(**summary["effort"]), time_limit_s=None),
        batches_per_segment=int(summary["pool"]["batches_per_segment"]),
        locks=tuple(locked_batches(saved.frames["plan_locks"])),
        isolation=isolation_of(then, source.segments, is_kept=bool(summary["pool"].get("keeps_isolation"))),
    )
    return plan_problem(
        source.segments,
        source.scores,
        saved.frames["pairs"],
        source.projects,
        source.policy,
        source.limits,
        source.supplied,
        bearing,
    )
