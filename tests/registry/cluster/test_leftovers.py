"""What a killed server leaves behind is mended, no stranger is touched, and data survives."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from registry.cluster import Cluster
from registry.cluster.account import settle_account
from registry.cluster.leftovers import SOCKET_NAME
from registry.cluster.processes import find_postmaster, read_pid_file, servers_in, wait_until
from registry.errors import ClusterError

from .conftest import KEPT, REPOSITORY, kept, needs_root, python_as, server_pid

PR_SET_CHILD_SUBREAPER = 36


def servers(cluster: Cluster) -> list[int]:
    return servers_in(cluster.data_folder, settle_account(cluster.data_folder))


def kill_postmaster(cluster: Cluster, *, and_wait: bool = True) -> int:
    pid = server_pid(cluster)
    os.kill(pid, signal.SIGKILL)
    if and_wait:
        assert wait_until(lambda: not servers(cluster), 20)
    return pid


def start_as_server(cluster: Cluster, command: list[str | Path], folder: Path) -> subprocess.Popen[bytes]:
    """Start a program as the user of the server."""
    account = settle_account(cluster.data_folder)
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=account.uid if account.is_foreign else None,
        group=account.gid if account.is_foreign else None,
        extra_groups=[] if account.is_foreign else None,
    )


@contextmanager
def stranger(cluster: Cluster, folder: Path) -> Generator[subprocess.Popen[bytes]]:
    """A long-lived program of the server's own user that is no server."""
    process = start_as_server(cluster, ["sleep", "1000"], folder)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]


def test_killed_server_starts_again(cluster: Cluster) -> None:
    cluster.up()
    killed = kill_postmaster(cluster)
    assert read_pid_file(cluster.data_folder) is not None, "the kill must leave its pid file"
    assert not cluster.status().is_running
    cluster.up()
    assert server_pid(cluster) != killed
    assert kept(cluster) == KEPT


