"""A full disk: refused before it hurts, named when it happens, and committed data survives."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg
import pytest

from registry.cluster import Cluster
from registry.cluster.configure import free_bytes
from registry.errors import ClusterError

from .conftest import KEPT, end_all_servers, execute, kept, needs_root

pytestmark = needs_root
Mounted = Callable[[str], Path]


@pytest.fixture
def mounted(folder: Path) -> Generator[Mounted]:
    """Mount a small disk with the given options, and unmount it afterwards."""
    place = folder / "disk"
    with ExitStack() as stack:

        def mount(options: str) -> Path:
            place.mkdir()
            answer = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"{options},mode=755", "tmpfs", place],
                capture_output=True,
                text=True,
                check=False,
            )
            if answer.returncode != 0:
                pytest.skip(f"mount is not allowed here: {answer.stderr.strip()}")
            stack.callback(unmount, place)
            return place

        yield mount


def unmount(place: Path) -> None:
    end_all_servers(place)
    subprocess.run(["umount", place], check=True)


def copied(finished_home: Path, disk: Path) -> Cluster:
    subprocess.run(["cp", "-a", "--", finished_home, disk / "home"], check=True)
    return Cluster(disk / "home", is_throwaway=True)


def fill(path: Path, leave: int) -> None:
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes(path.parent) - leave)


def test_small_disk_is_refused_before_anything_is_made(mounted: Mounted) -> None:
    disk = mounted("size=150m")
    cluster = Cluster(disk / "home")
    with pytest.raises(ClusterError, match="150 MB are free") as raised:
        cluster.up()
    assert raised.value.code == "cluster_space_short"
    assert not cluster.status().is_initialised
    assert not cluster.data_folder.exists()


def test_disk_that_fills_while_running(mounted: Mounted, finished_home: Path) -> None:
    disk = mounted("size=400m")
    cluster = copied(finished_home, disk)
    cluster.up()
    fill(disk / "ballast", leave=8 * 1024**2)
    with suppress(psycopg.Error):
        execute(cluster, "CREATE TABLE flood AS SELECT n FROM generate_series(1, 3000000) AS n")
        pytest.fail("the disk must be full by now")
    cluster.down()
    with pytest.raises(ClusterError, match="MB are free") as raised:
        cluster.up()
    assert raised.value.code == "cluster_space_short"
    (disk / "ballast").unlink()
    cluster.up()
    assert kept(cluster) == KEPT
    cluster.down()


def test_start_that_meets_a_full_disk_says_so(mounted: Mounted, finished_home: Path) -> None:
    # Bytes are free, so the check passes, but no file can be made any more.
    disk = mounted("size=400m,nr_inodes=5000")
    cluster = copied(finished_home, disk)
    cluster.up()
    cluster.down()
    crowd = disk / "crowd"
    crowd.mkdir()
    with suppress(OSError):
        for number in range(5000):
            (crowd / str(number)).touch()
    # Room for our own configuration files, not for what the server makes next.
    next(crowd.iterdir()).unlink()
    with pytest.raises(ClusterError, match="is full") as raised:
        cluster.up()
    assert raised.value.code == "cluster_disk_full"
    shutil.rmtree(crowd)
    cluster.up()
    assert kept(cluster) == KEPT
    cluster.down()


def test_initdb_that_meets_a_full_disk_says_so(mounted: Mounted) -> None:
    disk = mounted("size=400m,nr_inodes=300")
    cluster = Cluster(disk / "home", is_throwaway=True)
    with pytest.raises(ClusterError, match="is full") as raised:
        cluster.up()
    assert raised.value.code == "cluster_disk_full"
    assert not cluster.data_folder.with_name("cluster.new").exists()
