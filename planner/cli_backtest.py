"""The verb `backtest`: forecast models tested on the city's own past, and what may replace the default."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from planner.cli_job import Job, PolicyPath, open_job, policy_facts, read_lineage, tell_unverified
from planner.cli_ranking import gate_stamps, keep_decision, tell_evidence
from planner.cli_tables import told
from registry.catalogue import joined, or_dash
from registry.console import AsOf, KnownAt, Session, command
from registry.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from planner.forecast.backtest import Backtest, Window
    from planner.forecast.gate import GateDecision
    from planner.forecast.history import History
    from planner.forecast.models import ForecastModel
    from planner.policy import Policy

app = typer.Typer()


@dataclass(frozen=True)
class _Request:
    """What is tested: the years, the horizons, and which models by name; none means all that can run."""

    first: int
    last: int
    horizons: tuple[int, ...]
    models: tuple[str, ...]

    def windows(self) -> list[Window]:
        """Return the windows of all horizons; those of one horizon share no year."""
        from planner.forecast.backtest import windows_between

        return [window for years in self.horizons for window in windows_between(self.first, self.last, years)]


@command(app, "backtest")
def backtest(
    session: Session,
    first: Annotated[int, typer.Option("--from", metavar="YEAR", help="First year that is forecast.")],
    last: Annotated[int, typer.Option("--to", metavar="YEAR", help="Last year that is forecast; it must be over.")],
    horizon: Annotated[
        str, typer.Option("--horizon", metavar="N,N", help="Years of a forecast; 1 is always tested too.")
    ] = "1",
    models: Annotated[
        str,
        typer.Option("--models", metavar="A,B", help="Models beside the default, or `all`; else all that can run."),
    ] = "",
    policy: PolicyPath = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Write every table as CSV here.")
    ] = None,
) -> None:
    """Test forecasts on past years: each model learns from what came before a year and is measured by what came then.

    Ranked is by expected leaks per kilometre. The default is replaced only by a model that passes every criterion.

    Example: digonce backtest --from 2020 --to 2025 --horizon 1,3 --as-of 2026-11-01
    """
    from planner.forecast.gate import decide
    from planner.forecast.summary import summarise

    request = _Request(first, last, _horizons(horizon), tuple(name for name in models.split(",") if name))
    with open_job(session, policy, as_of, known_at) as job:
        stamps = gate_stamps(job)
        chosen, absent = _choose(request, job.policy)
        history = _history(job, request)
        tested = _test(job, history, chosen, request)
        learned = _learned([model for model in chosen if model.name not in tested.not_fitted])
        decision = decide(tested.windows, tested.materials, learned, float(history.panel.leaks.sum()))
        frames = {
            "backtest_windows": tested.windows,
            "backtest_materials": tested.materials,
            "backtest_lift": tested.lift,
            "backtest_summary": summarise(tested.windows),
            "gate_criteria": decision.criteria,
        }
        summary = _facts(request, history, tested.windows, decision) | policy_facts(job.policy)
        run = job.save("backtest", None, frames, summary)
        decided = keep_decision(job, run, stamps, tested, learned, decision)
    if output is not None:
        _write(frames, output, session)
    _show(session, frames, decision, summary, run)
    if absent:
        session.tell("forecast_extra_hint", models=_names(session, absent))
    if tested.not_fitted:
        session.tell("forecast_not_fitted_hint", models=_names(session, list(tested.not_fitted)))
    tell_unverified(session, job.policy)
    tell_evidence(session)
    results = {name: told(frames[name]) for name in ("backtest_summary", "gate_criteria")}
    left_out = {"not_tested": absent, "not_fitted": list(tested.not_fitted)}
    session.result({"run_id": run, "decision_id": decided, "as_of": job.as_of, **left_out, **summary, **results})


def _horizons(text: str) -> tuple[int, ...]:
    """Read the years of a forecast; the gate judges by one year, so it is always among them."""
    try:
        years = {int(part) for part in text.split(",")}
    except ValueError as fault:
        raise UsageError("forecast_horizon_unusable", text=text) from fault
    if min(years) < 1:
        raise UsageError("forecast_horizon_unusable", text=text)
    return tuple(sorted(years | {1}))


def _choose(request: _Request, policy: Policy) -> tuple[list[ForecastModel], list[str]]:
    """Return the models to test, the default first, and the names of those that lack a library."""
    from planner.forecast.catalogue import can_run, forecast_models
    from planner.score import DEFAULT_MODEL

    known = forecast_models(policy)
    named = () if request.models == ("all",) else request.models
    for name in named:
        if name not in known:
            raise UsageError("forecast_model_unknown", model=name, models=", ".join(known))
    if request.models:
        # what was asked for by name and lacks its library says so when it is fitted
        return [model for name, model in known.items() if not named or name in {DEFAULT_MODEL, *named}], []
    return [model for name, model in known.items() if can_run(name)], [name for name in known if not can_run(name)]


def _learned(models: list[ForecastModel]) -> list[str]:
    from planner.forecast.catalogue import RANKINGS
    from planner.score import DEFAULT_MODEL

    return [model.name for model in models if model.name not in {DEFAULT_MODEL, *RANKINGS}]


def _history(job: Job, request: _Request) -> History:
    """Read the whole record, or refuse years that are not over."""
    from planner.cli_pasts import read_history

    end = date(request.last, 12, 31)
    if request.first > request.last or end > job.as_of:
        raise UsageError("forecast_years_unusable", first=request.first, last=request.last, as_of=job.as_of)
    return read_history(job, request.first, request.last)


def _test(job: Job, history: History, models: list[ForecastModel], request: _Request) -> Backtest:
    from planner.cli_pasts import panel_at
    from planner.forecast.backtest import walk_forward

    windows = request.windows()
    total = len(models) * len({window.year for window in windows})
    with job.step("forecast_step_backtest", total) as advance:
        return walk_forward(
            history.panel, models, windows, panel_at(job), progress=advance, successions=read_lineage(job)
        )


def _facts(request: _Request, history: History, windows: pd.DataFrame, decision: GateDecision) -> dict[str, Any]:
    """Return what the stored run says of itself."""
    from planner.forecast.summary import years_by_knowledge

    panel = history.panel
    return {
        "first_year": request.first,
        "last_year": request.last,
        "horizons": list(request.horizons),
        "record_from": panel.years.start,
        "segment_count": len(panel.segments),
        "km": float(panel.segments["length_m"].sum() / 1000.0),
        "leaks": float(panel.leaks.sum()),
        "leaks_left_out": {name: float(count) for name, count in history.left_out.items()},
        "media": sorted(panel.segments["medium"].dropna().unique().tolist()),
        "has_surveys": "district" in panel.segments.columns,
        "knowledge": years_by_knowledge(windows),
        "ships": decision.ships,
        "candidate": decision.candidate,
        "is_open": decision.is_open,
        "unplayed_years": list(decision.unplayed),
    }


def _write(frames: dict[str, pd.DataFrame], folder: Path, session: Session) -> None:
    from registry.exports import write_table

    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in frames.items():
        write_table(frame, folder / f"{name}.csv", name, session.language)
    session.tell("written", file=folder)


def _show(
    session: Session, frames: dict[str, pd.DataFrame], decision: GateDecision, summary: dict[str, Any], run: str
) -> None:
    """Print a table for each horizon, what the gate asked, and what follows."""
    from planner.forecast.gate import failed_criteria, judged_criteria
    from planner.forecast.summary import years_in_words
    from registry.fields import value_list

    windows = frames["backtest_windows"]
    for horizon, own in frames["backtest_summary"].groupby("horizon_years", sort=True):
        _show_horizon(session, own, int(str(horizon)))
    if decision.candidate is not None:
        _show_gate(session, judged_criteria(decision.criteria, decision.candidate))
    session.tell(
        "forecast_tested",
        models=windows["model"].nunique(),
        windows=len(windows[["year", "horizon_years"]].drop_duplicates()),
        first=summary["first_year"],
        last=summary["last_year"],
        segments=summary["segment_count"],
        km=summary["km"],
        leaks=summary["leaks"],
        since=summary["record_from"],
        run=run,
    )
    for knowledge, years in summary["knowledge"].items():
        session.tell(f"forecast_{knowledge}", years=years_in_words(years, session.language))
    if decision.candidate is None:
        session.tell("forecast_gate_unplayed")
        return
    name = _names(session, [decision.candidate])
    if decision.is_open:
        session.tell("forecast_gate_open", model=name)
        return
    labels = value_list("gate_criterion")
    failed = failed_criteria(decision.criteria, decision.candidate)
    criteria = joined((labels[code].label(session.language) for code in failed), session.language)
    session.tell("forecast_gate_closed", model=name, criteria=criteria)


def _show_horizon(session: Session, own: pd.DataFrame, horizon: int) -> None:
    from planner.score import DEFAULT_MODEL
    from registry.fields import fields

    values = own.pivot_table(index="model", columns="measure", values="weighted_mean", sort=False, dropna=False)
    gain = own[own["measure"] == "capture_at_10"].set_index("model")
    shown = gain.reset_index()[["model"]]
    captures = values.reindex(gain.index)[[f"capture_at_{share}" for share in (1, 5, 10, 20)]]
    shown["captures"] = [" / ".join(f"{100 * value:.0f}" for value in row) for row in captures.to_numpy()]
    shown["never"] = [or_dash(value, ".0%") for value in values["never_leaked_capture_at_10"].reindex(gain.index)]
    shown["calibration"] = [or_dash(value, ".3g") for value in values["calibration"].reindex(gain.index)]
    pairs = zip(gain["difference"], gain["difference_standard_error"], strict=True)
    shown["difference"] = [f"{value:+.3f} ± {error:.3f}" if error == error else "—" for value, error in pairs]
    shown["better"] = [f"{count}/{of}" for count, of in zip(gain["better_count"], gain["window_count"], strict=True)]
    is_default = shown["model"] == DEFAULT_MODEL
    shown.loc[is_default, ["difference", "better"]] = "—"
    shown["model"] = [_names(session, [name]) for name in shown["model"]]
    declared = fields()["backtest_windows"]
    headings = {name: declared[name].label(session.language) for name in ("model", "calibration")}
    headings |= {
        name: session.say(f"forecast_heading_{name}") for name in ("captures", "never", "difference", "better")
    }
    headings = {name: headings[name] for name in shown.columns}
    title = session.say(
        "forecast_title_windows",
        years=horizon,
        windows=int(gain["window_count"].max()),
        leaks=float(gain["leaks"].max()),
    )
    session.table(shown, headings, title)


def _show_gate(session: Session, judged: pd.DataFrame) -> None:
    from planner.cli_tables import in_words
    from planner.forecast.gate import limits_in_signs
    from registry.fields import fields

    words = in_words(judged, {"criterion": "gate_criterion", "material": "material"}, session.language)
    words["model"] = [_names(session, [name]) for name in judged["model"]]
    words["material"] = words["material"].fillna("")
    words["value"] = [or_dash(value, ".3g") for value in judged["value"]]
    limits = zip(judged["criterion"], judged["at_least"], judged["at_most"], strict=True)
    words["limits"] = [limits_in_signs(*row) for row in limits]
    words["passed"] = [session.say("forecast_yes" if passed else "forecast_no") for passed in judged["passed"]]
    declared = fields()["gate_criteria"]
    names = ("model", "criterion", "material", "value")
    headings = {name: declared[name].label(session.language) for name in names}
    headings |= {name: session.say(f"forecast_heading_{name}") for name in ("limits", "passed")}
    session.table(words, headings, session.say("forecast_title_gate"))


def _names(session: Session, models: list[str]) -> str:
    return joined((session.say(f"forecast_model_{name}") for name in models), session.language)
