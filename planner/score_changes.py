"""Two runs of scores compared: who moved, by how much, by which cause, and what the runs were made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from planner.explain import TERMS, cause_differences
from registry.fields import check_frame, columns_of, value_list

_SIDES: Final = ("before", "after")
# a change that is only the rounding of sums
_ROUNDING: Final = 1e-9


def compare_scores(before: pd.DataFrame, after: pd.DataFrame, successions: pd.DataFrame) -> pd.DataFrame:
    """Tell of every segment of two runs how its score changed and why: the frame `score_changes`.

    `move` is by the grade: up, down, same; new and gone are those that one run does not hold, with where they came from
    and what they became by lineage. `cause` is what moved the risk most in the direction in which it went, and
    `cause_multiplier` by how many times; empty where nothing did. Ranks are by risk per kilometre within the run, 1 the
    highest. Terms are compared as they are, not against the network: their changes add up to the logarithm of
    `risk_ratio`.

    Misleads where both runs differ in more than one thing (policy, day, data, program): a cause does not say which of
    them moved it. Compare runs that differ in one.

    Parameters
    ----------
    successions
        Which segment goes on as which.
    """
    for scores in (before, after):
        check_frame(scores, "scores")
    check_frame(successions, "successions")
    ids = before.index.union(after.index).astype("str").rename("segment_id")
    changes = pd.DataFrame(index=ids)
    for side, scores in zip(_SIDES, (before, after), strict=True):
        found = scores.reindex(ids)
        for name in ("grade", "policy_class", "risk_per_km_year"):
            changes[f"{name}_{side}"] = found[name]
        ranks = scores["risk_per_km_year"].rank(method="min", ascending=False)
        changes[f"rank_{side}"] = ranks.reindex(ids).astype("Int64")
    changes["length_m"] = after["length_m"].reindex(ids).fillna(before["length_m"].reindex(ids))
    changes["risk_ratio"] = changes["risk_per_km_year_after"] / changes["risk_per_km_year_before"]
    changes["move"] = _moves(changes)
    changes = changes.join(_strongest(term_changes(before, after), changes["risk_ratio"]))
    changes["came_from"] = _named(successions, "child_id", "parent_id").reindex(ids).where(changes["move"] == "new")
    changes["became"] = _named(successions, "parent_id", "child_id").reindex(ids).where(changes["move"] == "gone")
    return changes[columns_of("score_changes")]


def term_changes(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return the change of every term, as natural logarithm, of the segments that both runs hold, by segment."""
    both = before.index.intersection(after.index)
    terms = list(TERMS)
    changed: pd.DataFrame = after.loc[both, terms] - before.loc[both, terms]
    return changed


def moves_by_km(changes: pd.DataFrame) -> pd.DataFrame:
    """Add up segments and kilometres by move, in the order of the list of moves; none is left out."""
    grouped = changes.groupby("move")["length_m"].agg(["size", "sum"]).reindex(list(value_list("score_move")))
    table = pd.DataFrame({"segment_count": grouped["size"].fillna(0).astype("int64"), "km": grouped["sum"] / 1000.0})
    return table.fillna({"km": 0.0}).rename_axis("move").reset_index()


def causes_by_km(changes: pd.DataFrame) -> pd.DataFrame:
    """Add up the kilometres whose grade went up or down by the cause that moved them most, the most first."""
    moved = changes[changes["move"].isin(["up", "down"]) & changes["cause"].notna()]
    grouped = moved.groupby(["move", "cause"])["length_m"].agg(["size", "sum"]).reset_index()
    table = grouped.rename(columns={"size": "segment_count"}).assign(km=grouped["sum"] / 1000.0)
    return table.drop(columns="sum").sort_values(
        ["km", "move", "cause"], ascending=[False, True, True], ignore_index=True
    )


def policy_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List the keys in which two stored policies differ, with both values; missing is None. The hash is no key."""
    sides = [dict(_leaves(content, "")) for content in (before, after)]
    keys = sorted(set(sides[0]) | set(sides[1]))
    return [(key, sides[0].get(key), sides[1].get(key)) for key in keys if sides[0].get(key) != sides[1].get(key)]


def _leaves(content: object, path: str) -> Iterator[tuple[str, Any]]:
    """Walk to the single figures; an entry of a list is named by its code, grade or place."""
    if isinstance(content, Mapping):
        for key, entry in content.items():
            if path or key != "hash":
                yield from _leaves(entry, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list | tuple):
        for place, entry in enumerate(content):
            yield from _leaves(entry, f"{path}[{_entry_name(entry, place)}]")
    else:
        yield path, content


def _entry_name(entry: object, place: int) -> str:
    if not isinstance(entry, Mapping):
        return str(place)
    names = [entry.get(key) for key in ("medium", "code", "grade", "decade", "maximum")]
    return " ".join(str(name) for name in names if name is not None) or str(place)


def _moves(changes: pd.DataFrame) -> pd.Series:
    order = {code: place for place, code in enumerate(value_list("risk_grade"))}
    first, last = (changes[f"grade_{side}"].map(order).to_numpy(dtype="float64") for side in _SIDES)
    conditions = [np.isnan(first), np.isnan(last), last > first, last < first]
    moves = np.select(conditions, ["new", "gone", "up", "down"], default="same")
    return pd.Series(moves, changes.index, dtype="str")


def _strongest(changed: pd.DataFrame, ratio: pd.Series) -> pd.DataFrame:
    """Return the cause that moved each risk most in the direction in which it went."""
    causes = cause_differences(changed)
    direction = np.where(ratio.reindex(changed.index) >= 1.0, 1.0, -1.0)
    along = causes.to_numpy() * direction[:, None]
    place = along.argmax(axis=1) if len(changed) else np.empty(0, dtype=np.int64)
    ln = along[np.arange(len(changed)), place]
    is_told = ln > _ROUNDING
    names = np.array(causes.columns, dtype=object)[place]
    return pd.DataFrame(
        {
            "cause": pd.Series(names, changed.index, dtype="str").where(is_told),
            "cause_multiplier": np.where(is_told, np.exp(ln * direction), np.nan),
        },
        index=changed.index,
    )


def _named(successions: pd.DataFrame, by: str, named: str) -> pd.Series:
    """Return the ids on the other side of the lineage of each id, as one text."""
    pairs = successions[[by, named]].drop_duplicates().sort_values([by, named])
    return pairs.groupby(by)[named].agg(",".join).astype("str")
