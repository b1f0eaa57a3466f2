"""A registry of a million segments with a history of three deliveries: seconds and peak memory of each step.

Each step runs in a process of its own; its peak is that process's, the libraries included. Memory of the server is what
its processes hold for themselves plus what they share, counted once, at the worst moment. The second and third census
differ from the one before in 2 % of their rows; 1 % are new and 1 % are missing. There is no peer: the bound is the
8 GiB of the machine that this has to fit in.

Example: python -m bench.million --segments 1000000
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from bench.census import make_census
from bench.registries import empty_registry
from registry.cluster import Cluster
from registry.cluster.account import settle_account
from registry.cluster.processes import servers_in
from registry.history.dossier import read_dossier
from registry.history.undo import undo_delivery
from registry.intake.merge import CLASSES
from registry.intake.review import accept_delivery
from registry.settings import Settings
from registry.store import Registry, open_registry

DATABASE: Final = "bench_million"
DAY: Final = date(2026, 11, 1)
BOUND_MB: Final = 8 * 1024


def later(census: gpd.GeoDataFrame, number: int) -> gpd.GeoDataFrame:
    """Return the next census: 2 % of the rows changed, 1 % gone, 1 % new."""
    dice = np.random.default_rng(number)
    share = dice.random(len(census))
    newer = census.copy()
    newer.loc[share < 0.02, "权属单位"] = f"第{number}燃气公司"
    added = census[share > 0.99].copy()
    added["管段编号"] = added["管段编号"] + f"-{number}"
    added = added.set_geometry(added.geometry.translate(25.0, 25.0))
    left = newer[(share < 0.98) | (share > 0.99)]
    return gpd.GeoDataFrame(pd.concat([left, added], ignore_index=True), crs=census.crs)


def write_censuses(_settings: Settings, folder: Path, segments: int) -> None:
    """Write the three files."""
    census = make_census(segments)
    census.to_parquet(folder / "1.parquet")
    for number in (2, 3):
        census = later(census, number)
        census.to_parquet(folder / f"{number}.parquet")


def deliver(settings: Settings, folder: Path, number: int) -> None:
    """Take one census in as far as it goes: the first counts, the others wait."""
    with open_registry(settings) as registry:
        registry.import_file("segments", folder / f"{number}.parquet", today=DAY)


def accept(settings: Settings, _folder: Path, _number: int) -> None:
    """Let the delivery that waits count, with what is gone."""
    with open_registry(settings) as registry:
        accept_delivery(registry.connection, newest(registry), registry.srid, CLASSES)


def read_middle(settings: Settings, _folder: Path, _number: int) -> None:
    """Read the whole registry as it was known after the second delivery."""
    with open_registry(settings) as registry:
        instant: datetime = registry.deliveries()["applied_at"].sort_values().iloc[1]
        frame = registry.frame("segments", as_of=DAY, known_at=instant)
        assert len(frame) > 0
        assert "第2燃气公司" in set(frame["owner"])
        assert "第3燃气公司" not in set(frame["owner"])


def open_dossier(settings: Settings, _folder: Path, _number: int) -> None:
    """Open the dossier of one segment."""
    with open_registry(settings) as registry:
        assert len(read_dossier(registry.connection, "GAS-77", DAY).timeline)


def undo(settings: Settings, _folder: Path, _number: int) -> None:
    """Take the third delivery back."""
    with open_registry(settings) as registry:
        undo_delivery(registry.connection, newest(registry), "bench")


def newest(registry: Registry) -> str:
    """Return the id of the delivery that came in last."""
    return str(registry.deliveries().sort_values("received_at")["delivery_id"].iloc[-1])


Step = Callable[[Settings, Path, int], None]
STEPS: Final[tuple[tuple[str, Step, int], ...]] = (
    ("import_first", deliver, 1),
    ("report_second", deliver, 2),
    ("accept_second", accept, 2),
    ("report_third", deliver, 3),
    ("accept_third", accept, 3),
    ("read_middle", read_middle, 0),
    ("dossier", open_dossier, 0),
    ("undo_third", undo, 3),
)


class Gauge:
    """Watches the memory of the server while a step runs."""

    def __init__(self, data_folder: Path) -> None:
        self.peak_mb = 0.0
        self._folder = data_folder
        self._account = settle_account(data_folder)
        self._is_over = threading.Event()

    @contextmanager
    def watching(self) -> Generator[None]:
        """Watch for the length of the block."""
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            yield
        finally:
            self._is_over.set()
            watcher.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.1):
            found = [memory_mb(pid) for pid in servers_in(self._folder, self._account)]
            own = sum(entry.get("RssAnon", 0.0) for entry in found)
            shared = max((entry.get("RssShmem", 0.0) for entry in found), default=0.0)
            self.peak_mb = max(self.peak_mb, own + shared)


def memory_mb(pid: int | str) -> dict[str, float]:
    """Return what the system says of a process's memory; nothing where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {
        name: int(value.split()[0]) / 1024
        for name, _, value in (line.partition(":") for line in lines)
        if name.startswith(("Rss", "VmHWM"))
    }


def _timed(work: Step, settings: Settings, folder: Path, number: int, pipe: Any) -> None:  # noqa: ANN401
    started = time.perf_counter()
    work(settings, folder, number)
    pipe.send((time.perf_counter() - started, memory_mb("self")["VmHWM"]))


def run(work: Step, settings: Settings, folder: Path, number: int) -> tuple[float, float]:
    """Run a step in a process of its own and return its seconds and its peak memory in MB."""
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_timed, args=(work, settings, folder, number, sending))
    process.start()
    sending.close()
    measured: tuple[float, float] = receiving.recv()
    process.join()
    return measured


def measure(settings: Settings, folder: Path, segments: int) -> dict[str, Any]:
    """Run all steps on an empty registry."""
    run(write_censuses, settings, folder, segments)
    data_folder = Cluster(settings.home).data_folder
    steps: dict[str, dict[str, float]] = {}
    hashes: list[str] = []
    for name, work, number in STEPS:
        print(name, file=sys.stderr, flush=True)
        gauge = Gauge(data_folder)
        with gauge.watching():
            seconds, client_mb = run(work, settings, folder, number)
        steps[name] = {
            "seconds": round(seconds, 1),
            "client_peak_mb": round(client_mb),
            "server_peak_mb": round(gauge.peak_mb),
        }
        if name in {"accept_second", "undo_third"}:
            with open_registry(settings) as registry:
                hashes.append(registry.state_hash())
    assert hashes[0] == hashes[1], "the undo gave another state than that before the third delivery"
    with open_registry(settings) as registry:
        row = registry.connection.execute("SELECT pg_database_size(current_database())").fetchone()
        versions = registry.row_counts()["segment_version"]
    peak = max(step["client_peak_mb"] + step["server_peak_mb"] for step in steps.values())
    return {
        "segments": segments,
        "versions": versions,
        "steps": steps,
        "peak_mb": peak,
        "is_within_8_gib": peak <= BOUND_MB,
        "database_mb": round(row[0] / 1e6) if row else None,
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=1_000_000)
    options = parser.parse_args()
    with (
        empty_registry(DATABASE) as settings,
        tempfile.TemporaryDirectory(prefix="digonce-bench-", dir="/var/tmp") as folder,
    ):
        print(json.dumps(measure(settings, Path(folder), options.segments), indent=1))


if __name__ == "__main__":
    main()
