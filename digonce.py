"""digonce: the command line, one face over registry, planner and maps."""

from __future__ import annotations

from typing import Annotated

import typer

import maps.cli
import planner.cli
import planner.cli_audit
import planner.cli_backtest
import planner.cli_bans
import planner.cli_compare
import planner.cli_complete
import planner.cli_explain
import planner.cli_forecast
import planner.cli_gbt27512
import planner.cli_inspect
import planner.cli_leaks
import planner.cli_live
import planner.cli_overlap
import planner.cli_plan
import planner.cli_plan_edit
import planner.cli_plans
import planner.cli_progress
import registry.cli

app = typer.Typer(
    help="A census of a city's underground pipes, and a planner that digs each street once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"digonce {version('digonce')}")
        raise typer.Exit


@app.callback()
def _face(
    is_version_asked: Annotated[
        bool, typer.Option("--version", help="Say the version and stop.", callback=_say_version, is_eager=True)
    ] = False,
) -> None:
    """A census of a city's underground pipes, and a planner that digs each street once."""


for verbs in (
    registry.cli.app,
    planner.cli.app,
    planner.cli_plan.app,
    planner.cli_overlap.app,
    planner.cli_bans.app,
    planner.cli_compare.app,
    planner.cli_explain.app,
    planner.cli_forecast.app,
    planner.cli_audit.app,
    planner.cli_backtest.app,
    planner.cli_gbt27512.app,
    planner.cli_inspect.app,
    planner.cli_leaks.app,
    planner.cli_live.app,
    planner.cli_plans.app,
    planner.cli_plan_edit.app,
    planner.cli_progress.app,
    planner.cli_complete.app,
    maps.cli.app,
):
    app.registered_commands.extend(verbs.registered_commands)
    app.registered_groups.extend(verbs.registered_groups)


def main() -> None:
    """Run the command line."""
    app(prog_name="digonce")


if __name__ == "__main__":
    main()
