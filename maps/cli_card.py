"""The verb `card`: the model card of the latest back-test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from registry.console import Session, command

app = typer.Typer()


@command(app, "card")
def card(
    session: Session,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.html", help="Where to write the page.")],
) -> None:
    """Write the model card of the latest back-test: how good the forecasts are, what they are for, and their limits.

    Example: digonce card -o model-card.html
    """
    from maps.model_card import model_card
    from maps.pages import save_page
    from registry.exports import check_folder

    check_folder(output)
    with session.open() as registry:
        run, city = registry.load_run("backtest"), registry.city
    save_page(model_card(run, city, session.language), output)
    session.tell("written", file=output)
    session.result({"run_id": run.run_id, "file": output})
