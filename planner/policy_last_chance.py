"""The shape of what makes a last chance: which projects count, how many leaks in the ban, what a dig in it costs."""

from __future__ import annotations

from planner.policy_parts import Figure, Part


class LastChance(Part):
    """When a pipe that is left under a road about to be closed is listed, and the dearer repair while it is closed.

    A leak in the ban costs besides its repair `surcharge_factor` times the surface of a pit of `pit_m2`.
    """

    least_leaks: Figure
    committed_states: tuple[str, ...]
    pit_m2: Figure
    surcharge_factor: Figure
