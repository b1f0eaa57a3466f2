"""The planning model as sparse rows and columns.

Only what can matter becomes a row: a street on which at most one batch can be placed needs no rule, and a site of one
batch costs what that batch costs. A link holds all batches of a street (or site) that share an item at once, which is
as true as a link for each and tighter, since at most one of them is placed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from planner.solve.keep import left_over
from planner.solve.model import NONE, Floats, Model, Rows, by_year
from planner.solve.rows import LINKS, Family, Linear, RowStack


@dataclass(frozen=True)
class _Choices:
    """The (batch, year) columns, and the column of each batch and year (-1: none)."""

    batch: Rows
    year: Rows
    column: Rows


@dataclass(frozen=True)
class _Links:
    """Openers (streets or sites) by year: rows of (batch, group), the opener of each group, and the openers."""

    batch: Rows
    group: Rows
    opener_of_group: Rows
    openers: Rows


def make_linear(model: Model) -> Linear:
    """State a planning model as sparse rows and columns, to be maximised."""
    may = model.reachable()
    batch, year = np.nonzero(may)
    column = np.full(model.shape, NONE, dtype=np.int64)
    column[batch, year] = np.arange(len(batch))
    choices = _Choices(batch, year, column)
    stack = RowStack()
    years = model.shape[1]
    streets, sites, own_cost = _openers(model, choices)
    first_site = len(batch) + len(streets.openers) * years
    first_pair = first_site + len(sites.openers) * years
    _add_items(stack, model, choices)
    _add_links(stack, Family.STREET, streets, choices, len(batch))
    _add_windows(stack, model, streets, len(batch))
    _add_links(stack, Family.SITE, sites, choices, first_site)
    pair_value = _add_bonuses(stack, model, choices, first_pair)
    first_carry = first_pair + len(pair_value)
    _add_budgets(stack, model, (choices, own_cost), (sites, first_site), first_carry)
    _add_caps_and_floors(stack, model, choices)
    _add_order(stack, model, choices)
    carries = years - 1 if model.carried_share > 0 else 0
    objective = np.concatenate([model.value[batch, year], np.zeros(first_pair - len(batch)), pair_value])
    whole = np.arange(first_carry + carries) < first_pair
    family, part, key, low, high, scale = stack.columns_of_rows()
    return Linear(
        objective=np.concatenate([objective, np.zeros(carries)]),
        upper=np.concatenate([np.ones(first_carry), model.fund_cny()[:carries]]),
        is_whole=whole,
        matrix=stack.matrix(first_carry + carries),
        row_lower=low,
        row_upper=high,
        batch=batch,
        year=year,
        row_scale=scale,
        family=family,
        part=part,
        key=key,
        carries=carries,
    )


def point_of(linear: Linear, model: Model, year: Rows) -> Floats:
    """Return the columns of a plan: what it chooses, opens, sets up, does together and carries on."""
    point = np.zeros(len(linear.objective))
    point[: linear.choices] = year[linear.batch] == linear.year
    last = len(point) - linear.carries
    point[last:] = np.maximum(left_over(model, year)[: linear.carries], 0.0)
    links = np.flatnonzero(np.isin(linear.family, [int(family) for family in LINKS]))
    chosen = csr_array(linear.matrix[links][:, : linear.choices]) @ point[: linear.choices] > 0.5
    openers = csr_array(linear.matrix[links[chosen]][:, linear.choices : last])
    point[linear.choices + openers.indices] = 1.0
    pairs = csr_array(linear.matrix[np.flatnonzero(linear.family == int(Family.BONUS))])
    if pairs.shape[0]:
        together = np.ones(last - linear.choices)
        beside = pairs[:, : linear.choices] @ point[: linear.choices] > -0.5
        np.minimum.at(together, csr_array(pairs[:, linear.choices : last]).indices, ~beside)
        of_pairs = np.unique(csr_array(pairs[:, linear.choices : last]).indices)
        point[linear.choices + of_pairs] = together[of_pairs]
    return point


def plan_of(linear: Linear, point: Floats, batches: int) -> Rows:
    """Return the plan that whole columns state."""
    year = np.full(batches, NONE, dtype=np.int64)
    chosen = point[: linear.choices] > 0.5
    year[linear.batch[chosen]] = linear.year[chosen]
    return year


def _openers(model: Model, choices: _Choices) -> tuple[_Links, _Links, Floats]:
    """Return the links of streets and of sites that matter, and the costs of batches with sites of their own."""
    streets = model.streets
    ruled = streets.closed_years[streets.street] > 1 if len(streets.street) else np.zeros(0, dtype=bool)
    street_links = _links(model, streets.batch[ruled], streets.street[ruled], choices)
    own_cost = model.cost_cny
    no_rows = np.zeros(0, dtype=np.int64)
    if model.sites is None:
        return street_links, _links(model, no_rows, no_rows, choices), own_cost
    at_site = np.flatnonzero((model.sites.site != NONE) & (choices.column != NONE).any(axis=1))
    site_links = _links(model, at_site, model.sites.site[at_site], choices)
    alone = np.setdiff1d(at_site, site_links.batch)
    own_cost = own_cost.copy()
    own_cost[alone] += model.sites.cost_cny[model.sites.site[alone], None]
    return street_links, site_links, own_cost


def _links(model: Model, batch: Rows, opener: Rows, choices: _Choices) -> _Links:
    """Gather the batches of each opener into groups that share an item; openers of one group are left out."""
    items = len(model.packing.deadline)
    may = (choices.column != NONE).any(axis=1)
    pair = np.unique(opener[may[batch]] * len(may) + batch[may[batch]])
    opener, batch = pair // len(may), pair % len(may)
    item_of_batch = np.argsort(model.packing.batch, kind="stable")
    start = np.searchsorted(model.packing.batch[item_of_batch], np.arange(len(may) + 1))
    width = (start[1:] - start[:-1])[batch]
    row, within = _spread(width)
    item = model.packing.item[item_of_batch[start[batch][row] + within]]
    group, count = np.unique(opener[row] * items + item, return_inverse=True, return_counts=True)[1:]
    # the group of a batch is the most crowded one; lexsort puts it first
    best = np.lexsort((group, -count[group], row))
    _, first = np.unique(row[best], return_index=True)
    key, of_batch = np.unique(group[best[first]], return_inverse=True)
    opener_of_group = np.zeros(len(key), dtype=np.int64)
    opener_of_group[of_batch] = opener
    position, groups = np.unique(opener_of_group, return_inverse=True, return_counts=True)[1:]
    matters = groups[position] > 1
    kept = matters[of_batch]
    renumbered = np.cumsum(matters) - 1
    left, at = np.unique(opener_of_group[matters], return_inverse=True)
    return _Links(batch[kept], renumbered[of_batch[kept]], at, left)


def _add_items(stack: RowStack, model: Model, choices: _Choices) -> None:
    packing, years = model.packing, model.shape[1]
    column = choices.column[packing.batch]
    there = column != NONE
    row = np.repeat(packing.item, years)[there.ravel()]
    due = packing.deadline != NONE
    kept = np.flatnonzero(due | (np.bincount(row, minlength=len(due)) > 1))
    number = np.full(len(due), NONE, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    inside = number[row] != NONE
    entries = number[row][inside], column[there][inside], np.ones(int(inside.sum()))
    stack.add(Family.ITEM, entries, (np.where(due[kept], 1.0, -np.inf), np.ones(len(kept))), key=kept)


def _add_links(stack: RowStack, family: Family, links: _Links, choices: _Choices, first: int) -> None:
    """Add, for each group and year: its batches together at most the opener."""
    years = choices.column.shape[1]
    column = choices.column[links.batch]
    there = column != NONE
    slot = (links.group[:, None] * years + np.arange(years))[there]
    used, row = np.unique(slot, return_inverse=True)
    opener = links.opener_of_group[used // years]
    opener_column = first + opener * years + used % years
    entries = (
        np.concatenate([row, np.arange(len(used))]),
        np.concatenate([column[there], opener_column]),
        np.concatenate([np.ones(len(row)), -np.ones(len(used))]),
    )
    limits = np.full(len(used), -np.inf), np.zeros(len(used))
    key = links.openers[opener] * years + used % years if len(used) else used
    stack.add(family, entries, limits, key=key)


def _add_windows(stack: RowStack, model: Model, links: _Links, first: int) -> None:
    """Add, for each street and each run of years as long as a cut closes it: opened at most once."""
    years = model.shape[1]
    closed = np.minimum(model.streets.closed_years[links.openers], years) if len(links.openers) else links.openers
    start = np.arange(years)
    street, begins = np.nonzero(start[None, :] + closed[:, None] <= years)
    width = closed[street]
    row, within = _spread(width)
    entries = row, first + street[row] * years + begins[row] + within, np.ones(len(row))
    key = links.openers[street] * years + begins if len(street) else street
    stack.add(Family.WINDOW, entries, (np.full(len(street), -np.inf), np.ones(len(street))), key=key)


def _add_bonuses(stack: RowStack, model: Model, choices: _Choices, first: int) -> Floats:
    """Add, for each pair and year: the bonus at most each of the two; return the bonuses."""
    if model.bonuses is None:
        return np.zeros(0)
    bonuses = model.bonuses
    one, other = choices.column[bonuses.first], choices.column[bonuses.second]
    there = (one != NONE) & (other != NONE) & (bonuses.value > 0)
    count = int(there.sum())
    at = np.arange(count)
    entries = (
        np.concatenate([at, at, at + count, at + count]),
        np.concatenate([first + at, one[there], first + at, other[there]]),
        np.concatenate([np.ones(count), -np.ones(count)] * 2),
    )
    key = np.concatenate([np.flatnonzero(there.ravel())] * 2)
    stack.add(Family.BONUS, entries, (np.full(2 * count, -np.inf), np.zeros(2 * count)), key=key)
    value: Floats = bonuses.value[there]
    return value


def _add_budgets(
    stack: RowStack, model: Model, priced: tuple[_Choices, Floats], sited: tuple[_Links, int], first_carry: int
) -> None:
    """Add, for each year: spent and carried on at most the budget and what was carried here."""
    (choices, own_cost), (sites, first_site) = priced, sited
    years = model.shape[1]
    row, column = [choices.year], [np.arange(len(choices.batch))]
    value = [own_cost[choices.batch, choices.year]]
    if model.sites is not None and len(sites.openers):
        row.append(np.tile(np.arange(years), len(sites.openers)))
        column.append(first_site + np.arange(len(sites.openers) * years))
        value.append(np.repeat(model.sites.cost_cny[sites.openers], years))
    if model.carried_share > 0:
        carry = np.arange(years - 1)
        row += [carry, carry + 1]
        column += [first_carry + carry, first_carry + carry]
        value += [np.ones(years - 1), np.full(years - 1, -model.carried_share)]
    budget = model.budget_cny.astype(np.float64)
    scale = np.where(budget > 0, budget, max(float(budget.max(initial=0.0)), 1.0))
    entries = np.concatenate(row), np.concatenate(column), np.concatenate(value)
    stack.add(Family.BUDGET, entries, (np.full(years, -np.inf), budget), key=np.arange(years), scale=scale)


def _add_caps_and_floors(stack: RowStack, model: Model, choices: _Choices) -> None:
    years = model.shape[1]
    at = np.arange(len(choices.batch))
    for number, cap in enumerate(model.caps):
        place = cap.place[choices.batch]
        slot = place * years + choices.year
        limit = np.append(cap.cap.ravel(), np.inf)
        inside = (place != NONE) & np.isfinite(limit[np.where(place != NONE, slot, -1)])
        key, row = np.unique(slot[inside], return_inverse=True)
        amount = by_year(cap.amount, years)[choices.batch, choices.year][inside]
        low, high = np.full(len(key), -np.inf), limit[key]
        scale = np.where(high > 0, high, 1.0)
        stack.add(Family.CAP, (row, at[inside], amount), (low, high), key=key, part=number, scale=scale)
    for number, floor in enumerate(model.floors):
        place = floor.place[choices.batch]
        key = np.flatnonzero(floor.floor > 0)
        row_of_place = np.full(len(floor.floor) + 1, NONE, dtype=np.int64)
        row_of_place[key] = np.arange(len(key))
        row = row_of_place[place]
        inside = row != NONE
        amount = by_year(floor.amount, years)[choices.batch, choices.year][inside]
        low, high = floor.floor[key].astype(np.float64), np.full(len(key), np.inf)
        stack.add(Family.FLOOR, (row[inside], at[inside], amount), (low, high), key=key, part=number, scale=low)


def _add_order(stack: RowStack, model: Model, choices: _Choices) -> None:
    """Add, for each pair of an order and each year: done by then, in any batch, only if the other is done by then."""
    years = model.shape[1]
    parts = []
    for items, sign in zip(model.precedence, (1.0, -1.0), strict=True):
        holder, batch = _holders(model, items)
        column = choices.column[batch]
        held, year = np.nonzero(column != NONE)
        for later in range(years):
            in_time = year <= later
            row = holder[held[in_time]] * years + later
            parts.append((row, column[held[in_time], year[in_time]], np.full(len(row), sign)))
    row, column, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    key = np.arange(len(model.precedence[0]) * years)
    stack.add(Family.FOLLOWS, (row, column, value), (np.full(len(key), -np.inf), np.zeros(len(key))), key=key)


def _holders(model: Model, items: Rows) -> tuple[Rows, Rows]:
    """Return rows of (position in `items`, batch that holds the item)."""
    packing = model.packing
    order = np.argsort(packing.item, kind="stable")
    start = np.searchsorted(packing.item[order], np.arange(len(packing.deadline) + 1))
    width = (start[1:] - start[:-1])[items]
    position, within = _spread(width)
    return position, packing.batch[order[start[items][position] + within]]


def _spread(width: Rows) -> tuple[Rows, Rows]:
    """Return a row for each of `width` entries of every position: the position, and which of its entries it is."""
    position = np.repeat(np.arange(len(width)), width)
    return position, np.arange(len(position)) - np.repeat(np.cumsum(width) - width, width)
