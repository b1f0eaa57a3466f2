"""A member of one organisation sees its rows and those of nobody, writes its own alone, and cannot say otherwise."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, LiteralString

import geopandas as gpd
import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from registry.db import connect
from registry.errors import NotFoundError, ReviewError, RightsError
from registry.history.dossier import read_dossier
from registry.history.edit import Warrant, correct
from registry.history.lineage import descendants, split
from registry.history.undo import undo_delivery
from registry.intake.review import accept_delivery, change_report, decline_delivery
from registry.kinds import KINDS
from registry.rights.roles import roles_in_use
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import TODAY
from tests.registry.deliveries import line, segments, write
from tests.registry.rights.conftest import EAST_GAS, MEMBERS, OWNERS, WEST_GAS, Run, as_login, census

SOURCES: tuple[LiteralString, ...] = (
    "registry.segment_version",
    "registry_app.segments",
    "registry_app.segment_at('2026-11-01', NULL)",
    "registry_app.segments_in_box(0, 0, 1e6, 1e7, '2026-11-01', NULL)",
    "registry_app.segments_nearest(0, 0, 99, '2026-11-01', NULL)",
)
OWNED = [kind for kind in KINDS.values() if "owner" in kind.attributes and kind.name != "projects"]


def rows_of(connection: psycopg.Connection, text: sql.SQL | sql.Composed, parameters: Any = None) -> list[str]:
    return [str(row) for (row,) in connection.execute(text, parameters).fetchall()]


def all_that_is_read(registry: Registry) -> str:
    """Every row of every table, view and function, the dossiers and reports: the slow, obvious way to see a leak."""
    connection = registry.connection
    named = connection.execute(
        "SELECT n.nspname::text, c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace "
        "WHERE n.nspname IN ('registry', 'registry_app') AND c.relkind IN ('r', 'v')"
    ).fetchall()
    seen = []
    for schema, name in named:
        text = sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(schema, name))
        seen += rows_of(connection, text)
    for kind in KINDS.values():
        for instant in (None, datetime.now(UTC)):
            function = sql.Identifier("registry_app", f"{kind.table}_at")
            text = sql.SQL("SELECT t::text FROM {}(%s, %s) AS t").format(function)
            seen += rows_of(connection, text, [TODAY, instant])
        seen.append(registry.frame(kind.name, as_of=TODAY).reset_index().to_csv())
    for name in ("segments", "nodes", "leaks", "projects"):
        box = sql.SQL("SELECT t::text FROM {}(0, 0, 1e6, 1e7, '2026-11-01', NULL) AS t")
        seen += rows_of(connection, box.format(sql.Identifier("registry_app", f"{name}_in_box")))
    nearest = sql.SQL("SELECT t::text FROM registry_app.segments_nearest(535000, 4137000, 99, '2026-11-01', NULL) AS t")
    seen += rows_of(connection, nearest)
    for delivery in registry.deliveries()["delivery_id"]:
        seen.append(registry.held(delivery).to_csv())
        seen.append(change_report(connection, delivery).to_csv())
    seen.append(registry.runs().to_csv())
    return "\n".join(seen)


def test_a_reader_sees_nothing_of_the_other_by_any_way(city: Settings) -> None:
    with open_registry(city) as registry:
        split(registry.connection, "WEST-1", [10.0], date(2026, 10, 1), Warrant("tester"))
        save_scores(registry, "meeting")
        everything = all_that_is_read(registry)
    with open_registry(as_login(city, "t_east_reader")) as registry:
        seen = all_that_is_read(registry)
        for name in ("WEST-0", "WEST-1-1"):
            with pytest.raises(NotFoundError):
                read_dossier(registry.connection, name, TODAY)
        assert read_dossier(registry.connection, "EAST-0", TODAY).is_there
        assert registry.row_counts()["delivered_file"] == 0
        assert len(registry.runs()) == 0
    assert "WEST-" not in seen
    assert WEST_GAS not in seen
    # not because nothing is seen at all
    assert {"EAST-0", "EAST-2", "EAST-L1", "OPEN-0", "OPEN-2", EAST_GAS} <= words(seen)
    assert {"WEST-0", "WEST-1-1", "WEST-2", "WEST-L1"} <= words(everything)


def words(text: str) -> set[str]:
    return set(pd.Series([text]).str.findall(r"[A-Z]+-[\w-]+|[\u4e00-\u9fff]+").iloc[0])


def save_scores(registry: Registry, name: str) -> str:
    ids = registry.frame("segments", [], as_of=TODAY).index
    pairs = pd.DataFrame({"leak_id": ids, "segment_id": ids, "probability": 1.0})
    return registry.save_run("score", name, {"leak_links": pairs}, policy={}, summary={}, as_of=TODAY)


def test_organisations_and_nobody_add_up_to_all(city: Settings) -> None:
    counts: dict[str, dict[str, int]] = {}
    for login in (None, "t_reader", "t_east_reader", "t_west_editor"):
        with open_registry(city if login is None else as_login(city, login)) as registry:
            counts[str(login)] = registry.row_counts()
    unowned = {}
    with open_registry(city) as registry:
        for kind in OWNED:
            text = sql.SQL("SELECT count(*) FROM {} WHERE owner IS NULL").format(
                sql.Identifier("registry", kind.version_table)
            )
            unowned[kind.version_table] = registry.connection.execute(text).fetchall()[0][0]
    assert sum(unowned.values()) > 0
    for table, count in unowned.items():
        assert counts["t_east_reader"][table] + counts["t_west_editor"][table] - count == counts["None"][table], table
    # who acts for all sees all; of the members each sees itself alone
    assert counts["t_reader"] | {"member": len(MEMBERS)} == counts["None"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owners=st.lists(st.sampled_from([EAST_GAS, WEST_GAS, "x'y", None]), min_size=1, max_size=12))
def test_what_is_seen_is_what_an_obvious_filter_lets_through(
    connection: psycopg.Connection, owners: list[str | None]
) -> None:
    """For a service that acts for others by SET ROLE and settings, through table, view, function, box and nearest."""
    reader = roles_in_use(connection)["reader"]
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('digonce.delivery', 'D', true)")
        for number, owner in enumerate(owners):
            connection.execute(
                "INSERT INTO registry.segment_version (segment_id, medium, owner, geom) "
                "VALUES (%s, 'gas', %s, ST_SetSRID(ST_GeomFromText(%s), 4549))",
                [f"S{number}", owner, line(0, 9.0 * number).wkt],
            )
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(reader)))
        for mine in (EAST_GAS, WEST_GAS, "x'y", "none of them", ""):
            connection.execute("SELECT set_config('digonce.organisation', %s, true)", [mine])
            wanted = {f"S{n}" for n, owner in enumerate(owners) if not mine or owner is None or owner == mine}
            for source in SOURCES:
                rows = connection.execute(sql.SQL("SELECT segment_id FROM {}").format(sql.SQL(source))).fetchall()
                assert {name for (name,) in rows} == wanted, (source, mine)


def test_no_setting_widens_what_a_member_sees(city: Settings) -> None:
    with connect(str(as_login(city, "t_east_reader").dsn)) as connection:
        for mine in ("", WEST_GAS):
            connection.execute("SELECT set_config('digonce.organisation', %s, false)", [mine])
            connection.execute("SELECT set_config('digonce.actor', 'boss', false)")
            rows = connection.execute("SELECT DISTINCT owner FROM registry.segment_version").fetchall()
            assert {owner for (owner,) in rows} == {EAST_GAS, None}


def test_a_login_with_a_role_but_no_membership_sees_what_is_nobodys(city: Settings) -> None:
    with open_registry(city) as registry:
        registry.connection.execute("DELETE FROM registry.member WHERE login = 't_reader'")
    with open_registry(as_login(city, "t_reader")) as registry:
        assert set(registry.frame("segments", ["owner"], as_of=TODAY)["owner"].dropna()) == set()
        assert len(registry.frame("segments", [], as_of=TODAY)) == 2


def test_rows_of_another_organisation_are_held_back_with_the_reason(city: Settings, tmp_path: Path) -> None:
    """Those that say so, and those whose id is of an object of others or of nobody; the rest goes in as one's own."""
    rows = census(4).drop(index=[0, 1, 2])
    rows.loc[11, "管段编号"] = "EAST-9"
    with open_registry(as_login(city, "t_east_editor")) as registry:
        receipt = registry.import_file("segments", write(rows, tmp_path / "all.gpkg"), today=TODAY, is_accepted=True)
        faults = receipt.faults[["row_number", "code"]].to_dict("records")
        assert (receipt.rows_read, receipt.held, receipt.added) == (9, 6, 3)
        assert {fault["code"] for fault in faults} == {"owner_of_another", "object_of_another"}
        stored = registry.frame("segments", ["owner"], as_of=TODAY)
        # a row of nobody that is new becomes the own of who delivers it
        assert set(stored.loc[["EAST-3", "EAST-9", "OPEN-2"], "owner"]) == {EAST_GAS}
        reasons = registry.held(receipt.delivery_id)
        assert EAST_GAS in reasons["reason_en"].iloc[0]
        assert reasons["reason_zh"].str.contains("权属|他方").all()
    with open_registry(city) as registry:
        known = registry.frame("segments", ["material"], as_of=TODAY)
        assert set(known.index) >= {"WEST-0", "OPEN-0"}
        assert "WEST-3" not in known.index


