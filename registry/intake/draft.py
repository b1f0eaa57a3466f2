"""Draft a mapping file from the headings of a delivery, for a person to correct."""

from __future__ import annotations

from pathlib import Path

from registry.fields import Field, fields
from registry.intake.headings import known_headings, names_for, normalised
from registry.intake.mapping import Source
from registry.intake.readers import read_raw
from registry.kinds import kind_named
from registry.writing import written_whole

# below this likeness a proposal would be a guess
_LIKENESS = 80


def propose(headings: list[str], kind_name: str) -> dict[str, tuple[str, int]]:
    """Return our column -> (heading, likeness in percent); each heading is proposed once, the likest first."""
    from rapidfuzz import fuzz

    scored = [
        (
            max(int(fuzz.ratio(normalised(name), normalised(heading))) for name in names_for(field)),
            -order,
            field,
            heading,
        )
        for order, field in enumerate(_mappable(kind_name))
        for heading in headings
    ]
    proposed: dict[str, tuple[str, int]] = {}
    for likeness, _order, field, heading in sorted(scored, key=lambda entry: (-entry[0], -entry[1])):
        taken = {entry[0] for entry in proposed.values()}
        if likeness >= _LIKENESS and field.column not in proposed and heading not in taken:
            proposed[field.column] = (heading, likeness)
    return proposed


def _mappable(kind_name: str) -> list[Field]:
    return [field for field in fields()[kind_name].values() if field.role in {"index", "attribute"}]


def draft_mapping(kind_name: str, path: Path, target: Path, source: Source) -> int:
    """Write a proposed mapping for a file and return how many columns it maps.

    `source` says where in the file the rows are (layer, sheet, encoding); it is kept in the draft.

    What was found only by likeness is marked for a person to check; required columns that were not found and headings
    that nothing was read from are listed as comments.
    """
    kind = kind_named(kind_name)
    raw = read_raw(path, source, known_headings(kind))
    headings = [str(name) for name in raw.rows.columns]
    proposed = propose(headings, kind_name)
    stated = source.model_dump(exclude_none=True)
    lines = [f"# {kind_name}: {path.name}", ""]
    if stated:
        lines += ["[source]", *(f"{name} = {_toml(value)}" for name, value in stated.items()), ""]
    lines.append("[columns]")
    for field in _mappable(kind_name):
        if field.column in proposed:
            heading, likeness = proposed[field.column]
            mark = "" if likeness == 100 else f"  # {field.label_zh}? {likeness} %"
            lines.append(f"{field.column} = {_quoted(heading)}{mark}")
        elif not field.is_nullable:
            lines.append(f'# {field.column} = ""  # {field.label_zh}: required')
    unused = [heading for heading in headings if heading not in {entry[0] for entry in proposed.values()}]
    lines += ["", *(f"# unused: {heading}" for heading in unused)]
    with written_whole(target) as part:
        part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(proposed)


def _toml(value: str | int) -> str:
    return str(value) if isinstance(value, int) else _quoted(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
