"""Every role may do what the table says and nothing else; what is refused leaves no trace and ends with exit 1."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
import shapely
from psycopg import sql

from registry.cluster import Cluster
from registry.db import connect
from registry.lifecycle import remove
from registry.rights.roles import ROLES
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import REPOSITORY
from tests.registry.deliveries import EAST, NORTH, write
from tests.registry.rights.conftest import Run, as_login, census

CRS = "EPSG:4549"
with Path(__file__).with_name("matrix.csv").open(encoding="utf-8") as _table:
    MATRIX = list(csv.DictReader(_table))


def deliveries(verb: Run, login: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(verb(login, "deliveries", "--json").stdout)["deliveries"]
    return found


def prepare(verb: Run, role: str, operation: str, folder: Path) -> dict[str, str]:
    """See that there is what an operation needs, and return what its command names."""
    first = next(d["delivery_id"] for d in deliveries(verb) if d["file_name"] == "census.gpkg")
    if operation == "decline a delivery":
        newest = write(census().drop(index=[2, 5, 8]).assign(管材="钢"), folder / "newest.gpkg")
        verb(None, "import", "segments", newest)
    if operation == "record what a meeting decided":
        area = shapely.box(EAST, NORTH, EAST + 100, NORTH + 100)
        rows = pd.DataFrame({"工程编号": ["P-1"], "工程名称": ["一期"], "工程类别": ["老旧小区改造"]})
        verb(None, "import", "projects", write(gpd.GeoDataFrame(rows, geometry=[area], crs=CRS), folder / "works.gpkg"))
    if operation == "try held-back rows again":
        verb(None, "fix", first, "3", "管径=DN100")
    known = deliveries(verb)
    own = [d["delivery_id"] for d in known if d["actor"] == f"t_{role}" and d["state"] == "accepted"]
    return {
        "first": first,
        "waiting": next((d["delivery_id"] for d in known if d["state"] == "pending"), first),
        "own": own[0] if own else first,
        "others": next(d["delivery_id"] for d in known if d["file_name"] == "leaks.csv"),
        "fresh": str(folder / "fresh.gpkg"),
        "backup": str(folder / "city.backup"),
    }


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_table_says(verb: Run, city: Settings, role: str, tmp_path: Path) -> None:
    write(census(prefixes=("EAST",), 管段编号=[f"{role}-{n}" for n in range(3)]), tmp_path / "fresh.gpkg")
    for row in MATRIX:
        places = prepare(verb, role, row["operation"], tmp_path)
        arguments = [word.format(**places) for word in row["command"].split()]
        with open_registry(city) as registry:
            before = (registry.state_hash(), registry.version, registry.row_counts())
        told = verb(f"t_{role}", *arguments, "--actor", f"t_{role}")
        assert told.exit_code == (0 if row[role] == "yes" else 1), (row["operation"], told.output, told.exception)
        if row[role] == "no":
            assert f"t_{role}" in told.stderr or "an admin" in told.stderr
            with open_registry(city) as registry:
                assert (registry.state_hash(), registry.version, registry.row_counts()) == before, row["operation"]


def test_the_page_of_the_roles_says_what_is_tested() -> None:
    page = (REPOSITORY / "docs" / "roles.md").read_text(encoding="utf-8")
    told = [[cell.strip() for cell in row.strip("|").split("|")] for row in re.findall(r"^\|.+\|$", page, re.M)]
    assert told[0] == ["operation", *ROLES]
    assert told[2:] == [[row["operation"], *(row[role] for role in ROLES)] for row in MATRIX]


def test_the_set_up_of_the_page_does_what_it_says(verb: Run, city: Settings) -> None:
    """Its commands one after the other, with users that every machine has in place of the four people."""
    page = (REPOSITORY / "docs" / "roles.md").read_text(encoding="utf-8")
    people: dict[str, str] = dict(zip(("li", "wang", "zhao", "qian"), ("nobody", "daemon", "bin", "sys"), strict=True))
    shared = Settings(city.home, f"{city.registry}_s", None, "tester", "en")
    try:
        for text in re.findall(r"^digonce .*$", page, re.M):
            words = [people.get(word, word) for word in shlex.split(text)[1:]]
            told = verb(None, *[shared.registry if word == "shared" else word for word in words])
            assert told.exit_code == 0, told.output
        with open_registry(shared) as registry:
            rows = registry.connection.execute("SELECT login, role, organisation FROM registry.member").fetchall()
            found = {login: (role, organisation) for login, role, organisation in rows}
    finally:
        remove(shared)
    assert found == {"nobody": ("editor", "城东燃气"), "daemon": ("editor", "城西燃气"), "bin": ("planner", None)}


def relations(connection: psycopg.Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('registry', 'registry_app') AND c.relkind IN ('r', 'v') ORDER BY 1, 2"
    ).fetchall()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reads_every_table_and_view(city: Settings, role: str) -> None:
    with open_registry(as_login(city, f"t_{role}")) as registry:
        named = relations(registry.connection)
        assert len(named) > 50
        for schema, name in named:
            registry.connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))


@pytest.mark.parametrize(("role", "deed"), [(role, deed) for role in ("reader", "planner") for deed in (
    "INSERT INTO registry.segment (segment_id, first_delivery_id) VALUES ('X', 'D')",
    "UPDATE registry.segment_version SET street_name = 'x'",
    "DELETE FROM registry.delivery",
    "UPDATE registry.member SET role = 'admin'",
    "UPDATE registry.info SET city = 'x'",
    "DROP VIEW registry_app.segments",
)])  # fmt: skip
def test_sql_of_their_own_gets_them_no_further(city: Settings, role: str, deed: str) -> None:
    with (
        connect(str(as_login(city, f"t_{role}").dsn)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(deed.encode())


ADD_DECISION = """INSERT INTO registry.decision_version
    (decision_id, project_id, verdict, decided_on, decided_by, delivery_id)
    VALUES ('J', 'P-1', 'separate', '2026-11-01', 'me', 'D')"""
ADD_DELIVERY = """INSERT INTO registry.delivery
    (delivery_id, kind, action, state, content_key, actor, applied_at, registry_version,
     rows_read, rows_accepted, rows_held, rows_added, rows_changed, rows_unchanged)
    VALUES ('D', 'segments', %s, 'accepted', 'x', session_user, now(), 1, 0, 0, 0, 0, 0, 0)"""


def test_a_planner_adds_decisions_and_changes_none(verb: Run, city: Settings, tmp_path: Path) -> None:
    prepare(verb, "planner", "record what a meeting decided", tmp_path)
    assert verb("t_planner", "decide", "P-1", "together", "--by", "会商").exit_code == 0
    with connect(str(as_login(city, "t_planner").dsn)) as connection:
        for deed in (
            "UPDATE registry.decision_version SET verdict = 'separate'",
            "DELETE FROM registry.decision_version",
        ):
            assert connection.execute(deed.encode()).rowcount == 0
        connection.execute(ADD_DELIVERY.encode(), ["meeting"])
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="records_meetings_or_edits"):
            connection.execute(ADD_DELIVERY.replace("'D'", "'E'").encode(), ["import"])
    mistaken = next(one["delivery_id"] for one in deliveries(verb) if one["action"] == "meeting")
    assert verb("t_planner", "undo", mistaken).exit_code == 1
    assert verb("t_admin", "undo", mistaken).exit_code == 0


def test_a_planner_of_one_organisation_decides_nothing_for_all(verb: Run, city: Settings, tmp_path: Path) -> None:
    prepare(verb, "planner", "record what a meeting decided", tmp_path)
    told = verb("t_east_planner", "decide", "P-1", "together", "--by", "会商")
    assert told.exit_code == 1
    assert "decisions" in told.stderr
    with (
        connect(str(as_login(city, "t_east_planner").dsn)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
    ):
        connection.execute(ADD_DECISION.encode())


def test_a_stranger_is_told_whom_to_ask(verb: Run, city: Settings) -> None:
    verb(None, "member", "remove", "t_reader")
    with connect(Cluster(city.home).conninfo("postgres"), is_autocommit=True) as connection:
        connection.execute("CREATE ROLE t_reader LOGIN")
    told = verb("t_reader", "deliveries")
    assert told.exit_code == 1
    assert "digonce member add t_reader" in told.stderr