def test_two_organisations_may_deliver_the_same_file(city: Settings, tmp_path: Path) -> None:
    path = write(census(5), tmp_path / "all.gpkg")
    for login in ("t_east_editor", "t_west_editor"):
        with open_registry(as_login(city, login)) as registry:
            receipt = registry.import_file("segments", path, today=TODAY, is_accepted=True)
            assert not receipt.is_repeat
            assert registry.import_file("segments", path, today=TODAY).is_repeat
            assert registry.row_counts()["delivered_file"] == 1
    # of nobody's three new ones the first who came has become the owner
    with open_registry(city) as registry:
        owners = registry.frame("segments", ["owner"], as_of=TODAY)["owner"]
        assert owners.value_counts().to_dict() == {EAST_GAS: 8, WEST_GAS: 5}
        assert registry.row_counts()["delivered_file"] == 4


def test_kinds_without_an_owner_are_not_for_one_organisation(city: Settings, tmp_path: Path) -> None:
    path = tmp_path / "customers.csv"
    path.write_text("用户编号,户数\nC1,3\n", encoding="utf-8")
    with open_registry(as_login(city, "t_east_editor")) as registry, pytest.raises(RightsError) as fault:
        registry.import_file("customers", path, today=TODAY)
    assert fault.value.code == "kind_is_shared"


