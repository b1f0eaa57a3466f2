"""A back-test uses what the registry had recorded by each cut-off: no later correction, no late leak."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from typer.testing import Result

from maps.model_card import model_card
from planner.cli_job import Job
from planner.cli_pasts import panel_at, read_history, recorded_since
from planner.forecast.panel import Panel
from planner.policy import read_policy
from registry.city import make_city
from registry.city.delivery import write_city
from registry.console import Session
from registry.settings import Settings
from registry.store import SavedRun, open_registry

AS_OF = date(2026, 11, 1)
ZONE = ZoneInfo("Asia/Shanghai")
VERB = ("backtest", "--from", "2022", "--to", "2024", "--models", "age", "--as-of", str(AS_OF), "--lang", "zh")
SAID = {"zh": ("2022 年初作出", "2023-2024 年初作出"), "en": ("start of 2022:", "start of 2023-2024:")}
# the day on which each thing was told to the registry, by kind and action
DELIVERED = {
    ("segments", "import"): datetime(2022, 3, 1, tzinfo=ZONE),
    ("leaks", "import"): datetime(2022, 3, 2, tzinfo=ZONE),
}
CORRECTED = {
    ("segments", "correct"): datetime(2023, 6, 1, tzinfo=ZONE),
    ("leaks", "import"): datetime(2023, 6, 2, tzinfo=ZONE),
    ("segments", "split"): datetime(2025, 2, 1, tzinfo=ZONE),
    ("segments", "retire"): datetime(2025, 3, 1, tzinfo=ZONE),
}
_RECORDED = """
UPDATE registry.{table} AS v SET recorded = tstzrange(
    coalesce((SELECT m.new FROM moved AS m WHERE m.old = lower(v.recorded)), lower(v.recorded)),
    coalesce((SELECT m.new FROM moved AS m WHERE m.old = upper(v.recorded)), upper(v.recorded))
)
"""


@pytest.fixture(scope="module")
def deliveries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("city")
    write_city(make_city(600, 3), folder)
    return folder


@pytest.fixture
def census(digonce: Callable[..., Result], deliveries: Path, settings: Settings) -> Callable[..., Result]:
    """A registry that was told of its pipes and leaks early in 2022."""
    for kind, name in {"segments": "segments.gpkg", "leaks": "leaks.csv"}.items():
        took = digonce("import", kind, deliveries / name, "--crs", "EPSG:4549")
        assert took.exit_code == 0, took.output
    date_back(settings, DELIVERED)
    return digonce


def date_back(settings: Settings, instants: dict[tuple[str, str], datetime]) -> None:
    """Let the deliveries of today have been written at other instants, one of each kind and action."""
    with open_registry(settings) as registry, registry.connection.transaction():
        execute = registry.connection.execute
        execute("CREATE TEMPORARY TABLE moved (old timestamptz, new timestamptz) ON COMMIT DROP")
        for (kind, action), instant in instants.items():
            execute(
                "INSERT INTO moved SELECT applied_at, %s FROM registry.delivery"
                " WHERE kind = %s AND action = %s AND applied_at > '2026-01-01'",
                [instant, kind, action],
            )
        assert execute("SELECT count(*) FROM moved").fetchone() == (len(instants),)
        # rows move one by one, and half-way two versions of a segment may overlap
        execute("ALTER TABLE registry.segment_version DROP CONSTRAINT IF EXISTS segment_past_versions_do_not_overlap")
        for table in ("segment_version", "leak_version", "segment_lineage"):
            execute(_RECORDED.format(table=table).encode())
        execute("UPDATE registry.delivery AS d SET applied_at = m.new FROM moved AS m WHERE m.old = d.applied_at")


def old_pipes(settings: Settings) -> tuple[str, str, str]:
    """An old steel pipe of which no leak is on record, its place as northing and easting, and another such pipe."""
    with open_registry(settings) as registry:
        segments = registry.frame("segments", as_of=AS_OF)
        leaks = registry.frame("leaks", as_of=AS_OF)
    old = segments[(segments["material"] == "steel") & (segments["installed_year_max"] < 2000)]
    chosen = old[~old.index.isin(leaks["segment_id"])]
    place = chosen.geometry.iloc[0].interpolate(0.5, normalized=True)
    return str(chosen.index[0]), f"{place.y:.3f},{place.x:.3f}", str(chosen["length_m"].iloc[1:].idxmax())


def mend(digonce: Callable[..., Result], settings: Settings, folder: Path) -> str:
    """Years later the pipe turns out to be of grey iron, to have leaked in 2019, and to have been taken out since.

    Another pipe is split, which makes no difference to what was known of it.
    """
    pipe, place, other = old_pipes(settings)
    late = folder / "late.csv"
    late.write_text(f"leak_id,leaked_on,medium,cause,segment_id,X,Y\nLATE-1,2019-06-01,gas,corrosion,{pipe},{place}\n")
    for words in (
        ("correct", pipe, "material=grey_iron", "--source", "trial pit"),
        ("import", "leaks", late, "--crs", "EPSG:4549"),
        ("split", other, "--at", "10", "--on", "2024-06-01", "--reason", "new tee"),
        ("retire", pipe, "--on", "2024-02-01", "--reason", "abandoned"),
    ):
        done = digonce(*words)
        assert done.exit_code == 0, (words, done.output)
    date_back(settings, CORRECTED)
    return pipe


@contextmanager
def job_on(settings: Settings) -> Generator[Job]:
    session = Session(settings, is_json=True)
    with open_registry(settings) as registry, session.progress() as bars:
        yield Job(session, registry, read_policy(), AS_OF, None, bars)


def of_pipe(panel: Panel | None, pipe: str, year: int) -> tuple[str, float, float]:
    """What a panel holds of a pipe: its material, its leaks, and the share of a year in the ground."""
    assert panel is not None
    row, column = panel.segments.index.get_loc(pipe), year - panel.years.start
    assert isinstance(row, int)
    share = panel.km_years[row, column] / panel.segments["length_m"].iloc[row] * 1000.0
    return str(panel.segments["material"].iloc[row]), float(panel.leaks[row].sum()), round(float(share), 2)


def test_each_cut_off_holds_what_was_recorded_by_then(
    census: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    pipe = mend(census, settings, tmp_path)
    with job_on(settings) as job:
        assert recorded_since(job.registry) == DELIVERED["leaks", "import"]
        known = panel_at(job)
        # the first delivery came in March 2022
        assert [known(year) is None for year in (2021, 2022, 2023)] == [True, True, False]
        assert of_pipe(known(2023), pipe, 2022) == ("steel", 0.0, 1.0)
        # a year later the correction and the leak are known, and not yet that the pipe was taken out
        assert of_pipe(known(2025), pipe, 2024) == ("grey_iron", 1.0, 1.0)
        assert of_pipe(known(2026), pipe, 2024) == ("grey_iron", 1.0, 0.09)
        assert of_pipe(read_history(job, 2025).panel, pipe, 2024) == ("grey_iron", 1.0, 0.09)
        # what the person asks to forget stays forgotten
        earlier = replace(job, known_at=datetime(2023, 5, 1, tzinfo=UTC))
        assert of_pipe(panel_at(earlier)(2024), pipe, 2022)[:2] == ("steel", 0.0)


def test_a_correction_changes_no_forecast_made_before_it(
    census: Callable[..., Result], settings: Settings, tmp_path: Path
) -> None:
    before = back_tested(census, settings)
    mend(census, settings, tmp_path)
    after = back_tested(census, settings)
    # a year for which nothing was recorded yet is taken with the attributes of today, so it may move
    for table, keys in {"backtest_windows": ["model"], "backtest_materials": ["model", "material"]}.items():
        old, new = (run.frames[table].set_index(["year", *keys]).sort_index() for run in (before, after))
        pd.testing.assert_frame_equal(old.loc[[2023]], new.loc[[2023]])
        if table == "backtest_windows":
            assert new["gone_count"].sum() == 0
        for year in (2022, 2024):
            assert not old.loc[[year]].equals(new.loc[[year]]), (table, year)
    for language, kinds in SAID.items():
        page = model_card(after, "招远", language)
        assert [kind in page for kind in kinds] == [True, True]


def back_tested(digonce: Callable[..., Result], settings: Settings) -> SavedRun:
    """Run the verb; what it says and what it stores agree on which years were of which kind."""
    done = digonce(*VERB)
    assert done.exit_code == 0, done.output
    assert [kind in done.output for kind in SAID["zh"]] == [True, True]
    with open_registry(settings) as registry:
        run = registry.load_run("backtest")
    years = run.frames["backtest_windows"].groupby("knowledge")["year"].unique().map(sorted).to_dict()
    assert years == run.summary["knowledge"] == {"event_dates": [2022], "recorded": [2023, 2024]}
    return run


def test_a_registry_without_leaks_has_recorded_nothing_to_forecast_from(
    digonce: Callable[..., Result], deliveries: Path, settings: Settings
) -> None:
    assert digonce("import", "segments", deliveries / "segments.gpkg", "--crs", "EPSG:4549").exit_code == 0
    with job_on(settings) as job:
        assert recorded_since(job.registry) is None
        assert panel_at(job)(2030) is None
