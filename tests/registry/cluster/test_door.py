"""Members, other users of the machine, come in by the door and are nobody but themselves; all others stay out."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Generator
from pathlib import Path

import pytest

from registry.cluster import Cluster
from registry.cluster.account import settle_account
from registry.cluster.door import door_folder
from registry.cluster.leftovers import SOCKET_NAME
from registry.cluster.processes import wait_until
from registry.errors import ClusterError
from registry.lifecycle import initialise
from registry.rights.members import add_member, remove_member
from registry.settings import Settings
from registry.store import open_registry

from .conftest import needs_root, python_as, server_pid, skip_unless_readable
from .test_access import another_user, psql_as

pytestmark = needs_root
_VISIT = """
import sys
from registry.settings import resolve
from registry.store import open_registry
with open_registry(resolve("city")) as registry:
    print(registry.acting.login, registry.acting.role, registry.acting.organisation, registry.counts()["segments"],
          len(registry.frame("segments", [])))
    registry.save_run("plan", "visit", {}, policy={}, summary={}, as_of=registry.today())
    print(*registry.runs()["actor"])
"""


@pytest.fixture
def settings(cluster: Cluster) -> Generator[Settings]:
    """A registry on a server of its own."""
    cluster.up()
    own = Settings(cluster.home, "city", None, "tester", "en")
    initialise(own, crs="EPSG:4549", city="招远")
    yield own
    cluster.down()


@pytest.fixture
def guest(cluster: Cluster, settings: Settings) -> pwd.struct_passwd:
    """A user of the machine who has become a planner of one organisation."""
    other = another_user(cluster)
    with open_registry(settings) as registry:
        add_member(registry.connection, registry.acting, other.pw_name, "planner", "城东燃气", is_making_logins=True)
    cluster.open_door()
    return other


def visit(settings: Settings, guest: pwd.struct_passwd, program: str = _VISIT) -> tuple[int, str]:
    skip_unless_readable(guest.pw_uid)
    told = python_as(program, uid=guest.pw_uid, before=("env", f"DIGONCE_HOME={settings.home}", "DIGONCE_LANG=en"))
    return told.returncode, told.stdout + told.stderr


def test_a_member_comes_in_as_itself(cluster: Cluster, settings: Settings, guest: pwd.struct_passwd) -> None:
    code, told = visit(settings, guest)
    assert (code, told.split()) == (0, [guest.pw_name, "planner", "城东燃气", "0", "0", guest.pw_name])
    # and not as the owner, neither by the door nor by the old way
    assert psql_as(cluster, guest.pw_uid, guest.pw_gid).returncode != 0
    answer = psql_as(cluster, guest.pw_uid, guest.pw_gid, door_folder(cluster.home))
    assert "Peer authentication failed" in answer.stderr


def test_who_is_no_member_stays_out(settings: Settings, guest: pwd.struct_passwd) -> None:
    with open_registry(settings) as registry:
        remove_member(registry.connection, registry.acting, guest.pw_name, is_making_logins=True)
    code, told = visit(settings, guest)
    assert code == 1
    assert "does not exist" in told


def test_the_door_is_there_after_a_stop_and_after_a_crash(
    cluster: Cluster, settings: Settings, guest: pwd.struct_passwd
) -> None:
    cluster.down()
    code, told = visit(settings, guest)
    assert (code, "Connection refused" in told or "db up" in told) == (1, True)
    cluster.up()
    assert visit(settings, guest)[0] == 0
    os.kill(server_pid(cluster), signal.SIGKILL)
    assert wait_until(lambda: cluster.status().server_pid is None, 10)
    cluster.up()
    code, told = visit(settings, guest)
    assert (code, told.split()[:2]) == (0, [guest.pw_name, "planner"]), told


def test_the_second_name_is_that_of_the_socket_after_each_start(cluster: Cluster, settings: Settings) -> None:
    cluster.open_door()
    door = door_folder(settings.home) / SOCKET_NAME
    first = door.stat().st_ino
    assert first == cluster.status().socket.stat().st_ino
    cluster.down()
    cluster.up()
    assert door.stat().st_ino == cluster.status().socket.stat().st_ino
    assert door.stat().st_mode & 0o777 == 0o777


def test_there_is_no_door_without_members(cluster: Cluster, settings: Settings) -> None:
    assert settings.registry in cluster.databases()
    assert not door_folder(cluster.home).exists()
    assert cluster.status().socket.stat().st_mode & 0o077 == 0


def test_a_closed_folder_on_the_way_is_named(cluster: Cluster, settings: Settings) -> None:
    outer = cluster.home.parent
    outer.chmod(0o700)
    try:
        with pytest.raises(ClusterError) as fault:
            cluster.open_door()
        assert str(outer) in fault.value.message()
        assert not door_folder(cluster.home).exists()
    finally:
        outer.chmod(0o755)
    assert settings.registry == "city"


def test_the_door_opens_to_nothing_else(cluster: Cluster, settings: Settings, guest: pwd.struct_passwd) -> None:
    door = door_folder(cluster.home)
    assert [entry.name for entry in door.iterdir()] == [SOCKET_NAME]
    assert (door.stat().st_mode & 0o777, cluster.data_folder.stat().st_mode & 0o077) == (0o711, 0)
    account = settle_account(cluster.data_folder)
    assert (door / SOCKET_NAME).stat().st_uid == account.uid
    assert guest.pw_uid != account.uid
    assert Path(settings.home) == cluster.home
