"""HiGHS on sparse rows and columns: one thread, a fixed seed, and limits of nodes, never of time."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from typing import Final

import highspy
import numpy as np
from scipy.sparse import csc_array

from planner.solve.model import Floats, Rows
from planner.solve.rows import Program

_TOLERANCE: Final = 1e-9
_PRIMAL: Final = 4
# every column has an end, so that nothing here is ever unbounded
_INFEASIBLE: Final = (
    highspy.HighsModelStatus.kInfeasible,
    highspy.HighsModelStatus.kUnboundedOrInfeasible,
)


# statuses of columns and rows in a basis: a column at its lower end, a row that binds nothing
AT_LOWER: Final = int(highspy.HighsBasisStatus.kLower)
BASIC: Final = int(highspy.HighsBasisStatus.kBasic)


@dataclass(frozen=True)
class Basis:
    """Where the simplex method ended, or is to begin: the status of each column and row, by the numbers of HiGHS."""

    column: Rows
    row: Rows


@dataclass(frozen=True)
class Outcome:
    """What HiGHS found: values of the columns (none: no point), prices of the rows, a bound, and the nodes it took.

    `basis` is that of a relaxed solution.
    """

    is_infeasible: bool
    column: Floats | None
    price: Floats
    bound: float
    nodes: int
    basis: Basis | None = None


def solver_name() -> str:
    """Return the name and version of the solver."""
    return f"HiGHS {highspy.HIGHS_VERSION_MAJOR}.{highspy.HIGHS_VERSION_MINOR}.{highspy.HIGHS_VERSION_PATCH}"


@cache
def _greet() -> None:
    """Let the library print its greeting where nobody reads it: standard output carries our JSON."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        highspy.Highs()  # type: ignore[no-untyped-call]
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _quiet(seed: int) -> highspy.Highs:
    _greet()
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    options: dict[str, bool | int | str] = {"output_flag": False, "threads": 1, "parallel": "off", "random_seed": seed}
    for name, value in options.items():
        highs.setOptionValue(name, value)
    return highs


def _pass(highs: highspy.Highs, program: Program, scale: float, *, is_whole: bool, lower: Floats | None) -> None:
    by_column = csc_array(program.matrix)
    stated = highspy.HighsLp()
    stated.num_col_ = by_column.shape[1]
    stated.num_row_ = by_column.shape[0]
    stated.col_cost_ = -program.objective / scale
    stated.col_lower_ = np.zeros(by_column.shape[1]) if lower is None else lower
    stated.col_upper_ = program.upper
    stated.row_lower_ = program.row_lower
    stated.row_upper_ = program.row_upper
    stated.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    stated.a_matrix_.start_ = by_column.indptr
    stated.a_matrix_.index_ = by_column.indices
    stated.a_matrix_.value_ = by_column.data
    if is_whole:
        kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
        stated.integrality_ = [kinds[int(whole)] for whole in program.is_whole.tolist()]
    highs.passModel(stated)


def _without_columns(program: Program) -> Outcome:
    """Return what a model without columns is: worth nothing, or infeasible where a row asks for something."""
    infeasible = bool((program.row_lower > 0).any())
    bound = -np.inf if infeasible else 0.0
    return Outcome(infeasible, None if infeasible else np.zeros(0), np.zeros(len(program.row_upper)), bound, 0)


def objective_scale(program: Program) -> float:
    """Return the largest objective of a column, by which all are divided before HiGHS sees them."""
    return float(np.abs(program.objective).max(initial=0.0)) or 1.0


