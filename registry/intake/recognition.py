"""Recognise known segments that a delivery carries under other ids, and keep what a person decides about doubtful ones.

Only rows that are not unchanged are looked at: a row whose id, course and values are those that are known is the same
pipe, whatever else was delivered.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final, cast

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql

from registry.db import query
from registry.errors import ReviewError
from registry.fields import fields
from registry.frames import ARROW_TYPES, copy_in, to_frame
from registry.history.deliveries import frame_of
from registry.history.slices import listed, statement
from registry.kinds import KINDS

if TYPE_CHECKING:
    import geopandas as gpd

    from registry.identity import IdentitySettings

Parts = dict[str, sql.Composable]
SEGMENTS: Final = KINDS["segments"]
TABLES: Final = ("recognised", "absent", "candidate", "succession")
_COLUMNS: Final = ("delivered_id", "known_id", "class", "relation", "probability", "reason")
_OF_ONE_ID: Final = ("same", "moved")


@dataclass(frozen=True)
class Decisions:
    """What a person says of doubtful segments: pairs (known id, delivered id) that are one, and ids of new pipes."""

    same: tuple[tuple[str, str], ...] = ()
    different: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.same or self.different)

    @property
    def delivered_ids(self) -> list[str]:
        """The delivered segments that are decided."""
        return sorted({*(delivered for _known, delivered in self.same), *self.different})


def recognise(connection: psycopg.Connection, parts: Parts, alike: int) -> None:
    """Fill the table `recognised` with pairs of ids and give the rows of `verdict` the classes that follow.

    `alike` is the number of rows that are unchanged. Pairs of one id stand there only where they are in doubt or belong
    to a split or a merge.
    """
    from registry.identity import match_census, read_identity_settings

    settings = read_identity_settings()
    parts = parts | {"within_m": sql.Literal(settings.within_m), "reason": sql.Literal("identity_id_reused")}
    # without statistics of a table that was just filled the planner would read all of it for every row
    connection.execute("SET LOCAL enable_seqscan = off")
    connection.execute(statement("recognise_find_absent", SEGMENTS, **parts))
    connection.execute("SET LOCAL enable_seqscan = on")
    connection.execute(statement("recognise_index_absent", SEGMENTS))
    connection.execute("ANALYZE absent")
    connection.execute(statement("recognise_find_candidates", SEGMENTS, **parts))
    connection.execute(statement("recognise_index_candidates", SEGMENTS))
    connection.execute("ANALYZE candidate")
    known = _read(connection, "recognise_read_known", parts, settings, None)
    if len(known):
        delivered = _read(connection, "recognise_read_delivered", parts, settings, "i")
        matches = match_census(known, delivered, settings, alike=alike)
        _keep(connection, _classified(matches.pairs, matches.new, settings))
    connection.execute(statement("recognise_reused", SEGMENTS, **parts))
    connection.execute(query("recognise_classify"))


def _read(
    connection: psycopg.Connection, name: str, parts: Parts, settings: IdentitySettings, table: str | None
) -> gpd.GeoDataFrame:
    """Return rows of this transaction with what the matching compares."""
    import pyarrow.csv

    contract = fields()["segments"]
    names = [SEGMENTS.id_column, "medium"]
    for rule in settings.attributes:
        names += [f"{rule.column}_min", f"{rule.column}_max"] if rule.compare == "years" else [rule.column]
    text = statement(name, SEGMENTS, **parts, compared=listed(names, table))
    written = BytesIO()
    with connection.cursor() as cursor, cursor.copy(text) as copy:
        for block in copy:
            written.write(block)
    written.seek(0)
    types = {column: ARROW_TYPES[contract[column].dtype] for column in names} | {"geometry": pa.string()}
    options = pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False)
    lines = pyarrow.csv.ParseOptions(newlines_in_values=True)
    rows = pyarrow.csv.read_csv(written, parse_options=lines, convert_options=options)
    row = connection.execute("SELECT srid FROM registry.info").fetchone()
    return cast("gpd.GeoDataFrame", to_frame(rows, "segments", row[0] if row else 0))


def _classified(pairs: pd.DataFrame, new: pd.DataFrame, settings: IdentitySettings) -> pd.DataFrame:
    """Return the pairs that change what a delivery means, each with its class of change.

    An id that was kept is in doubt only where it lies elsewhere or another pipe has as good a claim to it; what of its
    course or values has changed is what `changed` and `moved` are for. A split or merge is doubtful as a whole.
    """
    is_own = pairs["delivered_id"] == pairs["known_id"]
    is_single = pairs["relation"].isin([*_OF_ONE_ID, "renumbered"])
    is_elsewhere = (pairs["reason"] == "identity_id_elsewhere") & (pairs["distance_m"] > settings.elsewhere_m)
    is_contested = is_elsewhere | pairs["reason"].isin(["identity_id_reused", "identity_rival"])
    found = pairs[~is_own | ~is_single | is_contested].copy()
    whole = found["known_id"].where(found["relation"] == "split", found["delivered_id"])
    is_doubtful = found["is_doubtful"].groupby([found["relation"], whole]).transform("any")
    found["class"] = found["relation"].where(~is_doubtful, "doubtful")
    reused = new[new["reason"].notna()]
    claims = pd.DataFrame(
        {
            "delivered_id": reused["delivered_id"],
            "known_id": reused["delivered_id"],
            "class": "doubtful",
            "relation": "moved",
            "reason": reused["reason"],
        }
    )
    return pd.concat([found, claims], ignore_index=True).reindex(columns=list(_COLUMNS))


def _keep(connection: psycopg.Connection, found: pd.DataFrame) -> None:
    if found.empty:
        return
    columns = {
        name: pa.array(found[name], type=pa.float64() if name == "probability" else pa.string(), from_pandas=True)
        for name in _COLUMNS
    }
    for _sent in copy_in(connection, sql.Identifier("recognised"), [pa.table(columns)]):
        pass
    connection.execute("ANALYZE recognised")


def open_doubts(connection: psycopg.Connection, delivery_id: str) -> pd.DataFrame:
    """Return the doubtful pairs of a delivery that nobody has decided: delivered_id, known_id, relation."""
    return frame_of(connection, query("doubtful_open"), [delivery_id])


def decide(connection: psycopg.Connection, parts: Parts, decisions: Decisions, doubts: pd.DataFrame) -> None:
    """Let the doubtful rows that are decided have the classes that follow.

    Raises
    ------
    ReviewError
        With the first decision that names what is not in doubt, leaves out a piece of a split or merge, or gives one id
        to two pipes.
    """
    _check(decisions, doubts)
    pairs = pd.DataFrame(list(decisions.same), columns=["known_id", "delivered_id"], dtype="str")
    told = doubts.set_index(["delivered_id", "known_id"])["relation"].to_dict()
    said = [told.get(pair) for pair in zip(pairs["delivered_id"], pairs["known_id"], strict=True)]
    is_kept = (pairs["delivered_id"] == pairs["known_id"]) & pd.Series(
        [relation in _OF_ONE_ID for relation in said], dtype=bool
    )
    is_split, is_merge = pairs["known_id"].duplicated(keep=False), pairs["delivered_id"].duplicated(keep=False)
    for known in pairs.loc[is_split & (is_kept | is_merge), "known_id"].head(1):
        raise ReviewError("decision_mixed", known=known)
    pairs["class"] = "renumbered"
    pairs["class"] = pairs["class"].mask(is_split, "split").mask(is_merge, "merged")
    _check_known(connection, pairs, decisions)
    connection.execute(query("decide_forget"), {"ids": decisions.delivered_ids})
    _keep(connection, pairs.assign(relation=pairs["class"])[~is_kept].reindex(columns=list(_COLUMNS)))
    connection.execute(query("recognise_classify"))
    connection.execute(
        statement("decide_kept", SEGMENTS, **parts), {"ids": pairs.loc[is_kept, "delivered_id"].tolist()}
    )
    row = connection.execute(statement("decide_new", SEGMENTS, **parts), {"ids": list(decisions.different)}).fetchone()
    if row is not None and row[0]:
        raise ReviewError("decision_id_taken", segments=", ".join(row[0]))


def _check(decisions: Decisions, doubts: pd.DataFrame) -> None:
    """Raise where a decision is about what is not in doubt, or only about a part of it."""
    strangers = sorted(set(decisions.delivered_ids) - set(doubts["delivered_id"]))
    if strangers:
        raise ReviewError("decision_not_open", segments=", ".join(strangers))
    twice = {delivered for _known, delivered in decisions.same} & set(decisions.different)
    if twice:
        raise ReviewError("decision_twice", segments=", ".join(sorted(twice)))
    same = {(delivered, known) for known, delivered in decisions.same}
    for pair in doubts[doubts["relation"].isin(["split", "merged"])].itertuples():
        if (pair.delivered_id, pair.known_id) in same or pair.delivered_id in decisions.different:
            continue
        of_one = (
            doubts["known_id"] == pair.known_id
            if pair.relation == "split"
            else (doubts["delivered_id"] == pair.delivered_id)
        )
        if same & set(doubts.loc[of_one, ["delivered_id", "known_id"]].itertuples(index=False, name=None)):
            raise ReviewError("decision_incomplete", known=pair.known_id, delivered=pair.delivered_id)


def _check_known(connection: psycopg.Connection, pairs: pd.DataFrame, decisions: Decisions) -> None:
    """Raise where a known id is not there to go on, or goes on as another segment already."""
    parameters = {"known": pairs["known_id"].tolist(), "ids": decisions.delivered_ids}
    row = connection.execute(statement("decide_absent", SEGMENTS), parameters).fetchone()
    if row is not None and row[0]:
        raise ReviewError("decision_known_absent", segments=", ".join(row[0]))
