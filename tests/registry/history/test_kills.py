"""Kill -9 of client or server inside an import, an accept or an undo: nothing half-done, nothing lost, do it again."""

from __future__ import annotations

import random
import sys
from collections.abc import Generator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, LiteralString

import geopandas as gpd
import pandas as pd
import pytest

from bench.census import make_census
from registry.lifecycle import initialise
from registry.settings import Settings
from tests.registry.cluster.conftest import roomy_folder
from tests.registry.history.kills import (
    VICTIMS,
    Facts,
    Nursery,
    Phase,
    Seen,
    Server,
    end_session,
    held,
    watched,
)

SEEDS: Final = 54
ROWS, MANY_ROWS = 1_000, 20_000
NEW_ID = f"GAS-{ROWS + 5}"
DAY: Final = ("--received-on", "2026-11-01")
_ROW: Final = (
    "INSERT INTO registry.segment_version (segment_id, medium, geom, delivery_id) VALUES (%(id)s, 'gas', "
    "ST_GeomFromText('LINESTRING (0 0, 1 1)', 4549), 'another')"
)
_VERSION: Final = "SELECT FROM registry.segment_version WHERE segment_id = %(id)s AND upper_inf(recorded) FOR UPDATE"
_RECORD: Final = "SELECT FROM registry.delivery WHERE action = 'import' ORDER BY received_at DESC LIMIT 1 FOR UPDATE"
_COPIES: Final = "SELECT %s::text, EXISTS (SELECT FROM pg_stat_progress_copy WHERE tuples_processed > 5000 AND %s = 0)"
_INDEXES: Final = "SELECT %s::text, EXISTS (SELECT FROM pg_stat_progress_create_index WHERE %s = 0)"
_COMMITS: Final = "SELECT %s::text, EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND %s = 0)"
_LOCKS: Final[dict[str, LiteralString]] = {
    "names the objects": "LOCK TABLE registry.segment IN SHARE MODE",
    "keeps the report": "LOCK TABLE registry.change IN SHARE MODE",
    "notes the delivery": "LOCK TABLE registry.delivery IN SHARE MODE",
    "keeps the file": "LOCK TABLE registry.delivered_file IN SHARE MODE",
    "takes lineage back": "LOCK TABLE registry.segment_lineage IN SHARE MODE",
    "ends the transaction": "LOCK TABLE registry.info IN SHARE MODE",
}
_WRITES: Final[tuple[tuple[str, LiteralString, dict[str, str]], ...]] = (
    ("closes a version", _VERSION, {"id": "GAS-30"}),
    ("puts a version in", _ROW, {"id": NEW_ID}),
)


def _locked(verb: str, *names: str) -> list[Phase]:
    return [Phase(verb, name, _LOCKS[name]) for name in names]


PHASES: Final = [
    Phase("import", "sends a row", _ROW, parameters={"id": f"GAS-{ROWS // 2}"}),
    *_locked("import", "names the objects", "notes the delivery", "keeps the file", "ends the transaction"),
    Phase("bulk", "sends rows", seen=_COPIES),
    Phase("bulk", "builds indexes", seen=_INDEXES),
    *_locked("bulk", "notes the delivery", "keeps the file", "ends the transaction"),
    *_locked("review", "notes the delivery", "keeps the report", "keeps the file", "ends the transaction"),
    *[Phase("merge", name, hold, parameters=parameters) for name, hold, parameters in _WRITES],
    *_locked("merge", "names the objects", "notes the delivery", "ends the transaction"),
    *[Phase("accept", name, hold, parameters=parameters) for name, hold, parameters in _WRITES],
    *_locked("accept", "names the objects", "notes the delivery", "ends the transaction"),
    Phase("undo", "closes a version", _VERSION, parameters={"id": "GAS-30"}),
    Phase("undo", "marks the delivery", _RECORD),
    *_locked("undo", "takes lineage back", "notes the delivery", "ends the transaction"),
]


@dataclass(frozen=True)
class Stage:
    """A verb with the registry that it starts from and what an undisturbed run makes of it."""

    template: str
    arguments: tuple[str, ...]
    before: Facts
    after: Facts


@dataclass(frozen=True)
class Theatre:
    """Server, clients, and all stages."""

    server: Server
    nursery: Nursery
    stages: dict[str, Stage]


