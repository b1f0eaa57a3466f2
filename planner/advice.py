"""What a meeting is advised about each pair: which sentence holds, and which side would move which way."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from planner.factors import day_column, number_column, text_column

# relations whose sentence does not depend on money
_TOLD_FIRST: Final = ("too_late", "undated", "not_due")
_MOVES: Final = ("race", "near_miss", "conflict")


def pair_advice(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each row of the frame `overlap_table` the code of its advice and of the move that goes with it.

    The advice follows the relation in time; `apart` where joining pays in no year of the project, except before a dig
    ban: a last chance is one whatever it costs; `early` where nothing is due within the horizon, though money alone
    speaks for joining. It looks at one pair alone, so it misleads where the other pairs of a project outweigh it.

    Returns
    -------
    Index as `table`; `advice`: a relation, `apart` or `early`, missing where the pair has not been related; `move`: who
    would move and which way, such as `ours_earlier` or `theirs_later`; `either_earlier` means ours earlier or theirs
    later, `none` that neither can alone; missing where nothing has to move.
    """
    relation = text_column(table, "relation")
    pays = number_column(table, "at_stake_cny") > 0
    is_apart = ~relation.isin([*_TOLD_FIRST, "race"]) & relation.notna() & ~pays
    is_early = (relation == "not_due") & pays
    mover = text_column(table, "mover").fillna("none")
    comes_first = day_column(table, "project_until") < day_column(table, "due_from")
    # where the project ends before the renewal is due, ours would come earlier, or theirs later
    is_earlier = comes_first ^ (mover == "theirs").to_numpy(dtype=bool)
    way = pd.Series(np.where(is_earlier, "_earlier", "_later"), index=table.index, dtype="str")
    move = mover + way.where(mover != "none", "")
    return pd.DataFrame(
        {
            "advice": relation.where(~is_apart, "apart").where(~is_early, "early"),
            "move": move.where(relation.isin(_MOVES) & ~is_apart),
        },
        index=table.index,
    )
