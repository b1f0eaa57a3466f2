"""Pairs of a delivered and a known pipe that may be one, and what their courses and attributes say."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import shapely

from registry.identity.census import Census, Flags, Floats, Geometries, Rows
from registry.identity.evidence import compare_attributes, media_may_agree
from registry.identity.settings import IdentitySettings

# from here on a buffer is dearer than points every quarter of the search distance
RICH_VERTEX_COUNT: Final = 200
SAMPLING_SHARE: Final = 0.25


@dataclass(frozen=True)
class Pairs:
    """Candidate pairs as columns: rows of the delivered and of the known census, and how well they fit.

    `share_of_delivered` and `share_of_known` are the shares of the length that lie within `within_m` of the other;
    `offset_m` is how far the courses lie apart on average; `is_close` says that no vertex is farther than that.
    """

    delivered: Rows
    known: Rows
    has_id: Flags
    share_of_delivered: Floats
    share_of_known: Floats
    offset_m: Floats
    is_close: Flags
    attribute_log_odds: Floats
    attribute_agreement: Floats

    def keep(self, chosen: Flags | Rows) -> Pairs:
        """Return some of the pairs."""
        return Pairs(**{column.name: getattr(self, column.name)[chosen] for column in fields(self)})

    def is_whole(self, settings: IdentitySettings) -> Flags:
        """Tell which pairs have one course: each lies on the other for nearly its whole length."""
        least = settings.whole_share
        return (self.share_of_delivered >= least) & (self.share_of_known >= least)


def same_id(known: Census, delivered: Census) -> tuple[Rows, Rows]:
    """Return the rows (delivered, known) that share an id."""
    found = known.ids.get_indexer(delivered.ids)
    rows = np.flatnonzero(found >= 0)
    return rows, found[rows].astype(np.int64)


def near_pairs(
    known: Census, delivered: Census, wanted: tuple[Flags, Flags], settings: IdentitySettings
) -> tuple[Rows, Rows]:
    """Find the pairs of wanted rows (delivered, known) of one medium of which one may lie on the other.

    That is where most of the points inside one lie within `within_m` of the other; pipes that only touch at their
    ends, or cross, are never near.
    """
    theirs, ours = np.flatnonzero(wanted[0]), np.flatnonzero(wanted[1])
    if len(theirs) == 0 or len(ours) == 0:
        return theirs[:0], ours[:0]
    forth = _on_course(delivered.probes[theirs], known.lines[ours], settings.within_m)
    back = _on_course(known.probes[ours], delivered.lines[theirs], settings.within_m)
    a = np.concatenate([theirs[forth[0]], theirs[back[1]]])
    b = np.concatenate([ours[forth[1]], ours[back[0]]])
    return unique_pairs(known, delivered, a, b)


def _on_course(probes: Geometries, lines: Geometries, within_m: float) -> tuple[Rows, Rows]:
    points, line = shapely.STRtree(lines).query(probes.ravel(), predicate="dwithin", distance=within_m)
    keys, count = np.unique(points // probes.shape[1] * len(lines) + line, return_counts=True)
    most = keys[count >= probes.shape[1] - 1]
    return most // len(lines), most % len(lines)


def unique_pairs(known: Census, delivered: Census, a: Rows, b: Rows) -> tuple[Rows, Rows]:
    """Return each pair of one medium once, in the order of the ids."""
    keys = np.unique(a.astype(np.int64) * known.count + b)
    pairs = keys // known.count, keys % known.count
    may_agree = media_may_agree(known, delivered, pairs)
    return pairs[0][may_agree], pairs[1][may_agree]


def measure(known: Census, delivered: Census, pairs: tuple[Rows, Rows], settings: IdentitySettings) -> Pairs:
    """Measure how well each pair (rows of delivered, rows of known) fits."""
    a, b = pairs
    theirs, ours = delivered.lines[a], known.lines[b]
    off = shapely.hausdorff_distance(theirs, ours)
    longest = np.maximum(np.maximum(delivered.length_m[a], known.length_m[b]), 1e-9)
    ratio = np.minimum(delivered.length_m[a], known.length_m[b]) / longest
    is_close = (off <= settings.within_m) & (ratio >= settings.whole_share)
    share_of_delivered, share_of_known = np.ones(len(a)), np.ones(len(a))
    rest = np.flatnonzero(~is_close)
    share_of_delivered[rest] = _share(theirs[rest], known.lines, b[rest], settings.within_m)
    share_of_known[rest] = _share(ours[rest], delivered.lines, a[rest], settings.within_m)
    agreement = compare_attributes(known, delivered, pairs, settings)
    return Pairs(
        delivered=a,
        known=b,
        has_id=delivered.ids[a].to_numpy(dtype=object) == known.ids[b].to_numpy(dtype=object),
        share_of_delivered=share_of_delivered,
        share_of_known=share_of_known,
        offset_m=_offset(known, delivered, pairs),
        is_close=is_close,
        attribute_log_odds=agreement.log_odds,
        attribute_agreement=agreement.share,
    )


def _share(lines: Geometries, others: Geometries, other: Rows, within_m: float) -> Floats:
    """Return the share of each line that lies within `within_m` of its other line."""
    share = np.zeros(len(lines))
    is_near = shapely.dwithin(lines, others[other], within_m)
    is_rich = shapely.get_num_coordinates(others)[other] > RICH_VERTEX_COUNT
    near = np.flatnonzero(is_near & ~is_rich)
    distinct, place = np.unique(other[near], return_inverse=True)
    around = shapely.buffer(others[distinct], within_m)[place]
    inside = shapely.length(shapely.intersection(lines[near], around))
    share[near] = np.clip(inside / np.maximum(shapely.length(lines[near]), 1e-9), 0.0, 1.0)
    for row in np.flatnonzero(is_near & is_rich):
        share[row] = _sampled_share(lines[row], others[other[row]], within_m)
    return share


def _sampled_share(line: Any, other: Any, within_m: float) -> float:  # noqa: ANN401 - shapely lines out of arrays
    """Return the share as that of points along the line: a line of thousands of vertices takes seconds to buffer."""
    count = max(int(np.ceil(line.length / (SAMPLING_SHARE * within_m))), 1)
    places = (np.arange(count) + 0.5) / count
    points = shapely.line_interpolate_point(line, places, normalized=True)
    return float(shapely.dwithin(points, other, within_m).mean())


def _offset(known: Census, delivered: Census, pairs: tuple[Rows, Rows]) -> Floats:
    """Return how far the courses lie apart: of a piece and the whole, how far the piece lies from the whole."""
    a, b = pairs
    forth = shapely.distance(delivered.probes[a], known.lines[b][:, None]).mean(axis=1)
    back = shapely.distance(known.probes[b], delivered.lines[a][:, None]).mean(axis=1)
    offset: Floats = np.minimum(forth, back)
    return offset
