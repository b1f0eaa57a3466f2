"""Leak surveys as a gas company lists them: which district was walked in which year, and which streets again."""

from __future__ import annotations

import numpy as np
import pandas as pd

from registry.city.census import texts
from registry.city.names import numbered
from registry.city.parameters import Bools, Floats, Ints, Objects, load, pick
from registry.city.places import as_day


def make_surveys(
    surveyed: Bools, district_name: pd.Series, district_km: Floats, street: Objects, rng: np.random.Generator
) -> pd.DataFrame:
    """Write surveys.csv: the truth of `draw_leaks`, with day, method and kilometres.

    Parameters
    ----------
    surveyed
        Which districts (columns) had a survey in which year (rows), from the first year of the leak record on.
    district_name
        The names of the districts.
    district_km
        Kilometres of gas pipe of each district.
    street
        The street of every main, from which those that are walked again are drawn; None where a pipe has none.
    """
    settings = load("surveys")
    first_year = load("hazard")["records"]["first_day"].year
    year, district = np.nonzero(surveyed)
    streets = np.array(sorted({name for name in street if name is not None}), dtype=object)
    again = max(1, round(len(street) * settings["again_per_segment"]))
    count = len(year) + again
    nobody = np.full(again, None, dtype=object)
    rows = pd.DataFrame(
        {
            "检测日期": _days(first_year + np.append(year, rng.integers(0, len(surveyed), again)), settings, rng),
            "介质": texts(np.full(count, "燃气", dtype=object)),
            "检测方法": texts(_methods(settings, count, rng)),
            "区划名称": texts(np.append(district_name.to_numpy(dtype=object)[district], nobody)),
            "道路名称": texts(np.append(np.full(len(year), None, dtype=object), rng.choice(streets, again))),
            "检测里程(km)": np.append(np.round(district_km[district], 1), np.full(again, np.nan)),
        }
    )
    as_of = load("city")["as_of"]
    known = rows[rows["检测日期"] < as_day(as_of)].sort_values("检测日期", kind="stable", ignore_index=True)
    known.insert(0, "检测编号", texts(numbered("JC", len(known), 5)))
    return known.assign(检测日期=known["检测日期"].dt.strftime("%Y-%m-%d").astype("str"))


def _days(year: Ints, settings: dict[str, int], rng: np.random.Generator) -> pd.Series:
    begin = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    days = begin + rng.integers(0, settings["last_month_day"], len(year)).astype("timedelta64[D]")
    return pd.Series(days.astype("datetime64[s]"))


def _methods(settings: dict[str, dict[str, list[float]]], count: int, rng: np.random.Generator) -> Objects:
    table = settings["methods"]
    return np.array(table["names"], dtype=object)[pick(rng, table["shares"], count)]
