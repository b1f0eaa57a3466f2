"""What each dig ban costs a plan: by how much the proven bound would rise without it, and what is really gained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.choice import Programme
from planner.conditions import NONE
from planner.days import as_day
from planner.factors import Flags, Floats
from planner.frontier import newly_worth
from planner.locks import Locks
from planner.members import Rows
from planner.plan import Problem
from planner.solve.model import Model
from planner.solve.prices import Prices
from planner.solve.solve import solve
from registry.errors import PlanningError
from registry.fields import columns_of

# what the bound rises by less than this share of itself is rounding
_NOUGHT_SHARE: Final = 1e-9


@dataclass(frozen=True)
class Lifted:
    """What lifting one ban alone opens: segments that it closes, those that get a year, and batches by year."""

    closed: Rows
    opened: Rows
    batches: Flags


def ban_prices(
    problem: Problem,
    programme: Programme,
    bans: gpd.GeoDataFrame,
    as_of: date,
    check_count: int = 0,
    advance: Callable[[int], Any] = lambda _: None,
) -> pd.DataFrame:
    """Price every ban that closes candidates of a plan for a whole planning year, those that projects bring too.

    The bound is of plans that keep the deadlines that the plan keeps; a ban that holds up mandatory work is told by its
    metres. A ban whose ground another one closes as well opens nothing by itself. Locked batches stay as they are.

    Parameters
    ----------
    programme
        The plan that was chosen for the problem.
    check_count
        For so many of the bans with the highest price the plan is made anew without the ban.
    advance
        Is told of every plan that is made.

    Returns
    -------
    The frame `ban_prices`, the dearest first.

    Raises
    ------
    PlanningError
        If the search was stopped before it had prices.
    """
    prices, model = programme.solution.prices, programme.model
    if prices is None or programme.solution.method == "prices":
        raise PlanningError("ban_prices_absent")
    locks = Locks.of_ground(problem.segments, bans, problem.policy, with_planned=True)
    rows: dict[str, dict[str, Any]] = {}
    models: dict[str, Model] = {}
    for ban in np.unique(locks.ban).tolist():
        lifted = lift(problem, programme, locks, ban, as_of)
        if len(lifted.closed):
            name = str(bans.index[ban])
            models[name] = _without(model, lifted.batches)
            rows[name] = _priced(problem, programme, prices, lifted, models[name])
    table = _table(rows, bans)
    for name in table.index[:check_count]:
        table.loc[name, "gain_found"] = _gain(programme, models[str(name)], problem)
        advance(1)
    return table


def _priced(problem: Problem, programme: Programme, prices: Prices, lifted: Lifted, without: Model) -> dict[str, float]:
    """Return the figures of one ban; `without` is the model in which it is lifted."""
    length_m = problem.segments["length_m"].to_numpy(dtype="float64")
    mandatory = lifted.closed[problem.priced.severity[lifted.closed] == 0]
    newly = without.reachable() & ~programme.model.reachable()
    rise = newly_worth(programme.model, programme.solution, prices, newly)
    rise = rise if rise > _NOUGHT_SHARE * max(abs(prices.bound), 1.0) else 0.0
    return {
        "closed_m": float(length_m[lifted.closed].sum()),
        "opened_m": float(length_m[lifted.opened].sum()),
        "mandatory_m": float(length_m[mandatory].sum()),
        "rise": rise,
        "gain_at_most": rise + max(prices.bound - programme.solution.objective, 0.0),
        "gain_found": np.nan,
    }


def _table(rows: dict[str, dict[str, Any]], bans: gpd.GeoDataFrame) -> pd.DataFrame:
    names = pd.Index(list(rows), dtype="str", name="ban_id")
    numbers = ["closed_m", "opened_m", "mandatory_m", "rise", "gain_at_most", "gain_found"]
    table = pd.DataFrame(list(rows.values()), index=names, columns=numbers, dtype="float64")
    table = table.join(bans[["street_name", "starts_on", "ends_on", "is_planned"]])
    order = table.assign(ban=table.index).sort_values(
        ["rise", "opened_m", "closed_m", "ban"], ascending=[False, False, False, True]
    )
    return order[columns_of("ban_prices")]


def lift(problem: Problem, programme: Programme, locks: Locks, ban: int, as_of: date) -> Lifted:
    """Find what lifting a ban alone opens; `ban` is its place."""
    rows = np.unique(locks.row[locks.ban == ban])
    stays_open = problem.priced.conditions.stays_open
    touches = _touched_years(locks, ban, problem.limits.years)
    closed = rows[(~stays_open[rows] & touches).any(axis=1)]
    newly = _open_without(locks, ban, closed, problem.limits.years, as_of) & ~stays_open[closed]
    opened = newly.any(axis=1)
    return Lifted(closed, closed[opened], _opened_batches(problem, programme, closed, newly))


def _touched_years(locks: Locks, ban: int, years: range) -> Flags:
    first = np.array([as_day(date(year, 1, 1)) for year in years])
    last = np.array([as_day(date(year, 12, 31)) for year in years])
    return np.asarray((locks.starts[ban] <= last) & (locks.ends[ban] >= first), dtype=bool)


def _open_without(locks: Locks, ban: int, rows: Rows, years: range, as_of: date) -> Flags:
    """Tell in which years some rows would have an open day if one ban were not there."""
    others = np.isin(locks.row, rows) & (locks.ban != ban)
    place = np.searchsorted(rows, locks.row[others]).astype(np.int64)
    left = Locks(place, locks.ban[others], len(rows), locks.starts, locks.ends)
    is_open = np.zeros((len(rows), len(years)), dtype=bool)
    for at, year in enumerate(years):
        days = (max(as_day(date(year, 1, 1)), as_day(as_of)), as_day(date(year, 12, 31)))
        first, last = (np.full(len(rows), day) for day in days)
        is_open[:, at] = ~left.within(first, last).closes_all
    return is_open


def _opened_batches(problem: Problem, programme: Programme, rows: Rows, newly: Flags) -> Flags:
    """Tell which batches get an open year when some rows do."""
    members = problem.candidates.members
    broken: Floats = members.sums((~problem.priced.conditions.stays_open).astype("float64"))
    place, batch = members.batches_of(rows)
    mended = np.zeros_like(broken)
    np.add.at(mended, batch, newly[place].astype("float64"))
    opened = (broken > 0) & (broken == mended) & problem.agreed_open & (problem.lock == NONE)[:, None]
    result: Flags = opened & (~programme.only_mandatory | (problem.candidates.severity == 0)[:, None])
    return result


def _without(model: Model, opened: Flags) -> Model:
    return replace(model, is_open=model.is_open | opened)


def _gain(programme: Programme, model: Model, problem: Problem) -> float:
    """Return what the best plan found without a ban is worth more than the plan, which stays possible without it."""
    effort = problem.bearing.effort
    answer = solve(
        model,
        seed=effort.seed,
        gap_share=effort.gap_share,
        node_limit=effort.node_limit,
        time_limit_s=effort.time_limit_s,
    )
    return max(float(answer.objective - programme.solution.objective), 0.0)
