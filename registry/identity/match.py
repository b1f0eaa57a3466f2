"""Match two censuses of one network: which delivered pipe is which known pipe, how sure, and what is new or gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd

from registry.errors import FrameError
from registry.fields import check_frame
from registry.identity.assign import choose_pairs, rival_weights
from registry.identity.candidates import Pairs, measure, near_pairs, same_id, unique_pairs
from registry.identity.census import Census, Flags, Floats, Rows, read_census
from registry.identity.findings import Story, doubt_reasons, pairs_frame, strangers_frame
from registry.identity.likelihood import pair_log_odds, probability, scatter_between
from registry.identity.pieces import Ground, Partner, Tiling, find_tilings, lay_pieces, tiling_rivals
from registry.identity.settings import IdentitySettings, read_identity_settings


@dataclass(frozen=True)
class Matches:
    """What became of every pipe: the frames `identity_pairs`, `identity_new` and `identity_gone`.

    Every delivered id stands in `pairs` or in `new`, every known id in `pairs` or in `gone`.
    """

    pairs: pd.DataFrame
    new: pd.DataFrame
    gone: pd.DataFrame


def match_census(
    known: gpd.GeoDataFrame, delivered: gpd.GeoDataFrame, settings: IdentitySettings | None = None, *, alike: int = 0
) -> Matches:
    """Match the segments of a delivery to those that are known, by id, then by course and attributes.

    An id settles a pair where the course has not left `within_m` and the attributes do not contradict it. All other
    rows are weighed together: each pair by a sum of log-odds, one-to-one pairs by the best assignment, then pieces
    that lie end to end on a whole as splits and merges. Pairs that a review should see are marked `is_doubtful` with a
    reason: a likely rival, thin evidence, a changed extent, an id that lies elsewhere or was given to another pipe.

    Misleads where a pipe got a new id and was moved farther than `within_m` as well: it is then new and gone. The
    order of rows, the direction of lines and ids of no meaning change nothing.

    Parameters
    ----------
    known, delivered
        Frames `segments` in one working CRS in metres. Attributes that one side lacks say nothing.
    settings
        By default those that come with the package.
    alike
        How many pipes are left out of both frames because nothing of them has changed, neither id nor course nor
        values: they only tell how well the two surveys agree. The pairs that are found are those of the whole frames.

    Raises
    ------
    FrameError
        If a frame breaks its contract or the two have different coordinate reference systems.
    """
    for frame in (known, delivered):
        check_frame(frame, "segments", ["medium", "geometry"])
    if known.crs != delivered.crs:
        raise FrameError("identity_crs_differ", known=str(known.crs), delivered=str(delivered.crs))
    settings = settings or read_identity_settings()
    ours, theirs = read_census(known), read_census(delivered)
    settled, pairs, scatter_m = _settle_by_id(ours, theirs, settings, alike)
    stories = [Story.by_id(settled, pair_log_odds(settled, scatter_m, settings))]
    stories += _weigh(ours, theirs, pairs, pair_log_odds(pairs, scatter_m, settings), settings)
    return _tell(ours, theirs, stories, settings)


def _settle_by_id(ours: Census, theirs: Census, settings: IdentitySettings, alike: int) -> tuple[Pairs, Pairs, float]:
    """Return the pairs that their id settles, the candidate pairs of all other rows, and the scatter of the survey."""
    by_id = measure(ours, theirs, same_id(ours, theirs), settings)
    scatter_m = scatter_between(by_id, settings, alike)
    is_settled = (
        by_id.is_close
        & (by_id.attribute_log_odds > settings.contested_log_odds)
        & (by_id.offset_m <= settings.scatter_outlier_factor * scatter_m)
    )
    settled, open_pairs = by_id.keep(is_settled), by_id.keep(~is_settled)
    wanted = _left(theirs.count, settled.delivered), _left(ours.count, settled.known)
    near = near_pairs(ours, theirs, wanted, settings)
    joined = unique_pairs(
        ours,
        theirs,
        np.concatenate([near[0], open_pairs.delivered]),
        np.concatenate([near[1], open_pairs.known]),
    )
    return settled, measure(ours, theirs, joined, settings), scatter_m


def _left(count: int, taken: Rows) -> Flags:
    left: Flags = np.ones(count, dtype=bool)
    left[taken] = False
    return left


def _weigh(ours: Census, theirs: Census, pairs: Pairs, log_odds: Floats, settings: IdentitySettings) -> list[Story]:
    """Explain the rows that no id settles: one-to-one pairs, splits, merges, and ids that lie elsewhere."""
    is_single = pairs.is_whole(settings) | pairs.has_id
    single_odds = np.where(is_single, log_odds, -np.inf)
    chosen = choose_pairs(pairs, single_odds)
    rivals = rival_weights(pairs, single_odds, chosen, ours.count)
    turned = _turned(pairs)
    splits = _ground(ours, theirs, pairs, log_odds, chosen, settings)
    merges = _ground(theirs, ours, turned, log_odds, chosen, settings)
    released = _is_cut_anew(splits, merges, pairs, log_odds, chosen)
    chosen = chosen & ~released
    split = _find_pieces(_ground(ours, theirs, pairs, log_odds, chosen, settings), pairs)
    chosen = chosen & ~split.touches
    merges = _ground(theirs, ours, turned, log_odds, chosen, settings)
    # what is split is no part and no whole of a merge, but a rival of those found
    merges.used.update(pairs.known[split.pair].tolist())
    merges.closed.update(pairs.delivered[split.pair].tolist())
    merge = _find_pieces(merges, turned)
    # a pair whose pieces went elsewhere after all is a pair again
    chosen = (chosen | (released & ~split.touches)) & ~merge.touches
    stories = [
        Story.single(pairs.keep(chosen), log_odds[chosen], probability(log_odds[chosen], rivals[chosen])),
        split.story(pairs, "split"),
        merge.story(pairs, "merged"),
    ]
    # what shares an id and nothing else is no match, but a person should see it
    left = _left(theirs.count, np.concatenate([story.pairs.delivered for story in stories]))
    left_known = _left(ours.count, np.concatenate([story.pairs.known for story in stories]))
    lost = pairs.has_id & left[pairs.delivered] & left_known[pairs.known]
    return [*stories, Story.lost(pairs.keep(lost), log_odds[lost])]


@dataclass(frozen=True)
class _Pieces:
    """The pairs of all tilings (positions, log-odds and probability) and the pairs that touch one of their pipes."""

    pair: Rows
    log_odds: Floats
    probability: Floats
    touches: Flags

    def story(self, pairs: Pairs, relation: str) -> Story:
        return Story(pairs.keep(self.pair), relation, self.log_odds, self.probability)


def _turned(pairs: Pairs) -> Pairs:
    """Exchange known and delivered, so that merges are found as splits."""
    return replace(
        pairs,
        delivered=pairs.known,
        known=pairs.delivered,
        share_of_delivered=pairs.share_of_known,
        share_of_known=pairs.share_of_delivered,
    )


def _find_pieces(ground: Ground, pairs: Pairs) -> _Pieces:
    """Find the wholes (known side of the pairs) that pieces (delivered side) cover end to end."""
    tilings = find_tilings(ground)
    return _gathered(tilings, tiling_rivals(ground, tilings), pairs)


def _ground(
    wholes: Census, parts: Census, pairs: Pairs, log_odds: Floats, chosen: Flags, settings: IdentitySettings
) -> Ground:
    """Lay the pieces (delivered side of the pairs) along the wholes (known side)."""
    lies_on = (pairs.share_of_delivered >= settings.whole_share) & (log_odds > 0.0)
    position = np.flatnonzero(lies_on & _may_tile(pairs, lies_on, chosen))
    lying = lay_pieces(parts, wholes, (position, pairs.delivered[position], pairs.known[position]), log_odds)
    singles = np.flatnonzero(chosen)
    part_partner = {int(pairs.delivered[pair]): int(pairs.known[pair]) for pair in singles}
    is_firm = pairs.is_whole(settings)
    whole_partner = {
        int(pairs.known[pair]): Partner(int(pairs.delivered[pair]), float(log_odds[pair]), bool(is_firm[pair]))
        for pair in singles
    }
    return Ground(lying, part_partner, whole_partner, settings)


def _is_cut_anew(splits: Ground, merges: Ground, pairs: Pairs, log_odds: Floats, chosen: Flags) -> Flags:
    """Tell which chosen pairs hide a split and a merge: pieces that nothing explains cover either pipe of the pair.

    So it is where one of two pipes on a course was split and, of the other's course, two were merged.
    """
    hides: Flags = np.zeros(len(chosen), dtype=bool)
    for pair in np.flatnonzero(chosen):
        whole, merged = int(pairs.known[pair]), int(pairs.delivered[pair])
        if whole in splits.pieces and merged in merges.pieces:
            split, merge = splits.unexplained(whole), merges.unexplained(merged)
            if split is not None and merge is not None and split.value + merge.value > log_odds[pair]:
                hides[pair] = True
                splits.used.update(piece.part for piece in split.pieces)
                merges.used.update(piece.part for piece in merge.pieces)
    return hides


def _may_tile(pairs: Pairs, lies_on: Flags, chosen: Flags) -> Flags:
    """Tell which pairs can matter: only where an unexplained part lies can pieces be found, or swapped for others."""
    is_free = lies_on & ~np.isin(pairs.delivered, pairs.delivered[chosen])
    found: Flags = np.isin(pairs.known, pairs.known[is_free])
    return found


def _gathered(tilings: list[Tiling], rivals: Floats, pairs: Pairs) -> _Pieces:
    counts = [len(tiling.pieces) for tiling in tilings]
    pair = np.array([piece.pair for tiling in tilings for piece in tiling.pieces], dtype=np.int64)
    log_odds = np.array([tiling.value for tiling in tilings], dtype="float64")
    touches = np.isin(pairs.delivered, pairs.delivered[pair]) | np.isin(pairs.known, pairs.known[pair])
    found = probability(log_odds, rivals)
    return _Pieces(pair, np.repeat(log_odds, counts), np.repeat(found, counts), touches)


def _tell(ours: Census, theirs: Census, stories: list[Story], settings: IdentitySettings) -> Matches:
    delivered = np.concatenate([story.pairs.delivered for story in stories])
    known = np.concatenate([story.pairs.known for story in stories])
    reasons = doubt_reasons(ours, theirs, stories, settings)
    pairs = pairs_frame(ours, theirs, stories, reasons, settings)
    new = strangers_frame(theirs, _left(theirs.count, delivered), ours, "delivered_id")
    gone = strangers_frame(ours, _left(ours.count, known), theirs, "known_id")
    for frame, name in ((pairs, "identity_pairs"), (new, "identity_new"), (gone, "identity_gone")):
        check_frame(frame, name)
    return Matches(pairs, new, gone)
