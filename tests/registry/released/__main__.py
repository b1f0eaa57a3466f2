"""Keep the schema of this version, with a small city in it, for upgrade tests: `python -m tests.registry.released`.

Run it once, when the schema of a version is released; then never again for that version.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from configparser import ConfigParser
from contextlib import ExitStack
from pathlib import Path

from registry.cluster import Cluster
from registry.lifecycle import initialise
from registry.settings import Settings
from registry.store import open_registry
from registry.upkeep.programs import embedded_database
from tests.cities import import_city, write_small_city
from tests.conftest import REPOSITORY
from tests.registry.released import released_versions, write_released


def version_here() -> str:
    config = ConfigParser()
    config.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    return config["metadata"]["version"]


def main() -> int:
    version = version_here()
    if version in released_versions():
        sys.stdout.write(f"{version} is kept already; its registry is frozen. Raise the version in setup.cfg first.\n")
        return 1
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="digonce-released-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        cluster = Cluster(folder / "home", is_throwaway=True)
        cluster.up()
        stack.callback(cluster.down)
        settings = Settings(cluster.home, "released", None, "tester", "en")
        initialise(settings, crs="EPSG:4549", city="招远")
        with open_registry(settings) as registry:
            import_city(registry, write_small_city(folder / "city", 300))
        path = write_released(embedded_database(cluster, settings.registry), version)
    sys.stdout.write(f"{path.relative_to(REPOSITORY)}: {path.stat().st_size:,} bytes\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
