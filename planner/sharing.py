"""Share the cost of one project's site among its parties by a named rule, with the arithmetic.

The parties of a site are the media of our pipes that lie in it and the party that carries the project out. Each has
works of its own and works that the others have too (trench, paving, traffic, site). Where parties dig together the
larger of these works covers the smaller, so a coalition costs

    c(S) = sum of own works + for each shared part the largest among S

which is an airport game for each part (Littlechild and Owen 1973); it is concave, so joining never costs more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from planner.coalitions import MOST_PARTIES, marginal_steps
from planner.costs import opened_ground, price_rows, rows_of
from planner.extents import project_extents
from planner.factors import Floats, code_factors, number_column, text_column
from planner.policy import Policy
from planner.value_terms import SAVED_TERMS, value_prices
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of, value_list

_SHARED: Final = tuple(f"{term}_cny" for term in SAVED_TERMS)
_PARTS: Final = ("own_cny", *_SHARED)
_STRANGER: Final = "project"
Steps = pd.DataFrame


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
    theirs["party"] = text_column(named, "owner").fillna(_STRANGER).to_numpy()
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
    is_unknown = costs[list(_PARTS)].isna().any(axis=1).groupby(costs["project_id"]).any()
    filled = costs.fillna(dict.fromkeys((*_PARTS, "width_m"), 0.0))
    blocks = [_RULES[rule](site) for _, site in filled.groupby("project_id", sort=False)]
    empty = pd.DataFrame(columns=["project_id", "party", "step", "coalition", "quantity_cny", "share"])
    steps = pd.concat(blocks, ignore_index=True) if blocks else empty
    steps["rule"] = rule
    for column in ("quantity_cny", "share"):
        steps[column] = steps[column].astype("float64").mask(steps["project_id"].isin(is_unknown[is_unknown].index))
    steps["amount_cny"] = steps["quantity_cny"] * steps["share"]
    for column in ("step", "coalition", "rule"):
        steps[column] = steps[column].astype("str")
    return steps[columns_of("share_steps")]


def joint_cost_cny(costs: pd.DataFrame) -> pd.Series:
    """Return what the parties of each project pay together: own works, and of each shared part the largest."""
    grouped = costs.groupby("project_id", sort=False)
    own = grouped["own_cny"].sum(min_count=1).where(grouped["own_cny"].count() == grouped.size())
    return (own + grouped[list(_SHARED)].max().sum(axis=1)).rename("joint_cost_cny")


def _proportional(site: pd.DataFrame) -> Steps:
    alone = site[list(_PARTS)].sum(axis=1).to_numpy(dtype="float64")
    joint = float(joint_cost_cny(site).iloc[0])
    total = alone.sum()
    share = alone / total if total > 0 else np.zeros(len(site))
    return _block(site, "joint_cost", np.full(len(site), joint), share)


def _trench_and_surface(site: pd.DataFrame) -> Steps:
    width_m = site["width_m"].to_numpy(dtype="float64")
    own = site["own_cny"].to_numpy(dtype="float64")
    blocks = [_block(site, "own", own, np.ones(len(site)))]
    for term in SAVED_TERMS:
        alone = site[f"{term}_cny"].to_numpy(dtype="float64")
        pays = split_by_weight(alone, alone if term == "trench" else width_m)
        joint = np.full(len(site), alone.max())
        blocks.append(_block(site, term, joint, pays / np.where(joint > 0, joint, 1.0)))
    steps = pd.concat(blocks)
    return steps.loc[site.index].reset_index(drop=True)


def _shapley(site: pd.DataFrame) -> Steps:
    project = str(site["project_id"].iloc[0])
    if len(site) > MOST_PARTIES:
        raise PlanningError("plan_too_many_parties", project=project, count=len(site), most=MOST_PARTIES)
    parts = site[list(_PARTS)].to_numpy(dtype="float64")
    steps = marginal_steps(site["party"].to_numpy(dtype=object), lambda members: coalition_cost_cny(parts[members]))
    return steps.assign(project_id=project, step="coalition")


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


def _block(site: pd.DataFrame, step: str, quantity: Floats, share: Floats) -> Steps:
    block = site[["project_id", "party"]].copy()
    block["step"], block["coalition"], block["quantity_cny"], block["share"] = step, np.nan, quantity, share
    return block


_RULES: Final[dict[str, Callable[[pd.DataFrame], Steps]]] = {
    "proportional": _proportional,
    "trench_and_surface": _trench_and_surface,
    "shapley": _shapley,
}
