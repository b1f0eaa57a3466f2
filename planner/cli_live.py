"""Live pairs between the registry and the planner: computed in full, or followed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from planner.live import live_pairs, reach_figures
from planner.polylines import Polylines
from registry.pairs import Refreshed, read_network, refresh_live_pairs, write_live_pairs

if TYPE_CHECKING:
    from planner.policy import Policy
    from registry.store import Registry


def recompute_live_pairs(registry: Registry, policy: Policy, as_of: date) -> int:
    """Compute all live pairs of a day anew and return their number."""
    network = read_network(registry, as_of)
    projects = registry.frame("projects", ["kind", "half_width_m", "geometry"], as_of=as_of)
    pairs = live_pairs(network.segment_ids, Polylines(network.vertices, network.start), projects, policy)
    write_live_pairs(registry, pairs, as_of, network.known_at, reach_figures(policy))
    return len(pairs)


def follow_live_pairs(registry: Registry, policy: Policy, as_of: date) -> Refreshed | None:
    """Compute the live pairs of what has changed; all of them, returning None, where day or widths are others."""
    done = refresh_live_pairs(registry, as_of, reach_figures(policy))
    if done is None:
        recompute_live_pairs(registry, policy, as_of)
    return done
