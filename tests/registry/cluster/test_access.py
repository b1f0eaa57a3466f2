"""No other local user gets in: not through closed folders, and not when somebody opens them."""

from __future__ import annotations

import pwd
import subprocess
from pathlib import Path

import psycopg
import pytest

from registry.cluster import Cluster
from registry.cluster.account import settle_account

from .conftest import execute, needs_root

pytestmark = needs_root


def another_user(cluster: Cluster) -> pwd.struct_passwd:
    """A user that neither runs the server nor is root."""
    account = settle_account(cluster.data_folder)
    return next(entry for entry in pwd.getpwall() if entry.pw_uid not in {0, account.uid})


def psql_as(cluster: Cluster, uid: int, gid: int, host: Path | None = None) -> subprocess.CompletedProcess[str]:
    conninfo = f"host={host or cluster.data_folder} user=digonce dbname=census"
    return subprocess.run(
        [cluster.program("psql"), conninfo, "-XAtc", "SELECT current_user"],
        cwd="/",
        env={"LC_ALL": "C"},
        user=uid,
        group=gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )


def open_everything(cluster: Cluster) -> None:
    for path in (cluster.home, cluster.data_folder):
        path.chmod(0o755)
    cluster.status().socket.chmod(0o777)


def test_closed_folders_keep_another_user_out(cluster: Cluster) -> None:
    cluster.up()
    other = another_user(cluster)
    answer = psql_as(cluster, other.pw_uid, other.pw_gid)
    assert answer.returncode != 0
    assert "Permission denied" in answer.stderr


def test_server_refuses_another_user_when_folders_are_open(cluster: Cluster) -> None:
    cluster.up()
    open_everything(cluster)
    other = another_user(cluster)
    answer = psql_as(cluster, other.pw_uid, other.pw_gid)
    assert answer.returncode != 0
    assert "Peer authentication failed" in answer.stderr
    # The same command works for those who may: so it was the user that was refused.
    account = settle_account(cluster.data_folder)
    for uid, gid in ((account.uid, account.gid), (0, 0)):
        assert psql_as(cluster, uid, gid).stdout.strip() == "digonce"


def test_other_roles_cannot_be_taken_at_the_door(cluster: Cluster) -> None:
    cluster.up()
    execute(cluster, "CREATE ROLE reader LOGIN")
    conninfo = cluster.conninfo("census").replace("user='digonce'", "user='reader'")
    with pytest.raises(psycopg.OperationalError, match="Peer authentication failed"):
        psycopg.connect(conninfo).close()


def test_client_refuses_a_server_of_another_user(cluster: Cluster) -> None:
    cluster.up()
    account = settle_account(cluster.data_folder)
    conninfo = cluster.conninfo("census").replace(f"'{account.name}'", f"'{another_user(cluster).pw_name}'")
    with pytest.raises(psycopg.OperationalError, match="requirepeer"):
        psycopg.connect(conninfo).close()


def test_server_has_no_network_socket(cluster: Cluster) -> None:
    cluster.up()
    pid = cluster.status().server_pid
    inodes = {
        str(link.readlink()).removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if str(link.readlink()).startswith("socket:")
    }
    tables = [Path(f"/proc/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6")]
    network = [line.split() for table in tables for line in table.splitlines()]
    listening = {fields[9] for fields in network if len(fields) > 9 and fields[3] == "0A"}
    assert inodes
    assert not inodes & listening
