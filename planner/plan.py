"""The renewal plan: batches, years, costs, what joining projects saves, and how good the plan can be proven to be."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.agreed import Agreed, agree
from planner.batches import Grouping, batch_frames, make_batch_table
from planner.benefits import Worth, find_benefits
from planner.candidates import Candidates, Priced, make_candidates, price_segments
from planner.choice import Duties, Effort, Programme, choose_programme, make_model
from planner.closing import Ground
from planner.conditions import NONE, Conditions, no_conditions
from planner.costs import unit_costs
from planner.factors import Flags, Floats
from planner.forecast.outlook import Outlook
from planner.groups import candidate_segments, group_segments
from planner.held import Held, check_held, held_candidates, held_model, held_reasons, hold, locked_rows, with_held
from planner.households import Supplied
from planner.impossible import check_possible
from planner.late import Offer, find_late
from planner.late_frames import Late
from planner.limits import Limits as Limits
from planner.members import Members, Rows
from planner.order import no_order
from planner.plan_summary import left_out, summarise_plan
from planner.policy import Policy
from planner.pool import PoolRule, make_pool
from planner.programme import LockedBatch
from planner.solve.model import Model
from planner.stability import Draws, find_stability, summarise_stability, with_stability
from planner.why import plan_reasons
from registry.errors import PlanningError
from registry.fields import check_frame


@dataclass(frozen=True)
class Plan:
    """A plan as it is saved: frames `batches`, `batch_segments`, `plan_reasons`, `pairs`, and a summary for JSON.

    `late` holds the frames `late_work` and `late_years`: what the law asks for and the plan does late or not at all.

    The summary has `objective` (discounted risk removed), `bound` (no plan can remove more), `gap_share`, `greedy`
    (what the usual greedy choice removes), figures by year, and `project_blind`: the plan that ignores projects when
    it chooses, priced afterwards with what it would really cost and save.
    """

    batches: pd.DataFrame
    batch_segments: pd.DataFrame
    reasons: pd.DataFrame
    pairs: pd.DataFrame
    late: Late
    summary: dict[str, Any] = field(hash=False)

    def by_year(self) -> pd.DataFrame:
        """Return the figures by year as a frame, index `year`."""
        return pd.DataFrame(self.summary["by_year"]).set_index("year")

    def __repr__(self) -> str:
        """Return one line: batches, years, objective and gap."""
        years = self.summary["years"]
        placed = int(self.batches["year"].notna().sum())
        return (
            f"Plan({years[0]}-{years[-1]}: {placed} of {len(self.batches)} batches, "
            f"objective {self.summary['objective']:,.1f}, gap {self.summary['gap_share']:.2%})"
        )

    def _repr_html_(self) -> str:
        return str(self.by_year().to_html(float_format=lambda number: f"{number:,.1f}", notebook=True))


@dataclass(frozen=True)
class Bearing:
    """What bears on a plan besides segments, scores, pairs and money; the default is nothing.

    Parameters
    ----------
    conditions
        Of the segments, in their order.
    outlook, emissions
        Let risk grow with age, and count methane.
    worth
        What counts in the objective.
    batches_per_segment
        In how many candidate batches each segment lies at least, where the network allows it.
    decisions
        Standing decisions of meetings (`pair_decisions`).
    locks
        Batches that stay as they are, in their year or out of the plan.
    stability_draws
        In how many draws of the risk the plan is solved again, to tell what of it stays.
    isolation
        The isolation section by segment id (`planner.isolation`), so that each run lies in one; locked batches and
        compounds stay as they are.
    order
        Segments that wait for others (`plan_order`).
    ground
        The bans by name, so that late work can say which ones stand in its way.
    """

    conditions: Conditions | None = None
    outlook: Outlook | None = None
    emissions: pd.DataFrame | None = None
    worth: Worth = field(default_factory=Worth)
    decisions: pd.DataFrame | None = None
    effort: Effort = field(default_factory=Effort)
    batches_per_segment: int = 10
    ground: Ground | None = None
    locks: tuple[LockedBatch, ...] = ()
    stability_draws: int = 0
    isolation: pd.Series | None = None
    order: pd.DataFrame = field(default_factory=no_order)


@dataclass(frozen=True)
class Problem:
    """What a plan chooses from and under: candidate segments in the order of ids, batches, prices, limits, locks."""

    segments: gpd.GeoDataFrame
    scores: pd.DataFrame
    priced: Priced
    offer: Grouping
    rule: PoolRule
    candidates: Candidates
    lock: Rows
    held: Held
    supplied: Supplied
    limits: Limits
    policy: Policy
    bearing: Bearing
    agreed_open: Flags

    def offered(self) -> Offer:
        """Return what late work is looked for in."""
        priced, ground = self.priced, self.bearing.ground
        return Offer(self.segments, self.candidates, priced.conditions, self.limits.years, ground, self.lock)

    def steady(
        self, programme: Programme, batches: pd.DataFrame, batch_segments: pd.DataFrame
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        """Return the batches with what of them stays in draws of the risk, and the summary of it; as asked."""
        bearing = self.bearing
        if not bearing.stability_draws:
            return batches, {}
        draws = Draws.of(self.scores, bearing.worth, self.policy, bearing.stability_draws, bearing.effort.seed)
        found = find_stability(self.priced, self.candidates, programme, draws, bearing.effort)
        steady = with_stability(batches, batch_segments, self.priced.length_m, found)
        return steady, {"stability": summarise_stability(steady, found.draw_count)}

    def model(self, *, is_blind: bool = False) -> tuple[Model, Duties]:
        """Return the model, without deadlines of the law, and what the law asks for."""
        priced, limits, policy = self.priced, self.limits, self.policy
        order = (self.segments.index, self.bearing.order)
        model, duties = make_model(
            self.candidates, priced.conditions, priced.severity, limits, policy, is_blind=is_blind, order=order
        )
        return held_model(model, self.candidates, self.held, self.lock), duties

    def choose(self, effort: Effort, *, is_blind: bool = False) -> Programme:
        """Choose years for the batches.

        Raises
        ------
        PlanningError
            Where locked batches alone need more than a year has.
        """
        model, duties = self.model(is_blind=is_blind)
        check_held(model, self.lock, self.held, self.limits.years)
        return choose_programme(model, duties, effort.for_comparison() if is_blind else effort)


def make_plan(  # noqa: PLR0913 - all that a plan is made from
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    policy: Policy,
    limits: Limits,
    supplied: Supplied | None = None,
    bearing: Bearing | None = None,
) -> Plan:
    """Plan the renewal of candidate segments in yearly batches under the limits.

    Candidates are grouped by compound and by street run, those by policy class apart from those that are candidates
    by their grade only, so that no score makes a mandatory batch dearer or too long for a year; each batch goes at
    most once into one year. What the law asks for comes first, as near to its day as the limits allow
    (`planner.choice`); the rest is filled with what is worth most: risk removed each year, discounted, from the year
    of renewal to the horizon of the policy, so that earlier is worth more. Where a project is on site in the year and
    opens the ground, its share of reinstatement (and trench) is saved. Closed streets stay closed, and a stretch of
    street is opened in one year only.

    Decisions of a meeting bind the years of batches and part what is done apart (`planner.agreed`); the plan may then
    be worth less than the one that is blind to projects. The bound holds for the batches that were offered, and for the
    deadlines that could be kept.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    PlanningError
        If the limits make no sense, segments have no score, nothing is a candidate, or no plan keeps all limits.
    """
    problem = plan_problem(segments, scores, pairs, projects, policy, limits, supplied, bearing)
    bearing, years, chosen, risk = problem.bearing, limits.years, problem.segments, problem.scores
    blind, seeing = (problem.choose(bearing.effort, is_blind=blind) for blind in (True, False))
    check_possible(seeing, *problem.model(), problem.priced.conditions.district_names, limits, bearing.effort)
    stays = (seeing.year != NONE) | (problem.lock != NONE)
    grouping, year = _final(problem, seeing.year, stays)
    removed = risk["risk_per_year"].to_numpy(dtype="float64") * policy.planning.removed_share.value
    table = make_batch_table(problem.priced, removed, grouping, problem.supplied)
    batches, batch_segments = batch_frames(table, year, years)
    batches, steady = problem.steady(seeing, batches, batch_segments)
    summary = summarise_plan(problem.candidates, seeing, blind, limits) | left_out(table, year, batches, seeing)
    # decisions are counted on the batches of the plan, not on the many that were offered
    kept = agree(bearing.decisions, pairs, chosen.index, grouping.members, years)
    summary |= _made_from(problem, kept) | steady
    reasons = held_reasons(plan_reasons(chosen.index, problem.candidates, seeing, years), problem.held)
    late = find_late(problem.offered(), seeing, policy)
    return Plan(batches, batch_segments, reasons, pairs.copy(), late, summary)


def plan_problem(  # noqa: PLR0913 - all that a plan is made from
    segments: gpd.GeoDataFrame,
    scores: pd.DataFrame,
    pairs: pd.DataFrame,
    projects: pd.DataFrame,
    policy: Policy,
    limits: Limits,
    supplied: Supplied | None = None,
    bearing: Bearing | None = None,
) -> Problem:
    """Prepare what `make_plan` chooses from: candidates, the batches that are offered, what they cost and remove.

    Raises
    ------
    FrameError, PlanningError
        As `make_plan`.
    """
    limits.check()
    check_frame(segments, "segments", ["medium", "length_m", "geometry"])
    check_frame(scores, "scores", ["policy_class", "grade", "risk_per_year"])
    check_frame(pairs, "pairs")
    bearing, supplied = bearing or Bearing(), supplied or Supplied.from_frames()
    bearing.worth.check()
    place, chosen, risk = _candidates(segments, scores, policy, bearing)
    held = hold(bearing.locks, chosen.index, limits.years)
    benefits = find_benefits(chosen, risk, limits.years, policy, bearing.outlook, bearing.emissions)
    offer, lock, rule = _offer(chosen, risk, benefits.worth(bearing.worth), policy, bearing, held)
    agreed = agree(bearing.decisions, pairs, chosen.index, offer.members, limits.years)
    asked = bearing.conditions.take(place) if bearing.conditions else no_conditions(risk["policy_class"], limits.years)
    priced = price_segments(chosen, risk, benefits, bearing.worth, agreed.pairs, projects, asked, limits.years, policy)
    households = supplied.of_batches(chosen, offer.members, offer.kind, offer.place)
    candidates = held_candidates(make_candidates(priced, offer.members, households, agreed.is_open), held, lock)
    return Problem(
        chosen, risk, priced, offer, rule, candidates, lock, held, supplied, limits, policy, bearing, agreed.is_open
    )


def _made_from(problem: Problem, agreed: Agreed) -> dict[str, Any]:
    policy, bearing = problem.policy, problem.bearing
    return {
        "pool": asdict(problem.rule),
        "worth": asdict(bearing.worth),
        "effort": asdict(bearing.effort),
        "locked": problem.held.facts(),
        "decided": _decided(agreed),
        "isolation": _isolation_facts(problem.segments, bearing.isolation),
        "policy": {"id": policy.id, "version": policy.version, "hash": policy.content_hash},
        "unverified_count": len(policy.unverified()),
    }


def _offer(
    chosen: gpd.GeoDataFrame, scores: pd.DataFrame, worth: Floats, policy: Policy, bearing: Bearing, held: Held
) -> tuple[Grouping, Rows, PoolRule]:
    """Make the batches to choose from, by what segments are worth in the first year; locked ones stand beside them."""
    cost = unit_costs(chosen, policy.prices).total_cny_per_m * chosen["length_m"].to_numpy(dtype="float64")
    by_class = scores["policy_class"].isin(list(policy.candidates.classes)).to_numpy(dtype=bool)
    free = np.setdiff1d(np.arange(len(chosen)), held.segment_rows())
    if not len(free):
        raise PlanningError("plan_locks_all")
    seeds, seed = bearing.batches_per_segment, bearing.effort.seed
    pool = make_pool(
        chosen.iloc[free],
        worth[free, 0],
        cost[free],
        by_class[free],
        policy,
        isolation=bearing.isolation,
        batches_per_segment=seeds,
        seed=seed,
    )
    members = Members(free[pool.row], pool.batch, len(chosen), len(pool.ids))
    grouping, lock = with_held(Grouping(members, pool.kind, pool.place), [str(name) for name in pool.ids], held, chosen)
    return grouping, lock, pool.rule


def _candidates(
    segments: gpd.GeoDataFrame, scores: pd.DataFrame, policy: Policy, bearing: Bearing
) -> tuple[Rows, gpd.GeoDataFrame, pd.DataFrame]:
    """Return candidate segments and their scores, in the order of ids: the order of rows must not matter."""
    missing = segments.index.difference(scores.index)
    if len(missing):
        raise PlanningError("plan_scores_absent", count=len(missing), example=str(missing[0]))
    aligned = scores.loc[segments.index]
    chosen = np.flatnonzero(candidate_segments(segments, aligned, policy))
    chosen = np.union1d(chosen, locked_rows(segments, bearing.locks))
    if not len(chosen):
        grade = policy.candidates.minimum_grade
        raise PlanningError(
            "plan_no_candidates", classes=", ".join(policy.candidates.classes), grade=f" / {grade}" if grade else ""
        )
    chosen = chosen[np.argsort(segments.index[chosen].to_numpy(dtype=object), kind="stable")].astype(np.int64)
    return chosen, segments.iloc[chosen], aligned.iloc[chosen]


def _grouped(
    chosen: gpd.GeoDataFrame, scores: pd.DataFrame, policy: Policy, isolation: pd.Series | None
) -> pd.DataFrame:
    """Group candidates by class and candidates by grade only each among themselves."""
    is_by_class = scores["policy_class"].isin(list(policy.candidates.classes)).to_numpy(dtype=bool)
    parts: list[pd.DataFrame] = []
    first = 0
    for rows in (is_by_class, ~is_by_class):
        if not rows.any():
            continue
        found = group_segments(chosen[rows], policy, isolation)
        found["group"] += first
        first = int(found["group"].max()) + 1
        parts.append(found)
    return pd.concat(parts).loc[chosen.index]


def _final(problem: Problem, year: Rows, stays: Flags) -> tuple[Grouping, Rows]:
    """Return the batches of the plan with their years: those that stay as offered, and what is left, grouped anew."""
    chosen, scores, offer = problem.segments, problem.scores, problem.offer
    placed = np.flatnonzero(stays)
    rank = np.full(len(year), NONE, dtype=np.int64)
    rank[placed] = np.arange(len(placed))
    is_chosen = stays[offer.members.batch]
    group = np.full(len(chosen), NONE, dtype=np.int64)
    group[offer.members.row[is_chosen]] = rank[offer.members.batch[is_chosen]]
    kind, place = offer.kind[placed], offer.place[placed]
    left = group == NONE
    if left.any():
        rest = Grouping.of_frame(_grouped(chosen[left], scores[left], problem.policy, problem.bearing.isolation))
        group[np.flatnonzero(left)[rest.members.row]] = rest.members.batch + len(placed)
        kind, place = np.concatenate([kind, rest.kind]), np.concatenate([place, rest.place])
    numbered, first = pd.factorize(group)
    years = np.full(len(kind), NONE, dtype=np.int64)
    years[: len(placed)] = year[placed]
    order = np.asarray(first, dtype=np.int64)
    return Grouping(Members.of_groups(numbered.astype(np.int64)), kind[order], place[order]), years[order]


def _isolation_facts(chosen: gpd.GeoDataFrame, isolation: pd.Series | None) -> dict[str, Any] | None:
    """Tell in how many isolation sections the candidates lie, and how long those of none are; None where not asked."""
    if isolation is None:
        return None
    section = isolation.reindex(chosen.index)
    without_km = float(chosen["length_m"][section.isna()].sum() / 1000.0)
    return {"section_count": int(section.nunique()), "without_km": without_km}


def _decided(agreed: Agreed) -> dict[str, int]:
    return {
        "bound_batch_count": agreed.bound_batch_count,
        "apart_pair_count": agreed.apart_pair_count,
        "unmet_pair_count": agreed.unmet_pair_count,
    }
