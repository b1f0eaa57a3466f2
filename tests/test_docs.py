"""What is written for people is true: commands parse, links lead somewhere, tables agree with the policy."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import pandas as pd
import pytest
import typer

import registry.cli_db
from digonce import app
from registry.fields import fields, value_list
from registry.kinds import KINDS
from registry.store import Registry
from tests.conftest import REPOSITORY, TODAY
from tests.factor_tables import SECTIONS, with_tables
from tests.registry.deliveries import line

PAGES = [
    *(REPOSITORY / f"{name}.md" for name in ("README", "CONTRIBUTING", "GLOSSARY", "CHANGELOG", "SECURITY")),
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
WRITTEN = [*PAGES, *sorted((REPOSITORY / "notebooks").glob("*.ipynb"))]
# verbs that later work brings: they must not pretend to exist
NOT_YET = frozenset(
    {
        "tiles",
        "pack",
        "atlas",
        "check",
        "baseline",
        "watch",
        "hazards",
        "isolate",
        "trace",
        "sensors",
        "serve",
        "scale",
    }
)
LARGEST_PICTURE = 400_000
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
MACHINE = re.compile(r"/root/|/tmp/|/var/tmp/|/home/\w|\b\d{1,3}(?:\.\d{1,3}){3}\b|https?://")
HAN = re.compile(r"[\u4e00-\u9fff]+")


@cache
def tree() -> Any:
    return typer.main.get_command(app)


@cache
def verbs() -> dict[str, Any]:
    """Every verb by its full name, for example `db up`."""
    found: dict[str, Any] = {}
    for name, command in tree().commands.items():
        if hasattr(command, "commands"):
            found |= {f"{name} {inner}": leaf for inner, leaf in command.commands.items()}
        else:
            found[name] = command
    return found


def blocks(path: Path, language: str) -> list[str]:
    return [text for name, text in FENCE.findall(path.read_text(encoding="utf-8")) if name == language]


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of a block without a language, with the page it stands on."""
    for path in PAGES:
        for block in blocks(path, ""):
            for text in block.strip().splitlines():
                if re.match(r"(digonce|make|\.venv/bin/)", text):
                    yield path.name, text


COMMANDS = sorted(set(commands()))


def mentions() -> set[tuple[str, str]]:
    """Commands of ours within sentences: `digonce …`."""
    prose = [(path.name, FENCE.sub("", path.read_text(encoding="utf-8"))) for path in PAGES]
    return {(name, text) for name, page in prose for text in re.findall(r"`(digonce [^`]+)`", page)}


def test_enough_commands_are_written_down() -> None:
    assert len(COMMANDS) > 40
    assert len(mentions()) > 8


@pytest.mark.parametrize(("page", "text"), COMMANDS)
def test_every_command_line_parses(page: str, text: str) -> None:
    words = shlex.split(text)
    if words[0] == "make":
        target = words[1]
        assert re.search(rf"^{target}:", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.M), page
    elif words[0] == ".venv/bin/python" and words[1] == "-m":
        module = words[2].replace(".", "/")
        assert words[2] == "pytest" or (REPOSITORY / f"{module}.py").is_file(), page
    else:
        assert words[0] == "digonce", page
        name = " ".join(words[1:3]) if " ".join(words[1:3]) in verbs() else words[1]
        context = verbs()[name].make_context(name, words[1 + len(name.split()) :])
        assert context.command is verbs()[name]


@pytest.mark.parametrize(("page", "text"), sorted(mentions()))
def test_commands_in_sentences_name_verbs_and_options_that_exist(page: str, text: str) -> None:
    words = text.split()[1:]
    if not words or words[0].startswith("-"):
        return
    group = {name.split()[0] for name in verbs() if " " in name}
    name = " ".join(words[:2]) if words[0] in group and len(words) > 1 else words[0]
    assert name in verbs() or name in group, page
    if name in verbs():
        known = {option for parameter in verbs()[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known, page


@pytest.mark.parametrize("name", sorted(verbs()))
def test_every_verb_is_written_down_and_explains_itself(name: str) -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in PAGES if path.name != "CHANGELOG.md")
    assert f"digonce {name}" in written
    help_text = verbs()[name].help
    example = re.search(r"Example: digonce (.+)", help_text)
    assert example is not None
    words = shlex.split(example[1])
    parts = name.split()
    assert words[: len(parts)] == parts
    verbs()[name].make_context(name, words[len(parts) :])


def test_what_is_not_built_does_not_pretend_to_exist() -> None:
    assert set(tree().commands) & NOT_YET == set()
    assert {name.split()[-1] for name in verbs() if name.startswith("db ")} == {
        command.name for command in registry.cli_db.db.registered_commands
    }


def test_the_kinds_and_their_required_columns_are_those_of_the_code() -> None:
    page = (REPOSITORY / "docs" / "own-city.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", page, re.M))
    required = {
        name: {f.column for f in fields()[name].values() if f.role in {"index", "attribute"} and not f.is_nullable}
        for name in KINDS
    }
    assert {name: set(re.findall(r"`(\w+)`", rows[name])) for name in KINDS} == required


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_nothing_tells_of_one_machine(path: Path) -> None:
    assert MACHINE.findall(path.read_text(encoding="utf-8")) == []


