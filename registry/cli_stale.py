"""The verb `stale`: what nobody has verified for too long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from registry.console import AsOf, KnownAt, Output, Session, command, parse_day, parse_instant

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()


@command(app, "stale")
def stale(
    session: Session,
    years: Annotated[
        float | None, typer.Option("--years", min=0.0, help="Older than this is stale; else the limits of the package.")
    ] = None,
    attribute: Annotated[
        str | None, typer.Option("--attribute", help="Only this attribute; `segment` for the pipe as a whole.")
    ] = None,
    group: Annotated[str, typer.Option("--by", help="Sum up by owner, district or material.")] = "owner",
    as_of: AsOf = None,
    known_at: KnownAt = None,
    output: Output = None,
) -> None:
    """Report what was last verified too long ago: by owner, district or material, and as a list with -o.

    Example: digonce stale --years 5 --by district -o stale.xlsx
    """
    from registry.errors import UsageError
    from registry.exports import check_output, in_words, write_table
    from registry.history.staleness import GROUPS, chosen_limits, read_staleness, summarise

    if group not in GROUPS:
        raise UsageError("stale_group_unknown", name=group, groups=", ".join(GROUPS))
    if output is not None:
        check_output(output)
    limits = chosen_limits(years, attribute)
    with session.open() as registry:
        day = parse_day(as_of) or registry.today()
        table = read_staleness(registry, limits, day, parse_instant(known_at))
    found = table[table["is_stale"]]
    groups = {name: summarise(table, name) for name in GROUPS}
    if output is not None:
        write_table(found, output, "staleness", session.language)
        session.tell_written(output, len(found))
    shown = in_words(_labelled(groups[group], group, session.language), "stale_summary", session.language)
    session.table(shown, {name: name for name in shown.columns}, session.say(f"stale_by_{group}"))
    figures: dict[str, Any] = {
        "segments": len(table),
        "km": float(table["length_m"].sum() / 1000.0),
        "stale": len(found),
        "stale_km": float(found["length_m"].sum() / 1000.0),
    }
    session.tell("stale_found", day=day.isoformat(), **figures)
    if unsure := sorted(limit.attribute for limit in limits if limit.confidence in {"memory", "derived"}):
        session.tell("stale_unverified", attributes=", ".join(unsure))
    told = {f"by_{name}": rows.to_dict("records") for name, rows in groups.items()}
    session.result({"as_of": day, **figures, "limits": [vars(limit) for limit in limits], **told})


def _labelled(summary: pd.DataFrame, group: str, language: str) -> pd.DataFrame:
    """Say materials as the reader does."""
    import pandas as pd

    from registry.fields import value_list

    labels = (
        {code: entry.label(language) for code, entry in value_list("material").items()} if group == "material" else {}
    )
    words = ["—" if value != value else labels.get(value, value) for value in summary["value"]]
    return summary.assign(value=pd.Series(words, summary.index, dtype="str"))
