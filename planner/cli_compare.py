"""The verb `compare-scores`: what changed between two saved runs, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli_job import load_scored
from planner.cli_tables import in_words, told
from registry.console import Output, Session, command

if TYPE_CHECKING:
    import pandas as pd

    from registry.store import SavedRun

app = typer.Typer()
_KEYS_SHOWN = 10
_MOVED_SHOWN = 10
_SIDES = ("before", "after")


@command(app, "compare-scores")
def compare_scores(
    session: Session,
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="Name of a saved run of scores or of a plan.")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="Name of the run that it is compared with.")],
    output: Output = None,
) -> None:
    """Compare the scores of two saved runs: who moved to another grade, by which cause, and what the runs differ in.

    Example: digonce compare-scores spring-2026 autumn-2026 -o moved.xlsx
    """
    from planner.score_changes import causes_by_km, compare_scores, moves_by_km, policy_differences
    from registry.exports import check_output, write_table
    from registry.history.retired import read_successions

    if output is not None:
        check_output(output)
    with session.open() as registry:
        runs = [load_scored(registry, name) for name in (before, after)]
        stamps = run_stamps(runs, [registry.data_stamp(run) for run in runs])
        latest = max(run.as_of for run in runs)
        successions = read_successions(registry.connection, latest)
    changes = compare_scores(runs[0].frames["scores"], runs[1].frames["scores"], successions)
    moves, causes = moves_by_km(changes), causes_by_km(changes)
    keys = policy_differences(runs[0].policy, runs[1].policy)
    _tell_differences(session, stamps, keys)
    _show(session, moves, causes, changes)
    if output is not None:
        write_table(changes, output, "score_changes", session.language)
        session.tell_written(output, len(changes))
    session.result(
        {
            "runs": stamps,
            "policy_differences": [dict(zip(("key", "before", "after"), row, strict=True)) for row in keys],
            "moves": told(moves),
            "causes": told(causes),
        }
    )


def run_stamps(runs: list[SavedRun], data: list[int]) -> dict[str, dict[str, Any]]:
    """Return what each run was made from, side by side, and whether both are the same in it."""
    sides = [
        {
            "policy": run.policy.get("hash"),
            "as_of": run.as_of,
            "data": stamp,
            "known_at": run.known_at,
            "program": run.code_version,
            "model": _model_of(run.frames["scores"]),
        }
        for run, stamp in zip(runs, data, strict=True)
    ]
    return {
        name: {"before": sides[0][name], "after": sides[1][name], "is_same": sides[0][name] == sides[1][name]}
        for name in sides[0]
    }


def _model_of(scores: pd.DataFrame) -> str:
    """Return the model that ranks in the scores of a run."""
    from planner.learned import Learned
    from planner.score import DEFAULT_MODEL

    learned = Learned.of_scores(scores)
    return DEFAULT_MODEL if learned is None else learned.model


def _tell_differences(session: Session, stamps: dict[str, dict[str, Any]], keys: list[tuple[str, Any, Any]]) -> None:
    different = [name for name, stamp in stamps.items() if not stamp["is_same"]]
    for name in different:
        stamp = stamps[name]
        if name == "policy":
            session.tell("compare_policy", count=len(keys))
        elif name == "model":
            session.tell("compare_model", **{side: session.say(f"forecast_model_{stamp[side]}") for side in _SIDES})
        else:
            session.tell(f"compare_{name}", before=stamp["before"] or "—", after=stamp["after"] or "—")
    for key, first, last in keys[:_KEYS_SHOWN]:
        session.tell("compare_key", key=key, before=first, after=last)
    session.tell({0: "compare_nothing", 1: "compare_one"}.get(len(different), "compare_several"))


def _show(session: Session, moves: pd.DataFrame, causes: pd.DataFrame, changes: pd.DataFrame) -> None:
    from registry.fields import fields

    declared = fields()["score_changes"]
    sums = {name: session.say(f"plan_heading_{name}") for name in ("segment_count", "km")}
    listed = {
        "move": "score_move",
        "cause": "explanation_cause",
        "grade_before": "risk_grade",
        "grade_after": "risk_grade",
    }
    label = {name: declared[name].label(session.language) for name in declared}
    session.table(
        in_words(moves, {"move": "score_move"}, session.language), {"move": label["move"]} | sums, label["move"]
    )
    if len(causes):
        words = in_words(causes, {name: listed[name] for name in ("move", "cause")}, session.language)
        session.table(words, {"move": label["move"], "cause": label["cause"]} | sums, label["cause"])
    moved = changes[changes["move"].isin(["up", "down"])]
    if len(moved):
        order = (
            moved["risk_ratio"].map(lambda ratio: max(ratio, 1.0 / ratio)).sort_values(ascending=False, kind="stable")
        )
        names = ("grade_before", "grade_after", "risk_ratio", "cause", "cause_multiplier")
        first = moved.loc[order.index[:_MOVED_SHOWN]].reset_index()
        words = in_words(first, {name: listed[name] for name in names if name in listed}, session.language)
        session.table(words, {name: label[name] for name in ("segment_id", *names)}, session.say("compare_title_moved"))
