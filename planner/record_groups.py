"""The groups in which the leak record teaches: medium, material, decade, diameter band, street."""

from __future__ import annotations

import numpy as np
import pandas as pd

from planner.ages import install_years
from planner.factors import Floats, entries_for, number_column, text_column
from planner.gap_defaults import Codes, value_codes
from planner.policy_likelihood import Likelihood
from planner.updating import Groups

_COURTYARD = "courtyard"


def record_groups(segments: pd.DataFrame, street_links: pd.DataFrame | None, weights: Likelihood) -> Groups:
    """Return the group of each segment in every step of the record.

    All groups are within a medium. A material or a diameter that is not known is a group of its own. A pipe is in no
    vintage where its install interval is not within one decade. Its street is the name that was delivered, else that
    of the road it is linked to; courtyard pipes go by their compound, where it is named.
    """
    level = pd.factorize(segments["medium"])[0].astype(np.int64)
    material = value_codes(text_column(segments, "material"))
    decade = _decade(segments)
    cohort = _within(level, material)
    return Groups(
        level=level,
        cohort=cohort,
        vintage=_within(cohort, np.where(np.isnan(decade), -1, decade)),
        diameter=_within(level, _bands(segments, weights)),
        street=_within(level, pd.factorize(street_names(segments, street_links))[0]),
    )


def street_names(segments: pd.DataFrame, street_links: pd.DataFrame | None) -> pd.Series:
    """Return the street or compound by whose name each segment is grouped; missing where none is known."""
    street = text_column(segments, "street_name")
    if street_links is not None:
        names = pd.Series(street_links["street_name"].array, pd.Index(street_links["segment_id"]))
        street = street.fillna(names.reindex(segments.index))
    compound = text_column(segments, "compound_name")
    is_compound = (text_column(segments, "tier") == _COURTYARD) & compound.notna()
    # a compound and a street may have one name
    return street.where(~is_compound, "\t" + compound)


def _decade(segments: pd.DataFrame) -> Floats:
    """Return the decade of installation; NaN where the interval is not within one."""
    first, last = (np.floor(year / 10.0) for year in install_years(segments))
    return np.where(first == last, first, np.nan)


def _bands(segments: pd.DataFrame, weights: Likelihood) -> Codes:
    """Return the band of the diameter by the tables of each medium; one more for unknown."""
    diameter = number_column(segments, "diameter_mm")
    codes, media = pd.factorize(segments["medium"])
    band = np.zeros(len(segments), dtype=np.int64)
    for code, medium in enumerate(media):
        bands = entries_for(weights.diameter_mm.bands, str(medium))
        tops = np.array([np.inf if entry.maximum is None else entry.maximum for entry in bands])
        rows = codes == code
        # NaN sorts behind the open top
        band[rows] = np.searchsorted(tops, diameter[rows], side="left")
    return band


def _within(outer: Codes, inner: np.ndarray) -> Codes:
    """Return the number of each pair, -1 where the inner one is below 0."""
    span = int(inner.max(initial=0)) + 1
    paired = outer * span + inner.astype(np.int64)
    return np.where(inner < 0, -1, pd.factorize(paired)[0]).astype(np.int64)
