"""A registry as the rest of the product sees it: frames out, deliveries in, runs kept."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from registry.db import connect, conninfo, query, writing
from registry.errors import DatabaseError, NotFoundError
from registry.fields import Field, fields
from registry.kinds import KEPT_KINDS, KINDS, kind_named
from registry.migrate import pending
from registry.reader import Reader
from registry.rights.acting import Acting, enter, info_of, refusals, settle_organisation
from registry.runs import RUN_FRAMES
from registry.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyproj

    from registry.intake.importer import Receipt, Report


def code_version() -> str:
    """Return the version of digonce that is installed."""
    try:
        return version("digonce")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True)
class SavedRun:
    """Results that were kept, with everything they were made from."""

    run_id: str
    kind: str
    name: str | None
    made_at: datetime
    actor: str
    as_of: date
    known_at: datetime | None
    registry_version: int
    code_version: str
    policy: dict[str, Any]
    summary: dict[str, Any]
    frames: dict[str, pd.DataFrame]


class Registry:
    """An open registry: one database, one city, one working CRS."""

    def __init__(self, connection: psycopg.Connection, info: str, name: str, acting: Acting) -> None:
        self.connection = connection
        self.name = name
        self.info = info
        self.acting = acting
        self.reader = Reader(info)
        row = connection.execute("SELECT city, srid, timezone FROM registry.info").fetchone()
        if row is None:
            raise DatabaseError("registry_not_initialised")
        self.city: str = row[0]
        self.srid: int = row[1]
        self.timezone: str = row[2]

    @cached_property
    def crs(self) -> pyproj.CRS:
        """The working CRS."""
        from registry.crs import parse_crs

        return parse_crs(f"EPSG:{self.srid}")

    @property
    def version(self) -> int:
        """A counter that rises once with every writing transaction."""
        row = self.connection.execute("SELECT version FROM registry.info").fetchone()
        return int(row[0]) if row else 0

    def today(self) -> date:
        """Return the day in the registry's time zone; for the command line only."""
        return datetime.now(ZoneInfo(self.timezone)).date()

    def import_file(  # noqa: PLR0913 - each is an option of the import
        self,
        kind: str,
        path: Path,
        *,
        map_path: Path | None = None,
        crs: str | None = None,
        source: str | None = None,
        today: date | None = None,
        is_dry_run: bool = False,
        is_accepted: bool = False,
        valid_from: date | None = None,
        moved_m: float | None = None,
        report: Report | None = None,
    ) -> Receipt:
        """Take one delivered file in; see `registry.intake.importer.import_delivery`."""
        from registry.intake.delivery import MOVED_M, Request
        from registry.intake.importer import import_delivery
        from registry.intake.mapping import read_mapping

        chosen = kind_named(kind)
        request = Request(
            kind=chosen,
            path=path,
            mapping=read_mapping(map_path, chosen),
            crs=crs,
            source=source,
            actor=self.acting.actor,
            organisation=self.acting.organisation,
            today=today or self.today(),
            is_dry_run=is_dry_run,
            is_accepted=is_accepted,
            valid_from=valid_from,
            moved_m=MOVED_M if moved_m is None else moved_m,
        )
        quiet: Report = lambda _step, _done, _total: None  # noqa: E731
        return import_delivery(self.connection, request, self.srid, self.info, report or quiet)

    def frame(
        self,
        kind: str,
        columns: list[str] | None = None,
        *,
        as_of: date | None = None,
        known_at: datetime | None = None,
        where: sql.Composable | None = None,
    ) -> Any:  # noqa: ANN401 - GeoDataFrame or DataFrame, by kind
        """Read one kind as the frame of its contract, indexed by the owner's id and in its order.

        Parameters
        ----------
        kind
            Plural name, for example `segments`.
        columns
            Attributes wanted (and `geometry`), each once however often it is named; all by default. The index always
            comes along.
        as_of
            The day for which it was true; today by default.
        known_at
            The instant at which it was known; now by default. Only committed rows are seen.
        where
            A condition of `registry.conditions` that rows have to meet; without it all are read.
        """
        from registry.arrow import compute as pc
        from registry.frames import to_frame

        chosen = KEPT_KINDS[kind] if kind in KEPT_KINDS else kind_named(kind)
        contract = fields()[kind]
        wanted = columns if columns is not None else [name for name in contract if name != chosen.id_column]
        unknown = [name for name in wanted if name not in contract]
        if unknown:
            raise NotFoundError("column_unknown", kind=kind, columns=", ".join(unknown))
        wanted = list(dict.fromkeys(wanted))
        parts = [sql.Identifier(chosen.id_column), *(_selected(contract[name]) for name in wanted)]
        statement = sql.SQL("SELECT {} FROM {}({}, {}) WHERE {}").format(
            sql.SQL(", ").join(parts),
            sql.Identifier("registry_app", f"{chosen.table}_at"),
            sql.SQL("{}::date").format(sql.Literal(as_of or self.today())),
            sql.SQL("{}::timestamptz").format(sql.Literal(known_at)),
            where or sql.SQL("true"),
        )
        rows = self.read(statement)
        # whole rows take the server much longer to sort; the order, byte by byte, is that of its indexes
        return to_frame(rows.take(pc.sort_indices(rows[chosen.id_column])), kind, self.srid)

    def read(self, statement: sql.Composable) -> pa.Table:
        """Run one SELECT beside the transaction of the registry and return it as Arrow: committed data only."""
        return self.reader.read(statement.as_string(self.connection))

    def counts(self) -> dict[str, int]:
        """Return how many rows of each kind are known now."""
        return {
            name: self.connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE upper_inf(recorded)").format(
                    sql.Identifier("registry", kind.version_table)
                )
            ).fetchall()[0][0]
            for name, kind in KINDS.items()
        }

    def row_counts(self) -> dict[str, int]:
        """Return the rows of every table."""
        return dict(self.connection.execute("SELECT table_name, row_count FROM registry_app.row_counts()").fetchall())

    def state_hash(self) -> str:
        """Return one hash over what is true now for every valid day."""
        row = self.connection.execute("SELECT registry_app.state_hash()").fetchone()
        return str(row[0]) if row else ""

    def deliveries(self) -> pd.DataFrame:
        """Return what came in, newest first."""
        return self._rows("deliveries")

    def held(self, delivery_id: str) -> pd.DataFrame:
        """Return the held-back rows of one delivery with their reasons in both languages.

        Raises
        ------
        NotFoundError
            Where no delivery has that id.
        """
        exists = self.connection.execute(
            "SELECT EXISTS (SELECT FROM registry.delivery WHERE delivery_id = %s)", [delivery_id]
        ).fetchone()
        if exists is None or not exists[0]:
            raise NotFoundError("delivery_unknown", delivery=delivery_id)
        return _with_reasons(self._rows("held_faults", [delivery_id]))

    def open_faults(self, kind: str, *, known_at: datetime | None = None) -> pd.DataFrame:
        """Return the faults of held-back rows of a kind that nobody has settled: object_id and code.

        A row without an id is named by its delivery and its number.
        """
        return self._rows("open_faults", {"kind": kind, "known_at": known_at})

    def held_summary(self, *, known_at: datetime | None = None) -> pd.DataFrame:
        """Return what was held back over all deliveries: kind, code, reasons, rows and length in metres.

        With `known_at` only deliveries that had been received by then count. A row with two faults counts under its
        first one, so that the rows add up.
        """
        from registry.catalogue import say

        summary = self._rows("held_summary", {"known_at": known_at})
        for language in ("en", "zh"):
            summary[f"reason_{language}"] = [say(f"{code}_short", language) for code in summary["code"]]
        return summary

    def save_run(  # noqa: PLR0913 - what a run is made from
        self,
        kind: str,
        name: str | None,
        frames: dict[str, pd.DataFrame],
        *,
        policy: dict[str, Any],
        summary: dict[str, Any],
        as_of: date,
        known_at: datetime | None = None,
        parent_id: str | None = None,
    ) -> str:
        """Keep the results of a computation and return the id of the run.

        A run of the same kind and name is replaced; runs without a name are kept as the latest of their kind only.
        `parent_id` names the run that it was made of by hand, which then stays.

        Raises
        ------
        DatabaseError
            Where the run of that name is a record: a plan that was proposed, or of which another one was made by hand.
        """
        from registry.frames import fill, to_arrow

        run_id = str(uuid.uuid4())
        with writing(self.connection):
            try:
                self.connection.execute(query("delete_run"), {"kind": kind, "name": name})
            except psycopg.errors.ForeignKeyViolation as fault:
                raise DatabaseError("run_is_a_record", kind=kind, name=name or "—") from fault
            facts = [
                run_id,
                kind,
                name,
                self.acting.actor,
                as_of,
                known_at,
                self.version,
                code_version(),
                Jsonb(policy),
                Jsonb(summary),
                parent_id,
            ]
            self.connection.execute(query("insert_run"), facts)
            for frame_name, frame in frames.items():
                table = to_arrow(frame, fields()[frame_name])
                import pyarrow as pa

                table = table.add_column(0, "run_id", pa.array([run_id] * table.num_rows, type=pa.string()))
                fill(self.connection, f"run_{frame_name}", table)
        return run_id

    def load_run(self, kind: str, name: str | None = None, only: Collection[str] = RUN_FRAMES) -> SavedRun:
        """Return a saved run by name, or the latest of its kind, with `only` these frames of it.

        Raises
        ------
        NotFoundError
            Where there is none.
        """
        row = self.connection.execute(query("find_run"), {"kind": kind, "name": name}).fetchone()
        if row is None:
            code = "run_absent" if name is None else "run_unknown"
            raise NotFoundError(code, kind=kind, name=name)
        names = [attribute.name for attribute in dataclasses.fields(SavedRun)]
        facts: dict[str, Any] = dict(zip(names, row, strict=False))
        return SavedRun(**facts, frames={frame: self._run_frame(frame, row[0]) for frame in only})

    def _run_frame(self, frame: str, run_id: str) -> pd.DataFrame:
        from registry.frames import to_frame

        names = list(fields()[frame])
        statement = sql.SQL("SELECT {} FROM {} WHERE run_id = {} ORDER BY 1, 2").format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.Identifier("registry", f"run_{frame}"),
            sql.Literal(run_id),
        )
        return to_frame(self.read(statement), frame, self.srid)

    def data_stamp(self, run: SavedRun) -> int:
        """Return the version of the registry that the last delivery made which a run could see."""
        seen = {"version": run.registry_version, "known_at": run.known_at}
        row = self.connection.execute(query("data_stamp"), seen).fetchone()
        return int(row[0]) if row else 0

    def runs(self) -> pd.DataFrame:
        """Return the saved runs, newest first."""
        return self._rows("runs")

    def members(self) -> pd.DataFrame:
        """Return who may use the registry, as far as the one who acts may know: an admin all, others themselves."""
        return self._rows("members")

    def _rows(self, name: str, parameters: list[object] | dict[str, object] | None = None) -> pd.DataFrame:
        import pandas as pd

        with self.connection.cursor() as cursor:
            cursor.execute(query(name), parameters)
            columns = [column.name for column in cursor.description or []]
            return pd.DataFrame(cursor.fetchall(), columns=pd.Index(columns))


