"""Words for people stand in one catalogue, in both languages; fields.csv, lists and database agree with it."""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from pathlib import Path
from string import Formatter

import psycopg
import pytest

from registry.catalogue import catalogue, say
from registry.errors import DigonceError
from registry.fields import fields, value_list, value_list_names
from registry.kinds import KINDS
from tests.conftest import REPOSITORY

WORD_FILES = sorted((REPOSITORY / "registry" / "words").glob("*.csv"))
SOURCES = [p for package in ("registry", "planner", "maps") for p in sorted((REPOSITORY / package).rglob("*.py"))]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def parameters(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("path", WORD_FILES, ids=lambda path: path.stem)
def test_both_languages_say_the_same(path: Path) -> None:
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert rows
    for row in rows:
        assert row["en"], row["code"]
        assert row["zh"], row["code"]
        assert parameters(row["en"]) == parameters(row["zh"]), row["code"]
        assert None not in row, f"{row['code']}: a comma without quotes"


def test_codes_are_unique_over_all_files() -> None:
    codes = Counter(
        row["code"] for path in WORD_FILES for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    )
    assert [code for code, count in codes.items() if count > 1] == []


def raised_codes() -> set[str]:
    """The first argument of every error of ours that the code raises."""
    names = {error.__name__ for error in (*DigonceError.__subclasses__(), DigonceError)}
    found: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id in names
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                found.add(str(node.args[0].value))
    return found


def test_every_error_has_words() -> None:
    codes = raised_codes()
    assert len(codes) > 40
    assert codes - set(catalogue()) == set()


def test_every_reason_has_a_short_form_for_the_summary() -> None:
    faults = {code.removesuffix("_short") for code in catalogue() if code.endswith("_short")}
    used: set[str] = set()
    for path in SOURCES:
        if "intake" in path.parts:
            text = path.read_text(encoding="utf-8")
            used |= set(re.findall(r'Unreadable(?:Error)?\(\s*"(\w+)"', text))
            used |= set(re.findall(r'findings\.add\([^"]*(?:"\w+"|column|first|last|[\w.]+), "(\w+)"', text))
    used &= set(catalogue())
    assert len(used) > 12
    assert used <= faults


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_no_words_for_people_stand_in_the_code(path: Path) -> None:
    """Chinese outside comments and docstrings would be text that the catalogue does not know.

    The readers of survey values and addresses and the synthetic city read and write Chinese data, no text for people.
    """
    if "city" in path.parts or path.relative_to(REPOSITORY).as_posix() in {
        "registry/intake/convert.py",
        "registry/intake/headings.py",
        "registry/intake/mapping.py",
        "registry/places/wording.py",
    }:
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]
    assert [text for text in strings if CHINESE.search(text)] == []


def test_an_unknown_code_hides_nothing() -> None:
    assert say("no such code", "en", row=3) == "no such code {'row': 3}"


def test_an_unknown_language_speaks_english() -> None:
    assert say("written", "fr", file="x") == say("written", "en", file="x")


def test_fields_name_lists_that_exist_and_lists_are_named() -> None:
    named = {field.list_name for frame in fields().values() for field in frame.values() if field.list_name}
    assert named == set(value_list_names())


@pytest.mark.parametrize("name", value_list_names())
def test_no_word_of_a_list_means_two_codes(name: str) -> None:
    words = Counter(
        "".join(word.split()).casefold()
        for entry in value_list(name).values()
        for word in {entry.code, entry.label_zh, entry.label_en, *entry.aliases}
    )
    assert [
        word for word, count in words.items() if count > 1 and word not in {"dn", "od", "pe", "pe80", "pe100", "pvc"}
    ] == []


def test_every_field_has_words_and_a_meaning() -> None:
    for frame in fields().values():
        for field in frame.values():
            assert field.label_en, field
            assert CHINESE.search(field.label_zh), field
            assert field.description.endswith("."), field
            if field.column.endswith("_m"):
                assert field.unit == "m", field
            if field.column.endswith("_cny"):
                assert field.unit == "CNY", field


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_the_database_says_what_fields_csv_says(connection: psycopg.Connection, kind: object) -> None:
    from registry.kinds import Kind

    assert isinstance(kind, Kind)
    rows = connection.execute(
        """
        SELECT a.attname, format_type(a.atttypid, NULL), a.attnotnull, col_description(a.attrelid, a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
        """,
        [f"registry.{kind.version_table}"],
    ).fetchall()
    stored = {name: (dtype, is_required, remark) for name, dtype, is_required, remark in rows}
    declared = fields()[kind.name]
    assert set(stored) - {"valid", "recorded", "delivery_id"} == {
        "geom" if name == "geometry" else name for name, field in declared.items() if field.role != "computed"
    }
    types = {
        "text": "text",
        "double": "double precision",
        "integer": "integer",
        "boolean": "boolean",
        "date": "date",
        "double[]": "double precision[]",
    }
    for name, field in declared.items():
        if field.role == "computed":
            continue
        dtype, is_required, remark = stored["geom" if name == "geometry" else name]
        unit = f" [{field.unit}]" if field.unit else ""
        assert remark == f"{field.label_zh}: {field.description}{unit}"
        assert dtype == types.get(field.dtype, "geometry")
        if field.role == "attribute":
            assert is_required == (not field.is_nullable), name


def test_every_table_and_column_of_the_registry_is_explained(connection: psycopg.Connection) -> None:
    silent = connection.execute(
        """
        SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'registry' AND c.relkind = 'r' AND obj_description(c.oid) IS NULL
        """
    ).fetchall()
    assert silent == []


def test_value_lists_in_the_database_are_those_of_the_package(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT list_name, code, label_zh, label_en FROM registry.value_list WHERE is_active"
    ).fetchall()
    assert {tuple(row) for row in rows} == {
        (name, entry.code, entry.label_zh, entry.label_en)
        for name in value_list_names()
        for entry in value_list(name).values()
    }
