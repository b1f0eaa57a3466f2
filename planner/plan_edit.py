"""A saved plan changed by hand: batches moved, dropped, added and locked, with every consequence computed anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.batches import BatchTable, Grouping, batch_frames, make_batch_table
from planner.benefits import Worth, find_benefits
from planner.candidates import price_segments
from planner.conditions import NONE, Conditions, no_conditions
from planner.forecast.outlook import Outlook
from planner.households import Supplied
from planner.limits import Limits
from planner.members import Rows
from planner.order import no_order
from planner.policy import Policy
from planner.pool import batch_ids
from registry.errors import PlanningError
from registry.fields import check_frame, columns_of

_NO_NAME: Final = "—"
# the order in which edits of one command are made: what is locked now was moved before
ORDER: Final = ("unlock", "move", "drop", "add", "lock")


@dataclass(frozen=True)
class Edit:
    """One edit: `names` is a batch, for `add` a batch that was left out or segments; `year` where it has one."""

    edit: str
    names: tuple[str, ...]
    year: int | None = None


# an edit, the segments that it is about, and their year before and after it alone
Step = tuple[Edit, pd.Index, tuple[Any, Any]]


@dataclass(frozen=True)
class Source:
    """What a saved plan was made from and under, read as it was known then.

    Parameters
    ----------
    candidate_ids
        The segments that the plan chose from, of which districts get their least share; None where they are those of
        its batches.
    is_cut_once
        Whether the plan was made so that a stretch of street is opened in one year only.
    """

    segments: gpd.GeoDataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    projects: pd.DataFrame
    bans: gpd.GeoDataFrame
    supplied: Supplied
    decisions: pd.DataFrame | None
    policy: Policy
    as_of: date
    limits: Limits
    conditions: Conditions | None = None
    order: pd.DataFrame = field(default_factory=no_order)
    outlook: Outlook | None = None
    emissions: pd.DataFrame | None = None
    worth: Worth = field(default_factory=Worth)
    candidate_ids: pd.Index | None = None
    is_cut_once: bool = True

    @property
    def years(self) -> range:
        """The planning years."""
        return self.limits.years


@dataclass(frozen=True)
class Draft:
    """A plan by hand: the frames `batches`, `batch_segments`, `plan_locks`, and the table that they are priced by."""

    batches: pd.DataFrame
    batch_segments: pd.DataFrame
    locks: pd.DataFrame
    table: BatchTable
    year: Rows


def priced(batches: pd.DataFrame, batch_segments: pd.DataFrame, locks: pd.DataFrame, source: Source) -> Draft:
    """Price a saved plan anew, by the prices and pairs that it was saved with: batches as they are, no year changed.

    Raises
    ------
    FrameError
        If a frame does not keep its contract.
    """
    check_frame(batches, "batches", ["kind", "label"])
    check_frame(batch_segments, "batch_segments", ["batch_id", "year"])
    return _price(_members(batches, batch_segments), locks, source)


def _members(batches: pd.DataFrame, batch_segments: pd.DataFrame) -> pd.DataFrame:
    """Return by segment its batch and year, and what the batch is called by."""
    of_batch = batches[["kind", "label"]].reindex(batch_segments["batch_id"])
    members = batch_segments[["batch_id", "year"]].copy()
    members["kind"] = of_batch["kind"].array
    members["place"] = of_batch["label"].astype("object").where(of_batch["label"] != _NO_NAME, np.nan).array
    return members


def edit_plan(before: Draft, edits: Sequence[Edit], source: Source) -> tuple[Draft, pd.DataFrame]:
    """Return the plan with the edits made, in the order unlock, move, drop, add, lock, and the frame `plan_edits`.

    A batch that loses segments to another one gets another id, and so does a batch that is added: ids go by content.
    The plan that is given stays as it is.

    Raises
    ------
    PlanningError
        Where a batch or segment is not known, a year is not of the plan, or a locked batch is edited.
    """
    members, locks = _members(before.batches, before.batch_segments), before.locks
    steps: list[Step] = []
    for edit in sorted(edits, key=lambda one: ORDER.index(one.edit)):
        earlier = members["year"]
        touched, members, locks = _made(edit, members, locks, source)
        years = (earlier.reindex(touched).iloc[0], members["year"].loc[touched[0]])
        steps.append((edit, touched, years))
    after = _price(members, locks, source)
    return after, _told(steps, after)


def _made(
    edit: Edit, members: pd.DataFrame, locks: pd.DataFrame, source: Source
) -> tuple[pd.Index, pd.DataFrame, pd.DataFrame]:
    """Make one edit: the segments that it is about, and members and locks afterwards."""
    if edit.year is not None and edit.year not in source.years:
        raise PlanningError("plan_edit_year", year=edit.year, first=source.years[0], last=source.years[-1])
    is_batch = len(edit.names) == 1 and edit.names[0] in set(members["batch_id"])
    if not is_batch and edit.edit != "add":
        raise PlanningError("plan_edit_batch_unknown", batch=", ".join(edit.names))
    ids = members.index[members["batch_id"] == edit.names[0]] if is_batch else _segments(edit, source)
    if edit.edit not in {"lock", "unlock"} and ids.isin(locks.index).any():
        raise PlanningError("plan_edit_locked", batch=str(locks.loc[ids[ids.isin(locks.index)], "batch_id"].iloc[0]))
    if edit.edit == "unlock":
        return ids, members, locks.drop(index=ids, errors="ignore")
    changed = members.copy()
    if edit.edit == "add" and not is_batch:
        changed = _with_batch(changed, ids, source)
    if edit.edit != "lock" or edit.year is not None:
        changed.loc[ids, "year"] = pd.NA if edit.year is None else edit.year
    if edit.edit == "lock":
        locked = pd.DataFrame({"batch_id": changed.loc[ids, "batch_id"], "year": changed.loc[ids, "year"]}, index=ids)
        locks = pd.concat([locks.drop(index=ids, errors="ignore"), locked.rename_axis("segment_id")])
    return ids, changed, locks


def _segments(edit: Edit, source: Source) -> pd.Index:
    """Return the segments of a new batch."""
    ids = pd.Index(sorted(set(edit.names)), dtype="str", name="segment_id")
    unknown = ids.difference(source.segments.index.intersection(source.scores.index))
    if len(unknown) or not len(ids):
        raise PlanningError("plan_edit_segment_unknown", segments=", ".join(unknown) or "—")
    return ids


def _with_batch(members: pd.DataFrame, ids: pd.Index, source: Source) -> pd.DataFrame:
    """Take segments out of their batches into one of their own, named by the place of most of its length."""
    pipes = source.segments.loc[ids]
    names = [pipes.get(column) for column in ("compound_name", "street_name")]
    compound, street = ((None if one is None or one.isna().all() else one) for one in names)
    is_compound = compound is not None and compound.notna().all() and len(set(compound)) == 1
    place = compound if is_compound else street
    main: Any = np.nan
    if place is not None:
        lengths = pipes["length_m"].groupby(place.to_numpy()).sum().sort_index()
        main = lengths.idxmax()
    rest = members.drop(index=ids, errors="ignore")
    added = pd.DataFrame(
        {
            "batch_id": pd.array([batch_ids([list(ids)])[0]] * len(ids), dtype="str"),
            "year": pd.array([pd.NA] * len(ids), dtype="Int64"),
            "kind": pd.array(["compound" if is_compound else "street"] * len(ids), dtype="str"),
            "place": [main] * len(ids),
        },
        index=ids,
    )
    return pd.concat([rest, added.astype({"place": "object"})])


def _price(members: pd.DataFrame, locks: pd.DataFrame, source: Source) -> Draft:
    ordered = members.sort_index(key=lambda names: names.astype("object"))
    codes = pd.factorize(ordered["batch_id"])[0]
    groups = pd.DataFrame({"group": codes.astype(np.int64), "kind": ordered["kind"], "place": ordered["place"]})
    segments, scores = source.segments.loc[ordered.index], source.scores.loc[ordered.index]
    conditions = no_conditions(scores["policy_class"], source.years)
    if source.conditions is not None:
        conditions = source.conditions.take(source.segments.index.get_indexer(ordered.index).astype(np.int64))
    benefits = find_benefits(segments, scores, source.years, source.policy, source.outlook, source.emissions)
    costed = price_segments(
        segments,
        scores,
        benefits,
        source.worth,
        source.pairs,
        source.projects,
        conditions,
        source.years,
        source.policy,
    )
    removed = scores["risk_per_year"].to_numpy(dtype="float64") * source.policy.planning.removed_share.value
    table = make_batch_table(costed, removed, Grouping.of_frame(groups), source.supplied)
    first = ordered.groupby(codes)["year"].first().astype("float64").to_numpy()
    year = np.where(np.isnan(first), NONE, np.nan_to_num(first) - source.years[0]).astype(np.int64)
    batches, batch_segments = batch_frames(table, year, source.years)
    kept = locks[locks.index.isin(batch_segments.index)]
    renamed = batch_segments["batch_id"].reindex(kept.index)
    kept = kept.assign(batch_id=renamed.array, year=batch_segments["year"].reindex(kept.index).array)
    return Draft(batches, batch_segments, kept[columns_of("plan_locks")], table, year)


def _told(steps: list[Step], after: Draft) -> pd.DataFrame:
    rows = [
        {
            "step": number,
            "edit": edit.edit,
            "batch_id": after.batch_segments["batch_id"].loc[ids[0]],
            "segment_count": len(ids),
            "length_m": float(after.table.segments["length_m"].loc[ids].sum()),
            "year_before": years[0],
            "year_after": years[1],
            "cause": None,
        }
        for number, (edit, ids, years) in enumerate(steps, start=1)
    ]
    table = pd.DataFrame(rows, columns=columns_of("plan_edits"))
    types: dict[str, Any] = {"length_m": "float64"}
    types |= dict.fromkeys(("step", "segment_count", "year_before", "year_after"), "Int64")
    types |= dict.fromkeys(("edit", "batch_id", "cause"), "str")
    return table.astype(types)


def with_cause(edits: pd.DataFrame, cause: str | None) -> pd.DataFrame:
    """Return the frame `plan_edits` with the reason that was given for all of them."""
    return edits.assign(cause=pd.array([cause] * len(edits), dtype="str"))