def later(census: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the census with a tenth of other owners, some rows gone and some new."""
    newer = census.copy()
    newer.loc[newer.index % 10 == 0, "权属单位"] = "招远新燃气"
    added = census.iloc[:10].copy()
    added["管段编号"] = [f"GAS-{len(census) + number}" for number in range(10)]
    added = added.set_geometry(added.geometry.translate(3.0, 3.0))
    return gpd.GeoDataFrame(pd.concat([newer.drop(index=range(41, 49)), added], ignore_index=True), crs=census.crs)


@pytest.fixture(scope="module")
def theatre() -> Generator[Theatre]:
    """A server with the settings of a real one, the stages, and what each verb makes of them undisturbed."""
    with roomy_folder() as folder:
        server = Server(folder / "home")
        nursery = Nursery(folder / "home", folder)
        try:
            yield Theatre(server, nursery, _set_stages(server, nursery, folder))
        finally:
            nursery.close()
            server.cluster.down()


def _set_stages(server: Server, nursery: Nursery, folder: Path) -> dict[str, Stage]:
    files = {name: folder / f"{name}.parquet" for name in ("first", "second", "many")}
    census = make_census(ROWS)
    census.to_parquet(files["first"])
    later(census).to_parquet(files["second"])
    make_census(MANY_ROWS).to_parquet(files["many"])
    initialise(Settings(folder / "home", "empty", None, "tester", "en"), crs="EPSG:4549", city="招远")

    def taken(file: str) -> tuple[str, ...]:
        return ("import", "segments", str(files[file]), *DAY)

    stages: dict[str, Stage] = {}

    def stage(verb: str, template: str, *arguments: str) -> None:
        before, done = server.facts(template), f"done_{verb}"
        server.clone(template, done)
        code, said = nursery.run(*arguments, "--registry", done)
        assert code == 0, said
        stages[verb] = Stage(template, arguments, before, server.facts(done))

    stage("import", "empty", *taken("first"))
    stage("bulk", "empty", *taken("many"))
    stage("review", "done_import", *taken("second"))
    stage("merge", "done_import", *taken("second"), "--accept")
    with server.connect("done_review") as connection:
        (waiting,) = connection.execute(_RECORD.replace("FROM", "delivery_id FROM", 1).encode()).fetchone() or ("",)
    stage("accept", "done_review", "accept", waiting, "--gone")
    stage("undo", "done_accept", "undo", waiting)
    return stages


@dataclass(frozen=True)
class Case:
    """One kill: where, whom, and how long after the phase is seen."""

    seed: int
    phase: Phase
    victim: str
    delay_s: float


def _cases() -> list[Case]:
    dice = random.Random(2026)  # noqa: S311 - the same kills in every run
    chosen = dice.sample(list(product(PHASES, VICTIMS)), SEEDS)
    return [Case(seed, phase, victim, dice.uniform(0, 0.01)) for seed, (phase, victim) in enumerate(chosen)]


def _named(case: Case) -> str:
    return f"{case.seed}-{case.phase.verb}-{case.phase.name}-{case.victim}".replace(" ", "_")


def tell(phase: Phase, victim: str, seen: Seen) -> None:
    """Say what the kill falls into: the writing transaction as the server sees it."""
    sys.stdout.write(f"{phase}; killed: {victim}; transaction {seen.xid} {seen.state} ({seen.wait}): {seen.query}\n")


@pytest.mark.slow
@pytest.mark.parametrize("case", _cases(), ids=_named)
def test_a_kill_inside_a_transaction_leaves_nothing_of_it(theatre: Theatre, case: Case) -> None:
    server, nursery, stage = theatre.server, theatre.nursery, theatre.stages[case.phase.verb]
    database = f"case_{case.seed}"
    server.clone(stage.template, database)
    arguments = (*stage.arguments, "--registry", database)
    with held(server, database, case.phase) as holder:
        client = nursery.start(*arguments)
        seen = watched(server, database, case.phase, holder, client, case.delay_s)
        tell(case.phase, case.victim, seen)
        assert not seen.query.upper().startswith("COMMIT")
        VICTIMS[case.victim](server, client, seen)
    code, said = nursery.finish()
    server.up()
    server.wait_alone(database)
    if case.victim == "client":
        assert code == -9
    else:
        assert (code, "connection to the database was lost" in said) == (1, True), said
    left = server.facts(database)
    # a file that was kept beside is swept by the next delivery
    assert left | {"files": 0} == stage.before | {"files": 0}
    code, said = nursery.run(*arguments)
    assert code == 0, said
    assert server.facts(database) == stage.after
    server.drop(database)


@pytest.fixture(scope="module")
def patient(theatre: Theatre) -> Generator[Theatre]:
    """The same server where a commit, once it is on the disk, waits for a standby that never comes."""
    theatre.server.settle(wal_level="replica", max_wal_senders="1")
    theatre.server.restart()
    yield theatre
    theatre.server.settle(wal_level=None, max_wal_senders=None)
    theatre.server.restart()


@pytest.mark.slow
@pytest.mark.parametrize("victim", [*VICTIMS, "connection"])
@pytest.mark.parametrize("verb", ["import", "accept", "undo"])
def test_a_commit_without_an_answer_is_there_and_is_found(patient: Theatre, verb: str, victim: str) -> None:
    server, nursery, stage = patient.server, patient.nursery, patient.stages[verb]
    database, phase = f"commit_{verb}_{victim}", Phase(verb, "commits", seen=_COMMITS)
    server.clone(stage.template, database)
    arguments = (*stage.arguments, "--registry", database)
    server.settle(synchronous_standby_names="nobody")
    client = nursery.start(*arguments)
    seen = watched(server, database, phase, 0, client, 0.0)
    tell(phase, victim, seen)
    assert (seen.query, seen.wait) == ("COMMIT", "IPC/SyncRep")
    (VICTIMS | {"connection": end_session})[victim](server, client, seen)
    if victim == "client":
        server.settle(synchronous_standby_names=None)
    code, said = nursery.finish()
    server.up()
    server.settle(synchronous_standby_names=None)
    server.wait_alone(database)
    # where a server is there to ask, the client finds what it has written; else it says to do it again
    assert code == {"client": -9, "server": 1}.get(victim, 0), said
    assert server.facts(database) == stage.after
    code, said = nursery.run(*arguments)
    assert code == (0 if verb == "import" else 1), said
    assert server.facts(database) == stage.after
    server.drop(database)
