"""Share the cost of one project's site among its parties by a named rule, with the arithmetic.

The parties of a site are the media of our pipes that lie in it and the party that carries the project out. Each has
works of its own and works that the others have too (trench, paving, traffic, site). Where parties dig together the
larger of these works covers the smaller, so a coalition costs

    c(S) = sum of own works + for each shared part the largest among S

which is an airport game for each part (Littlechild and Owen 1973); it is concave, so joining never costs more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.coalitions import MOST_PARTIES, Members, marginal_costs
from planner.costs import Rows, opened_ground, price_rows, rows_of
from planner.extents import project_extents
from planner.factors import Floats, code_factors, number_column, text_column
from planner.policy import Policy
from planner.value_terms import SAVED_TERMS, value_prices
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of, value_list

_SHARED: Final = tuple(f"{term}_cny" for term in SAVED_TERMS)
_PARTS: Final = ("own_cny", *_SHARED)
# the party of a project that names none
STRANGER: Final = "project"
_AND: Final = " + "


class _Site(NamedTuple):
    """The parties of one project: their rows in the frame, their names, own works and shared parts, and widths."""

    rows: Rows
    parties: list[str]
    parts: Floats
    width_m: Floats


class _Steps(NamedTuple):
    """Steps of one kind: the row of the party of each, what is shared, and the party's share of it."""

    rows: Rows
    step: str
    coalition: list[str | None]
    quantity_cny: Floats
    share: Floats


def site_costs(
    segments: pd.DataFrame, pair_values: pd.DataFrame, projects: gpd.GeoDataFrame, policy: Policy
) -> pd.DataFrame:
    """Return what every party of every project of `pair_values` would pay alone: the frame `site_costs`.

    Ours are the media of the segments: their cost alone, of which the savings of the pairs are the shared parts.
    Theirs is the budget of the project (`cost_cny`), or else its paving: area of its extent times the tariff of the
    surface that its kind makes anew. Of theirs only the paving is known; their trench, traffic and site count as the
    largest of ours, as their works are what saves ours. Where theirs opens nothing and has no budget it is not known.

    Misleads where parties lie on two sides of a street: the larger trench does not cover the smaller there. Give only
    the pairs that will join.

    Returns
    -------
    One row per project and party, projects in the order of `pair_values`, theirs last.
    """
    check_frame(segments, "segments", ["medium"])
    check_frame(pair_values, "pair_values")
    check_frame(projects, "projects", ["kind", "geometry"])
    ours = _our_costs(segments, pair_values, policy)
    theirs = _their_costs(ours, projects, policy)
    order = {project: place for place, project in enumerate(pair_values["project_id"].drop_duplicates())}
    both = pd.concat([ours, theirs], ignore_index=True)
    both["place"] = both["project_id"].map(order)
    both = both.sort_values("place", kind="stable", ignore_index=True)
    return both[columns_of("site_costs")]


def _our_costs(segments: pd.DataFrame, pair_values: pd.DataFrame, policy: Policy) -> pd.DataFrame:
    row = segments.index.get_indexer(pd.Index(pair_values["segment_id"]))
    width_m = np.array([price.trench_width_m for price in policy.prices.pipe])
    widths = width_m[price_rows(segments, policy.prices).pipe][row]
    values = pd.DataFrame({"project_id": pair_values["project_id"], "party": segments["medium"].to_numpy()[row]})
    for term in SAVED_TERMS:
        values[f"{term}_cny"] = pair_values[f"{term}_saving_cny"]
    values["own_cny"] = pair_values["cost_alone_cny"] - pair_values["saving_cny"]
    values["width_m"] = widths
    aggregate = dict.fromkeys(_PARTS, "sum") | {"width_m": "max"}
    costs = values.groupby(["project_id", "party"], sort=False).agg(aggregate).reset_index()
    costs["basis"] = "pair_values"
    return costs


def _their_costs(ours: pd.DataFrame, projects: gpd.GeoDataFrame, policy: Policy) -> pd.DataFrame:
    largest = ours.groupby("project_id", sort=False)[list(_SHARED)].max()
    named = projects.loc[largest.index]
    area_m2 = shapely.area(np.asarray(project_extents(named, policy).array))
    paving = np.where(opened_ground(named, policy) == "none", 0.0, area_m2 * _tariff(named, policy))
    theirs = largest.assign(paving_cny=np.maximum(largest["paving_cny"], paving))
    shared = theirs.sum(axis=1).to_numpy(dtype="float64")
    budget = number_column(named, "cost_cny")
    opens_nothing = opened_ground(named, policy) == "none"
    own = np.where(np.isnan(budget), np.where(opens_nothing, np.nan, 0.0), np.maximum(budget - shared, 0.0))
    theirs["own_cny"] = own
    theirs["basis"] = np.where(np.isnan(budget), np.where(opens_nothing, "unknown", "paving_area"), "budget")
    theirs["party"] = text_column(named, "owner").fillna(STRANGER).to_numpy()
    stated = number_column(named, "half_width_m")
    default, _ = code_factors(named["kind"], named["kind"], policy.overlap.half_width_m)
    theirs["width_m"] = 2.0 * np.where(np.isnan(stated), default, stated)
    return theirs.reset_index()


