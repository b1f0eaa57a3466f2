"""Kinds of saved runs, and the frames that they keep."""

from __future__ import annotations

import unicodedata
from typing import Final

from registry.errors import UsageError

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

# of characters that nobody sees and nobody can type: controls, marks of format, halves of pairs, ends of lines
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def check_run_name(name: str | None) -> None:
    """Refuse a name under which a run could not be found again; None stands for a run without a name.

    Raises
    ------
    UsageError
        Where it is empty, begins or ends with a blank, or holds characters that cannot be seen.
    """
    if name is None:
        return
    if not name.strip():
        raise UsageError("run_name_blank")
    if name != name.strip():
        raise UsageError("run_name_padded", name=name.strip())
    if any(unicodedata.category(letter) in _UNSEEN for letter in name):
        raise UsageError("run_name_unseen", name=repr(name))
