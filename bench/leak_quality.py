"""How well leaks find their segment: digonce against the nearest segment and the buffer-share rule.

Run with `python -m bench.leak_quality [--segments N] [--seeds 201 202 …]`. The synthetic city knows which segment each
leak on record belongs to, or that the pipe is gone; the census and the records do not tell all of it. What crews named
is taken out first. The weights of the packaged policy were chosen on cities of the seeds 101 to 103.

Accuracy is the share of leaks whose likeliest answer (a segment, or "none of the registry") is true. The log score is
the mean logarithm of the probability given to the true answer; below 0.001 it counts as 0.001. The rivals give no
doubt of their own, so each is mixed with "none" and with all segments within 60 m, in the parts that serve it best
*on the very cities it is tested on*, and the buffer rule gets its best radius likewise.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from planner.evidence import is_possible
from planner.factors import day_column, number_column, text_column
from planner.leaks import link_leaks
from planner.near import Near, find_near
from planner.policy import read_policy
from registry.city import make_city
from registry.fields import Field, fields
from registry.intake.convert import convert
from registry.intake.findings import Findings
from registry.intake.headings import match_headings
from registry.intake.mapping import Mapping
from registry.kinds import KINDS

FLOOR = 0.001
RIVAL_RADIUS_M = 60.0
BUFFERS_M = (5.0, 10.0, 15.0, 25.0, 50.0)
SHARES = (0.0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4)
DIAMETER_TOLERANCE_MM = 4.0


@dataclass(frozen=True)
class Case:
    """One city: what the registry would hold, and the row of the true segment of each leak; -1 for none of them."""

    segments: gpd.GeoDataFrame
    leaks: gpd.GeoDataFrame
    true_row: np.ndarray


@dataclass(frozen=True)
class Forecast:
    """Probabilities of pairs, and for each leak that of "none of the registry"."""

    leak: np.ndarray
    segment: np.ndarray
    probability: np.ndarray
    none: np.ndarray


def make_case(segment_count: int, seed: int) -> Case:
    """Make a city and read its deliveries by the contracts of the registry."""
    city = make_city(segment_count, seed)
    crs = city.segments.crs
    segments = _frame(city.segments, "segments", city.segments.geometry.to_numpy(), crs)
    segments = segments[(segments.geom_type == "LineString") & (segments.length > 0)]
    leaks = _frame(city.leaks, "leaks", shapely.points(city.leaks["Y"], city.leaks["X"]), crs)
    leaks = leaks[leaks["leaked_on"] <= city.truth["leaks"]["leaked_on"].max()].drop(columns="segment_id")
    truth = city.truth["leaks"].dropna(subset="leak_id").set_index("leak_id").loc[leaks.index]
    row = segments.index.get_indexer(pd.Index(truth["segment_id"]))
    return Case(segments, leaks, np.where(truth["is_predecessor"], -1, row))


def _frame(raw: pd.DataFrame, kind: str, geometry: Any, crs: Any) -> gpd.GeoDataFrame:  # noqa: ANN401 - as geopandas
    """Understand a delivery column by column and leave out the rows that an import holds back."""
    declared = fields()[kind]
    names = match_headings([str(name) for name in raw.columns], KINDS[kind], Mapping(), "").by_column
    findings = Findings(len(raw))
    columns = {
        name: _column(raw[names[name]].reset_index(drop=True), field, findings)
        for name, field in declared.items()
        if field.role == "attribute" and name in names
    }
    frame = gpd.GeoDataFrame(columns, geometry=np.asarray(geometry, dtype=object), crs=crs)
    frame.index = pd.Index(raw[names[KINDS[kind].id_column]], dtype="str", name=KINDS[kind].id_column)
    return frame[~findings.held & ~frame.index.duplicated() & ~frame.geometry.isna() & ~frame.geometry.is_empty]


def _column(raw: pd.Series, field: Field, findings: Findings) -> pd.Series:
    dtypes = {"date": "datetime64[s]", "integer": "Int64", "double": "float64", "boolean": "boolean"}
    values = convert(raw, field, findings, {}, 1.0).to_pandas()
    typed: pd.Series = values.astype(dtypes.get(field.dtype, "str"))
    return typed


def ours(case: Case) -> Forecast:
    """What digonce says by the packaged policy, as it stands."""
    links = link_leaks(case.leaks, case.segments, read_policy())
    leak = case.leaks.index.get_indexer(pd.Index(links["leak_id"]))
    segment = case.segments.index.get_indexer(pd.Index(links["segment_id"]))
    return _forecast(case, leak, segment, links["probability"].to_numpy())


def _forecast(case: Case, leak: np.ndarray, segment: np.ndarray, probability: np.ndarray) -> Forecast:
    none = 1.0 - np.bincount(leak, weights=probability, minlength=len(case.leaks))
    return Forecast(leak, segment, probability, np.clip(none, 0.0, 1.0))


def _near(case: Case, radius_m: float) -> Near:
    """All segments of the leak's medium within a radius."""
    radius = np.full(len(case.leaks), radius_m)
    points, lines = case.leaks.geometry.to_numpy(), case.segments.geometry.to_numpy()
    near = find_near(points, lines, radius, np.ones(len(radius)))
    return near.keep(is_possible(case.leaks, case.segments, near.place, near.line))


def nearest(case: Case) -> Forecast:
    """The nearest segment of the medium, for certain."""
    near = _near(case, RIVAL_RADIUS_M)
    near = near.keep(np.lexsort((near.line, near.distance_m, near.place)))
    first = np.concatenate([[True], near.place[1:] != near.place[:-1]])
    return _forecast(case, near.place[first], near.line[first], np.ones(first.sum()))


