"""The roles of a registry: made with it, gone with it, of bounded names, and nothing breaks where there can be none."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.conninfo import make_conninfo

from registry.cluster import Cluster
from registry.db import connect
from registry.errors import DatabaseError, FileFaultError, RightsError
from registry.lifecycle import initialise, missing_roles, remove, upgrade
from registry.rights.members import add_member, remove_member
from registry.rights.roles import ROLES, drop_roles, make_roles, role_names, roles_in_use
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.backup import make_backup
from registry.upkeep.check import check_registry
from registry.upkeep.programs import database_of, embedded_database
from registry.upkeep.restore import restore_backup
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write
from tests.registry.rights.conftest import EAST_GAS, MEMBERS, Run, as_login
from tests.registry.upkeep.conftest import silent


def roles_of_server(home: Path) -> set[str]:
    with connect(Cluster(home).conninfo("postgres")) as connection:
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles").fetchall()}


def privileges(settings: Settings, schema: str = "registry") -> set[tuple[str, ...]]:
    """Who holds which right on the tables of a schema."""
    with connect(Cluster(settings.home).conninfo(settings.registry)) as connection:
        rows = connection.execute(
            "SELECT a.grantee::regrole::text, c.relname::text, a.privilege_type FROM pg_class AS c, "
            "LATERAL aclexplode(c.relacl) AS a WHERE c.relnamespace = %s::regnamespace AND a.grantee <> c.relowner",
            [schema],
        ).fetchall()
    return set(rows)


@given(name=st.text(min_size=1, max_size=63))
def test_names_are_bounded_and_told_apart(name: str) -> None:
    names = role_names(name)
    assert list(names) == list(ROLES)
    assert len(set(names.values())) == len(ROLES)
    assert all(0 < len(made.encode()) <= 63 for made in names.values())
    assert not set(names.values()) & set(role_names(f"{name}x").values())


def test_roles_come_with_a_registry_and_go_with_it(settings: Settings, home: Path) -> None:
    before = roles_of_server(home)
    own = replace(settings, registry=f"{settings.registry}_c")
    initialise(own, crs="EPSG:4549", city="莱州")
    with open_registry(own) as registry:
        add_member(registry.connection, registry.acting, "t_passing", "editor", None, is_making_logins=True)
        assert registry.acting.role == "admin"
        assert registry.connection.execute("SELECT current_user, session_user").fetchall() == [
            (f"digonce_{own.registry}_admin", "digonce")
        ]
    assert roles_of_server(home) - before == {*role_names(own.registry).values(), "t_passing"}
    upgrade(own)
    remove(own)
    assert roles_of_server(home) == before


def test_a_login_that_serves_another_registry_stays(empty_city: Settings, another: Settings, home: Path) -> None:
    with open_registry(another) as registry:
        add_member(registry.connection, registry.acting, "t_reader", "reader", None, is_making_logins=True)
        remove_member(registry.connection, registry.acting, "t_reader", is_making_logins=True)
        assert "t_reader" in roles_of_server(home)
    with open_registry(empty_city) as registry:
        remove_member(registry.connection, registry.acting, "t_reader", is_making_logins=True)
    assert "t_reader" not in roles_of_server(home)


def test_members_of_one_registry_are_strangers_in_another(empty_city: Settings, another: Settings) -> None:
    with open_registry(as_login(empty_city, "t_admin")) as registry:
        assert registry.acting.role == "admin"
    with pytest.raises(RightsError, match="no role"), open_registry(as_login(another, "t_admin")):
        pass


def test_an_admin_gives_roles_and_an_editor_cannot(empty_city: Settings) -> None:
    with open_registry(as_login(empty_city, "t_admin")) as registry:
        add_member(registry.connection, registry.acting, "t_reader", "editor", EAST_GAS, is_making_logins=False)
        with pytest.raises(RightsError) as fault:
            add_member(registry.connection, registry.acting, "t_nobody", "reader", None, is_making_logins=True)
        assert fault.value.code == "login_absent"
        assert 'CREATE ROLE "t_nobody" LOGIN' in fault.value.message()
    with open_registry(as_login(empty_city, "t_reader")) as registry:
        assert (registry.acting.role, registry.acting.organisation) == ("editor", EAST_GAS)
        assert registry.members()["login"].tolist() == ["t_reader"]
    names = role_names(empty_city.registry)
    with connect(str(as_login(empty_city, "t_editor").dsn)) as connection, pytest.raises(psycopg.Error, match="admin"):
        connection.execute(sql.SQL("GRANT {} TO t_west_editor").format(sql.Identifier(names["reader"])))


@pytest.mark.parametrize("login", ["", "digonce", "digonce_x_admin", "pg_monitor", "x" * 64])
def test_some_logins_cannot_be_members(empty_city: Settings, login: str) -> None:
    with open_registry(empty_city) as registry, pytest.raises(RightsError):
        add_member(registry.connection, registry.acting, login, "reader", None, is_making_logins=True)


def test_a_migrate_gives_a_copy_rights_of_its_own(settings: Settings, template: str) -> None:
    """A database that was copied belongs to the roles of the first until it is migrated."""
    original = set(role_names(template).values())
    assert {row[0] for row in privileges(settings)} <= original
    upgrade(settings)
    own = set(role_names(settings.registry).values())
    assert {row[0] for row in privileges(settings)} <= own
    before = privileges(settings) | privileges(settings, "registry_app")
    upgrade(settings)
    assert privileges(settings) | privileges(settings, "registry_app") == before
    assert check_registry(database_of(settings), silent).findings == []


def test_many_may_make_the_same_roles_at_once(home: Path) -> None:
    def make(_number: int) -> dict[str, str]:
        with connect(Cluster(home).conninfo("postgres"), is_autocommit=True) as connection:
            return make_roles(connection, "t_crowd")

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(make, range(8)))
    assert all(names == role_names("t_crowd") for names in made)
    with connect(Cluster(home).conninfo("postgres"), is_autocommit=True) as connection:
        drop_roles(connection, "t_crowd")
    assert not {name for name in roles_of_server(home) if "t_crowd" in name}


def test_a_check_and_a_failed_restore_leave_no_roles(city: Settings, home: Path, tmp_path: Path) -> None:
    before = roles_of_server(home)
    assert check_registry(database_of(city), silent).findings == []
    path = tmp_path / "city.backup"
    make_backup(database_of(city), path, is_forced=False, report=silent)
    absent = embedded_database(Cluster(home), "t_never")
    spoiled = bytearray(path.read_bytes())
    spoiled[len(spoiled) // 2] ^= 0xFF
    (tmp_path / "spoiled.backup").write_bytes(spoiled)
    with pytest.raises(FileFaultError):
        restore_backup(absent, tmp_path / "spoiled.backup", is_forced=False, report=silent)

    def fail_late(step: str, done: int, _total: int) -> None:
        if (step, done) == ("compare", 1):
            raise DatabaseError("registry_in_use", name="t_never")

    with pytest.raises(DatabaseError):
        restore_backup(absent, path, is_forced=False, report=fail_late)
    assert roles_of_server(home) == before


def test_a_restore_brings_rights_and_members_back(city: Settings, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "city.backup"
    make_backup(database_of(city), path, is_forced=False, report=silent)
    restored = replace(city, registry=f"{city.registry}_r")
    restore_backup(database_of(restored), path, is_forced=False, report=silent)
    try:
        assert check_registry(database_of(restored), silent).findings == []
        for login, (role, organisation) in MEMBERS.items():
            with open_registry(as_login(restored, login)) as registry:
                assert (registry.acting.role, registry.acting.organisation) == (role, organisation)
    finally:
        Cluster(home).drop_database(restored.registry)


@pytest.fixture
def plain_owner(home: Path, logins: tuple[str, ...]) -> Generator[str]:
    """A login of a city's own server that owns a database and may not make roles."""
    name, login = logins[0], sql.Identifier(logins[0])
    info = Cluster(home).conninfo("postgres")
    with connect(info, is_autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(login))
        connection.execute(sql.SQL("CREATE DATABASE t_own OWNER {}").format(login))
    with connect(make_conninfo(info, dbname="t_own"), is_autocommit=True) as connection:
        connection.execute(b"CREATE EXTENSION postgis; CREATE EXTENSION btree_gist")
    yield make_conninfo(info, dbname="t_own", user=name)
    with connect(info, is_autocommit=True) as connection:
        connection.execute("DROP DATABASE t_own WITH (FORCE)")
        drop_roles(connection, "t_own")
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(login))