@pytest.fixture
def unreaped() -> Generator[None]:
    """Let orphans of this process become our children, so that killed ones stay zombies."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.mark.usefixtures("unreaped")
def test_zombie_server_counts_as_dead(cluster: Cluster) -> None:
    cluster.up()
    killed = kill_postmaster(cluster)
    try:
        # its folder is given up a moment before it is dead
        assert wait_until(lambda: state_of(killed) == "Z", 20)
        assert not cluster.status().is_running
        cluster.up()
        assert server_pid(cluster) != killed
        assert kept(cluster) == KEPT
        cluster.down()
    finally:
        # Ours by adoption; the restarted servers too.
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


@pytest.mark.parametrize("is_inside", [False, True], ids=["elsewhere", "in the data folder"])
def test_reused_pid_of_a_stranger_is_neither_trusted_nor_signalled(cluster: Cluster, is_inside: bool) -> None:
    cluster.up()
    kill_postmaster(cluster)
    with stranger(cluster, cluster.data_folder if is_inside else Path("/")) as process:
        for name in ("postmaster.pid", f"{SOCKET_NAME}.lock"):
            path = cluster.data_folder / name
            _, rest = path.read_text().split("\n", 1)
            path.write_text(f"{process.pid}\n{rest}")
        assert not cluster.status().is_running
        cluster.down()
        assert process.poll() is None
        cluster.up()
        assert server_pid(cluster) != process.pid
        assert kept(cluster) == KEPT
        cluster.down()
        assert process.poll() is None


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n", "0\n", "999999999\n"])
def test_broken_pid_file_is_mended(cluster: Cluster, text: str) -> None:
    (cluster.data_folder / "postmaster.pid").write_text(text)
    cluster.down()
    cluster.up()
    assert kept(cluster) == KEPT
    cluster.down()


def test_dead_pid_with_socket_and_lock_is_mended(cluster: Cluster) -> None:
    cluster.up()
    kill_postmaster(cluster)
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        assert (cluster.data_folder / name).exists()
    cluster.up()
    assert kept(cluster) == KEPT


@contextmanager
def computing_backend(cluster: Cluster) -> Generator[int]:
    """A backend deep in a computation, which does not notice the death of its server."""
    statement = "SELECT sum(sqrt(n)) FROM generate_series(1, 1e12::bigint) AS n"
    psql: list[str | Path] = [cluster.program("psql"), cluster.conninfo("census"), "-Xc", statement]
    before = set(servers(cluster))
    with subprocess.Popen(psql, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        try:
            assert wait_until(lambda: bool(set(servers(cluster)) - before), 10)
            [backend] = set(servers(cluster)) - before
            assert wait_until(lambda: cpu_ticks(backend) > 10, 20)
            yield backend
        finally:
            client.kill()


def cpu_ticks(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11])


@pytest.mark.parametrize("is_restarted", [True, False], ids=["up", "down"])
def test_orphan_backend_is_ended(cluster: Cluster, is_restarted: bool) -> None:
    cluster.up()
    with computing_backend(cluster) as backend:
        kill_postmaster(cluster, and_wait=False)
        assert wait_until(lambda: servers(cluster) == [backend], 20), "the backend must outlive its server"
        if is_restarted:
            cluster.up()
            assert kept(cluster) == KEPT
        else:
            cluster.down()
        assert backend not in servers(cluster)
    cluster.down()
    assert servers(cluster) == []


def test_server_that_lost_its_pid_file_is_replaced(cluster: Cluster) -> None:
    cluster.up()
    lost = server_pid(cluster)
    (cluster.data_folder / "postmaster.pid").unlink()
    cluster.up()
    assert server_pid(cluster) != lost
    assert lost not in servers(cluster)
    assert kept(cluster) == KEPT


UP = """
import sys
from pathlib import Path
from registry.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), is_throwaway=True)
cluster.up()
print(cluster.status().server_pid)
"""


def run_together(count: int, home: Path) -> list[tuple[int, str, str]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", UP, str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for _ in range(count)
    ]
    answers: list[tuple[int, str, str]] = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        answers.append((process.returncode, out.strip(), err))
    return answers


def crash(cluster: Cluster) -> None:
    cluster.up()
    kill_postmaster(cluster)


def remove(cluster: Cluster) -> None:
    subprocess.run(["rm", "-rf", "--", cluster.data_folder], check=True)


@pytest.mark.parametrize("prepare", [Cluster.down, crash, remove], ids=["stopped", "killed", "absent"])
def test_four_starts_at_once_give_one_server(cluster: Cluster, prepare: Callable[[Cluster], None]) -> None:
    prepare(cluster)
    answers = run_together(4, cluster.home)
    assert [code for code, _, _ in answers] == [0] * 4, answers
    assert {out for _, out, _ in answers} == {str(server_pid(cluster))}


def killed_when(is_time: Callable[[], bool], home: Path) -> None:
    """Start a process that brings the cluster up and kill it, not its children, at the given moment."""
    with subprocess.Popen(
        [sys.executable, "-c", UP, str(home)], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    ) as process:
        assert wait_until(is_time, 20)
        process.kill()


def test_process_killed_while_making_does_not_block_the_next(cluster: Cluster) -> None:
    remove(cluster)
    growing = cluster.data_folder.with_name("cluster.new")
    killed_when((growing / "PG_VERSION").exists, cluster.home)
    cluster.up()
    assert cluster.databases() == []
    assert not growing.exists()


def test_process_killed_while_starting_does_not_block_the_next(cluster: Cluster) -> None:
    settings = cluster.data_folder / "digonce.conf"
    settings.unlink()
    killed_when(settings.exists, cluster.home)
    cluster.up()
    assert kept(cluster) == KEPT


@needs_root
def test_server_of_another_container_is_not_doubled(cluster: Cluster) -> None:
    # New process and shared-memory namespaces: what a second container on the same volume has.
    unshare = ("unshare", "--pid", "--ipc", "--fork", "--mount-proc")
    if python_as("", before=unshare).returncode != 0:
        pytest.skip("namespaces are not allowed here")
    cluster.up()
    pid = server_pid(cluster)
    answer = python_as(UP, cluster.home, before=unshare)
    assert answer.returncode != 0
    assert "cannot be seen from here" in answer.stderr
    assert server_pid(cluster) == pid
    assert kept(cluster) == KEPT
    cluster.down()


def test_single_user_session_is_named_not_awaited(cluster: Cluster) -> None:
    account = settle_account(cluster.data_folder)
    postgres: list[str | Path] = [cluster.program("postgres"), "--single", "-D", cluster.data_folder, "census"]
    with start_as_server(cluster, postgres, Path("/")) as session:
        assert wait_until(lambda: find_postmaster(cluster.data_folder, account) is not None, 20)
        with pytest.raises(ClusterError, match="single-user"):
            cluster.up()
        assert session.poll() is None
        session.communicate(timeout=60)
    cluster.up()
    assert kept(cluster) == KEPT
