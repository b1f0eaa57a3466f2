"""Import of a census, from the delivered file to committed rows with indexes, against two peers in the same run.

Peers: `geopandas.to_postgis` (read the same file, write it, add a primary key and a GiST index), and a bare server-side
binary COPY of the same rows from a file on the server with the same two indexes, which nobody can beat. Ours reads,
validates every row, keeps history and builds whatever indexes its own promises need. Runs are interleaved, each in a
process of its own; medians are compared. Memory is what the peak of the client process grew by over its libraries.

Example: python -m bench.imports --segments 100000 --repeats 3
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from psycopg import sql

from bench.census import write_census
from bench.registries import bench_settings, empty_registry
from registry.cluster import Cluster
from registry.store import open_registry

DATABASE = "bench_import"


def _ours(home: Path, census: Path) -> None:
    with open_registry(bench_settings(home, DATABASE)) as registry:
        receipt = registry.import_file("segments", census)
        assert receipt.accepted == receipt.rows_read
        assert receipt.held == 0


def _to_postgis(home: Path, census: Path) -> None:
    import geopandas as gpd
    import psycopg
    import sqlalchemy

    info = Cluster(home).conninfo(DATABASE)
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(info))
    frame = gpd.read_parquet(census)
    frame = frame.rename_geometry("geom")
    frame.to_postgis("peer", engine, index=False)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text('ALTER TABLE peer ADD PRIMARY KEY ("管段编号")'))
        # to_postgis makes a GiST index of its own; nothing more is asked of it
        made = connection.execute(sqlalchemy.text("SELECT count(*) FROM pg_indexes WHERE tablename = 'peer'")).scalar()
        assert made == 2, made
    engine.dispose()


def _server_copy(home: Path, census: Path) -> None:
    import psycopg

    rows = census.with_suffix(".copy")
    with psycopg.connect(Cluster(home).conninfo(DATABASE)) as connection:
        connection.execute("CREATE TABLE bare (LIKE template_rows)")
        connection.execute(sql.SQL("COPY bare FROM {} (FORMAT BINARY)").format(str(rows)))
        connection.execute('ALTER TABLE bare ADD PRIMARY KEY ("管段编号")')
        connection.execute("CREATE INDEX ON bare USING gist (geom)")


def _prepare_copy(home: Path, census: Path) -> None:
    """Write the rows once as the file that the server reads: as delivered, geometry ready."""
    import psycopg

    _to_postgis(home, census)
    rows = census.with_suffix(".copy")
    with psycopg.connect(Cluster(home).conninfo(DATABASE)) as connection:
        connection.execute(sql.SQL("COPY peer TO {} (FORMAT BINARY)").format(str(rows)))
        connection.execute("CREATE TABLE template_rows (LIKE peer)")


def _measured(work: Callable[[Path, Path], None], home: Path, census: Path, pipe: Any) -> None:  # noqa: ANN401
    _warm_up(home, census.with_name("small.parquet"))
    before = _memory_mb("VmRSS")
    started = time.perf_counter()
    work(home, census)
    seconds = time.perf_counter() - started
    pipe.send({"seconds": seconds, "grown_mb": _memory_mb("VmHWM") - before})


def _warm_up(home: Path, small: Path) -> None:
    """Load every library that either side needs: their imports are part of neither."""
    import geoalchemy2
    import geopandas as gpd
    import pgpq
    import sqlalchemy

    assert all((geoalchemy2, pgpq, sqlalchemy))
    gpd.read_parquet(small)
    with open_registry(bench_settings(home, DATABASE)) as registry:
        registry.import_file("segments", small, is_dry_run=True)


def _memory_mb(line: str) -> float:
    """Return memory of this process; getrusage would tell the peak of the process it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(entry.split()[1]) for entry in status.splitlines() if entry.startswith(line)) / 1024


def _run(work: Callable[[Path, Path], None], home: Path, census: Path) -> dict[str, float]:
    _fresh(home)
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(work, home, census, sending))
    process.start()
    sending.close()
    measured: dict[str, float] = receiving.recv()
    process.join()
    return measured


def _fresh(home: Path) -> None:
    """Give every run an empty registry on a quiet server."""
    import psycopg

    with psycopg.connect(Cluster(home).conninfo(DATABASE), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS peer, bare")
        # the file too: one that is kept already would not be kept again, which costs ours nothing
        connection.execute(
            "TRUNCATE registry.segment, registry.segment_version, registry.delivery, registry.delivered_file CASCADE"
        )
        connection.execute("CHECKPOINT")


def compare(segments: int, repeats: int) -> dict[str, Any]:
    """Run all three, interleaved, and return medians and ratios."""
    ways = {"ours": _ours, "to_postgis": _to_postgis, "server_copy": _server_copy}
    with (
        empty_registry(DATABASE) as settings,
        tempfile.TemporaryDirectory(dir="/var/tmp", prefix="digonce-bench-") as folder,
    ):
        home = settings.home
        Path(folder).chmod(0o777)
        census = write_census(segments, Path(folder) / "census.parquet")
        write_census(100, Path(folder) / "small.parquet", seed=2)
        _prepare_copy(home, census)
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
        for _ in range(repeats):
            for name, work in ways.items():
                runs[name].append(_run(work, home, census))
    medians = {name: statistics.median(run["seconds"] for run in found) for name, found in runs.items()}
    peaks = {name: max(run["grown_mb"] for run in found) for name, found in runs.items()}
    return {
        "segments": segments,
        "repeats": repeats,
        "median_seconds": {name: round(value, 2) for name, value in medians.items()},
        "memory_grown_mb": {name: round(value) for name, value in peaks.items()},
        "times_faster_than_to_postgis": round(medians["to_postgis"] / medians["ours"], 2),
        "times_the_time_of_server_copy": round(medians["ours"] / medians["server_copy"], 2),
        "share_of_memory_of_to_postgis": round(peaks["ours"] / peaks["to_postgis"], 2),
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(compare(options.segments, options.repeats), indent=1))


if __name__ == "__main__":
    main()
