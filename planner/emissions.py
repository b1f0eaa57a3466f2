"""Methane that gas pipes let go in a year, and what their renewal saves of it, by versioned factors."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from planner.factors import text_column
from planner.policy_emissions import EmissionFactors, MainFactor
from registry.fields import check_frame, columns_of

METHANE_COLUMNS: Final = ("methane_t_per_year", "methane_low_t_per_year", "methane_high_t_per_year")
SAVED_COLUMNS: Final = ("methane_saved_t_per_year", "methane_saved_low_t_per_year", "methane_saved_high_t_per_year")
_METRES_PER_KM: Final = 1000.0
_KG_PER_T: Final = 1000.0


def find_emissions(
    segments: pd.DataFrame, factors: EmissionFactors, measured_kg_per_year: pd.Series | None = None
) -> pd.DataFrame:
    """Return methane by segment and year, and what a new pipe in its place would save: the frame `emissions`.

    Emission = factor x length; saved = that of the old pipe less that of a new one of the same length. Only pipes that
    carry a medium of the factors and have gas in them count; the others are empty (not applicable), not 0.

    Where the flow of the leaks of a segment was measured, that stands for its factor, in figure, low and high: it is
    never added to it, and never subtracted besides. A pipe that is new in kind already saves nothing. The range of
    what is saved takes the ends apart (low old less high new): it may fall below 0, which says that the saving is not
    certain; nothing is cut off. So may the figure itself, where a measured pipe leaks less than a new one would.

    Misleads for one pipe: a few leaks let go most of the methane, and the factors are means of countries. Ends of the
    range move together, so that those of many segments add up to ends, not to a confidence interval. Services and
    stations are not in it.

    Parameters
    ----------
    measured_kg_per_year
        Kilograms of methane a year, by segment; NaN or absent where none was measured.

    Raises
    ------
    FrameError
        If `segments` does not keep its contract.
    """
    check_frame(segments, "segments", ["medium", "length_m"])
    kind = main_kinds(segments, factors)
    is_there = kind.notna().to_numpy(dtype=bool)
    kilometres = segments["length_m"].to_numpy(dtype="float64") / _METRES_PER_KM
    by_code: dict[str, MainFactor] = {main.code: main for main in factors.mains}
    ranges = np.array([main.range for main in factors.mains])
    place = pd.Categorical(kind, categories=list(by_code)).codes
    old = np.where(is_there[:, None], ranges[place] * kilometres[:, None], np.nan) / _KG_PER_T
    is_measured = np.zeros(len(segments), dtype=bool)
    if measured_kg_per_year is not None:
        flow = measured_kg_per_year.reindex(segments.index).to_numpy(dtype="float64") / _KG_PER_T
        is_measured = ~np.isnan(flow) & is_there
        old = np.where(is_measured[:, None], flow[:, None], old)
    new = np.array(by_code[factors.new_pipe].range) * kilometres[:, None] / _KG_PER_T
    # low saved = low old - high new, high saved = high old - low new
    saved = old - new[:, [0, 2, 1]]
    is_new = (kind == factors.new_pipe).to_numpy(dtype=bool) & ~is_measured
    saved = np.where(is_new[:, None], 0.0, saved)
    columns: dict[str, Any] = {"factor_code": kind, "is_measured": is_measured}
    columns |= {name: old[:, end] for end, name in enumerate(METHANE_COLUMNS)}
    columns |= {name: saved[:, end] for end, name in enumerate(SAVED_COLUMNS)}
    emissions = pd.DataFrame(columns, index=segments.index.rename("segment_id")).astype({"is_measured": "boolean"})
    return emissions[columns_of("emissions")]


def main_kinds(segments: pd.DataFrame, factors: EmissionFactors) -> pd.Series:
    """Return the code of the factor of each segment; missing where none applies."""
    material = text_column(segments, "material").fillna("unknown")
    protection = text_column(segments, "cathodic_protection")
    told = np.full(len(segments), "unknown", dtype=object)
    told[protection.isin(list(factors.protected)).to_numpy(dtype=bool)] = "protected"
    told[protection.isin(list(factors.unprotected)).to_numpy(dtype=bool)] = "unprotected"
    kind = np.full(len(segments), "unknown", dtype=object)
    for main in factors.mains:
        is_kind = material.isin(list(main.materials)).to_numpy(dtype=bool)
        if main.protection is not None:
            is_kind = is_kind & (told == main.protection)
        kind[is_kind] = main.code
    carries = segments["medium"].isin(list(factors.media)).to_numpy(dtype=bool)
    is_silent = text_column(segments, "status").isin(list(factors.silent_statuses)).to_numpy(dtype=bool)
    return pd.Series(kind, segments.index, dtype="str").where(carries & ~is_silent)


def methane_facts(emissions: pd.DataFrame, factors: EmissionFactors) -> dict[str, Any]:
    """Add up tonnes of methane, first, and of carbon dioxide over 100 and 20 years: what summaries say.

    None where no segment has gas in it; `uncertain_count` are segments whose renewal may save nothing.
    """
    rows = emissions[emissions["methane_t_per_year"].notna()]
    facts: dict[str, Any] = {"factors": {"id": factors.id, "version": factors.version}, "segment_count": len(rows)}
    for name in (*METHANE_COLUMNS, *SAVED_COLUMNS):
        facts[name] = float(rows[name].sum()) if len(rows) else None
    for name, figure in (("co2e100_t_per_year", factors.gwp100), ("co2e20_t_per_year", factors.gwp20)):
        facts[name] = facts["methane_t_per_year"] * figure.value if len(rows) else None
    facts["measured_count"] = int(rows["is_measured"].sum())
    facts["uncertain_count"] = int((rows["methane_saved_low_t_per_year"] < 0).sum())
    return facts


def batch_methane(emissions: pd.DataFrame, batch_segments: pd.DataFrame) -> pd.DataFrame:
    """Add methane up by batch: the frame `batch_methane`, of the placed batches and of those that a plan leaves out.

    Every segment is in one batch or in none, so that the batches and the segments in none add up to the network. Empty
    where no segment of a batch has gas in it.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(emissions, "emissions", [*METHANE_COLUMNS, *SAVED_COLUMNS])
    check_frame(batch_segments, "batch_segments", ["batch_id"])
    of_batch = emissions[columns_of("batch_methane")].join(batch_segments["batch_id"], how="inner")
    return of_batch.groupby("batch_id").sum(min_count=1)[columns_of("batch_methane")]
