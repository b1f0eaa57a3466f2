"""The dossier of a segment as a page that works with no network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maps.offline import own_file
from maps.plan_map import templates
from planner.explain_words import times
from registry.catalogue import joined, say
from registry.exports import in_words
from registry.fields import fields, value_list

_BEHIND: Final = ("actor", "source", "reason")
_SOURCES: Final = ("leak_source", "event_source")
_OF_LEAKS: Final = frozenset({"event_leak", "event_repaired"})
# a share below half of a percent would be told as none
_LEAST_SHOWN: Final = 0.005
# as much of a hash as people compare
_SHORT_HASH: Final = 12

if TYPE_CHECKING:
    import pandas as pd

    from planner.cli_reasons import SavedReasons
    from registry.history.dossier import Dossier


def dossier_page(dossier: Dossier, city: str, language: str = "zh", reasons: SavedReasons | None = None) -> str:
    """Return the page: why the risk, facts with their sources, the timeline, what the segment became and came from."""
    return (
        templates()
        .get_template("dossier.html")
        .render(
            say=lambda code, **parameters: say(code, language, **parameters),
            heading=lambda frame, column: fields()[frame][column].label(language),
            language=language,
            style=own_file("look.css") + own_file("report.css"),
            city=city,
            dossier=dossier,
            reasons=reasons,
            basis="" if reasons is None else basis_in_words(reasons, language),
            grade="" if reasons is None else _grade(reasons, language),
            gaps="" if reasons is None else _gaps(reasons, language),
            facts=facts_in_words(dossier.facts, language),
            events=events_in_words(dossier.timeline, language),
            became=", ".join(dict.fromkeys(dossier.became.loc[dossier.became["is_last"], "segment_id"])),
            came_from=", ".join(dict.fromkeys(dossier.came_from["segment_id"])),
        )
    )


def basis_in_words(saved: SavedReasons, language: str) -> str:
    """Say from which run the reasons are: its day, when it was made, the model that ranks in it, and its policy."""
    policy = saved.policy
    return say(
        "dossier_reasons_basis",
        language,
        run=saved.name or saved.run_id,
        model=say(f"forecast_model_{saved.model}", language),
        policy=f"{policy['id']} {policy['version']} ({policy['hash'][:_SHORT_HASH]})",
        day=saved.as_of.isoformat(),
        made=saved.made_at.date().isoformat(),
    )


def reason_lines(saved: SavedReasons, language: str) -> list[str]:
    """Return the reasons as lines of text: the grade, the causes, what is not on file, and whose policy it was."""
    told = saved.reasons
    causes = [say("dossier_cause_up", language, cause=cause) for cause in told.up]
    causes += [say("dossier_cause_down", language, cause=cause) for cause in told.down]
    causes = causes or [say("explain_up_none", language)]
    if told.own:
        causes += [say("explain_own_alone", language)]
        causes += [say("dossier_cause_up", language, cause=cause) for cause in told.own]
    lines = [_grade(saved, language), *causes, _gaps(saved, language), basis_in_words(saved, language)]
    return [*lines, say("forecast_evidence_note", language)]


def _grade(saved: SavedReasons, language: str) -> str:
    told = saved.reasons
    labels = {name: value_list(name) for name in ("risk_grade", "policy_class")}
    return say(
        "dossier_reasons_grade",
        language,
        grade=labels["risk_grade"][told.grade].label(language),
        class_name=labels["policy_class"][told.policy_class].label(language),
        multiple=times(told.multiple),
    )


def _gaps(saved: SavedReasons, language: str) -> str:
    gaps = joined(saved.reasons.gaps, language)
    return say("explain_gaps_told", language, gaps=gaps) if gaps else say("dossier_no_gaps", language)


def facts_in_words(facts: pd.DataFrame, language: str) -> list[dict[str, str]]:
    """Return the facts with labels and listed values in the reader's language."""
    return [
        {
            "label": _label(fact["column_name"], language),
            "value": value_in_words(fact["column_name"], fact["value"], language),
            "since": _text(fact["known_since"]),
            "source": _text(fact["source"]),
            "actor": _text(fact["actor"]),
            "delivery": _text(fact["delivery_id"]),
        }
        for fact in facts.to_dict("records")
    ]


def events_in_words(events: pd.DataFrame, language: str) -> list[dict[str, str]]:
    """Return the timeline with everything said in the reader's language."""
    told = in_words(events, "dossier_events", language)
    names = list(events.columns)
    rows: list[dict[str, str]] = []
    for event, words in zip(events.to_dict("records"), told.itertuples(index=False), strict=True):
        said = dict(zip(names, words, strict=True))
        column = _text(event["column_name"])
        rows.append(
            {
                "day": _text(event["day"]),
                "event": _text(said["event"]),
                "what": _what(event, said, column, language),
                "days": _days(event, language),
                "who": " · ".join(
                    filter(None, (_who(event, name, language) for name in ("actor", "source", "reason")))
                ),
                "delivery": _text(event["delivery_id"]),
            }
        )
    return rows


def _what(event: dict[Any, Any], said: dict[str, Any], column: str, language: str) -> str:
    """Say what an event did: a change as old → new, anything else by what it is about."""
    if column:
        old, new = (value_in_words(column, _text(event[name]), language) for name in ("old_value", "new_value"))
        change = "" if column == "geometry" else f": {old or '—'} → {new or '—'}"
        return f"{_label(column, language)}{change}"
    if _text(event["change"]):
        return _text(said["change"])
    about = [_text(event["object_id"]), _listed(_text(event["new_value"]), language), _text(event["finding"])]
    if _text(event["measure_m"]):
        about.append(say("dossier_measure", language, measure_m=float(event["measure_m"])))
    if _text(event["probability"]):
        share = float(event["probability"])
        code = "dossier_probability" if share >= _LEAST_SHOWN else "dossier_improbable"
        about.append(say(code, language, share=share))
    return " · ".join(filter(None, about))


def _who(event: dict[Any, Any], name: str, language: str) -> str:
    """Return who or what stands behind an event; the source of a leak or of an event is one of a list."""
    text = _text(event[name])
    if name != "source":
        return text
    # leaks and events have lists of their own, in which one code has different words
    lists = _SOURCES if _text(event["event"]) in _OF_LEAKS else _SOURCES[::-1]
    return next((found[text].label(language) for found in map(value_list, lists) if text in found), text)


def _days(event: dict[Any, Any], language: str) -> str:
    first, last = _text(event["valid_from"]), _text(event["valid_to"])
    if not _text(event["change"]) or not (first or last):
        return ""
    return say("dossier_days", language, first=first or "…", last=last or "…")


def _label(column: str, language: str) -> str:
    field = fields()["segments"].get(column)
    return field.label(language) if field else column


def value_in_words(column: str, value: str, language: str) -> str:
    """Return a stored value as a reader says it."""
    field = fields()["segments"].get(column)
    if field is None or not value:
        return value
    if field.list_name:
        entry = value_list(field.list_name).get(value)
        return entry.label(language) if entry else value
    if field.dtype == "boolean":
        return say("maps_yes" if value == "True" else "maps_no", language)
    number = value.removesuffix(".0")
    return f"{number} {field.unit}" if field.unit and field.unit != "year" else number


def _listed(value: str, language: str) -> str:
    """Return the label of a code of one of the lists that events speak in, else the value."""
    for name in ("leak_cause", "event_grade", "risk_grade", "lineage_relation", "verdict"):
        entry = value_list(name).get(value)
        if entry is not None:
            return entry.label(language)
    return value


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)