@pytest.mark.parametrize(
    ("name", "values", "error"),
    [
        ("WEST-0", {"street_name": "x"}, NotFoundError),
        ("OPEN-0", {"street_name": "x"}, RightsError),
        ("EAST-0", {"owner": WEST_GAS}, RightsError),
        ("EAST-0", {"owner": ""}, RightsError),
    ],
)
def test_corrections_of_what_is_not_theirs_are_refused(
    city: Settings, name: str, values: dict[str, str], error: type[Exception]
) -> None:
    with open_registry(as_login(city, "t_east_editor")) as registry:
        before = registry.state_hash()
        with pytest.raises(error):
            correct(registry.connection, KINDS["segments"], name, values, Warrant("t_east_editor"))
        assert registry.state_hash() == before
        correct(registry.connection, KINDS["segments"], "EAST-0", {"street_name": "x"}, Warrant("t_east_editor"))


def test_deliveries_for_all_or_for_others_are_not_theirs_to_accept_or_undo(city: Settings, tmp_path: Path) -> None:
    with open_registry(as_login(city, "t_west_editor")) as registry:
        newer = census(prefixes=("WEST",)).assign(管材="钢").drop(index=[2])
        waiting = registry.import_file("segments", write(newer, tmp_path / "west.gpkg"), today=TODAY).delivery_id
    with open_registry(city) as registry:
        of_all = registry.deliveries().query("state == 'pending' and actor == 'founder'")["delivery_id"].iloc[0]
        srid = registry.srid
        # what others change meanwhile cannot be told by who does not see it: the rows are compared again
        kept = registry.connection.execute("SELECT DISTINCT delivery_id FROM registry.waiting_part").fetchall()
        assert kept == [(of_all,)]
    with open_registry(as_login(city, "t_east_editor")) as registry:
        connection = registry.connection
        for deed in (lambda: accept_delivery(connection, of_all, srid), lambda: decline_delivery(connection, of_all)):
            with pytest.raises(RightsError, match="only a member of its organisation"):
                deed()
        # of the other's nothing is known
        with pytest.raises(ReviewError):
            accept_delivery(connection, waiting, srid)
        first = registry.deliveries().query("state == 'accepted'")["delivery_id"].iloc[-1]
        with pytest.raises(RightsError):
            undo_delivery(connection, first, "t_east_editor", is_cascade=True)
    with open_registry(as_login(city, "t_west_editor")) as registry:
        accept_delivery(registry.connection, waiting, srid)
        undone = undo_delivery(registry.connection, waiting, "t_west_editor")
        assert undone.undone == (waiting,)


