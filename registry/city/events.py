"""Events as a gas company keeps them: inspections, repairs, hazards, encroachments and valve work, in one list."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from registry.city.census import blanked, spelled, texts
from registry.city.names import numbered
from registry.city.parameters import Floats, Ints, Objects, load, pick
from registry.city.pipes import HEAT, Pipes
from registry.city.places import as_day
from registry.city.truth import Truth


def make_events(
    pipes: Pipes, truth: Truth, segment_ids: Objects, addresses: Objects, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write events.csv, and the truth of which segment each event was at.

    X is the northing, as in surveys here. Some rows name the segment and have no position, most have a position and
    name none. Old pipes are looked at more often.
    """
    settings, as_of = load("events"), load("city")["as_of"]
    count = max(1, round(pipes.count * settings["per_segment"]))
    age = np.maximum(as_of.year - truth.installed_year, 1)
    segment = np.sort(pick(rng, age.astype(np.float64), count))
    kind = _drawn(settings["kinds"], count, rng)
    ago = 365.25 * rng.random(count) * np.minimum(settings["years"], age[segment])
    days = as_day(as_of) - np.floor(ago).astype("timedelta64[D]")
    points, quality = _positions(pipes, segment, settings, rng)
    is_named = rng.random(count) < settings["named_share"]
    points[is_named & (rng.random(count) < settings["placeless_share"])] = np.nan
    named = segment_ids[segment].copy()
    named[~is_named] = None
    closed = days + np.floor(rng.exponential(settings["days_to_close"], count)).astype("timedelta64[D]")
    closed = np.where(closed > as_day(as_of), np.datetime64("NaT"), closed)
    ids = numbered("SJ", count, 6)
    is_heat = pipes.kind[segment] == HEAT
    records = pd.DataFrame(
        {
            "事件编号": texts(ids),
            "发生日期": _day_texts(days),
            "事件类别": texts(spelled("event_kind", kind, rng)),
            "介质": texts(np.where(is_heat, "热力", "燃气").astype(object)),
            "事件等级": texts(_by_kind(kind, settings["grades"], rng)),
            "检查结果": texts(_by_kind(kind, settings["findings"], rng)),
            "事件来源": texts(_by_kind(kind, settings["sources"], rng)),
            "上报人": texts(blanked(_drawn(settings["reporters"], count, rng), 0.2, rng)),
            "定位方式": texts(blanked(quality, 0.1, rng)),
            "地址": texts(addresses[segment]),
            "管段编号": texts(named),
            "办结日期": _day_texts(closed),
            "X": pd.Series(np.round(points[:, 1], 3)),
            "Y": pd.Series(np.round(points[:, 0], 3)),
        }
    )
    truth_of = pd.DataFrame({"event_id": texts(ids), "segment_id": texts(segment_ids[segment])})
    return records, truth_of


def _drawn(table: dict[str, Any], count: int, rng: np.random.Generator) -> Objects:
    shares = np.asarray(table["shares"], dtype=np.float64)
    return np.array(table["names"], dtype=object)[pick(rng, shares, count)]


def _by_kind(kind: Objects, tables: dict[str, Any], rng: np.random.Generator) -> Objects:
    result = np.full(len(kind), None, dtype=object)
    for code, table in tables.items():
        mine = kind == code
        result[mine] = _drawn(table, int(mine.sum()), rng)
    return result


def _positions(
    pipes: Pipes, segment: Ints, settings: dict[str, Any], rng: np.random.Generator
) -> tuple[Floats, Objects]:
    """Scatter positions about a place on the pipe: a little where surveyed, widely where taken from an address."""
    start, end = pipes.nodes[pipes.start[segment]], pipes.nodes[pipes.end[segment]]
    true_at = start + (end - start) * rng.random(len(segment))[:, None]
    by_address = rng.random(len(segment)) < settings["address_share"]
    scale = np.where(by_address, settings["address_scale_m"], settings["surveyed_scale_m"])
    points = true_at + rng.standard_t(settings["student_df"], (len(segment), 2)) * scale[:, None]
    return points, np.where(by_address, "地址定位", "实测").astype(object)


def _day_texts(days: Objects) -> pd.Series:
    return pd.Series(pd.to_datetime(days.astype("datetime64[s]"))).dt.strftime("%Y-%m-%d").astype("str")