def buffer_share(case: Case, buffer_m: float) -> Forecast:
    """Share a leak by ((buffer - distance) / buffer)² times the length inside the buffer.

    Of the segments laid before the leak only those of the best tier share: equal material and diameter, equal
    diameter, equal material, any.
    """
    near = _near(case, buffer_m)
    laid = number_column(case.segments, "installed_year_min")[near.line]
    year = day_column(case.leaks, "leaked_on")[near.place].astype("datetime64[Y]").astype(np.int64) + 1970
    near = near.keep(~(laid > year))
    tier = _tiers(case, near)
    best = np.full(len(case.leaks), 9)
    np.minimum.at(best, near.place, tier)
    near = near.keep(tier == best[near.place])
    circles = shapely.buffer(case.leaks.geometry.to_numpy()[near.place], buffer_m, quad_segs=16)
    inside = shapely.length(shapely.intersection(circles, case.segments.geometry.to_numpy()[near.line]))
    weight = ((buffer_m - near.distance_m) / buffer_m) ** 2 * inside
    total = np.bincount(near.place, weights=weight, minlength=len(case.leaks))[near.place]
    shared = total > 0
    return _forecast(case, near.place[shared], near.line[shared], weight[shared] / total[shared])


def _tiers(case: Case, near: Near) -> np.ndarray:
    material = (
        text_column(case.leaks, "material").to_numpy(dtype=object)[near.place]
        == text_column(case.segments, "material").to_numpy(dtype=object)[near.line]
    )
    apart = (
        number_column(case.leaks, "diameter_mm")[near.place] - number_column(case.segments, "diameter_mm")[near.line]
    )
    diameter = np.abs(apart) <= DIAMETER_TOLERANCE_MM
    return np.select([material & diameter, diameter, material], [0, 1, 2], 3)


def mixed(case: Case, forecast: Forecast, none: float, spread: float) -> Forecast:
    """Give a part of each leak to "none", and a part evenly to all segments within 60 m."""
    near = _near(case, RIVAL_RADIUS_M)
    count = np.bincount(near.place, minlength=len(case.leaks))
    rest = 1.0 - none - spread
    pairs = pd.DataFrame(
        {
            "leak": np.concatenate([forecast.leak, near.place]),
            "segment": np.concatenate([forecast.segment, near.line]),
            "p": np.concatenate([rest * forecast.probability, spread / count[near.place]]),
        }
    )
    pairs = pairs.groupby(["leak", "segment"])["p"].sum().reset_index()
    left = rest * forecast.none + none + np.where(count == 0, spread, 0.0)
    return Forecast(pairs["leak"].to_numpy(), pairs["segment"].to_numpy(), pairs["p"].to_numpy(), left)


def scores(case: Case, forecast: Forecast) -> tuple[np.ndarray, np.ndarray]:
    """Return for each leak whether the likeliest answer is true, and the logarithm of what the true one got."""
    given = np.where(case.true_row < 0, forecast.none, 0.0)
    is_true = forecast.segment == case.true_row[forecast.leak]
    given[forecast.leak[is_true]] = forecast.probability[is_true]
    order = np.lexsort((-forecast.segment, forecast.probability, forecast.leak))
    best, highest = np.full(len(given), -1), np.zeros(len(given))
    best[forecast.leak[order]] = forecast.segment[order]
    highest[forecast.leak[order]] = forecast.probability[order]
    best[forecast.none > highest] = -1
    return best == case.true_row, np.log(np.maximum(given, FLOOR))


def summary(cases: Iterable[Case], forecasts: Iterable[Forecast]) -> tuple[float, float]:
    """Return accuracy and log score over all leaks of all cities."""
    parts = [scores(case, forecast) for case, forecast in zip(cases, forecasts, strict=True)]
    right, given = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return float(right.mean()), float(given.mean())


def best_mix(cases: list[Case], forecasts: list[Forecast]) -> tuple[float, float]:
    """Return the accuracy as it is, and the best log score that any mix reaches."""
    accuracy, _ = summary(cases, forecasts)
    mixes = [mix for mix in product(SHARES, SHARES) if sum(mix) < 1]
    logs = [
        summary(cases, [mixed(case, forecast, *mix) for case, forecast in zip(cases, forecasts, strict=True)])[1]
        for mix in mixes
    ]
    return accuracy, max(logs)


def main() -> None:
    """Read the options, run all rules on all cities, and print both scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=10_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203, 204, 205])
    options = parser.parse_args()
    cases = [make_case(options.segments, seed) for seed in options.seeds]
    leak_count = sum(len(case.leaks) for case in cases)
    none = np.concatenate([case.true_row for case in cases]) < 0
    print(
        f"leak quality: {leak_count:,} leaks of cities {options.seeds}, {none.mean():.1%} of pipes not in the registry"
    )
    _show("digonce", summary(cases, map(ours, cases)))
    bare = [replace(c, leaks=c.leaks.drop(columns=["material", "diameter_mm", "tier"])) for c in cases]
    _show("digonce, nothing stated", summary(bare, map(ours, bare)))
    _show("nearest segment", best_mix(cases, [nearest(case) for case in cases]))
    for buffer_m in BUFFERS_M:
        rule = [buffer_share(case, buffer_m) for case in cases]
        _show(f"buffer share, {buffer_m:.0f} m", best_mix(cases, rule))


def _show(name: str, score: tuple[float, float]) -> None:
    print(f"  {name:28s} accuracy {score[0]:.4f}  log score {score[1]:.4f}")


if __name__ == "__main__":
    main()