def test_who_acts_for_all_accepts_for_the_organisation(city: Settings, tmp_path: Path) -> None:
    """What was held back because it was another's stays held back, whoever lets the rest count."""
    with open_registry(as_login(city, "t_east_editor")) as registry:
        newer = census().drop(index=[2, 5, 8]).assign(管材="钢")
        receipt = registry.import_file("segments", write(newer, tmp_path / "both.gpkg"), today=TODAY)
        assert (receipt.state, receipt.held) == ("pending", 4)
    with open_registry(as_login(city, "t_editor")) as registry:
        accept_delivery(registry.connection, receipt.delivery_id, registry.srid)
        materials = registry.frame("segments", ["material"], as_of=TODAY)["material"]
    assert materials.to_dict() == {
        name: "steel" if name.startswith("EAST") else "grey_iron" for name in materials.index
    }


def test_runs_are_of_the_organisation_that_made_them(city: Settings) -> None:
    with open_registry(as_login(city, "t_east_planner")) as registry:
        save_scores(registry, "plan A")
        save_scores(registry, "plan A")
        assert len(registry.runs()) == 1
        links = registry.load_run("score", "plan A").frames["leak_links"]
        assert set(links["segment_id"].str[:4]) == {"EAST", "OPEN"}
    with open_registry(as_login(city, "t_planner")) as registry:
        save_scores(registry, "plan A")
        assert len(registry.runs()) == 2
        assert len(registry.load_run("score", "plan A").frames["leak_links"]) == 6
    with open_registry(as_login(city, "t_west_editor")) as registry:
        assert len(registry.runs()) == 0


def test_projects_are_read_by_all_and_written_by_their_own(city: Settings, tmp_path: Path) -> None:
    """Whoever plans has to know the works of others; nobody plans them for others."""
    square = [line(0, 0).buffer(20), line(200, 0).buffer(20)]
    rows = segments(2, geometry=square)[["geometry"]].assign(
        工程编号=["P-E", "P-W"], 工程名称=["甲", "乙"], 工程类别="老旧小区改造", 实施主体=[EAST_GAS, WEST_GAS]
    )
    with open_registry(city) as registry:
        receipt = registry.import_file("projects", write(rows, tmp_path / "projects.gpkg"), today=TODAY)
        assert (receipt.added, receipt.held) == (2, 0)
    with open_registry(as_login(city, "t_east_editor")) as registry:
        assert set(registry.frame("projects", [], as_of=TODAY).index) == {"P-E", "P-W"}
        warrant = Warrant("t_east_editor")
        correct(registry.connection, KINDS["projects"], "P-E", {"name": "丙"}, warrant)
        with pytest.raises(RightsError):
            correct(registry.connection, KINDS["projects"], "P-W", {"name": "丙"}, warrant)


def test_a_census_under_new_ids_takes_over_the_pipes_of_its_own_organisation_only(
    city: Settings, tmp_path: Path
) -> None:
    names = [f"N-{number}" for number in range(6)]
    rows = census(prefixes=("EAST", "WEST"), 管段编号=names, 权属单位=[EAST_GAS] * 6)
    with open_registry(as_login(city, "t_east_editor")) as registry:
        receipt = registry.import_file("segments", write(rows, tmp_path / "renamed.gpkg"), today=TODAY)
        report = change_report(registry.connection, receipt.delivery_id)
        known = report.loc[report["class"] == "renumbered"].set_index("object_id")["known_id"].to_dict()
        assert known == {"N-0": "EAST-0", "N-1": "EAST-1"}
        accept_delivery(registry.connection, receipt.delivery_id, registry.srid)
        assert set(descendants(registry.connection, "EAST-0")["segment_id"]) == {"N-0"}
    with open_registry(city) as registry:
        there = set(registry.frame("segments", ["owner"], as_of=TODAY).index)
    assert {"WEST-0", "WEST-1", *names} <= there
    assert not {"EAST-0", "EAST-1"} & there


