"""Kinds of saved runs, and the frames that they keep."""

from __future__ import annotations

from typing import Final

RUN_KINDS: Final = ("score", "overlap", "plan", "forecast", "backtest")
RUN_FRAMES: Final = (
    "scores",
    "emissions",
    "leak_links",
    "event_links",
    "pairs",
    "pair_times",
    "pair_values",
    "neighbours",
    "batches",
    "batch_segments",
    "plan_reasons",
    "late_work",
    "late_years",
    "last_chances",
    "plan_edits",
    "plan_locks",
    "leak_forecast",
    "network_forecast",
    "backtest_windows",
    "backtest_materials",
    "backtest_lift",
    "backtest_summary",
    "gate_criteria",
)
