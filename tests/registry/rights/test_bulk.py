"""An editor's import, by way of a temporary table, gives what the owner's gives by COPY into the table itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from registry.db import connect
from registry.intake import promote
from registry.rights.acting import is_owner
from registry.settings import Settings
from registry.store import open_registry
from tests.conftest import TODAY
from tests.registry.deliveries import leaks_csv, write
from tests.registry.rights.conftest import as_login, census


@pytest.mark.parametrize("valid_from", [None, date(2020, 5, 1)])
@pytest.mark.parametrize("retired", [None, "2022-03-01"])
def test_an_editor_and_the_owner_make_the_same_registry(
    empty_city: Settings, another: Settings, tmp_path: Path, valid_from: date | None, retired: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(promote, "_BULK_ROWS", 3)
    path = write(census(停用日期=[None, retired, None] * 3), tmp_path / "census.gpkg")
    newer = write(census().assign(管材="PE100").drop(index=4), tmp_path / "newer.gpkg")
    leak = {"漏点编号": "L1", "发现日期": "2020-01-02", "泄漏部位": "干管", "X坐标": 4_137_000.0, "Y坐标": 535_010.0}
    leaks = leaks_csv(tmp_path / "leaks.csv", [leak])
    hashes = []
    for settings in (another, as_login(empty_city, "t_editor")):
        with open_registry(settings) as registry:
            assert is_owner(registry.connection, "segment_version") == (settings is another)
            registry.import_file("segments", path, today=TODAY, valid_from=valid_from)
            registry.import_file("leaks", leaks, today=TODAY, valid_from=valid_from)
            first = registry.state_hash()
            registry.import_file("segments", newer, today=TODAY, is_accepted=True)
            hashes.append((first, registry.state_hash()))
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == 2


def test_an_admin_takes_the_fast_way(empty_city: Settings) -> None:
    """Policies are not forced on who owns the tables: only so may a census be loaded by COPY."""
    with open_registry(as_login(empty_city, "t_admin")) as registry:
        assert registry.acting.role == "admin"
        assert is_owner(registry.connection, "segment_version")
        rows = registry.connection.execute("SELECT row_security_active('registry.segment_version')").fetchall()
    assert rows == [(False,)]
    with connect(str(as_login(empty_city, "t_editor").dsn)) as connection:
        rows = connection.execute("SELECT row_security_active('registry.segment_version')").fetchall()
    assert rows == [(True,)]