def new_pipes() -> gpd.GeoDataFrame:
    """Three pipes of one organisation where none is known."""
    elsewhere = [line(5_000, 60.0 * number) for number in range(3)]
    rows: gpd.GeoDataFrame = census(prefixes=("EAST",), 管段编号=["N-1", "N-2", "N-3"])
    return rows.set_geometry(elsewhere, crs="EPSG:4549")


def test_nobody_but_an_admin_acts_in_another_name(verb: Run, city: Settings, tmp_path: Path) -> None:
    path = write(new_pipes(), tmp_path / "new.gpkg")
    told = verb("t_editor", "import", "segments", path, "--actor", "boss")
    assert (told.exit_code, "boss" in told.stderr) == (1, True)
    made = json.loads(verb("t_editor", "import", "segments", path, "--json").stdout)["delivery_id"]
    verb("t_admin", "correct", "N-1", "street_name=x", "--actor", "boss")
    actors = {d["delivery_id"]: d["actor"] for d in json.loads(verb(None, "deliveries", "--json").stdout)["deliveries"]}
    assert actors[made] == "t_editor"
    assert "boss" in actors.values()
    with connect(str(as_login(city, "t_editor").dsn)) as connection, pytest.raises(psycopg.Error, match="policy"):
        connection.execute(
            "INSERT INTO registry.run (run_id, kind, actor, as_of, registry_version, code_version, policy, summary) "
            "VALUES ('r', 'plan', 'boss', now(), 1, '1', '{}', '{}')"
        )


def test_every_write_of_every_role_carries_its_login(city: Settings, tmp_path: Path) -> None:
    path = write(new_pipes(), tmp_path / "new.gpkg")
    with open_registry(as_login(city, "t_east_editor")) as registry:
        receipt = registry.import_file("segments", path, today=TODAY)
        edited = correct(registry.connection, KINDS["segments"], "N-1", {"street_name": "x"}, Warrant("said"))
        undone = undo_delivery(registry.connection, str(edited.delivery_id), "said")
        run = save_scores(registry, "plan")
    with open_registry(city) as registry:
        rows = registry.connection.execute(
            "SELECT delivery_id, actor, organisation FROM registry.delivery WHERE delivery_id = ANY(%s) "
            "UNION ALL SELECT run_id, actor, organisation FROM registry.run WHERE run_id = %s",
            [[receipt.delivery_id, edited.delivery_id, undone.delivery_id], run],
        ).fetchall()
    assert len(rows) == 4
    assert {row[1:] for row in rows} == {("t_east_editor", EAST_GAS)}
    assert OWNERS["EAST"] == EAST_GAS


def test_an_editor_for_all_is_told_whose_deed_it_cannot_undo(city: Settings) -> None:
    with open_registry(as_login(city, "t_editor")) as registry:
        first = registry.deliveries().query("file_name == 'leaks.csv'")["delivery_id"].iloc[0]
        with pytest.raises(RightsError) as fault:
            undo_delivery(registry.connection, first, "t_editor")
    assert (fault.value.code, fault.value.parameters["actor"]) == ("undo_of_others", "founder")


def test_a_split_moves_the_organisations_own_leaks(city: Settings) -> None:
    """A leak of nobody goes on to name the parent, from which the lineage leads on; the split is not refused for it."""
    with open_registry(city) as registry:
        for leak in ("EAST-L1", "OPEN-L1"):
            correct(registry.connection, KINDS["leaks"], leak, {"segment_id": "EAST-0"}, Warrant("founder"))
    with open_registry(as_login(city, "t_east_editor")) as registry:
        split(registry.connection, "EAST-0", [5.0], date(2026, 10, 1), Warrant("t_east_editor"))
        named = registry.frame("leaks", ["segment_id"], as_of=TODAY)["segment_id"]
        followed = descendants(registry.connection, "EAST-0")["segment_id"].tolist()
    assert named["EAST-L1"] == "EAST-0-2"
    assert named["OPEN-L1"] == "EAST-0"
    assert followed == ["EAST-0-1", "EAST-0-2"]


def test_a_reader_cannot_ask_which_ids_are_taken(city: Settings) -> None:
    with connect(str(as_login(city, "t_east_reader").dsn)) as connection, pytest.raises(psycopg.Error, match="denied"):
        connection.execute(
            "SELECT registry_app.ids_of_others('registry.segment_version', ARRAY['WEST-0'], %s)", [EAST_GAS]
        )
