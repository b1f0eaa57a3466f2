"""Choose batches and years: the candidates of a city as a planning model, policy before score, and its blind twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from planner.candidates import Candidates
from planner.classes import CLASS_ORDER
from planner.conditions import NONE, Conditions
from planner.factors import Flags, Floats
from planner.limits import Limits
from planner.members import Rows
from planner.order import order_of_items
from planner.policy import Policy
from planner.solve.elastic import towards_floors
from planner.solve.keep import keeps
from planner.solve.model import SLACK_SHARE, Cap, Floor, Model, Packing, Streets, by_year
from planner.solve.moves import find_moves
from planner.solve.solve import Solution, solve

# classes whose deadlines bind, the stricter first: each is served as well as can be before the next one
_BINDING: Final = (CLASS_ORDER.index("mandatory"), CLASS_ORDER.index("due"))
GAP_SHARE: Final = 5e-3
NODE_LIMIT: Final = 200
# a plan for comparison need not be the best of its kind
_BLIND_GAP_SHARE: Final = 1e-2
# whether there is any plan needs no good one
_TRIAL_GAP_SHARE: Final = 0.5
# what the law asks for is not left out for want of a search
_DUTY_GAP_SHARE: Final = 1e-3
_DUTY_GAP_SHARE_WHERE_SHORT: Final = 1e-6
_INFEASIBLE: Final = "infeasible"
_NOT_FOUND: Final = "not_found"
_METRES_PER_KM: Final = 1000.0


@dataclass(frozen=True)
class Effort:
    """How long and how well to search: a gap to stop at, nodes of a search tree, a seed, and a time for each search."""

    gap_share: float = GAP_SHARE
    node_limit: int = NODE_LIMIT
    seed: int = 0
    time_limit_s: float | None = None

    def for_duties(self, *, is_short: bool = False) -> Effort:
        """Return the effort that serving the law is worth, the more where work seems to find no place."""
        gap = _DUTY_GAP_SHARE_WHERE_SHORT if is_short else _DUTY_GAP_SHARE
        return replace(self, gap_share=min(self.gap_share, gap))

    def for_comparison(self) -> Effort:
        """Return the effort that a plan is worth which is shown beside the one that is proposed."""
        return replace(self, gap_share=max(self.gap_share, _BLIND_GAP_SHARE))


@dataclass(frozen=True)
class Duties:
    """What the law asks of the items of a model: the class of each, its metres, and the year asked for (-1: none).

    `item_of_segment` is the item of each segment, -1 where it lies in no batch.
    """

    severity: Rows
    length_m: Floats
    deadline: Rows
    item_of_segment: Rows


@dataclass(frozen=True)
class Stage:
    """One step of policy before score: how near the work of a class came to its days, as a share of the best proven.

    The gap is None where no plan was found in the time; the deadlines of the class then bind nothing.
    """

    policy_class: str
    gap_share: float | None
    status: str
    is_reproducible: bool


@dataclass(frozen=True)
class Programme:
    """The chosen years, the model they are the answer to, and what of the law could be kept.

    Parameters
    ----------
    model
        With the deadlines that could be kept: as asked, later, or none.
    only_mandatory
        By year, whether nothing but mandatory work was let in, because some for which the money or the caps of the
        year do not suffice is left out.
    is_mandatory_left
        Whether the plan leaves mandatory work out that some year could hold by itself.
    """

    model: Model
    solution: Solution
    duties: Duties
    only_mandatory: Flags
    is_mandatory_left: bool
    stages: tuple[Stage, ...]

    @property
    def year(self) -> Rows:
        """The year of each batch, -1 for none."""
        return self.solution.year

    def item_years(self) -> Rows:
        """Return the year of each item, -1 for none."""
        return self.model.packing.done(self.year)

    def late_km_years(self, year: Rows) -> float:
        """Return kilometres times years late, of a plan of the same batches; what is left out is late to the end."""
        duties, years = self.duties, self.model.shape[1]
        done = self.model.packing.done(year)
        late = np.where(done == NONE, years + 1, np.maximum(done, duties.deadline)) - duties.deadline
        return float((late * duties.length_m)[duties.deadline != NONE].sum() / _METRES_PER_KM)


def make_model(
    candidates: Candidates,
    conditions: Conditions,
    severity: Rows,
    limits: Limits,
    policy: Policy,
    *,
    is_blind: bool = False,
    order: tuple[pd.Index, pd.DataFrame] | None = None,
) -> tuple[Model, Duties]:
    """State what may be chosen and what it must keep, without deadlines, and apart from it what the law asks for.

    A blind model knows no project: its batches cost what they cost alone, and it sees no ban that projects will bring.
    `order` is the ids of the segments, and the frame `plan_order` of those that wait for others.
    """
    packing, duties = _packing(candidates, conditions.deadline, severity)
    cost = np.repeat(candidates.alone_cny[:, None], len(limits.years), axis=1)
    model = Model(
        value=candidates.value,
        cost_cny=cost if is_blind else candidates.cost_cny,
        is_open=candidates.is_open if is_blind else candidates.stays_open,
        budget_cny=np.array(limits.budget_cny, dtype="float64"),
        packing=packing,
        carried_share=limits.carried_share,
        streets=_streets(candidates, conditions, policy),
        caps=limit_caps(candidates, limits, len(conditions.district_names)),
        floors=limit_floors(candidates, _candidate_m(candidates, conditions), limits),
    )
    if order is not None:
        ids, pairs = order
        model = replace(model, precedence=order_of_items(pairs, ids, duties.item_of_segment))
    return model, duties


def choose_programme(
    model: Model, duties: Duties, effort: Effort, starts: tuple[Rows, ...] = (), *, is_trial: bool = False
) -> Programme:
    """Choose years for batches: first what the law asks for by its day, then what is worth most.

    Mandatory items are brought as near to their deadlines as limits allow (least metres times years late), then due
    ones without making those later, then the value decides. Where mandatory items are left out that could be placed
    by themselves, only batches with mandatory items are chosen in the years in which money or caps alone keep any of
    those out: nothing is bought past the law. Years in which they are closed for other reasons stay free.

    The bound holds for all plans that keep the deadlines that could be kept. A trial serves the law in the same way,
    and then tells but whether any plan keeps all limits.
    """
    found, free = list(starts), model
    only_mandatory = np.zeros(model.shape[1], dtype=bool)
    stages: list[Stage] = []
    for severity in _BINDING:
        rows = _asked_of(duties, severity)
        if not len(rows):
            continue
        answer = _served(model, duties, severity, effort, found)
        gap = answer.gap_share if np.isfinite(answer.objective) else None
        stages.append(Stage(CLASS_ORDER[severity], gap, answer.status, is_reproducible=answer.is_reproducible))
        if gap is None and answer.status == _NOT_FOUND:
            # a longer search would be the same one again
            return Programme(model, answer, duties, only_mandatory, is_mandatory_left=False, stages=tuple(stages))
        if gap is None:
            # no plan at all in the time: nothing is known of what could be kept
            continue
        if severity == _BINDING[0]:
            model, only_mandatory = _past_the_law(model, answer.year, rows)
        done = model.packing.done(answer.year)[rows]
        kept = model.packing.deadline.copy()
        kept[rows] = np.where(done == NONE, NONE, np.maximum(done, duties.deadline[rows]))
        model = replace(model, packing=replace(model.packing, deadline=kept))
        found = [*found, answer.year]
    last = replace(effort, gap_share=max(effort.gap_share, _TRIAL_GAP_SHARE)) if is_trial else effort
    solution = _search(model, last, found)
    is_left = bool(len(_left(free, solution.year, _asked_of(duties, _BINDING[0]))))
    return Programme(model, solution, duties, only_mandatory, is_left, tuple(stages))


def _asked_of(duties: Duties, severity: int) -> Rows:
    """Return the items of a class that the law asks for by a year."""
    return np.flatnonzero((duties.severity == severity) & (duties.deadline != NONE))


def _served(model: Model, duties: Duties, severity: int, effort: Effort, starts: list[Rows]) -> Solution:
    """Search for the plan that brings the work of a class nearest to its days; again where mandatory work is left."""
    rows = _asked_of(duties, severity)
    wanted = _obligations(model, duties, rows)
    answer = _search(wanted, effort.for_duties(), starts)
    if not np.isfinite(answer.objective) and answer.status != _INFEASIBLE:
        # floors are hard to reach by the way: from a plan of any kind the search goes on
        if model.floors:
            starts = [*starts, _search(towards_floors(model), effort.for_duties(is_short=True), starts).year]
        if not any(keeps(model, start) for start in starts):
            some = _search(model, effort, starts)
            if not np.isfinite(some.objective):
                return some
            starts = [*starts, some.year]
        answer = _search(wanted, effort.for_duties(), starts)
    if np.isfinite(answer.objective) and severity == _BINDING[0] and len(_left(model, answer.year, rows)):
        answer = _search(wanted, effort.for_duties(is_short=True), [*starts, answer.year])
    return answer


def _past_the_law(model: Model, plan: Rows, rows: Rows) -> tuple[Model, Flags]:
    """Close the years that are short of money or room for mandatory work to all else; return them with the model.

    What was forced before, as a locked batch, stays, and so does what goes before. Where a floor takes other work in
    such a year, no year is closed: a least amount that is asked for is no purchase past the law.
    """
    let_in = np.union1d(rows, np.flatnonzero(model.packing.deadline != NONE))
    is_short = _short_years(model, plan, rows, let_in)
    is_let_in = _holds(model, let_in)
    is_let_in |= model.batches_before(is_let_in)
    closed = replace(model, is_open=model.is_open & (~is_short | is_let_in[:, None]))
    if model.floors and not keeps(closed, plan):
        return model, np.zeros_like(is_short)
    return closed, is_short


def _search(model: Model, effort: Effort, starts: list[Rows]) -> Solution:
    return solve(
        model,
        seed=effort.seed,
        gap_share=effort.gap_share,
        node_limit=effort.node_limit,
        time_limit_s=effort.time_limit_s,
        starts=tuple(starts),
    )


def _left(model: Model, plan: Rows, rows: Rows) -> Rows:
    """Return those of the items that the plan leaves out although some batch could hold them by itself."""
    left: Rows = rows[_can_be_done(model)[rows] & (model.packing.done(plan)[rows] == NONE)]
    return left


def _short_years(model: Model, plan: Rows, rows: Rows, counts: Rows) -> Flags:
    """Tell in which years money or caps alone keep any item of `rows` out, beside those that count.

    Where money is carried on, the years before are short as well: what is not spent in them helps.
    """
    is_counted = np.zeros(len(model.packing.deadline), dtype=bool)
    is_counted[counts] = True
    is_counted &= model.packing.done(plan) != NONE
    moves = find_moves(model, plan, is_counted, _left(model, plan, rows))
    amounts = {"budget", *(cap.code for cap in model.caps)}
    is_short = np.zeros(model.shape[1], dtype=bool)
    is_short[moves.year[[amounts.issuperset(one) for one in moves.rules]]] = True
    return np.logical_or.accumulate(is_short[::-1])[::-1] if model.carried_share > 0 else is_short


def _obligations(model: Model, duties: Duties, rows: Rows) -> Model:
    """Value a batch in a year by the metres of the items of `rows` in it: most in time, less for each year late."""
    years = model.shape[1]
    weight = np.zeros(len(duties.length_m))
    weight[rows] = duties.length_m[rows]
    late = np.maximum(np.arange(years)[None, :] - duties.deadline[:, None], 0)
    points = (years + 1.0 - late) * weight[:, None]
    value: Floats = np.column_stack(
        [
            np.bincount(model.packing.batch, weights=points[model.packing.item, year], minlength=model.shape[0]).astype(
                "float64"
            )
            for year in range(years)
        ]
    )
    # what brings nothing is only in the way, unless it must be done anyway, goes first, or a floor may need it
    holds = _holds(model, np.flatnonzero(model.packing.deadline != NONE))
    before = model.batches_before(holds | (value > 0).any(axis=1))
    keeps = (value > 0) | bool(model.floors) | (holds | before)[:, None]
    return replace(model, value=value, is_open=model.is_open & keeps, bonuses=None)


def _holds(model: Model, items: Rows) -> Flags:
    """Tell which batches hold any of the items."""
    wanted = np.zeros(len(model.packing.deadline), dtype=bool)
    wanted[items] = True
    return np.bincount(model.packing.batch, weights=wanted[model.packing.item], minlength=model.shape[0]) > 0


def _can_be_done(model: Model) -> Flags:
    """Tell which items lie in a batch that some year could hold by itself."""
    placeable = np.asarray((model.reachable() & fits_caps(model)).any(axis=1), dtype=bool)
    able = np.zeros(len(model.packing.deadline), dtype=bool)
    np.logical_or.at(able, model.packing.item, placeable[model.packing.batch])
    return able


def fits_caps(model: Model) -> Flags:
    """Tell in which years each batch, by itself, keeps every cap."""
    fits = np.ones(model.shape, dtype=bool)
    for cap in model.caps:
        within = by_year(cap.amount, model.shape[1]) <= cap.cap[cap.place] * (1.0 + SLACK_SHARE)
        fits &= np.asarray(within, dtype=bool) | (cap.place == NONE)[:, None]
    return fits


def _packing(candidates: Candidates, deadline: Rows, severity: Rows) -> tuple[Packing, Duties]:
    """Make one item of the segments that lie in the same batches and are bound by the same class."""
    members = candidates.members
    rows = np.unique(members.row)
    binds = np.isin(severity, _BINDING) & (deadline != NONE)
    bound_class = np.where(binds, severity, len(CLASS_ORDER))
    key = np.column_stack([members.patterns()[rows], bound_class[rows]])
    together, item = np.unique(key, axis=0, return_inverse=True)
    item = item.astype(np.int64).ravel()
    none_yet = np.iinfo(np.int64).max
    first = np.full(len(together), none_yet, dtype=np.int64)
    np.minimum.at(first, item, np.where(binds[rows], deadline[rows], none_yet))
    item_of = np.full(members.segment_count, NONE, dtype=np.int64)
    item_of[rows] = item
    pairs = np.unique(np.column_stack([item_of[members.row], members.batch]), axis=0)
    metres = candidates.segment_length_m[rows]
    length_m = np.bincount(item, weights=metres, minlength=len(together)).astype("float64")
    duties = Duties(together[:, 1].copy(), length_m, np.where(first < none_yet, first, NONE), item_of)
    free = np.full(len(together), NONE, dtype=np.int64)
    return Packing(pairs[:, 0].copy(), pairs[:, 1].copy(), free), duties


def _streets(candidates: Candidates, conditions: Conditions, policy: Policy) -> Streets:
    """State that a stretch of street is opened in one year only, while digs of one place concern each other."""
    members = candidates.members
    section = conditions.section[members.row]
    has_one = section != NONE
    pairs = np.unique(np.column_stack([members.batch[has_one], section[has_one]]), axis=0)
    closed = np.full(len(conditions.section_names), closed_years(policy))
    return Streets(pairs[:, 0].copy(), pairs[:, 1].copy(), closed.astype(np.int64))


def closed_years(policy: Policy) -> int:
    """Return for how many years a cut closes a stretch of street."""
    return max(round(policy.timing.joint_horizon_years.value), 1)


def limit_caps(candidates: Candidates, limits: Limits, district_count: int) -> tuple[Cap, ...]:
    """State what a year may hold at most: kilometres of all crews, kilometres and households of each district."""
    years = len(limits.years)
    everywhere = np.zeros(len(candidates.length_m), dtype=np.int64)
    kilometres = candidates.length_m / _METRES_PER_KM
    homes = np.nan_to_num(candidates.household_count)
    caps: list[Cap] = []
    if limits.km_per_year is not None:
        caps.append(Cap("km", kilometres, everywhere, np.full((1, years), limits.km_per_year)))
    for code, amount, most in (
        ("district_km", kilometres, limits.district_km_per_year),
        ("district_households", homes, limits.district_households_per_year),
    ):
        if most is not None and district_count:
            caps.append(Cap(code, amount, candidates.district, np.full((district_count, years), most)))
    return tuple(caps)


def limit_floors(candidates: Candidates, district_m: Floats, limits: Limits) -> tuple[Floor, ...]:
    """Ask for a share of the candidate metres of each district, and for the least of each part of the objective."""
    everywhere = np.zeros(len(candidates.length_m), dtype=np.int64)
    floors = [
        Floor(part, candidates.parts[part], everywhere, np.array([asked])) for part, asked in limits.least().items()
    ]
    if limits.district_floor_share is None or not len(district_m):
        return tuple(floors)
    least = limits.district_floor_share * district_m / _METRES_PER_KM
    return (Floor("district_km", candidates.length_m / _METRES_PER_KM, candidates.district, least), *floors)


def _candidate_m(candidates: Candidates, conditions: Conditions) -> Floats:
    rows = np.unique(candidates.members.row)
    return district_m(conditions.district[rows], candidates.segment_length_m[rows], len(conditions.district_names))


def district_m(district: Rows, length_m: Floats, count: int) -> Floats:
    """Add up metres by district; those of none are left out."""
    has_one = district != NONE
    metres: Floats = np.bincount(district[has_one], weights=length_m[has_one], minlength=count).astype("float64")
    return metres
