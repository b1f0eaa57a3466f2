"""Leak records as a gas company keeps them: scattered positions, addresses, words, and only what was found."""

from __future__ import annotations

import numpy as np
import pandas as pd

from registry.city.census import blanked, spelled, texts
from registry.city.hazard import Leaks
from registry.city.parameters import Floats, Ints, Objects, load, pick
from registry.city.pipes import Ground, Pipes, beside_street
from registry.city.places import as_day, day_of
from registry.city.streets import Streets
from registry.city.truth import MATERIALS, PE80, Truth, words


def make_leak_records(
    leaks: Leaks,
    ground: Ground,
    truth: Truth,
    labels: dict[str, Objects],
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write leaks.csv and the truth of all leaks, found or not.

    `labels` has the segment ids, the address of each segment and the building shapes' centres (`building_at`).
    """
    pipes, count = ground.pipes, len(leaks.segment)
    share = rng.random(count)
    start, end = pipes.nodes[pipes.start[leaks.segment]], pipes.nodes[pipes.end[leaks.segment]]
    true_at = start + (end - start) * share[:, None]
    points, quality = _positions(leaks, ground, true_at, share, labels["building_at"], rng)
    days = day_of(leaks.at_year)
    repair = days + np.floor(rng.exponential(4.0, count)).astype("timedelta64[D]")
    repair = np.where(repair > as_day(load("city")["as_of"]), np.datetime64("NaT"), repair)
    sources, grades = load("hazard")["sources"], load("hazard")["grades"]
    grade = np.array(grades["names"], dtype=object)[pick(rng, grades["shares"], count)]
    cause = spelled("cause", _causes(leaks, truth, rng), rng)
    named = _named(leaks, labels["segment_id"], rng)
    found = np.flatnonzero(leaks.is_found)
    ids = np.full(count, None, dtype=object)
    stated = _stated(leaks, truth, ground.pipes, rng)
    year = np.floor(leaks.at_year[found]).astype(np.int64).astype("str").astype(object)
    ids[found] = "LD" + year + "-" + _serial(len(found))
    records = pd.DataFrame(
        {
            "漏点编号": texts(ids[found]),
            "发现日期": _day_texts(days[found]),
            "介质": texts(np.full(len(found), "燃气", dtype=object)),
            "泄漏原因": texts(cause[found]),
            "泄漏等级": texts(spelled("grade", grade, rng)[found]),
            "信息来源": texts(np.array(sources["names"], dtype=object)[pick(rng, sources["shares"], count)][found]),
            "定位方式": texts(blanked(quality, 0.05, rng)[found]),
            "地址": texts(labels["address"][leaks.segment][found]),
            "管段编号": texts(named[found]),
            **{heading: texts(told[found]) for heading, told in stated.items()},
            "修复日期": _day_texts(repair[found]),
            "X": pd.Series(np.round(points[found, 1], 3)),
            "Y": pd.Series(np.round(points[found, 0], 3)),
        }
    )
    is_heat = labels["medium"][leaks.segment][found] == "heat"
    records.loc[is_heat, "介质"] = "热力"
    return records, _true_table(leaks, labels["segment_id"], ids, share, true_at, quality)


def _true_table(
    leaks: Leaks, segment_ids: Objects, ids: Objects, share: Floats, true_at: Floats, quality: Objects
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "leak_id": texts(ids),
            "segment_id": texts(segment_ids[leaks.segment]),
            "leaked_on": pd.Series(day_of(leaks.at_year).astype("datetime64[s]")),
            "is_predecessor": leaks.is_previous,
            "is_found": leaks.is_found,
            "measure_share": share,
            "east_m": true_at[:, 0],
            "north_m": true_at[:, 1],
            "is_address_position": quality == "地址定位",
        }
    )


def _serial(count: int) -> Objects:
    return np.array(pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(5).to_list(), dtype=object)


def _day_texts(days: Objects) -> pd.Series:
    return pd.Series(pd.to_datetime(days.astype("datetime64[s]"))).dt.strftime("%Y-%m-%d").astype("str")


def _causes(leaks: Leaks, truth: Truth, rng: np.random.Generator) -> Objects:
    settings = load("hazard")["causes"]
    material = np.where(leaks.is_previous, truth.previous_material[leaks.segment], truth.material[leaks.segment])
    family = np.where(material >= PE80, 2, np.where(material <= 1, 1, 0))
    cause = np.full(len(material), None, dtype=object)
    for number, name in enumerate(("metal", "iron", "plastic")):
        mine = family == number
        cause[mine] = np.array(settings["names"], dtype=object)[pick(rng, settings[name], int(mine.sum()))]
    return cause


def _stated(leaks: Leaks, truth: Truth, pipes: Pipes, rng: np.random.Generator) -> dict[str, Objects]:
    """State what the crew saw in the pit: material, diameter and tier, on part of the records and not always right."""
    settings, count = load("hazard")["stated"], len(leaks.segment)
    material = np.where(leaks.is_previous, truth.previous_material[leaks.segment], truth.material[leaks.segment])
    mistaken = rng.random(count) < settings["material_wrong_share"]
    material = np.where(mistaken, rng.integers(0, len(MATERIALS), count), material)
    codes = words(MATERIALS, material)
    is_vague = rng.random(count) < settings["material_vague_share"]
    for vague, exact in (("cast_iron", ("grey_iron", "ductile_iron")), ("pe", ("pe80", "pe100"))):
        codes[is_vague & np.isin(codes, exact)] = vague
    sizes = np.unique(truth.diameter_mm)
    diameter = truth.diameter_mm[leaks.segment]
    mistaken = rng.random(count) < settings["diameter_wrong_share"]
    diameter = np.where(mistaken, sizes[rng.integers(0, len(sizes), count)], diameter)
    is_courtyard = pipes.parcel[leaks.segment] >= 0
    is_courtyard = is_courtyard ^ (rng.random(count) < settings["tier_wrong_share"])
    tier = np.where(is_courtyard, "courtyard", "municipal").astype(object)
    return {
        "泄漏管材": blanked(spelled("material", codes, rng), settings["material_blank_share"], rng),
        "泄漏管径": blanked(diameter.astype("str").astype(object), settings["diameter_blank_share"], rng),
        "管段类别": blanked(spelled("tier", tier, rng), settings["tier_blank_share"], rng),
    }


def _named(leaks: Leaks, segment_ids: Objects, rng: np.random.Generator) -> Objects:
    """Name the segment on a few records, as crews do; some name a neighbour in the register instead."""
    settings = load("hazard")["position"]
    count = len(leaks.segment)
    slip = np.where(rng.random(count) < settings["named_wrong_share"], rng.choice([-2, -1, 1, 2], count), 0)
    named = segment_ids[np.clip(leaks.segment + slip, 0, len(segment_ids) - 1)].copy()
    named[rng.random(count) > settings["named_share"]] = None
    return named


def _positions(
    leaks: Leaks,
    ground: Ground,
    true_at: Floats,
    share: Floats,
    building_at: Objects,
    rng: np.random.Generator,
) -> tuple[Floats, Objects]:
    """Scatter positions: heavy tails where surveyed, the street or the building where found by address."""
    settings = load("hazard")["position"]
    streets, pipes, count = ground.streets, ground.pipes, len(leaks.segment)
    is_vague = rng.random(count) < settings["unknown_share"]
    scale = np.where(is_vague, settings["unknown_scale_m"], settings["surveyed_scale_m"])
    points = true_at + rng.standard_t(settings["student_df"], (count, 2)) * scale[:, None]
    quality = np.where(is_vague, "不明", "实测").astype(object)
    by_address = rng.random(count) < settings["address_share"]
    quality[by_address] = "地址定位"
    edge, part = pipes.edge[leaks.segment], pipes.part[leaks.segment]
    moved = rng.normal(0, settings["address_along_m"], count)
    in_street = np.flatnonzero(by_address & (part >= 0))
    at = _along(streets, edge[in_street], part[in_street] + share[in_street], moved[in_street])
    points[in_street] = beside_street(ground.lattice, streets, edge[in_street], at, np.zeros(len(in_street)))
    in_yard = np.flatnonzero(by_address & (part < 0))
    points[in_yard] = building_at[pipes.building[leaks.segment[in_yard]]].astype(np.float64)
    return points, quality


def _along(streets: Streets, edge: Ints, part: Floats, moved_m: Floats) -> Floats:
    length = 56.0 * streets.parts[edge]
    return np.clip(part / streets.parts[edge] + moved_m / length, 0.01, 0.99)
