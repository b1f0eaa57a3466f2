"""The planner: risk, overlap and yearly batches as pure functions on the frames of the registry.

Nothing here reads a clock, a connection or a database: `as_of`, `years` and `policy` are arguments, frames go in and
frames of `fields.csv` come out. Names load on first use, so that importing `planner` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.bans import find_bans as find_bans
    from planner.classes import classify_segments as classify_segments
    from planner.doubt import doubtful_leaks as doubtful_leaks
    from planner.events import link_events as link_events
    from planner.inspect_first import inspect_first as inspect_first
    from planner.isolation import isolation_sections as isolation_sections
    from planner.leaks import link_leaks as link_leaks
    from planner.neighbours import find_neighbours as find_neighbours
    from planner.overlap import find_overlaps as find_overlaps
    from planner.plan import Plan as Plan
    from planner.plan import make_plan as make_plan
    from planner.policy import Policy as Policy
    from planner.policy import read_policy as read_policy
    from planner.pool import make_pool as make_pool
    from planner.pool_bound import pool_free_bound as pool_free_bound
    from planner.relations import relate as relate
    from planner.score import score_segments as score_segments
    from planner.sharing import share_costs as share_costs
    from planner.sharing import share_steps as share_steps
    from planner.sharing import site_costs as site_costs
    from planner.streets import link_streets as link_streets
    from planner.value import price_pairs as price_pairs
    from planner.value_steps import explain_pairs as explain_pairs
    from planner.verify import verify_plan as verify_plan

_HOMES = {
    "Plan": "planner.plan",
    "Policy": "planner.policy",
    "classify_segments": "planner.classes",
    "doubtful_leaks": "planner.doubt",
    "explain_pairs": "planner.value_steps",
    "find_bans": "planner.bans",
    "find_neighbours": "planner.neighbours",
    "find_overlaps": "planner.overlap",
    "inspect_first": "planner.inspect_first",
    "isolation_sections": "planner.isolation",
    "link_events": "planner.events",
    "link_leaks": "planner.leaks",
    "link_streets": "planner.streets",
    "make_plan": "planner.plan",
    "make_pool": "planner.pool",
    "pool_free_bound": "planner.pool_bound",
    "price_pairs": "planner.value",
    "read_policy": "planner.policy",
    "relate": "planner.relations",
    "score_segments": "planner.score",
    "share_costs": "planner.sharing",
    "share_steps": "planner.sharing",
    "site_costs": "planner.sharing",
    "verify_plan": "planner.verify",
}

__all__ = sorted(_HOMES)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _HOMES:
        message = f"module 'planner' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOMES[name]), name)
