"""Pairs of segments and projects from PostGIS to a table in PostGIS, and following one changed project.

In turn: digonce (narrow columns by Arrow, compiled clipping, binary COPY into the live pairs), plain PostGIS SQL
(`overlap_peer.sql`, serial and with the parallel workers of the server), and the geopandas round trip (read_postgis of
id and geometry, overlay, to_sql). All must find the same pairs. Then roads get pavements, single projects and pavements
are moved, and what it takes to follow each is measured; in the end the live pairs must equal a full computation.

Example: python -m bench.overlap_database --segments 100000
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from bench.overlap import Ground, make_ground, pair_lengths, run_overlay
from bench.registries import empty_registry
from planner.cli_live import follow_live_pairs, recompute_live_pairs
from planner.policy import read_policy
from registry.pairs import read_live_pairs
from registry.store import Registry, open_registry

DATABASE: Final = "bench_overlap"
DAY: Final = date(2026, 11, 1)
KINDS: Final = {"road_overhaul": "道路大修", "old_residential": "老旧小区改造"}
PEER: Final = Path(__file__).with_name("overlap_peer.sql")


def deliver(registry: Registry, ground: Ground, folder: Path) -> None:
    """Bring segments and projects in as a survey and a programme."""
    segments = ground.segments.reset_index(names="管段编号").assign(
        介质="燃气", 管材="钢", 管径="DN200", 建设年代="1995"
    )
    segments.to_parquet(folder / "segments.parquet")
    registry.import_file("segments", folder / "segments.parquet", today=DAY, is_accepted=True)
    programme(ground.projects).to_parquet(folder / "projects.parquet")
    receipt = registry.import_file("projects", folder / "projects.parquet", today=DAY, is_accepted=True)
    if receipt.held:
        message = f"{receipt.held} projects were held back"
        raise RuntimeError(message)


def programme(projects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return projects under the headings of a programme."""
    named = projects.assign(kind=projects["kind"].map(KINDS)).reset_index(names="工程编号")
    named["道路名称"] = named["工程编号"] + "路"
    return named.rename(columns={"name": "工程名称", "kind": "工程类别"})


