"""Put a plan together from whole parts: for each site the choices that prices have called for, one of which is taken.

The relaxed program over these parts (Dantzig and Wolfe 1960) finds better prices, at which further parts are asked for;
every answer is a proven bound. All but as many sites as there are coupling rows come out whole, so that a small search
over the parts ends close to the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from scipy.sparse import csc_array, csr_array, hstack, vstack

from planner.solve.dual import Answer, Descent, Dual, Multipliers
from planner.solve.highs import Growing, solve_whole
from planner.solve.model import NONE, Floats, Rows
from planner.solve.rows import Program

_ROUNDS: Final = 25
_MOST_PARTS: Final = 6000
_MOST_BLOCKS: Final = 2000
_FLAT_BLOCKS: Final = 40
# how far new prices keep to the best so far: the master's own prices swing
_HOLD: Final = 0.6
# the part of the gap within which the bound is to be the lowest that prices prove
_BOUND_PART: Final = 0.02


@dataclass
class Parts:
    """Parts of plans by site: their worth, their use of the coupling rows, and the years that they state."""

    dual: Dual
    block_of_sites: Rows
    block_start: Rows
    marks: Rows
    seen: set[tuple[int, int]] = field(default_factory=set)
    block: list[Rows] = field(default_factory=list)
    worth: list[Floats] = field(default_factory=list)
    use: list[csr_array] = field(default_factory=list)
    answer: list[Rows] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @classmethod
    def of(cls, dual: Dual) -> Parts:
        """Begin without parts: a block for each site, or few blocks where sites are single batches."""
        nest = dual.nest
        sites = len(nest.site_start)
        blocks = min(sites, _FLAT_BLOCKS if nest.is_flat else _MOST_BLOCKS)
        block_of_sites = np.arange(sites) * blocks // sites
        first_site = np.searchsorted(block_of_sites, np.arange(blocks))
        marks = np.random.default_rng(0).integers(1, 1 << 53, len(nest.order)).astype(np.int64)
        return cls(dual, block_of_sites, nest.street_start[nest.site_start[first_site]], marks)

    def take(self, answer: Answer) -> tuple[Floats, csc_array] | None:
        """Take the parts of an answer that are new; return their worth and their columns of the master."""
        nest = self.dual.nest
        chosen = answer.year[nest.order]
        with np.errstate(over="ignore"):
            marked = self.marks * (chosen + 2) * (chosen + 2)
        mark = np.add.reduceat(marked, self.block_start)
        fresh = np.array([(block, key) not in self.seen for block, key in enumerate(mark.tolist())])
        if not fresh.any():
            return None
        rows = np.flatnonzero(fresh)
        self.seen.update(zip(rows.tolist(), mark[rows].tolist(), strict=True))
        placed = np.where(chosen != NONE, self.dual.value[nest.order, np.maximum(chosen, 0)], 0.0)
        worth = np.add.reduceat(placed, self.block_start)[rows]
        use = csr_array(self.dual.use_by_block(answer, self.block_of_sites)[rows])
        self.block.append(rows)
        self.worth.append(worth)
        self.use.append(use)
        self.answer.append(np.full(len(rows), len(self.answers), dtype=np.int64))
        self.answers.append(answer)
        return worth, self._columns(rows, use)

    def _columns(self, block: Rows, use: csr_array) -> csc_array:
        shape = len(block), len(self.block_start)
        once = csr_array((np.ones(len(block)), (np.arange(len(block)), block)), shape=shape)
        return csc_array(hstack([use, once]).T)

    def columns(self) -> csc_array:
        """Return the columns of all parts."""
        return self._columns(np.concatenate(self.block), csr_array(vstack(self.use)))

    def plan(self, chosen: Rows) -> Rows:
        """Return the plan of chosen parts, one of each block."""
        nest = self.dual.nest
        year = np.full(self.dual.model.shape[0], NONE, dtype=np.int64)
        of_block = np.zeros(len(self.block_start), dtype=np.int64)
        of_block[np.concatenate(self.block)[chosen]] = np.concatenate(self.answer)[chosen]
        every = np.stack([answer.year[nest.order] for answer in self.answers])
        year[nest.order] = every[of_block[self.block_of_sites[nest.site_of_rows()]], np.arange(len(nest.order))]
        return year


@dataclass(frozen=True)
class Assembled:
    """What the master came to: a bound with its prices, and a plan (none: not found), and the nodes of the search."""

    descent: Descent
    plan: Rows | None
    wish: Rows | None
    nodes: int


def assemble(dual: Dual, descent: Descent, *, seed: int, gap_share: float, node_limit: int) -> Assembled:
    """Improve the bound and put a plan together from parts."""
    parts = Parts.of(dual)
    for answer in descent.answers:
        parts.take(answer)
    penalty = np.maximum(10.0 * descent.multipliers.price, 0.2 * abs(descent.bound))
    master = Growing(_master(parts, penalty, is_whole=False), seed=seed)
    share = np.zeros(0)
    for _ in range(_ROUNDS):
        solved = master.solve()
        if solved is None:
            break
        optimum, share, price = solved
        if descent.bound - optimum <= _BOUND_PART * gap_share * abs(descent.bound):
            break
        own = np.maximum(price[: dual.coupling.rows], 0.0)
        for hold in (_HOLD, 0.0):
            tried = replace(descent.multipliers, price=hold * descent.multipliers.price + (1.0 - hold) * own)
            fresh = _ask(dual, parts, descent, tried)
            if fresh is not None:
                master.add(*fresh)
        if fresh is None:
            break
    if dual.nest.is_flat:
        return Assembled(descent, None, None, 0)
    return _choose(dual, parts, descent, share, (seed, 0.3 * gap_share, node_limit, penalty))


def _ask(dual: Dual, parts: Parts, descent: Descent, tried: Multipliers) -> tuple[Floats, csc_array] | None:
    answer = dual.answer(tried)
    if answer.bound < descent.bound:
        descent.bound, descent.multipliers = answer.bound, tried
    return parts.take(answer)


def _master(parts: Parts, penalty: Floats, *, is_whole: bool, kept: Rows | None = None) -> Program:
    """State the program over parts: what passes a coupling row costs a penalty, and each block takes one part."""
    dual = parts.dual
    blocks, rows = len(parts.block_start), dual.coupling.rows
    columns, worth = parts.columns(), np.concatenate(parts.worth)
    if kept is not None:
        columns, worth = columns[:, kept], worth[kept]
    excess = csc_array(-np.eye(blocks + rows, rows))
    return Program(
        objective=np.concatenate([-penalty, worth]),
        upper=np.concatenate([np.full(rows, np.inf), np.full(len(worth), 1.0 if is_whole else np.inf)]),
        is_whole=np.concatenate([np.zeros(rows, dtype=bool), np.ones(len(worth), dtype=bool)]),
        matrix=csr_array(hstack([excess, columns])),
        row_lower=np.concatenate([np.full(rows, -np.inf), np.ones(blocks)]),
        row_upper=np.concatenate([dual.coupling.limit, np.ones(blocks)]),
    )


def _choose(
    dual: Dual, parts: Parts, descent: Descent, share: Floats, settings: tuple[int, float, int, Floats]
) -> Assembled:
    """Choose one part of each site in whole numbers, among those of the relaxed solution and the next best."""
    seed, gap_share, node_limit, penalty = settings
    price = descent.multipliers.price
    block, worth = np.concatenate(parts.block), np.concatenate(parts.worth)
    share = np.append(share[dual.coupling.rows :], np.zeros(len(worth)))[: len(worth)]
    gain = worth - csr_array(vstack(parts.use)) @ price
    best = np.full(len(parts.block_start), -np.inf)
    np.maximum.at(best, block, gain)
    regret = best[block] - gain
    first = np.lexsort((regret, -share, block))
    top = first[np.unique(block[first], return_index=True)[1]]
    wish = parts.plan(top)
    kept = np.zeros(len(worth), dtype=bool)
    kept[top] = True
    kept[share > 1e-7] = True
    kept[np.argsort(regret, kind="stable")[:_MOST_PARTS]] = True
    columns = np.flatnonzero(kept)
    program = _master(parts, penalty, is_whole=True, kept=columns)
    outcome = solve_whole(program, seed=seed, gap_share=gap_share, node_limit=node_limit)
    plan = None if outcome.column is None else parts.plan(columns[outcome.column[dual.coupling.rows :] > 0.5])
    return Assembled(descent, plan, wish, outcome.nodes)
