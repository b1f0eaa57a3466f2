"""What goes into a registry comes out the same; runs are kept whole; two writers don't disturb each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.db import connect, conninfo
from registry.errors import NotFoundError
from registry.fields import check_frame, fields
from registry.frames import ewkb, to_arrow
from registry.kinds import KINDS
from registry.settings import Settings
from registry.store import Registry, open_registry
from tests.conftest import TODAY
from tests.registry.deliveries import segments, write

coordinate = st.floats(-1e7, 1e7, allow_nan=False).map(lambda value: round(value, 6))


@given(st.lists(st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=6), min_size=1, max_size=8))
def test_packed_lines_are_what_shapely_would_write(lines: list[list[tuple[float, float]]]) -> None:
    geometry = np.array([shapely.LineString(line) for line in lines], dtype=object)
    packed = ewkb(geometry, 4549).to_pylist()
    assert packed == list(shapely.to_wkb(shapely.set_srid(geometry, 4549), include_srid=True))


def test_other_shapes_are_packed_too() -> None:
    shapes = np.array([shapely.Point(1, 2), None, shapely.box(0, 0, 1, 1)], dtype=object)
    packed = ewkb(shapes, 4549)
    assert packed.null_count == 1
    assert shapely.from_wkb(packed[2].as_py()).equals(shapely.box(0, 0, 1, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_a_frame_of_its_contract_even_when_empty(registry: Registry, kind: str) -> None:
    frame = registry.frame(kind, as_of=TODAY)
    assert len(frame) == 0
    assert frame.index.name == KINDS[kind].id_column
    assert set(frame.columns) == set(fields()[kind]) - {KINDS[kind].id_column}
    assert isinstance(frame, gpd.GeoDataFrame) == (KINDS[kind].geometry_dtype is not None)
    check_frame(frame, kind)


def test_frames_are_read_by_one_connection_that_holds_nothing_and_ends(settings: Settings, tmp_path: Path) -> None:
    """What it reads is what others have committed by then, and it keeps nobody from changing a table."""
    others = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connect(conninfo(settings), is_autocommit=True) as watch:
        with open_registry(settings) as registry, open_registry(settings) as writer:
            assert registry.frame("segments", as_of=TODAY).empty
            before = watch.execute(others).fetchall()
            writer.import_file("segments", write(segments(3), tmp_path / "census.gpkg"), today=TODAY)
            assert len(registry.frame("segments", as_of=TODAY)) == 3
            registry.frame("leaks", as_of=TODAY)
            assert watch.execute(others).fetchall() == before == [("idle",)] * 3
            with watch.transaction():
                watch.execute("LOCK TABLE registry.segment_version IN ACCESS EXCLUSIVE MODE NOWAIT")
        deadline = time.monotonic() + 20
        while watch.execute(others).fetchall() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert watch.execute(others).fetchall() == []


def test_rows_come_in_the_order_of_their_ids_byte_by_byte(registry: Registry, tmp_path: Path) -> None:
    ids = ["管-2", "b", "GAS-10", "管-10", "a", "GAS-9"]
    registry.import_file("segments", write(segments(6, 管段编号=ids), tmp_path / "census.gpkg"), today=TODAY)
    frame = registry.frame("segments", as_of=TODAY)
    assert list(frame.index) == sorted(ids, key=str.encode)
    assert list(frame.geometry) == list(frame.geometry.loc[sorted(ids, key=str.encode)])


def test_only_the_wanted_columns_come(registry: Registry, tmp_path: Path) -> None:
    registry.import_file("segments", write(segments(2), tmp_path / "census.gpkg"), today=TODAY)
    frame = registry.frame("segments", ["material", "length_m", "material"], as_of=TODAY)
    assert list(frame.columns) == ["material", "length_m"]
    with pytest.raises(NotFoundError):
        registry.frame("segments", ["colour"])


def scores() -> pd.DataFrame:
    columns: dict[str, object] = {}
    for name, field in fields()["scores"].items():
        if field.role == "index":
            continue
        match field.dtype:
            case "text":
                columns[name] = {"policy_class": "mandatory", "grade": "high"}.get(name, "GCI")
            case "boolean":
                columns[name] = pd.array([True, False], dtype="boolean")
            case "integer":
                columns[name] = pd.array([1, 2], dtype="Int64")
            case _:
                columns[name] = [0.25, 1.0 / 3.0]
    frame = pd.DataFrame(columns, index=pd.Index(["A", "B"], name="segment_id"))
    return frame.astype({n: "str" for n, f in fields()["scores"].items() if f.dtype == "text" and f.role != "index"})


def test_a_saved_run_comes_back_whole(registry: Registry) -> None:
    made = scores()
    made.loc["B", "age_years"] = np.nan
    policy = {"id": "默认", "weights": {"age": 1.5}}
    run_id = registry.save_run(
        "score",
        "meeting",
        {"scores": made},
        policy=policy,
        summary={"km": 1.25},
        as_of=TODAY,
        known_at=datetime(2026, 10, 1, tzinfo=UTC),
    )
    saved = registry.load_run("score", "meeting")
    assert (saved.run_id, saved.as_of, saved.policy, saved.summary) == (run_id, TODAY, policy, {"km": 1.25})
    assert saved.known_at == datetime(2026, 10, 1, tzinfo=UTC)
    pd.testing.assert_frame_equal(saved.frames["scores"], made, check_like=True, check_index_type=False)
    assert saved.frames["batches"].empty


def test_a_run_of_the_same_name_is_replaced_and_others_stay(registry: Registry) -> None:
    def save(name: str | None, km: float) -> None:
        registry.save_run("score", name, {"scores": scores()}, policy={}, summary={"km": km}, as_of=TODAY)

    for name, km in (("a", 1.0), ("b", 2.0), (None, 3.0), ("a", 4.0), (None, 5.0)):
        save(name, km)
    assert len(registry.runs()) == 3
    assert registry.load_run("score", "a").summary == {"km": 4.0}
    assert registry.load_run("score", "b").summary == {"km": 2.0}
    assert registry.load_run("score").summary == {"km": 5.0}
    count = registry.connection.execute("SELECT count(*) FROM registry.run_scores").fetchone()
    assert count == (6,)


def test_a_run_that_was_never_made_is_asked_for_politely(registry: Registry) -> None:
    with pytest.raises(NotFoundError, match="digonce plan"):
        registry.load_run("plan")
    with pytest.raises(NotFoundError, match="spring"):
        registry.load_run("plan", "spring")


def test_the_version_rises_once_with_every_write(registry: Registry, tmp_path: Path) -> None:
    first = registry.version
    registry.import_file("segments", write(segments(2), tmp_path / "census.gpkg"), today=TODAY)
    registry.save_run("score", None, {"scores": scores()}, policy={}, summary={}, as_of=TODAY)
    assert registry.version == first + 2


def test_two_who_deliver_the_same_file_at_once_write_it_once(settings: Settings, tmp_path: Path) -> None:
    path = write(segments(200), tmp_path / "census.gpkg")
    barrier = threading.Barrier(2)
    outcomes: list[str] = []

    def deliver() -> None:
        with open_registry(settings) as registry:
            barrier.wait()
            try:
                receipt = registry.import_file("segments", path, today=TODAY)
                outcomes.append("repeat" if receipt.is_repeat else "written")
            except Exception as fault:
                outcomes.append(type(fault).__name__)

    threads = [threading.Thread(target=deliver) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with open_registry(settings) as registry:
        assert registry.counts()["segments"] == 200
        assert len(registry.deliveries()) == 1
    assert sorted(outcomes) == ["repeat", "written"]


_KILLED_IMPORT = """
import os, signal, sys
from datetime import date
from pathlib import Path
from registry.settings import Settings
from registry.store import open_registry
from registry.errors import DigonceError
home, name, path, step = sys.argv[1:]