def pavements(projects: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a pavement of 24 m under every road of the programme, each a street of its own."""
    roads = projects[projects.geom_type == "LineString"]
    rows = {"路面编号": "LM-" + roads.index, "道路名称": roads.index + "路"}
    return gpd.GeoDataFrame(rows, geometry=roads.buffer(12.0, cap_style="flat").array, crs=projects.crs)


def run_digonce(registry: Registry) -> None:
    """Compute the live pairs in full."""
    recompute_live_pairs(registry, read_policy(), DAY)


def run_sql(workers: int) -> Callable[[Registry], None]:
    """Return plain SQL with so many parallel workers."""

    def run(registry: Registry) -> None:
        registry.connection.execute("SET jit = off")
        registry.connection.execute("SELECT set_config('max_parallel_workers_per_gather', %s, false)", [str(workers)])
        registry.connection.execute(PEER.read_bytes())

    return run


def run_geopandas(registry: Registry) -> None:
    """Read, overlay and write as geopandas users do; id and geometry only."""
    import sqlalchemy

    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: _connect(registry))
    read = "SELECT {0}_id, {1} geom AS geometry FROM registry_app.{0}s"
    segments = gpd.read_postgis(read.format("segment", ""), engine, geom_col="geometry", index_col="segment_id")
    projects = gpd.read_postgis(read.format("project", "kind,"), engine, geom_col="geometry", index_col="project_id")
    pairs = run_overlay(Ground(segments, projects))
    pairs.to_sql("peer_geopandas", engine, index=False)
    engine.dispose()


def _connect(registry: Registry) -> object:
    """Return a connection whose new tables are temporary."""
    import psycopg

    connection = psycopg.connect(registry.info)
    connection.execute("SET search_path = pg_temp, public")
    connection.commit()
    return connection


def compare(registry: Registry, ground: Ground, repeats: int) -> None:
    """Run all ways in turn; print medians, ratios and whether the pairs agree."""
    runs: dict[str, Callable[[Registry], None]] = {
        "digonce": run_digonce,
        "peer: PostGIS SQL, serial": run_sql(0),
        "peer: PostGIS SQL, 2 workers": run_sql(2),
    }
    with suppress(ImportError):
        runs["peer: geopandas round trip"] = run_geopandas
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run(registry)
    for _repeat in range(repeats):
        for name, run in runs.items():
            began = time.perf_counter()
            run(registry)
            times[name].append(time.perf_counter() - began)
    ours = statistics.median(times["digonce"])
    for name, found in times.items():
        print(f"  {name:32s} {statistics.median(found):8.3f} s  {statistics.median(found) / ours:6.1f} x digonce")
    keys = ["segment_id", "project_id"]
    live = read_live_pairs(registry).set_index(keys)["overlap_m"]
    rows = registry.connection.execute("SELECT segment_id, project_id, overlap_m FROM peer_pair").fetchall()
    peer = pd.DataFrame(rows, columns=[*keys, "m"]).set_index(keys)["m"]
    memory = pair_lengths(ground)
    for name, other in (("PostGIS SQL", peer), ("find_overlaps", memory)):
        difference = live.sub(other[other > 1e-6], fill_value=0.0).abs().max()
        print(f"  {len(live):,} pairs, largest difference from {name} {difference:.1e} m")


def follow(registry: Registry, ground: Ground, folder: Path, changes: int) -> None:
    """Move single projects, then single pavements, follow each, and compare with a full computation."""
    dice = np.random.default_rng(7)
    policy = read_policy()
    paved = pavements(ground.projects)
    paved.to_parquet(folder / "pavements.parquet")
    registry.import_file("pavements", folder / "pavements.parquet", today=DAY, is_accepted=True)
    registry.connection.execute("VACUUM (ANALYZE) registry.pavement_version")
    recompute_live_pairs(registry, policy, DAY)
    for kind, rows in (("projects", programme(ground.projects)), ("pavements", paved)):
        seconds: list[float] = []
        for number in range(changes):
            one = rows.iloc[[int(dice.integers(len(rows)))]]
            path = folder / f"{kind}-{number}.parquet"
            one.set_geometry(one.geometry.translate(*dice.normal(0, 20, 2))).to_parquet(path)
            registry.import_file(kind, path, today=DAY, is_accepted=True)
            began = time.perf_counter()
            follow_live_pairs(registry, policy, DAY)
            seconds.append(time.perf_counter() - began)
        milliseconds = np.percentile(np.array(seconds) * 1000.0, [50, 95, 100])
        print("  one of the {} changed: median {:.1f} ms, p95 {:.1f} ms, most {:.1f} ms".format(kind, *milliseconds))
    followed = read_live_pairs(registry)
    recompute_live_pairs(registry, policy, DAY)
    full = read_live_pairs(registry)
    same = followed[["segment_id", "project_id"]].equals(full[["segment_id", "project_id"]])
    difference = (followed["overlap_m"] - full["overlap_m"]).abs().max() if same else np.nan
    print(f"  followed and full are the same {len(full):,} pairs: {same}, largest difference {difference:.1e} m")


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--changes", type=int, default=40)
    options = parser.parse_args()
    ground = make_ground(options.segments)
    print(f"overlap in the database: {len(ground.segments):,} segments, {len(ground.projects):,} projects")
    with (
        tempfile.TemporaryDirectory() as folder,
        empty_registry(DATABASE) as settings,
        open_registry(settings) as registry,
    ):
        deliver(registry, ground, Path(folder))
        registry.connection.execute("VACUUM (ANALYZE) registry.segment_version, registry.project_version")
        compare(registry, ground, options.repeats)
        follow(registry, ground, Path(folder), options.changes)


if __name__ == "__main__":
    main()