def _with_reasons(faults: pd.DataFrame) -> pd.DataFrame:
    """Say the reason of each held-back row in both languages."""
    from registry.intake.reasons import reason

    said = faults.copy()
    for language in ("en", "zh"):
        said[f"reason_{language}"] = [reason(row, row["kind"], language) for row in faults.to_dict("records")]
    return said


def _selected(field: Field) -> sql.Composable:
    """Return how a column is read: geometry as bytes, a length from the geometry that it belongs to."""
    if field.role == "geometry":
        return sql.SQL("geom::bytea AS geometry")
    if field.role == "computed":
        return sql.SQL("ST_Length(geom) AS {}").format(sql.Identifier(field.column))
    return sql.Identifier(field.column)


@contextmanager
def open_registry(settings: Settings) -> Generator[Registry]:
    """Open the registry of the settings, starting the embedded server where one is used.

    The session takes the highest role that its login has in the registry, and nothing beyond it.

    Raises
    ------
    RightsError
        Where the login has no role in the registry, or may not do what is done while it is open.
    DatabaseError
        Where the registry does not exist, is not initialised, needs `digonce db migrate`, or was lost on the way.
    """
    info = conninfo(settings)
    with connect(info, is_autocommit=True) as connection:
        acting = enter(connection, settings.registry, settings.actor)
        with refusals(acting):
            left = pending(connection)
        if left:
            code = "registry_not_initialised" if left[0].startswith("0001") else "migrations_pending"
            raise DatabaseError(code, names=", ".join(left))
        acting = settle_organisation(connection, acting)
        try:
            with refusals(acting):
                registry = Registry(connection, info_of(info, acting), settings.registry, acting)
                with closing(registry.reader):
                    yield registry
        except psycopg.OperationalError as fault:
            if not connection.closed:
                raise
            raise DatabaseError("connection_lost") from fault