def report(at, done, total):
    if at == step and done:
        os.kill(os.getpid(), signal.SIGKILL)

with open_registry(Settings(Path(home), name, None, "tester", "en")) as registry:
    registry.import_file("segments", Path(path), today=date(2026, 11, 1), report=report)
"""


@pytest.mark.parametrize("step", ["read", "write", "index"])
def test_a_client_killed_at_any_step_leaves_nothing_half_written(settings: Settings, tmp_path: Path, step: str) -> None:
    from bench.census import write_census

    path = write_census(25_000, tmp_path / "census.parquet")
    with open_registry(settings) as registry:
        before = (registry.state_hash(), without_files(registry))
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_IMPORT, str(settings.home), settings.registry, str(path), step],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    with open_registry(settings) as registry:
        if killed.returncode == 0:
            pytest.fail(f"the import never reached {step}")
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        assert (registry.state_hash(), without_files(registry)) == before
        assert registry.import_file("segments", path, today=TODAY).accepted == 25_000


def without_files(registry: Registry) -> dict[str, int]:
    """Rows of every table but that of the delivered files, which are kept first and swept with the next delivery."""
    return {name: count for name, count in registry.row_counts().items() if name != "delivered_file"}


def test_arrow_keeps_what_pandas_had() -> None:
    made = scores()
    table = to_arrow(made, fields()["scores"])
    assert table.column("segment_id").to_pylist() == ["A", "B"]
    assert table.column("has_hazard").to_pylist() == [True, False]
    assert table.column("likelihood_per_km_year").to_pylist() == [0.25, 1.0 / 3.0]


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["钢", "PE", "灰口铸铁", "不明", None]),
            st.one_of(st.none(), st.floats(10, 4000)),
            st.one_of(st.none(), st.dates(date(1950, 1, 1), TODAY)),
            st.text(
                st.characters(codec="utf-8", exclude_characters="\x00\r\n", exclude_categories=["Cs", "Cc"]),
                max_size=12,
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_values_survive_the_way_in_and_out(
    registry: Registry,
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str | None, float | None, date | None, str]],
) -> None:
    registry.connection.execute("TRUNCATE registry.segment, registry.segment_version")
    count = len(rows)
    delivered = segments(
        count,
        管材=[row[0] for row in rows],
        管径=[row[1] for row in rows],
        评估日期=pd.Series([row[2] for row in rows], dtype="datetime64[s]"),
        备注=[row[3] for row in rows],
    )
    path = tmp_path_factory.mktemp("in") / "census.parquet"
    delivered.to_parquet(path)
    receipt = registry.import_file("segments", path, today=TODAY)
    if receipt.is_repeat:
        return
    assert receipt.accepted == count
    stored = registry.frame("segments", as_of=TODAY)
    for number, (_, diameter, day, remark) in enumerate(rows):
        row = stored.loc[f"GAS-{number}"]
        assert (pd.isna(row["diameter_mm"]) and diameter is None) or row["diameter_mm"] == diameter
        assert (pd.isna(row["assessed_on"]) and day is None) or row["assessed_on"].date() == day
        kept = remark.strip()
        blanks = {"", "-", "--", "/", "\\", "null", "none", "nan", "n/a", "na"}
        assert pd.isna(row["remark"]) if kept.lower() in blanks else row["remark"] == kept