def test_the_picture_is_there_and_small() -> None:
    picture = REPOSITORY / "docs" / "renewal-map.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert 50_000 < picture.stat().st_size < LARGEST_PICTURE
    assert "(docs/renewal-map.png)" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_tables_say_what_the_policy_says(name: str) -> None:
    text = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert text == with_tables(text, SECTIONS[name]), "run: .venv/bin/python -m tests.factor_tables"


def glossary() -> dict[str, str]:
    text = (REPOSITORY / "GLOSSARY.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in text.splitlines() if row.startswith("|")]
    return {row[0]: row[1] for row in rows[2:]}


def pairs_of(text: str) -> set[str]:
    """Every two Chinese characters that stand side by side."""
    return {run[place : place + 2] for run in HAN.findall(text) for place in range(len(run) - 1)}


def test_the_glossary_speaks_as_the_fields_do() -> None:
    words = glossary()
    assert len(words) > 40
    compared = [
        (field.label_en, field.label_zh)
        for frame in fields().values()
        for field in frame.values()
        if field.label_en.lower() in words
    ]
    assert len(compared) > 40
    assert [(en, zh) for en, zh in compared if not pairs_of(words[en.lower()]) & pairs_of(zh)] == []


@pytest.mark.parametrize("name", ["policy_class", "risk_grade", "tier", "medium"])
def test_the_glossary_has_every_value_of_the_main_lists(name: str) -> None:
    text = (REPOSITORY / "GLOSSARY.md").read_text(encoding="utf-8")
    wanted = [entry.label_zh for entry in value_list(name).values() if entry.code not in {"unknown", "other"}]
    assert [word for word in wanted if word not in text] == []


def test_the_glossary_has_every_kind() -> None:
    words = set(glossary()) | {"node"}  # the kind `nodes` holds survey points
    assert "survey point" in words
    assert {kind.table.replace("_", " ") for kind in KINDS.values()} - words == set()


def test_every_toml_of_the_docs_can_be_read() -> None:
    found = [block for path in PAGES for block in blocks(path, "toml")]
    assert len(found) >= 3
    for block in found:
        tomllib.loads(block)


def test_the_mapping_of_the_docs_does_what_they_say(registry: Registry, tmp_path: Path) -> None:
    """The file that docs/own-city.md talks about: two layers, depths in centimetres, one row of another medium."""
    count = 8
    rows = pd.DataFrame(
        {
            "PipeNo": [f"G-{number}" for number in range(count)],
            "管线材料": ["灰铁", "灰铁", "钢", "聚乙烯", "PE-RT", "钢", "灰铁", "PE"],
            "DIA": [200, 200, 150, 0, 110, 150, 200, 63],
            "建成年": ["1985", "90年代", "1985-1990", "2010", "2015", "不明", "1979", "2020"],
            "埋深cm": [110, 120, 90, 100, 130, 80, 115, 95],
            "路": "金城路",
            "类": ["RQ"] * 7 + ["JS"],
        }
    )
    pipes = gpd.GeoDataFrame(rows, geometry=[line(0, 60.0 * number) for number in range(count)], crs="EPSG:4549")
    path = tmp_path / "pipes.gpkg"
    pipes.to_file(path, layer="管线", engine="pyogrio")
    pipes.head(2).to_file(path, layer="废弃", engine="pyogrio")
    mapping = next(b for b in blocks(REPOSITORY / "docs" / "own-city.md", "toml") if "[source]" in b)
    map_path = tmp_path / "segments.toml"
    map_path.write_text(mapping, encoding="utf-8")
    receipt = registry.import_file("segments", path, map_path=map_path, today=TODAY)
    assert (receipt.rows_read, receipt.accepted, receipt.held) == (7, 7, 0)
    assert [note["code"] for note in receipt.notes] == ["note_rows_filtered"]
    stored = registry.frame("segments", as_of=TODAY)
    assert stored["material"].tolist()[:5] == ["grey_iron", "grey_iron", "steel", "pe", "pe"]
    assert stored["cover_depth_m"].tolist()[:2] == pytest.approx([1.1, 1.2])
    assert pd.isna(stored.loc["G-3", "diameter_mm"])
    assert cast("int", stored.loc["G-2", "installed_year_max"]) == 1990
    assert set(stored["owner"]) == {"招远燃气"}
