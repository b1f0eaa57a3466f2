"""What bans lock of a window: which ban concerns which row, from which day to which, and whether any day stays open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.bans import open_ends
from planner.clip import inside_lengths
from planner.days import FOREVER, NO_DAY, Days, uncovered_days
from planner.factors import Flags, day_column
from planner.policy import Policy


@dataclass(frozen=True)
class Spans:
    """For each row the first and last locked day, the ban that ends last (-1: none), whether all days are locked."""

    start: Days
    end: Days
    ban: NDArray[np.int64]
    closes_all: Flags

    def take(self, rows: NDArray[np.int64]) -> Spans:
        """Return the spans of some rows, in their order."""
        return Spans(self.start[rows], self.end[rows], self.ban[rows], self.closes_all[rows])

    def where(self, keep: Flags, other: Spans) -> Spans:
        """Return these spans where they are to be kept, else the others."""
        return Spans(
            np.where(keep, self.start, other.start),
            np.where(keep, self.end, other.end),
            np.where(keep, self.ban, other.ban),
            np.where(keep, self.closes_all, other.closes_all),
        )

    def columns(self, bans: pd.DataFrame) -> pd.DataFrame:
        """Return the columns of `pair_times` that tell what is locked."""
        # the last row of the table stands for no ban
        rules = np.array([*bans["rule_code"], None], dtype=object)
        exceptions = np.array([*bans["exceptions"], None], dtype=object)
        end = np.where(self.end == FOREVER, NO_DAY, self.end)
        return pd.DataFrame(
            {
                "locked_from": self.start.astype("datetime64[s]"),
                "locked_until": end.astype("datetime64[s]"),
                "rule_code": pd.Series(rules[self.ban], dtype="str"),
                "exceptions": pd.Series(exceptions[self.ban], dtype="str"),
            }
        )


@dataclass(frozen=True)
class Locks:
    """Which ban concerns which row."""

    row: NDArray[np.int64]
    ban: NDArray[np.int64]
    row_count: int
    starts: Days
    ends: Days

    @classmethod
    def of_ground(
        cls, segments: gpd.GeoDataFrame, bans: gpd.GeoDataFrame, policy: Policy, *, with_planned: bool = False
    ) -> Locks:
        """Find the bans that are there on the ground of each segment, and on request those that projects will bring."""
        is_there = ~bans["is_planned"].to_numpy(dtype=bool) | with_planned
        there = np.flatnonzero(is_there & ~(bans.geometry.isna() | bans.geometry.is_empty).to_numpy(dtype=bool))
        lines: NDArray[Any] = np.asarray(segments.geometry.array)
        grounds: NDArray[Any] = np.asarray(bans.geometry.array)[there]
        insides = inside_lengths(lines, grounds)
        enough = insides.length_m >= policy.timing.least_closed_m.value
        return cls(
            insides.line[enough],
            there[insides.area[enough]],
            len(segments),
            day_column(bans, "starts_on"),
            open_ends(bans),
        )

    @classmethod
    def of_projects(cls, projects: pd.DataFrame, bans: pd.DataFrame) -> Locks:
        """Find the bans that each project will bring."""
        is_mine = (bans["source_kind"] == "project").to_numpy(dtype=bool) & bans["is_planned"].to_numpy(dtype=bool)
        mine = np.flatnonzero(is_mine)
        row = projects.index.get_indexer(pd.Index(bans["source_id"].iloc[mine]))
        found = row >= 0
        return cls(
            row[found].astype(np.int64), mine[found], len(projects), day_column(bans, "starts_on"), open_ends(bans)
        )

    def within(self, first: Days, last: Days) -> Spans:
        """Return what is locked of each window."""
        starts, ends = self.starts[self.ban], self.ends[self.ban]
        touches = (starts <= last[self.row]) & (ends >= first[self.row])
        kept = Locks(self.row[touches], self.ban[touches], self.row_count, self.starts, self.ends)
        open_days = uncovered_days(kept.row, starts[touches], ends[touches], first, last)
        spans = kept.spans()
        return Spans(spans.start, spans.end, spans.ban, ~np.isnat(first) & (open_days == 0))

    def spans(self) -> Spans:
        """Return first and last locked day of each row, over all of its bans."""
        start = np.full(self.row_count, NO_DAY)
        end, ban = start.copy(), np.full(self.row_count, -1, dtype=np.int64)
        order = np.argsort(self.starts[self.ban], kind="stable")[::-1]
        start[self.row[order]] = self.starts[self.ban[order]]
        order = np.argsort(self.ends[self.ban], kind="stable")
        end[self.row[order]], ban[self.row[order]] = self.ends[self.ban[order]], self.ban[order]
        return Spans(start, end, ban, np.zeros(self.row_count, dtype=bool))
