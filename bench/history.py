"""What history costs: reading the past, a change report, accepting it and taking it back, each beside a plain peer.

Peers, in the same run: a plain table that holds only the rows of that past (for the read), and history kept by a
trigger for each row (for accepting). That trigger has a copy of our table with its indexes and constraints and does
what ours does: it ends what was known of a row and puts in what is known from now on. A client sends it the rows of the
delivery one by one, as a loader does to which only the trigger can say what has changed; our change report says that
before, and is timed by itself. Two kinder ways are measured too: a loop inside the server, without a client, and a
client that knows and sends the changed rows alone.
A census of which three rows in ten carry new ids, as a survey made anew (0.3 m), is measured without a peer.
The census of the second delivery differs from the first in a tenth of its rows, that of the third in another tenth.

Example: python -m bench.history --segments 100000
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import psycopg
import shapely
from psycopg import sql
from psycopg.rows import dict_row

from bench.census import make_census
from bench.registries import empty_registry
from registry.cluster import Cluster
from registry.db import connect
from registry.fields import fields
from registry.frames import to_frame
from registry.history.undo import undo_delivery
from registry.intake.merge import PLAIN_CLASSES
from registry.intake.review import Acceptance, accept_delivery
from registry.store import Registry, open_registry

DATABASE: Final = "bench_history"
DAY: Final = date(2026, 11, 1)
SQL: Final = Path(__file__).with_name("history.sql")
ROWS_SQL: Final = Path(__file__).with_name("history_rows.sql")


def changed(frame: gpd.GeoDataFrame, tenth: int) -> gpd.GeoDataFrame:
    """Return the census in which each tenth row has another remark and owner."""
    newer = frame.copy()
    mine = newer.index % 10 == tenth
    newer.loc[mine, "备注"] = f"复核 {tenth}"
    newer.loc[mine, "权属单位"] = "招远新燃气"
    return newer


def renumbered(frame: gpd.GeoDataFrame, seed: int = 1) -> gpd.GeoDataFrame:
    """Return the census surveyed anew: each vertex off by 0.3 m, and three rows in ten under ids of no meaning."""
    random = np.random.default_rng(seed)
    newer = frame.set_geometry(
        shapely.transform(frame.geometry.to_numpy(), lambda xy: xy + random.normal(0.0, 0.3, xy.shape)), crs=frame.crs
    )
    mine = random.random(len(newer)) < 0.3
    newer.loc[mine, "管段编号"] = np.char.add("NEU-", random.permutation(len(newer))[mine].astype(str))
    return newer


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that something takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def read_past(registry: Registry, instant: datetime) -> None:
    """Read the census of the second delivery out of the history of three."""
    assert len(registry.frame("segments", as_of=DAY, known_at=instant))


def read_plain(registry: Registry) -> None:
    """Read the same rows and columns from a plain table that holds nothing else."""
    assert registry.read(sql.SQL("SELECT * FROM plain_read ORDER BY segment_id")).num_rows


def read_plain_frame(registry: Registry) -> None:
    """Read them as far as our read goes: to a frame with shapes."""
    names = [name for name in fields()["segments"] if name != "geometry"]
    statement = sql.SQL("SELECT {}, geom::bytea AS geometry FROM plain_read ORDER BY segment_id").format(
        sql.SQL(", ").join(map(sql.Identifier, names))
    )
    assert len(to_frame(registry.read(statement), "segments", registry.srid))


def run_rowwise(connection: psycopg.Connection, tenth: int, *, is_changed_only: bool) -> float:
    """Send the rows of the second delivery one by one to the table that keeps history by a trigger."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute("SELECT * FROM rowwise ORDER BY segment_id").fetchall()
    for row in rows:
        if int(row["segment_id"].removeprefix("GAS-")) % 10 == tenth:
            row |= {"remark": f"复核 {tenth}", "owner": "招远新燃气"}
    sent = [row for row in rows if row["owner"] == "招远新燃气" or not is_changed_only]
    names = [name for name in rows[0] if name not in {"segment_id", "valid", "recorded", "delivery_id"}]
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in names]
    update = sql.SQL("UPDATE rowwise SET {} WHERE segment_id = %(segment_id)s").format(sql.SQL(", ").join(assignments))
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        started = time.perf_counter()
        for row in sent:
            cursor.execute(update, row)
        seconds = time.perf_counter() - started
        found = cursor.execute("SELECT count(*) FROM rowwise_version WHERE NOT upper_inf(recorded)").fetchall()
        assert found == [(len(rows) // 10,)], found
    return seconds


def loop_rowwise(connection: psycopg.Connection) -> float:
    """Update all rows of the second delivery in a loop inside the server, which spares the way from the client."""
    with connection.transaction(force_rollback=True):
        return timed(lambda: connection.execute("SELECT loop_rowwise('招远新燃气', '复核 1', 1)"))


def measure(registry: Registry, peer: psycopg.Connection, folder: Path, segments: int, repeats: int) -> dict[str, Any]:
    """Deliver three censuses and time what is asked of their history."""
    first = make_census(segments)
    paths = [folder / f"census{number}.parquet" for number in range(3)]
    for number, path in enumerate(paths):
        (first if number == 0 else changed(first if number == 1 else changed(first, 1), number)).to_parquet(path)
    registry.import_file("segments", paths[0], today=DAY)
    reporting = timed(lambda: registry.import_file("segments", paths[1], today=DAY))
    second = str(registry.deliveries()["delivery_id"].iloc[0])
    before = registry.state_hash()
    peer.execute(ROWS_SQL.read_bytes())
    rowwise = run_rowwise(peer, 1, is_changed_only=False)
    looped = loop_rowwise(peer)
    rowwise_changed = run_rowwise(peer, 1, is_changed_only=True)
    accepting = timed(lambda: accept_delivery(registry.connection, second, registry.srid))
    row = registry.connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    third = registry.import_file("segments", paths[2], today=DAY, is_accepted=True).delivery_id
    peer.execute(SQL.read_bytes())
    reads: dict[str, list[float]] = {"past": [], "plain": [], "frame": []}
    for _ in range(repeats):
        reads["past"].append(timed(lambda: read_past(registry, row[0])))
        reads["plain"].append(timed(lambda: read_plain(registry)))
        reads["frame"].append(timed(lambda: read_plain_frame(registry)))
    anew = measure_renumbering(registry, renumbered(changed(changed(first, 1), 2)), folder)
    undoing = timed(lambda: undo_delivery(registry.connection, second, "bench"))
    undo_delivery(registry.connection, third, "bench")
    assert registry.state_hash() == before
    past, plain, frame = (statistics.median(reads[name]) for name in ("past", "plain", "frame"))
    return {
        "segments": segments,
        "changed_rows": segments // 10,
        "seconds": {
            "change_report": round(reporting, 2),
            "accept": round(accepting, 2),
            "undo": round(undoing, 2),
            "read_past": round(past, 2),
            "read_plain": round(plain, 2),
            "read_plain_to_a_frame": round(frame, 2),
            "row_by_row": round(rowwise, 2),
            "row_by_row_in_the_server": round(looped, 2),
            "row_by_row_changed_rows_alone": round(rowwise_changed, 2),
            **anew.pop("seconds"),
        },
        "renumbered": anew,
        "times_the_time_of_a_plain_read": round(past / plain, 2),
        "times_the_time_of_a_plain_read_to_a_frame": round(past / frame, 2),
        "times_faster_than_row_by_row": round(rowwise / accepting, 1),
        "times_faster_than_row_by_row_in_the_server": round(looped / accepting, 1),
        "times_faster_than_row_by_row_changed_rows_alone": round(rowwise_changed / accepting, 1),
    }


def measure_renumbering(registry: Registry, frame: gpd.GeoDataFrame, folder: Path) -> dict[str, Any]:
    """Deliver a census under new ids and time its report, accepting it and taking it back."""
    path = folder / "renumbered.parquet"
    frame.to_parquet(path)
    before = registry.state_hash()
    reporting = timed(lambda: registry.import_file("segments", path, today=DAY))
    name = str(registry.deliveries()["delivery_id"].iloc[0])
    accepted: list[Acceptance] = []
    accepting = timed(lambda: accepted.append(accept_delivery(registry.connection, name, registry.srid, PLAIN_CLASSES)))
    undoing = timed(lambda: undo_delivery(registry.connection, name, "bench"))
    assert registry.state_hash() == before
    return {
        "seconds": {
            "change_report_of_30_percent_new_ids": round(reporting, 2),
            "accept_30_percent_new_ids": round(accepting, 2),
            "undo_30_percent_new_ids": round(undoing, 2),
        },
        **{name: accepted[0].counts[name] for name in ("renumbered", "split", "merged", "doubtful", "added", "gone")},
    }


def main() -> None:
    """Read the options, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--segments", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with (
        empty_registry(DATABASE) as settings,
        tempfile.TemporaryDirectory(prefix="digonce-bench-") as folder,
        open_registry(settings) as registry,
        # no role of the registry makes tables of its own
        connect(Cluster(settings.home).conninfo(DATABASE), is_autocommit=True) as peer,
    ):
        print(json.dumps(measure(registry, peer, Path(folder), options.segments, options.repeats), indent=1))


if __name__ == "__main__":
    main()
