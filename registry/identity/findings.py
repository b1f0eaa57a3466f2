"""From pairs to the frames that a review reads: relation, probability, and why a pair is doubtful."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from registry.identity.candidates import Pairs
from registry.identity.census import Census, Flags, Floats, Geometries
from registry.identity.likelihood import probability
from registry.identity.settings import IdentitySettings

# codes of the catalogue, the first that applies is told
ID_ELSEWHERE: Final = "identity_id_elsewhere"
ID_REUSED: Final = "identity_id_reused"
RIVAL: Final = "identity_rival"
EVIDENCE: Final = "identity_evidence_thin"
EXTENT: Final = "identity_extent_changed"


@dataclass(frozen=True)
class Story:
    """Pairs that were found in one way, with the log-odds of their own and the probability among all rivals.

    `relation` is empty for one-to-one pairs, whose relation follows from id and course.
    """

    pairs: Pairs
    relation: str
    log_odds: Floats
    probability: Floats

    @classmethod
    def by_id(cls, pairs: Pairs, log_odds: Floats) -> Story:
        """Pairs that their id settles: nothing else was asked for them."""
        return cls(pairs, "same", log_odds, probability(log_odds))

    @classmethod
    def single(cls, pairs: Pairs, log_odds: Floats, found: Floats) -> Story:
        """One-to-one pairs."""
        return cls(pairs, "", log_odds, found)

    @classmethod
    def lost(cls, pairs: Pairs, log_odds: Floats) -> Story:
        """Pairs that share an id and little else."""
        return cls(pairs, "moved", log_odds, probability(log_odds))


def relations(story: Story, settings: IdentitySettings) -> Geometries:
    """Return the relation of every pair of a story."""
    if story.relation:
        return np.full(len(story.log_odds), story.relation, dtype=object)
    lies_on = np.maximum(story.pairs.share_of_delivered, story.pairs.share_of_known) >= settings.whole_share
    of_one_id = np.where(lies_on, "same", "moved")
    return np.where(story.pairs.has_id, of_one_id, "renumbered").astype(object)


def doubt_reasons(
    known: Census, delivered: Census, stories: list[Story], settings: IdentitySettings
) -> list[Geometries]:
    """Return per story and pair the code of its reason for review; None where the pair is sure."""
    return [_reasons(known, delivered, story, settings) for story in stories]


def _reasons(known: Census, delivered: Census, story: Story, settings: IdentitySettings) -> Geometries:
    pairs = story.pairs
    relation = relations(story, settings)
    is_changed = (np.minimum(pairs.share_of_delivered, pairs.share_of_known) < settings.whole_share) & (
        relation == "same"
    )
    alone = probability(story.log_odds)
    conditions = [
        (relation == "moved") & ((pairs.offset_m > settings.elsewhere_m) | (alone <= 0.5)),
        _is_reused(known, delivered, story),
        alone < settings.sure_probability,
        story.probability < settings.sure_probability,
        is_changed,
    ]
    reasons = np.full(len(relation), None, dtype=object)
    for code, applies in zip((ID_ELSEWHERE, ID_REUSED, EVIDENCE, RIVAL, EXTENT), conditions, strict=True):
        reasons[applies & (reasons == None)] = code  # noqa: E711
    return reasons


def _is_reused(known: Census, delivered: Census, story: Story) -> Flags:
    """Tell where an id of the pair stands in the other census for another pipe.

    A piece may keep the id of its whole: then the id is not reused for the other pieces either.
    """
    pairs = story.pairs
    their_id_is_known = known.ids.get_indexer(delivered.ids[pairs.delivered]) >= 0
    our_id_is_delivered = delivered.ids.get_indexer(known.ids[pairs.known]) >= 0
    if story.relation == "split":
        kept = np.isin(pairs.known, pairs.known[pairs.has_id])
        our_id_is_delivered &= ~kept
    if story.relation == "merged":
        kept = np.isin(pairs.delivered, pairs.delivered[pairs.has_id])
        their_id_is_known &= ~kept
    return ~pairs.has_id & (their_id_is_known | our_id_is_delivered)


def pairs_frame(
    known: Census, delivered: Census, stories: list[Story], reasons: list[Geometries], settings: IdentitySettings
) -> pd.DataFrame:
    """Return the frame `identity_pairs` in the order of its ids."""
    tables = [
        pd.DataFrame(
            {
                "delivered_id": delivered.ids[story.pairs.delivered].astype("str"),
                "known_id": known.ids[story.pairs.known].astype("str"),
                "relation": pd.Series(relations(story, settings), dtype="str"),
                "probability": story.probability,
                "share_of_delivered": story.pairs.share_of_delivered,
                "share_of_known": story.pairs.share_of_known,
                "distance_m": story.pairs.offset_m,
                "attribute_agreement": story.pairs.attribute_agreement,
                "is_doubtful": [reason is not None for reason in reason_codes],
                "reason": pd.Series(reason_codes, dtype="str"),
            }
        )
        for story, reason_codes in zip(stories, reasons, strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    table["is_doubtful"] = table["is_doubtful"].astype(bool)
    return table.sort_values(["delivered_id", "known_id"], ignore_index=True)


def strangers_frame(census: Census, chosen: Flags, other: Census, column: str) -> pd.DataFrame:
    """Return the pipes of a census without a partner; an id that the other census gives to another pipe is told."""
    ids = census.ids[chosen]
    is_reused = other.ids.get_indexer(ids) >= 0
    reason = pd.Series([ID_REUSED if reused else None for reused in is_reused], dtype="str")
    return pd.DataFrame({column: ids.astype("str"), "reason": reason})
