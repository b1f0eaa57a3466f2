"""Locks: one holder at a time, freed by death, inherited only where meant."""

from __future__ import annotations

import fcntl
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from registry.cluster.account import Account
from registry.cluster.lock import exclusive, serving
from registry.errors import ClusterError

from .conftest import needs_root

HOLD = """
import fcntl, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


def own_account() -> Account:
    entry = pwd.getpwuid(os.geteuid())
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def is_free(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_block_holds_the_lock_and_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path, own_account()):
        assert not is_free(path)
    assert is_free(path)
    with pytest.raises(ZeroDivisionError), exclusive(path, own_account()):
        raise ZeroDivisionError
    assert is_free(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_children_do_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with exclusive(path, own_account()):
        child = subprocess.Popen(["sleep", "100"])
    try:
        assert is_free(path)
    finally:
        child.kill()
        child.wait()


def test_kill_frees_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert not is_free(path)
        holder.kill()
        with exclusive(path, own_account()):
            pass


def test_serving_lock_lives_as_long_as_the_child(tmp_path: Path) -> None:
    path = tmp_path / "running"
    with serving(path, own_account(), 0.1) as descriptor:
        child = subprocess.Popen(["sleep", "100"], pass_fds=[descriptor])
    try:
        with pytest.raises(ClusterError) as raised, serving(path, own_account(), 0.1):
            pass
        assert raised.value.code == "cluster_runs_elsewhere"
    finally:
        child.kill()
        child.wait()
    with serving(path, own_account(), 0.1):
        pass


def test_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ClusterError), exclusive(tmp_path / "lock", own_account()):
        pass
    assert not (tmp_path / "elsewhere").exists()


@needs_root
def test_lock_made_by_root_belongs_to_the_servers_user(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    with exclusive(tmp_path / "lock", Account("nobody", nobody.pw_uid, nobody.pw_gid)):
        pass
    assert (tmp_path / "lock").stat().st_uid == nobody.pw_uid