def test_without_the_right_to_make_roles_the_registry_works_and_says_what_is_missing(
    plain_owner: str, home: Path, tmp_path: Path
) -> None:
    own = Settings(home, "own", plain_owner, "tester", "en")
    initialise(own, crs="EPSG:4549", city="莱州")
    asked = missing_roles(own)
    assert len(asked) == 10
    with open_registry(own) as registry:
        assert registry.acting.role is None
        assert registry.import_file("segments", write(segments(3), tmp_path / "a.gpkg"), today=TODAY).added == 3
        before = registry.state_hash()
        with pytest.raises(RightsError, match="CREATE ROLE"):
            add_member(registry.connection, registry.acting, "t_editor", "editor", None, is_making_logins=False)
    with connect(make_conninfo(plain_owner, user="digonce"), is_autocommit=True) as connection:
        connection.execute("\n".join(asked).encode())
        connection.execute("CREATE ROLE t_editor LOGIN")
    upgrade(own)
    assert missing_roles(own) == []
    with open_registry(own) as registry:
        assert (registry.acting.role, registry.state_hash()) == ("admin", before)
        add_member(registry.connection, registry.acting, "t_editor", "editor", None, is_making_logins=False)
    with open_registry(replace(own, dsn=make_conninfo(plain_owner, user="t_editor"), actor="t_editor")) as registry:
        registry.import_file("segments", write(segments(4), tmp_path / "b.gpkg"), today=TODAY)
        assert len(registry.frame("segments", [], as_of=TODAY)) == 4
    with connect(make_conninfo(plain_owner, user="digonce"), is_autocommit=True) as connection:
        assert roles_in_use(connection) == role_names("t_own")


def test_the_owner_sees_all_members_and_a_member_itself(verb: Run) -> None:
    told = verb(None, "member", "list")
    assert told.exit_code == 0
    assert all(login in told.output for login in MEMBERS)
    assert EAST_GAS in told.output
    assert verb("t_editor", "member", "list").output.count("t_") == 1
    assert verb(None, "member", "add", "no-such-user", "--role", "reader").exit_code == 1
    assert verb(None, "member", "add", "root", "--role", "boss").exit_code == 2
    assert verb(None, "member", "remove", "nobody").exit_code == 1