def _tariff(projects: pd.DataFrame, policy: Policy) -> Floats:
    """Return yuan a square metre of the surface that each project makes anew."""
    surfaces = value_prices(policy).project_surface
    made = np.array([entry.surface for entry in surfaces], dtype=object)
    kind = rows_of(projects["kind"], [entry.code for entry in surfaces])
    row = rows_of(pd.Series(made[kind]), [price.code for price in policy.prices.surface])
    tariff: Floats = np.array([price.price_cny_per_m2 for price in policy.prices.surface])[row]
    return tariff


def share_costs(costs: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Split the joint cost of every project among its parties: the frame `party_shares`, a row per row of `costs`.

    - `proportional`: each pays the joint cost in proportion to its cost alone
    - `trench_and_surface`: each pays its own works; a shared trench is split by what each trench would cost, shared
      paving, traffic and site by width; nobody pays more for a part than alone, the rest falls on the others by width
    - `shapley`: each pays what it adds to the cost on average over all orders in which the parties may come (Shapley
      1953), exact, for up to 8 parties

    What is paid adds up to the joint cost, nobody pays more than alone, and parties that are alike pay the same. Where
    the cost of a party is not known, nothing of its project is.

    Parameters
    ----------
    costs
        The frame `site_costs`.

    Raises
    ------
    PlanningError
        If there is no such rule, a project names a party twice, or has too many parties for the rule.
    """
    steps = share_steps(costs, rule)
    paid = steps.groupby(["project_id", "party"], sort=False)["amount_cny"].sum(min_count=1)
    shares = costs[["project_id", "party"]].reset_index(drop=True)
    keys = pd.MultiIndex.from_frame(shares)
    shares["rule"] = rule
    shares["cost_alone_cny"] = costs[list(_PARTS)].sum(axis=1, skipna=False).to_numpy()
    shares["pays_cny"] = paid.reindex(keys).to_numpy(dtype="float64")
    shares["saving_cny"] = shares["cost_alone_cny"] - shares["pays_cny"]
    return shares[columns_of("party_shares")]


def share_steps(costs: pd.DataFrame, rule: str) -> pd.DataFrame:
    """List the arithmetic of `share_costs`: the frame `share_steps`; the amounts of a party add up to what it pays.

    Raises
    ------
    PlanningError
        As `share_costs`.
    """
    check_frame(costs, "site_costs")
    if rule not in _RULES:
        raise PlanningError("plan_share_rule_unknown", rule=rule, known=", ".join(value_list("share_rule")))
    repeated = costs.duplicated(["project_id", "party"])
    if repeated.any():
        first = costs[repeated].iloc[0]
        raise PlanningError("plan_parties_repeated", project=first["project_id"], party=first["party"])
    counts = costs["project_id"].value_counts()
    if rule == "shapley" and (counts > MOST_PARTIES).any():
        raise PlanningError("plan_too_many_parties", project=counts.index[0], count=counts.iloc[0], most=MOST_PARTIES)
    blocks = [block for site in _sites(costs) for block in _RULES[rule](site)]
    row = np.concatenate([block.rows for block in blocks]) if blocks else np.zeros(0, dtype=np.int64)
    order = np.argsort(row, kind="stable")
    is_known = (
        costs[list(_PARTS)].notna().all(axis=1).groupby(costs["project_id"]).transform("all").to_numpy(dtype=bool)
    )
    steps = costs[["project_id", "party"]].take(row).reset_index(drop=True)
    steps["rule"] = pd.Series(rule, steps.index, dtype="str")
    steps["step"] = pd.Series([block.step for block in blocks for _ in block.rows], steps.index, dtype="str")
    steps["coalition"] = pd.Series([told for block in blocks for told in block.coalition], steps.index, dtype="str")
    for column in ("quantity_cny", "share"):
        amounts = np.concatenate([getattr(block, column) for block in blocks]) if blocks else np.zeros(0)
        steps[column] = np.where(is_known[row], amounts, np.nan)
    steps["amount_cny"] = steps["quantity_cny"] * steps["share"]
    return steps.take(order).reset_index(drop=True)[columns_of("share_steps")]


def _sites(costs: pd.DataFrame) -> Iterator[_Site]:
    """Yield the parties of each project; what is not known counts as 0 here and is taken out again at the end."""
    parts = np.nan_to_num(costs[list(_PARTS)].to_numpy(dtype="float64"))
    width_m = np.nan_to_num(costs["width_m"].to_numpy(dtype="float64"))
    names = costs["party"].to_numpy(dtype=object)
    project = pd.factorize(costs["project_id"])[0]
    order = np.argsort(project, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(project[order])) + 1) if len(costs) else ():
        yield _Site(rows, [str(name) for name in names[rows]], parts[rows], width_m[rows])


def joint_cost_cny(costs: pd.DataFrame) -> pd.Series:
    """Return what the parties of each project pay together: own works, and of each shared part the largest."""
    grouped = costs.groupby("project_id", sort=False)
    own = grouped["own_cny"].sum(min_count=1).where(grouped["own_cny"].count() == grouped.size())
    return (own + grouped[list(_SHARED)].max().sum(axis=1)).rename("joint_cost_cny")


def _proportional(site: _Site) -> list[_Steps]:
    alone = site.parts.sum(axis=1)
    joint = np.full(len(alone), coalition_cost_cny(site.parts))
    return [_steps(site, "joint_cost", joint, alone / (alone.sum() or 1.0))]


def _trench_and_surface(site: _Site) -> list[_Steps]:
    steps = [_steps(site, "own", site.parts[:, 0], np.ones(len(site.rows)))]
    for term, alone in zip(SAVED_TERMS, site.parts.T[1:], strict=True):
        joint = np.full(len(alone), alone.max())
        pays = split_by_weight(alone, alone if term == "trench" else site.width_m)
        steps.append(_steps(site, term, joint, pays / (alone.max() or 1.0)))
    return steps


def _shapley(site: _Site) -> list[_Steps]:
    def cost(members: Members) -> float:
        return coalition_cost_cny(site.parts[list(members)])

    marginals = marginal_costs(len(site.rows), cost)
    rows = site.rows[[marginal.party for marginal in marginals]]
    told = [_AND.join(site.parties[member] for member in marginal.before) or None for marginal in marginals]
    added = np.array([marginal.cost for marginal in marginals])
    weight = np.array([marginal.weight for marginal in marginals])
    return [_Steps(rows, "coalition", told, added, weight)]


def _steps(site: _Site, step: str, quantity_cny: Floats, share: Floats) -> _Steps:
    return _Steps(site.rows, step, [None] * len(site.rows), quantity_cny, share)


def coalition_cost_cny(parts: Floats) -> float:
    """Return what a coalition pays: rows are its parties, columns own works and the shared parts."""
    return float(parts[:, 0].sum() + parts[:, 1:].max(axis=0).sum()) if len(parts) else 0.0


def split_by_weight(alone: Floats, weight: Floats) -> Floats:
    """Split the largest of some costs by weight, nobody above its cost alone; what is cut off falls on the others.

    The payments are min(alone, level x weight) for the level at which they add up; parties without weight pay only
    what those with weight cannot.
    """
    joint = alone.max()
    pays = np.zeros(len(alone))
    for group in (weight > 0, ~(weight > 0)):
        pays[group] = _level(alone[group], np.where(weight[group] > 0, weight[group], 1.0), joint - pays.sum())
    return pays


def _level(alone: Floats, weight: Floats, due: float) -> Floats:
    """Fill up to the sum that is due, or to all costs alone where these are less."""
    pays = np.zeros(len(alone))
    if due <= 0 or not len(alone):
        return pays
    if due >= alone.sum():
        return alone.copy()
    open_rows: NDArray[np.bool_] = np.ones(len(alone), dtype=bool)
    while True:
        level = (due - alone[~open_rows].sum()) / weight[open_rows].sum()
        is_cut = open_rows & (level * weight >= alone)
        if not is_cut.any():
            break
        open_rows &= ~is_cut
        if not open_rows.any():
            break
    pays[~open_rows] = alone[~open_rows]
    pays[open_rows] = level * weight[open_rows]
    return pays


_RULES: Final[dict[str, Callable[[_Site], list[_Steps]]]] = {
    "proportional": _proportional,
    "trench_and_surface": _trench_and_surface,
    "shapley": _shapley,
}
