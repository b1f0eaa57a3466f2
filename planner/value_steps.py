"""Every term of a pair's figures as a row of quantity, price and amount, so that a reader can follow it by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from planner.costs import price_rows
from planner.factors import Flags, Floats
from planner.policy import Policy
from planner.value import check_inputs, pair_stakes
from planner.value_terms import SAVED_TERMS, Line, Names, PairFrames, PairPlaces, pair_lines, pair_places, price_table
from planner.value_years import Rates, Stakes, joining_years, year_nets
from registry.fields import columns_of

_ALONE_TERMS: Final = ("pipe", "paving", "traffic", "mobilisation")
_DISCOUNT: Final = "planning.discount_share_per_year"
_RISE: Final = "prices.value.price_rise_share_per_year"
_LIFE: Final = "prices.value.design_life_years"


@dataclass
class _Steps:
    """The rows as they come, a column block per step; `chosen` are the pairs that are told."""

    keys: pd.DataFrame
    blocks: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self,
        figure: str,
        step: str,
        quantity: Floats,
        unit: str,
        price: Floats | float = np.nan,
        price_id: Names | str | None = None,
    ) -> None:
        """Add a step for every pair; without a price it is an input."""
        block = self.keys.copy()
        block["figure"], block["step"], block["formula"] = figure, step, f"value_formula_{step}"
        block["quantity"], block["unit"], block["price"], block["price_id"] = quantity + 0.0, unit, price, price_id
        # adding 0 turns a negative zero into one that reads like any other
        block["amount_cny"] = block["quantity"] * block["price"] + 0.0
        block["place"] = np.arange(len(block))
        self.blocks.append(block)

    def keep_last(self, count: int, is_known: Flags) -> None:
        """Keep of the last blocks the pairs of which they are known."""
        self.blocks[-count:] = [block[is_known] for block in self.blocks[-count:]]

    def frame(self, policy: Policy) -> pd.DataFrame:
        """Return the rows by pair, in the order in which they were added."""
        steps = pd.concat(self.blocks, ignore_index=True)
        steps = steps.sort_values("place", kind="stable", ignore_index=True)
        for column in ("figure", "step", "formula", "unit", "price_id"):
            steps[column] = steps[column].astype("str")
        is_verified = ~steps["price_id"].isin(policy.unverified())
        steps["is_verified"] = is_verified.astype("boolean").where(steps["price_id"].notna())
        return steps[columns_of("value_steps")]


def explain_pairs(  # noqa: PLR0913 - all that the value of a pair is made from
    segments: pd.DataFrame,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    pair_times: pd.DataFrame,
    projects: pd.DataFrame,
    policy: Policy,
    as_of: date,
    *,
    road_classes: pd.Series | None = None,
    only: pd.Index | None = None,
) -> pd.DataFrame:
    """List every term of the figures of `price_pairs`: the frame `value_steps`.

    The amount of each row is its quantity times its price, and the amounts of one figure of a pair add up to it:
    `cost_alone_cny`, `saving_cny`, `life_lost_cny_per_year`, `waiting_cny_per_year`, `at_stake_cny`. Rows of the
    figure `inputs` tell what quantities are made from and have no amount. What is at stake has rows only where a best
    year is known.

    Parameters
    ----------
    pairs
        All pairs of the projects, as for `price_pairs`: a site is shared among them.
    only
        Labels of the pairs to be told; all by default.

    Raises
    ------
    FrameError, PlanningError, PolicyError
        As `price_pairs`.
    """
    frames = PairFrames(segments, scores, pairs, pair_times, projects, road_classes)
    check_inputs(frames)
    lines = pair_lines(frames, pair_places(frames), policy)
    if only is not None:
        chosen = pairs.index.get_indexer(only)
        lines = {term: line.take(chosen) for term, line in lines.items()}
        frames = replace(frames, pairs=pairs.take(chosen))
    places = pair_places(frames)
    stakes = pair_stakes(frames, places, lines, policy, as_of)
    rates = Rates.of(policy)
    steps = _Steps(frames.pairs[["segment_id", "project_id"]])
    _add_inputs(steps, frames, places, stakes, policy)
    for term in _ALONE_TERMS:
        steps.add("cost_alone_cny", term, lines[term].alone, *_priced(lines[term]))
    for term in SAVED_TERMS:
        steps.add("saving_cny", f"{term}_saved", lines[term].saved, *_priced(lines[term]))
    alone, leaks = stakes.alone_cny, stakes.leaks
    yearly = 1.0 / float(rates.annuity(rates.design_life_years))
    steps.add("life_lost_cny_per_year", "life_year", alone, "CNY", yearly, _LIFE)
    steps.add("waiting_cny_per_year", "repair_year", leaks.repair.alone, *_priced(leaks.repair))
    steps.add("waiting_cny_per_year", "harm_year", leaks.harm.alone, *_priced(leaks.harm))
    steps.add("waiting_cny_per_year", "rise_year", alone, "CNY", rates.price_rise, _RISE)
    _add_best_year(steps, stakes, rates, as_of)
    return steps.frame(policy)


def _priced(line: Line) -> tuple[str, Floats, Names]:
    return line.unit, line.price, line.price_id


def _add_inputs(steps: _Steps, frames: PairFrames, places: PairPlaces, stakes: Stakes, policy: Policy) -> None:
    row = places.segment
    scores = frames.scores.reindex(frames.segments.index)
    band = price_rows(frames.segments, policy.prices).pipe[row]
    widths = price_table("prices.pipe", policy.prices.pipe, "trench_width_m")
    count = len(row)
    steps.add("inputs", "length", frames.segments["length_m"].to_numpy(dtype="float64")[row], "m")
    steps.add("inputs", "overlap", places.overlap_m, "m")
    steps.add("inputs", "trench_width", widths.value[band], "m", price_id=widths.price_id[band])
    likelihood = scores["likelihood_per_km_year"].to_numpy(dtype="float64")[row]
    steps.add("inputs", "likelihood", likelihood, "1/(km*year)")
    steps.add("inputs", "consequence", stakes.leaks.consequence, "1")
    removed = np.full(count, policy.planning.removed_share.value)
    steps.add("inputs", "removed", removed, "1", price_id="planning.removed_share")
    steps.add("inputs", "due_from", stakes.due_from, "year")
    steps.add("inputs", "due_until", np.where(np.isinf(stakes.due_until), np.nan, stakes.due_until), "year")
    steps.add("inputs", "discount", np.full(count, Rates.of(policy).rate), "1/year", price_id=_DISCOUNT)


def _add_best_year(steps: _Steps, stakes: Stakes, rates: Rates, as_of: date) -> None:
    """Add what the stake is made of; rows with no quantity are left out where no best year is known."""
    best = joining_years(stakes, rates, as_of)["best_year"].to_numpy(dtype="float64", na_value=np.nan)
    step = np.where(np.isnan(best), 0, best - as_of.year).astype(np.int64)
    nets = year_nets(stakes, rates, as_of, slice(None))
    every = np.arange(len(step))
    lost, avoided, borne = (
        part[every, step] for part in (nets.life_lost_cny, nets.leaks_avoided_cny, nets.leaks_borne_cny)
    )
    worth = np.where(np.isnan(best), np.nan, rates.worth(step.astype("float64")))
    first, alone = stakes.leaks.first_year_cny, stakes.alone_cny
    yearly = alone / rates.annuity(rates.design_life_years)
    gain = np.maximum(avoided - lost, 0.0)
    later = _ratio(nets.later_price_cny[every, step], alone)
    terms = (
        ("best_saving", stakes.saving_cny, np.ones(len(step)), _DISCOUNT),
        ("best_life_lost", -yearly, _ratio(lost, yearly), _DISCOUNT),
        ("best_leaks_avoided", first, _ratio(avoided, first), None),
        ("best_no_gain", -gain, np.ones(len(step)), _DISCOUNT),
        ("best_leaks_borne", -first, _ratio(borne, first), None),
        ("best_later_price", -alone, later, _RISE),
    )
    for name, quantity, factor, price_id in terms:
        steps.add("at_stake_cny", name, quantity, "CNY", factor * worth, price_id)
    steps.keep_last(len(terms), ~np.isnan(best))


def _ratio(amount: Floats, of: Floats) -> Floats:
    """Return amount / of; 0 where there is nothing to divide by."""
    return np.where(of != 0, amount / np.where(of != 0, of, 1.0), 0.0)
