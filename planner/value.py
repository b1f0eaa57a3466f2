"""The value of every pair: cost alone and together, life lost, waiting, and the years in which joining pays."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from planner.factors import Floats, text_column
from planner.policy import Policy
from planner.value_terms import (
    SAVED_TERMS,
    Line,
    PairFrames,
    PairPlaces,
    leak_costs,
    pair_lines,
    pair_places,
    saved_carbon_kg,
)
from planner.value_years import Rates, Stakes, joining_years, years_of
from registry.fields import check_frame, columns_of


def price_pairs(  # noqa: PLR0913 - all that the value of a pair is made from
    segments: pd.DataFrame,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    pair_times: pd.DataFrame,
    projects: pd.DataFrame,
    policy: Policy,
    as_of: date,
    *,
    road_classes: pd.Series | None = None,
) -> pd.DataFrame:
    """Price every pair: the frame `pair_values`, index and order as `pairs`.

    The renewal is that of the whole segment; of a segment that is partly inside only the overlapped metres are shared.

        cost alone    = length x pipe + length x trench width x surface + length x traffic + share of a site
        saving        = the terms that the policy shares for what the project opens, over the overlapped metres
        cost together = cost alone - saving

    The range of the saving takes each of its prices at its low and at its high end. Life lost, waiting and the years
    of joining are defined in `planner.value_years`; they need the due window of `pair_times` and are missing without.
    Amounts are in yuan of the as-of year.

    Misleads where segments of a project are left out: the cost of its site is shared by the pairs that are given. The
    plan does not count the traffic, so its costs are lower. Expected leaks are those of the score, expert values until
    a city has fitted its own.

    Parameters
    ----------
    pair_times
        Due window and project window of the pairs, the last day of each included; pairs that it lacks have none.
    road_classes
        Class of the road of segments, by segment id; the price of class `unknown` without.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If pairs name segments or projects that are not given.
    PolicyError
        If the price list has no part `value`.
    """
    frames = PairFrames(segments, scores, pairs, pair_times, projects, road_classes)
    check_inputs(frames)
    places = pair_places(frames)
    lines = pair_lines(frames, places, policy)
    stakes = pair_stakes(frames, places, lines, policy, as_of)
    values = pairs[["segment_id", "project_id"]].assign(**_amounts(lines, stakes, Rates.of(policy)))
    years = joining_years(stakes, Rates.of(policy), as_of)
    for column in years.columns:
        values[column] = years[column].array
    values["co2_saving_kg"] = saved_carbon_kg(frames, lines, places, policy)
    return values[columns_of("pair_values")]


def _amounts(lines: dict[str, Line], stakes: Stakes, rates: Rates) -> dict[str, Floats]:
    """Return the columns that need no years."""
    amounts = {
        "cost_alone_cny": stakes.alone_cny,
        "cost_together_cny": stakes.alone_cny - stakes.saving_cny,
        "saving_cny": stakes.saving_cny,
        "saving_low_cny": _sum([line.saved * _known(line.low, line.saved) for line in lines.values()]),
        "saving_high_cny": _sum([line.saved * _known(line.high, line.saved) for line in lines.values()]),
        "life_lost_cny_per_year": stakes.alone_cny / rates.annuity(rates.design_life_years),
        "waiting_cny_per_year": stakes.leaks.first_year_cny + stakes.alone_cny * rates.price_rise,
    }
    return amounts | {f"{term}_saving_cny": lines[term].saved_cny for term in SAVED_TERMS}


def check_inputs(frames: PairFrames) -> None:
    """Check the frames against their contracts."""
    check_frame(frames.segments, "segments", ["medium", "length_m"])
    check_frame(frames.scores, "scores", ["likelihood_per_km_year", "consequence_index"])
    check_frame(frames.pairs, "pairs", ["segment_id", "project_id", "overlap_m"])
    check_frame(frames.projects, "projects", ["kind"])


def pair_stakes(frames: PairFrames, places: PairPlaces, lines: dict[str, Line], policy: Policy, as_of: date) -> Stakes:
    """Return what the years of joining of each pair hang on."""
    years = years_of(frames.pair_times, frames.pairs, as_of)
    is_inactive = text_column(frames.projects, "state").isin(list(policy.overlap.inactive_states))
    return Stakes(
        saving_cny=_sum([lines[term].saved_cny for term in SAVED_TERMS]),
        alone_cny=_sum([line.alone_cny for line in lines.values()]),
        leaks=leak_costs(frames, places, policy),
        due_from=years["due_from"].to_numpy(dtype="float64"),
        due_until=years["due_until"].to_numpy(dtype="float64"),
        project_from=years["project_from"].to_numpy(dtype="float64"),
        project_until=years["project_until"].to_numpy(dtype="float64"),
        is_closed=years["is_too_late"].to_numpy(dtype=bool) | is_inactive.to_numpy(dtype=bool)[places.project],
    )


def _sum(parts: list[Floats]) -> Floats:
    total: Floats = np.sum(parts, axis=0)
    return total


def _known(price: Floats, quantity: Floats) -> Floats:
    """Take no price where nothing of it is saved, so that a range that is not known there hides nothing."""
    return np.where(quantity == 0, 0.0, price)
