"""Backup and restore work for root and for an ordinary user, and wherever the cluster lies."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from registry.cluster import Cluster
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.upkeep.backup import make_backup
from registry.upkeep.programs import embedded_database
from registry.upkeep.restore import restore_backup
from tests.registry.cluster.conftest import needs_root, python_as, roomy_folder, skip_unless_readable
from tests.registry.upkeep.conftest import content, silent

_ROUND = """
import sys
from pathlib import Path
from registry.cluster import Cluster
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.upkeep.backup import make_backup
from registry.upkeep.check import check_registry
from registry.upkeep.programs import database_of
from registry.upkeep.restore import restore_backup
home = Path(sys.argv[1])
cluster = Cluster(home, is_throwaway=True)
cluster.up()
try:
    one = Settings(home, "one", None, "tester", "en")
    initialise(one, crs="EPSG:4549", city="x")
    silent = lambda step, done, total: None
    make_backup(database_of(one), home / "one.backup", is_forced=False, report=silent)
    restored = Settings(home, "two", None, "tester", "en")
    restore_backup(database_of(restored), home / "one.backup", is_forced=False, report=silent)
    print(cluster.databases(), check_registry(database_of(restored), silent).findings)
finally:
    cluster.down()
"""


@needs_root
def test_an_ordinary_user_backs_up_and_restores() -> None:
    nobody = pwd.getpwnam("nobody")
    skip_unless_readable(nobody.pw_uid)
    with roomy_folder() as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        told = python_as(_ROUND, folder / "home", uid=nobody.pw_uid)
        assert told.stdout.strip() == "['one', 'two'] []", told.stderr


def test_a_home_whose_path_is_too_long_for_a_socket_serves_too() -> None:
    """The programs reach the socket through a descriptor of this process, which they are given."""
    with roomy_folder() as folder:
        home = Path(folder, "很长的目录名" * 12)
        cluster = Cluster(home, is_throwaway=True)
        cluster.up()
        initialise(Settings(home, "one", None, "tester", "en"), crs="EPSG:4549", city="招远")
        one, two = embedded_database(cluster, "one"), embedded_database(cluster, "two")
        assert one.descriptors
        make_backup(one, folder / "one.backup", is_forced=False, report=silent)
        restore_backup(two, folder / "one.backup", is_forced=False, report=silent)
        assert content(two.info) == content(one.info)
        cluster.down()
