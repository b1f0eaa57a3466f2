"""Pairs with their times and scores, and price lists with one figure changed, for the tests of the value of pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import pandas as pd

from planner.policy import Policy, entry_name, read_policy
from planner.value import price_pairs
from planner.value_steps import explain_pairs
from tests.planner.frames import line, projects_of, segments_of

AS_OF = date(2026, 11, 1)
# what a price is called in its entry
_VALUES = frozenset({"value", "price_cny_per_m", "price_cny_per_m2", "trench_width_m"})


@dataclass(frozen=True)
class Site:
    """All that pairs are priced from."""

    segments: gpd.GeoDataFrame
    scores: pd.DataFrame
    pairs: pd.DataFrame
    pair_times: pd.DataFrame
    projects: gpd.GeoDataFrame
    road_classes: pd.Series | None = None

    def values(self, policy: Policy | None = None, as_of: date = AS_OF) -> pd.DataFrame:
        frames = (self.segments, self.scores, self.pairs, self.pair_times, self.projects)
        return price_pairs(*frames, policy or read_policy(), as_of, road_classes=self.road_classes)

    def steps(self, policy: Policy | None = None, only: pd.Index | None = None) -> pd.DataFrame:
        frames = (self.segments, self.scores, self.pairs, self.pair_times, self.projects)
        return explain_pairs(*frames, policy or read_policy(), AS_OF, road_classes=self.road_classes, only=only)


def site_of(*rows: Mapping[str, Any], projects: Sequence[Mapping[str, Any]] = ({},), **classes: str) -> Site:
    """Build one pair per row, each with a segment of its own.

    A row may say `length_m`, `overlap_m`, `project` (its place), `likelihood`, `consequence`, `age_years`, the years
    `due` and `on_site` as (first, last), and attributes of the segment. What it leaves out is 100 m of main that lie
    inside an overhaul, due and on site in 2028. `classes` are classes of road by segment id.
    """
    own = {"length_m", "overlap_m", "project", "likelihood", "consequence", "age_years", "due", "on_site", "relation"}
    lengths = [float(row.get("length_m", 100.0)) for row in rows]
    shapes = [line((0, 20.0 * number), (length, 20.0 * number)) for number, length in enumerate(lengths)]
    segments = segments_of(
        *(
            {"surface": "carriageway", "geometry": shape} | {k: v for k, v in row.items() if k not in own}
            for row, shape in zip(rows, shapes, strict=True)
        )
    )
    sites = projects_of(*({"geometry": line((0, 0), (100, 0))} | dict(project) for project in projects))
    pairs = pd.DataFrame(
        {
            "segment_id": segments.index,
            "project_id": sites.index[[int(row.get("project", 0)) for row in rows]],
            "overlap_m": [float(row.get("overlap_m", length)) for row, length in zip(rows, lengths, strict=True)],
        }
    )
    times = pairs[["segment_id", "project_id"]].copy()
    for name, key in (("due", "due"), ("project", "on_site")):
        ends = [row.get(key, (2028, 2028)) or (None, None) for row in rows]
        times[f"{name}_from"] = days([first for first, _ in ends], "01-01")
        times[f"{name}_until"] = days([last for _, last in ends], "12-31")
    times["relation"] = [row.get("relation", "together") for row in rows]
    scores = pd.DataFrame(
        {
            "likelihood_per_km_year": [float(row.get("likelihood", 0.5)) for row in rows],
            "consequence_index": [float(row.get("consequence", 1.0)) for row in rows],
            "age_years": [float(row.get("age_years", 30.0)) for row in rows],
        },
        index=segments.index.rename("segment_id"),
    )
    road_classes = pd.Series(classes, dtype="str") if classes else None
    return Site(segments, scores, pairs, times, sites, road_classes)


def days(years: Sequence[int | None], day: str) -> pd.Series:
    """The same day of each year, missing where there is no year."""
    return pd.Series([pd.NaT if year is None else pd.Timestamp(f"{year}-{day}") for year in years])


def price_keys(content: object, name: str = "prices", path: tuple[Any, ...] = ("prices",)) -> Iterator[tuple[Any, ...]]:
    """Every figure of a price list as (name as in `Policy.unverified()`, key of the figure, path in the content)."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key in _VALUES and isinstance(value, float | int):
                yield name, key, (*path, key)
            else:
                yield from price_keys(value, f"{name}.{key}", (*path, key))
    elif isinstance(content, list):
        for place, entry in enumerate(content):
            told = entry_name(entry) if isinstance(entry, dict) else None
            yield from price_keys(entry, f"{name}[{told}]" if told else name, (*path, place))


def prices_by_id() -> dict[str, list[float]]:
    """The figures of prices and planning in the default policy by id; one id may stand for several."""
    content = read_policy().to_dict()
    found: dict[str, list[float]] = {}
    keys = [*price_keys(content["prices"]), *price_keys(content["planning"], "planning", ("planning",))]
    for name, _, path in keys:
        part: Any = content
        for step in path:
            part = part[step]
        found.setdefault(name, []).append(part)
    return found


def policy_with(path: Sequence[Any], factor: float = 2.0, value: float | None = None) -> Policy:
    """The default policy with one figure multiplied or set, its range along with it."""
    content = read_policy().to_dict()
    part: Any = content
    for key in path[:-1]:
        part = part[key]
    before = part[path[-1]]
    after = before * factor if value is None else value
    part[path[-1]] = after
    if part.get("low") is not None and path[-1] != "trench_width_m":
        part["low"], part["high"] = min(part["low"], after), max(part["high"], after)
    return Policy.from_dict(content)
