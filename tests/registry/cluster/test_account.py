"""The server's user: an ordinary one always, whoever calls."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

import pytest

from registry.cluster import Cluster
from registry.cluster.account import Account, check_searchable, run_as, settle_account, user_name
from registry.errors import ClusterError

from .conftest import KEPT, kept, needs_root, python_as, server_pid, skip_unless_readable

NOBODY = pwd.getpwnam("nobody")

LIFE = """
import sys, psycopg
from pathlib import Path
from registry.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), is_throwaway=True)
cluster.up()
cluster.create_database("census")
with psycopg.connect(cluster.conninfo("census")) as connection:
    connection.execute("CREATE EXTENSION postgis")
    print(connection.execute("SELECT current_user").fetchone()[0])
print(Path(f"/proc/{cluster.status().server_pid}").stat().st_uid)
cluster.down()
print(cluster.status().is_running)
"""
UP = """
import sys
from pathlib import Path
from registry.cluster import Cluster
from registry.errors import ClusterError
try:
    Cluster(Path(sys.argv[1]), is_throwaway=True).up()
except ClusterError as fault:
    print(fault.code, fault)
else:
    print("up")
"""


@needs_root
def test_root_runs_the_server_as_an_ordinary_user(cluster: Cluster) -> None:
    cluster.up()
    server = Path(f"/proc/{server_pid(cluster)}").stat()
    assert server.st_uid != 0
    status = Path(f"/proc/{server_pid(cluster)}/status").read_text(encoding="ascii")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    assert set(fields["Uid"].split()) == {str(server.st_uid)}
    assert fields["Groups"].split() in ([], [str(server.st_gid)])
    assert int(fields["CapPrm"], 16) == 0
    assert cluster.data_folder.stat().st_uid == server.st_uid


@needs_root
def test_ordinary_user_runs_its_own(folder: Path) -> None:
    skip_unless_readable(NOBODY.pw_uid)
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    answer = python_as(LIFE, home, uid=NOBODY.pw_uid)
    assert answer.stdout.split() == ["digonce", str(NOBODY.pw_uid), "False"], answer.stderr
    assert (home / "cluster").stat().st_uid == NOBODY.pw_uid


@needs_root
def test_root_serves_the_folder_of_an_ordinary_user_as_that_user(folder: Path) -> None:
    skip_unless_readable(NOBODY.pw_uid)
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    assert "False" in python_as(LIFE, home, uid=NOBODY.pw_uid).stdout
    cluster = Cluster(home, is_throwaway=True)
    cluster.up()
    assert Path(f"/proc/{server_pid(cluster)}").stat().st_uid == NOBODY.pw_uid
    assert cluster.databases() == ["census"]
    cluster.down()
    # What root wrote in between does not shut its owner out.
    assert python_as(UP, home, uid=NOBODY.pw_uid).stdout == "up\n"


@needs_root
def test_cluster_of_another_user_is_refused(cluster: Cluster) -> None:
    skip_unless_readable(NOBODY.pw_uid)
    assert settle_account(cluster.data_folder).uid != NOBODY.pw_uid
    answer = python_as(UP, cluster.home, uid=NOBODY.pw_uid)
    assert answer.stdout.startswith("cluster_of_another_user"), answer.stderr
    assert "DIGONCE_HOME" in answer.stdout


@needs_root
@pytest.mark.parametrize("mode", [0o755, 0o700], ids=["unwritable", "closed"])
def test_home_of_another_user_is_refused(folder: Path, mode: int) -> None:
    skip_unless_readable(NOBODY.pw_uid)
    home = folder / "home"
    home.mkdir()
    home.chmod(mode)
    answer = python_as(UP, home, uid=NOBODY.pw_uid)
    assert answer.stdout.startswith("cluster_home_unusable"), answer.stderr
    assert "DIGONCE_HOME" in answer.stdout


@needs_root
def test_user_without_a_name_is_refused(folder: Path) -> None:
    nameless = 54_321
    skip_unless_readable(nameless)
    home = folder / "home"
    home.mkdir()
    os.chown(home, nameless, nameless)
    answer = python_as(UP, home, uid=nameless)
    assert answer.stdout.startswith("cluster_user_without_name"), answer.stderr
    assert user_name(nameless) == str(nameless)


@needs_root
def test_root_of_a_container_sees_the_server(cluster: Cluster) -> None:
    # Containers take CAP_SYS_PTRACE from root, which then may not read /proc/PID/cwd of others.
    confined = ("setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace", "--")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    cluster.up()
    blind = python_as("import os, sys; os.stat(f'/proc/{sys.argv[1]}/cwd')", str(server_pid(cluster)), before=confined)
    assert "PermissionError" in blind.stderr
    look = "import sys; from pathlib import Path; from registry.cluster import Cluster; "
    look += (
        "c = Cluster(Path(sys.argv[1])); print(c.status().server_pid); c.up(); c.down(); print(c.status().server_pid)"
    )
    answer = python_as(look, cluster.home, before=confined)
    assert answer.stdout.split()[:1] != ["None"], answer.stderr
    assert answer.stdout.split()[1:] == ["None"], answer.stderr
    cluster.up()
    assert kept(cluster) == KEPT


def own_account() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def test_programs_see_a_small_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "s3cret")
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    answer = run_as(own_account(), ["env"])
    names = {line.partition("=")[0] for line in answer.stdout.splitlines()}
    assert names <= {"PATH", "LC_ALL", "TZ", "PWD", "SHLVL", "_"}
    assert "TZ=Asia/Shanghai" in answer.stdout.splitlines()


@needs_root
def test_first_closed_folder_on_the_way_is_named(folder: Path) -> None:
    nobody = Account(NOBODY.pw_name, NOBODY.pw_uid, NOBODY.pw_gid)
    deep = folder / "open" / "shut" / "open too"
    deep.mkdir(parents=True)
    check_searchable(nobody, deep)
    (folder / "open" / "shut").chmod(0o700)
    with pytest.raises(ClusterError) as raised:
        check_searchable(nobody, deep)
    assert raised.value.parameters["folder"] == str(folder / "open" / "shut")
    assert raised.value.parameters["user"] == "nobody"
