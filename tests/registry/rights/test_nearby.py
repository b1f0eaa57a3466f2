"""Box and nearest use the spatial index for a reader too: policies alone would switch it off."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from registry.rights.roles import roles_in_use
from tests.registry.rights.conftest import EAST_GAS

_NEAREST: LiteralString = "SELECT * FROM registry_app.segments_nearest(535000, 4137000, 5, '2026-11-01', NULL)"
QUERIES: dict[str, LiteralString] = {
    "segment_version": "SELECT * FROM registry_app.segments_in_box(0, 0, 535100, 4137100, '2026-11-01', NULL)",
    "node_version": "SELECT * FROM registry_app.nodes_in_box(0, 0, 535100, 4137100, '2026-11-01', NULL)",
    "leak_version": "SELECT * FROM registry_app.leaks_in_box(0, 0, 535100, 4137100, '2026-11-01', NULL)",
    "project_version": "SELECT * FROM registry_app.projects_in_box(0, 0, 535100, 4137100, '2026-11-01', NULL)",
}
_PLACES: LiteralString = (
    "FROM generate_series(1, 20000) AS i CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint("
    "535000 + (i % 141) * 100, 4137000 + (i / 141) * 100), 4549) AS p, CASE WHEN i % 2 = 0 THEN '城东燃气' END AS owner"
    ") AS made"
)
_FILLED: dict[str, LiteralString] = {
    "segment_version": "(segment_id, medium, owner, geom) "
    "SELECT i, 'gas', owner, ST_MakeLine(p, ST_Translate(p, 9, 0)) ",
    "node_version": "(node_id, kind, owner, geom) SELECT i, 'x', owner, p ",
    "leak_version": "(leak_id, leaked_on, owner, geom) SELECT i, '2020-01-01', owner, p ",
    "project_version": "(project_id, name, kind, owner, geom) SELECT i, 'x', 'y', owner, ST_Multi(ST_Buffer(p, 9, 1)) ",
}


@pytest.fixture
def crowded(connection: psycopg.Connection) -> psycopg.Connection:
    """Many rows of two organisations, in a transaction that is rolled back, read as a reader of one."""
    connection.execute("LOAD 'auto_explain'")
    connection.execute("SELECT set_config('digonce.delivery', 'D', true)")
    for name, rows in _FILLED.items():
        table = sql.Identifier("registry", name)
        connection.execute(sql.SQL("INSERT INTO {} ").format(table) + sql.SQL(rows) + sql.SQL(_PLACES))
        connection.execute(sql.SQL("ANALYZE {}").format(table))
    connection.execute("SELECT set_config('digonce.organisation', %s, true)", [EAST_GAS])
    connection.execute("SET LOCAL auto_explain.log_min_duration = 0")
    connection.execute("SET LOCAL auto_explain.log_nested_statements = on")
    connection.execute("SET LOCAL auto_explain.log_level = notice")
    connection.execute("SET LOCAL client_min_messages = notice")
    reader = roles_in_use(connection)["reader"]
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(reader)))
    return connection


def plan_of(connection: psycopg.Connection, text: LiteralString) -> tuple[str, int]:
    """Return every plan that a statement ran, of functions too, and how many rows came."""
    told: list[str] = []
    handler = lambda notice: told.append(str(notice.message_primary))  # noqa: E731
    connection.add_notice_handler(handler)
    count = len(connection.execute(text).fetchall())
    connection.remove_notice_handler(handler)
    return "\n".join(told), count


@pytest.mark.parametrize(
    ("table", "text"),
    [*QUERIES.items(), ("segment_version", _NEAREST)],
)
def test_each_map_query_of_a_reader_uses_the_spatial_index(
    crowded: psycopg.Connection, table: str, text: LiteralString
) -> None:
    plan, count = plan_of(crowded, text)
    assert f"{table}_lies_in_space" in plan
    assert 0 < count < 10
    assert crowded.execute("SELECT current_user").fetchall()[0][0].endswith("_reader")


def test_the_same_query_on_the_table_does_not(crowded: psycopg.Connection) -> None:
    """The reason for these functions; where PostGIS marks its operators LEAKPROOF one day they may go."""
    plan, _ = plan_of(
        crowded,
        "SELECT * FROM registry_app.segments WHERE geom && ST_MakeEnvelope(535000, 4137000, 535100, 4137100, 4549)",
    )
    assert "segment_version_lies_in_space" not in plan
    assert "Seq Scan on segment_version" in plan