def solve_relaxed(program: Program, *, seed: int, basis: Basis | None = None) -> Outcome:
    """Solve without asking for whole numbers; prices are those of the maximisation, at least zero for limits.

    With a basis it begins there, by the primal simplex method: columns that were added leave it feasible.
    """
    if not len(program.objective):
        return _without_columns(program)
    scale = objective_scale(program)
    highs = _quiet(seed)
    _pass(highs, program, scale, is_whole=False, lower=None)
    if basis is not None:
        highs.setOptionValue("simplex_strategy", _PRIMAL)
        highs.setBasis(_stated(basis))
    highs.run()
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        infeasible = status in _INFEASIBLE
        return Outcome(infeasible, None, np.zeros(len(program.row_upper)), -np.inf if infeasible else np.inf, 0)
    solution = highs.getSolution()
    price = -np.asarray(solution.row_dual) * scale
    bound = highs.getInfo().objective_function_value * -scale
    return Outcome(False, np.asarray(solution.col_value), price, bound, 0, _found_basis(highs))


def _stated(basis: Basis) -> highspy.HighsBasis:
    kinds = list(highspy.HighsBasisStatus.__members__.values())
    stated = highspy.HighsBasis()
    stated.col_status = [kinds[status] for status in basis.column.tolist()]
    stated.row_status = [kinds[status] for status in basis.row.tolist()]
    stated.valid = True
    return stated


def _found_basis(highs: highspy.Highs) -> Basis | None:
    found = highs.getBasis()
    if not found.valid:
        return None
    statuses = (found.col_status, found.row_status)
    return Basis(*(np.array([int(one) for one in part], dtype=np.int64) for part in statuses))


def solve_whole(
    program: Program,
    *,
    seed: int,
    gap_share: float,
    node_limit: int,
    start: Floats | None = None,
    lower: Floats | None = None,
) -> Outcome:
    """Solve in whole numbers until the gap or the number of nodes is reached; the bound is of these columns only."""
    if not len(program.objective):
        return _without_columns(program)
    scale = objective_scale(program)
    highs = _quiet(seed)
    options = {
        "mip_rel_gap": gap_share,
        "mip_abs_gap": 0.0,
        "mip_max_nodes": node_limit,
        "mip_feasibility_tolerance": _TOLERANCE,
        "primal_feasibility_tolerance": _TOLERANCE,
    }
    for name, value in options.items():
        highs.setOptionValue(name, value)
    _pass(highs, program, scale, is_whole=True, lower=lower)
    if start is not None:
        point = highspy.HighsSolution()
        point.col_value = start.tolist()
        highs.setSolution(point)
    highs.run()
    status, info = highs.getModelStatus(), highs.getInfo()
    nodes = max(int(info.mip_node_count), 0)
    if status in _INFEASIBLE:
        return Outcome(True, None, np.zeros(0), -np.inf, nodes)
    found = info.primal_solution_status == 2
    column = np.asarray(highs.getSolution().col_value) if found else None
    bound = -float(info.mip_dual_bound) * scale
    return Outcome(False, column, np.zeros(0), bound if np.isfinite(bound) else np.inf, nodes)


class Growing:
    """A relaxed program to which columns are added; each solution starts from the last one."""

    def __init__(self, program: Program, *, seed: int) -> None:
        self._scale: Final = objective_scale(program)
        self._highs: Final = _quiet(seed)
        self._highs.setOptionValue("simplex_strategy", _PRIMAL)
        _pass(self._highs, program, self._scale, is_whole=False, lower=None)

    def add(self, objective: Floats, columns: csc_array) -> None:
        """Add columns of no upper limit."""
        count = len(objective)
        self._highs.addCols(
            count,
            -objective / self._scale,
            np.zeros(count),
            np.full(count, np.inf),
            columns.nnz,
            columns.indptr[:-1].astype(np.int32),
            columns.indices.astype(np.int32),
            columns.data,
        )

    def solve(self) -> tuple[float, Floats, Floats] | None:
        """Return the optimum, the columns and the prices of the rows; None where there is no optimum."""
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._highs.getSolution()
        optimum = self._highs.getInfo().objective_function_value * -self._scale
        return optimum, np.asarray(solution.col_value), -np.asarray(solution.row_dual) * self._scale
