"""The pool of candidate batches: overlapping groups of segments from which a plan may choose.

- The groups without overlap (`group_segments`, by class and by grade only each among themselves) always count, so
  that choosing from the pool is never worth less than choosing among them. Compounds stay whole; one that is
  longer than the longest run is offered in connected parts too.
- Runs are found in five ways: the network cut into parts of several lengths, along streets and across corners; runs
  of streets merged with their neighbours; groups grown from every segment, best first, by worth per cost, within
  the street, with a look at the neighbours, by worth alone and with seeded noise, each kept at several stops; and,
  where a segment still lies in fewer than `batches_per_segment` batches, the groups around it listed one by one.
- Segments that are candidates by their grade only share no batch with those by class, so that no score makes
  mandatory work dearer; with `mixes_grades` they may, outside the groups without overlap.
- Where isolation sections are given, every run lies in one section; segments of no known section form runs among
  themselves. A compound is one site: it is offered whole, and in its connected parts, over as many sections as it has.
- Where the policy has a shortest run, a shorter one stays only if no neighbour fits within the longest.

The pool does not depend on the order of rows, and noise goes by id: a change in one part of a city leaves most
batches elsewhere as they are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.factors import Flags, Floats, text_column
from planner.groups import group_segments
from planner.policy import Policy
from planner.pool_graph import Rows, end_nodes, members_of, numbered
from planner.pool_growth import Group, Site, find_runs
from planner.runs import cut_runs
from registry.catalogue import say

_ID_LENGTH: Final = 10
_LONG_ID_LENGTH: Final = 20
_NO_NAME: Final = "—"
# parts into which a compound is cut that is longer than a run may be, as shares of the longest run
_COMPOUND_SHARES: Final = (1.0, 0.5)


@dataclass(frozen=True)
class PoolRule:
    """How a pool was made and how rich it is, for the report of a plan.

    `thin_segment_count` segments of runs lie in fewer batches than `batches_per_segment`: the network around them
    allows no more. Segments of compounds are not counted there, since a compound is one site.
    """

    shortest_m: float
    longest_m: float
    batches_per_segment: int
    seed: int
    mixes_grades: bool
    keeps_isolation: bool
    segment_count: int
    batch_count: int
    batches_by_rule: dict[str, int]
    fewest_batches: int
    thin_segment_count: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return asdict(self)

    def text(self, language: str) -> str:
        """Say the rule in one sentence."""
        return say("plan_pool_rule", language, **self.to_dict())


@dataclass(frozen=True)
class Pool:
    """Candidate batches in the order of their ids, and which segment lies in which.

    `row` and `batch` are pairs of segment (its place in the frame that the pool was made from) and batch, by batch,
    then by id of the segment. `place` is the compound, or the street of most of the metres. `seed_rule` tells what
    found the batch first: `today` (the groups without overlap), `cut`, `merged`, `listed`, or the rule of a growth.
    """

    ids: NDArray[np.object_]
    kind: NDArray[np.object_]
    place: NDArray[np.object_]
    length_m: Floats
    seed_rule: NDArray[np.object_]
    row: Rows
    batch: Rows
    rule: PoolRule


@dataclass(frozen=True)
class _Found:
    """Groups of segments by their places in the order of ids, with kind and rule."""

    groups: list[Group]
    kind: list[str]
    rule: list[str]


def make_pool(  # noqa: PLR0913 - what batches are judged by, and how many are wanted
    segments: gpd.GeoDataFrame,
    worth: Floats,
    cost_cny: Floats,
    is_by_class: Flags,
    policy: Policy,
    *,
    isolation: pd.Series | None = None,
    mixes_grades: bool = False,
    batches_per_segment: int = 10,
    seed: int = 0,
) -> Pool:
    """Make the candidate batches of a plan: connected, of one medium, not longer than the policy allows.

    The module tells the rules.

    Misleads where what batches are worth depends much on the year, as near projects: growth sees one worth and one
    cost. Whether a pool misses good batches is told by the bound over all groups (`planner.pool_bound`).

    Parameters
    ----------
    segments
        The candidates.
    worth, cost_cny, is_by_class
        In the order of `segments`: what renewal is worth, what it costs without the site, and whether a segment is a
        candidate by its policy class.
    isolation
        Section that closing the nearest valves isolates, by segment id; missing where it is not known
        (`planner.isolation`).
    """
    order = np.argsort(segments.index.to_numpy(dtype=object), kind="stable")
    ordered, by_class = segments.iloc[order], is_by_class[order]
    today = _today(ordered, by_class, policy, isolation)
    is_compound = (today["kind"] == "compound").to_numpy(dtype=bool)
    length_m = ordered["length_m"].to_numpy(dtype="float64")
    found = _compounds(ordered, today, is_compound, length_m, policy)
    runs = np.flatnonzero(~is_compound)
    apart = by_class[runs] | mixes_grades
    site = _site(ordered.iloc[runs], worth[order][runs], cost_cny[order][runs], apart, isolation, policy)
    known = list(members_of(today["group"].to_numpy(dtype=np.int64)[runs]))
    of_runs = find_runs(site, known, batches_per_segment, seed)
    found.groups.extend(tuple(runs[list(group)].tolist()) for group in of_runs)
    found.kind.extend(["street"] * len(of_runs))
    found.rule.extend(of_runs.values())
    covered = np.bincount(np.concatenate([np.array(group) for group in found.groups]), minlength=len(ordered))
    rule = PoolRule(
        shortest_m=site.shortest_m,
        longest_m=site.longest_m,
        batches_per_segment=batches_per_segment,
        seed=seed,
        mixes_grades=mixes_grades,
        keeps_isolation=isolation is not None,
        segment_count=len(ordered),
        batch_count=len(found.groups),
        batches_by_rule=dict(sorted(Counter(found.rule).items())),
        fewest_batches=int(covered.min()),
        thin_segment_count=int((covered[runs] < batches_per_segment).sum()),
    )
    return _pool(found, ordered, length_m, order, rule)


def _today(ordered: gpd.GeoDataFrame, by_class: Flags, policy: Policy, isolation: pd.Series | None) -> pd.DataFrame:
    """Return the groups without overlap: those by class and those by grade only each among themselves."""
    parts: list[pd.DataFrame] = []
    first = 0
    for rows in (by_class, ~by_class):
        if rows.any():
            part = group_segments(ordered[rows], policy, isolation)
            part["group"] += first
            first = int(part["group"].max()) + 1
            parts.append(part)
    return pd.concat(parts).loc[ordered.index]


def _compounds(
    ordered: gpd.GeoDataFrame, today: pd.DataFrame, is_compound: Flags, length_m: Floats, policy: Policy
) -> _Found:
    """Return the whole compounds, and connected parts of those longer than the longest run."""
    rows = np.flatnonzero(is_compound)
    group = today["group"].to_numpy(dtype=np.int64)[rows]
    rules: dict[Group, str] = {tuple(rows[members].tolist()): "today" for members in members_of(group)}
    longest_m = policy.groups.maximum_run_m.value
    is_long = np.bincount(group, length_m[rows], int(group.max(initial=-1)) + 1)[group] > longest_m
    long, long_group = rows[is_long], group[is_long]
    if len(long):
        node = end_nodes(ordered.iloc[long], policy)
        ends = numbered(np.tile(long_group, 2), node.ravel()).reshape(2, -1)
        for share in _COMPOUND_SHARES:
            for members in members_of(cut_runs(ends[0], ends[1], length_m[long], share * longest_m)):
                rules.setdefault(tuple(long[members].tolist()), "cut")
    return _Found(list(rules), ["compound"] * len(rules), list(rules.values()))


def _site(
    segments: gpd.GeoDataFrame,
    worth: Floats,
    cost_cny: Floats,
    apart: Flags,
    isolation: pd.Series | None,
    policy: Policy,
) -> Site:
    section = pd.Series(np.nan, segments.index, dtype=object) if isolation is None else isolation
    own = section.reindex(segments.index).astype("object")
    key = numbered(segments["medium"].astype("str"), apart.astype(np.int64), own)
    street = numbered(key, text_column(segments, "street_name").astype("object"))
    node = end_nodes(segments, policy)
    shortest = policy.groups.minimum_run_m
    return Site(
        ids=[str(name) for name in segments.index],
        worth=worth,
        cost_cny=cost_cny,
        length_m=segments["length_m"].to_numpy(dtype="float64"),
        ends=numbered(np.tile(key, 2), node.ravel()).reshape(2, -1),
        street_ends=numbered(np.tile(street, 2), node.ravel()).reshape(2, -1),
        mobilisation_cny=policy.prices.mobilisation_cny_per_batch.value,
        shortest_m=0.0 if shortest is None else shortest.value,
        longest_m=policy.groups.maximum_run_m.value,
    )


def _pool(found: _Found, ordered: gpd.GeoDataFrame, length_m: Floats, order: Rows, rule: PoolRule) -> Pool:
    """Sort the batches by id and lay the membership out as pairs."""
    names = ordered.index.to_numpy(dtype=object)
    ids = batch_ids([[str(names[member]) for member in group] for group in found.groups])
    by_id = np.argsort(ids)
    groups = [found.groups[place] for place in by_id]
    member = np.fromiter((member for group in groups for member in group), dtype=np.int64)
    batch = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    kind = np.array(found.kind, dtype=object)[by_id]
    return Pool(
        ids=ids[by_id],
        kind=kind,
        place=_places(ordered, member, batch, kind, length_m),
        length_m=np.bincount(batch, length_m[member], len(groups)).astype("float64"),
        seed_rule=np.array(found.rule, dtype=object)[by_id],
        row=order[member],
        batch=batch,
        rule=rule,
    )


def batch_ids(members: Sequence[Sequence[str]], length: int = _ID_LENGTH) -> NDArray[np.object_]:
    """Name each batch by a digest of its sorted segment ids; where two digests begin alike, both are longer."""
    digests = [hashlib.sha256("\n".join(ids).encode()).hexdigest() for ids in members]
    times = Counter(digest[:length] for digest in digests)
    lengths = (length if times[digest[:length]] == 1 else _LONG_ID_LENGTH for digest in digests)
    return np.array([f"B-{digest[:kept]}" for digest, kept in zip(digests, lengths, strict=True)], dtype=object)


def _places(
    ordered: gpd.GeoDataFrame, member: Rows, batch: Rows, kind: NDArray[np.object_], length_m: Floats
) -> NDArray[np.object_]:
    """Return the compound of each batch, or the street of most of its metres, the first by name where two are equal."""
    street = text_column(ordered, "street_name").astype("object")
    compound = text_column(ordered, "compound_name").astype("object")
    names = np.where(kind[batch] == "compound", compound.to_numpy()[member], street.to_numpy()[member])
    held = pd.DataFrame(
        {"batch": batch, "name": pd.Series(names, dtype="object").fillna(_NO_NAME), "m": length_m[member]}
    )
    sums = held.groupby(["batch", "name"])["m"].sum().reset_index()
    most = sums.sort_values(["batch", "m", "name"], ascending=[True, False, True]).drop_duplicates("batch")
    places: NDArray[np.object_] = most["name"].to_numpy(dtype=object)
    return places
