"""The value of one pair by plain loops: slow, obvious, and written from the definitions alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from planner.policy import Policy


@dataclass(frozen=True)
class Pair:
    """The facts of one pair; years are None where they are not known."""

    length_m: float
    overlap_m: float
    project_m: float
    diameter_mm: float
    surface: str
    medium: str
    material: str
    opens: str
    road_class: str
    likelihood: float
    consequence: float
    age_years: float
    due: tuple[int, int] | None
    on_site: tuple[int, int] | None


def entry(table: list[dict[str, Any]], code: str) -> dict[str, Any]:
    by_code = {row["code"]: row for row in table if row.get("medium") is None}
    return by_code.get(code, by_code["unknown"])


def band(table: list[dict[str, Any]], diameter_mm: float) -> dict[str, Any]:
    for row in table:
        if row["maximum_mm"] is None or diameter_mm <= row["maximum_mm"]:
            return row
    raise AssertionError


def figure(row: dict[str, Any], end: str) -> float:
    names = {"value": ("value", "price_cny_per_m", "price_cny_per_m2"), "low": ("low",), "high": ("high",)}[end]
    return float(next(row[name] for name in names if name in row))


def quantities(pair: Pair, content: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], float, float]]:
    """Each term with its price, its quantity alone and what of it can be shared."""
    prices = content["prices"]
    pipe = band(prices["pipe"], pair.diameter_mm)
    width_m = pipe["trench_width_m"]
    busy = pair.surface in prices["value"]["traffic_surfaces"]
    site = pair.overlap_m / pair.project_m if pair.project_m else 0.0
    yield "pipe", {"value": pipe["price_cny_per_m"], "low": 0, "high": 0}, pair.length_m, 0.0
    yield "trench", band(prices["value"]["trench"], pair.diameter_mm), 0.0, pair.overlap_m
    yield "paving", entry(prices["surface"], pair.surface), pair.length_m * width_m, pair.overlap_m * width_m
    traffic = entry(prices["value"]["traffic_cny_per_m"], pair.road_class)
    yield "traffic", traffic, pair.length_m * busy, pair.overlap_m * busy
    yield "mobilisation", prices["mobilisation_cny_per_batch"], site, site


def annuity(rate: float, years: int) -> float:
    return sum((1 + rate) ** -(year + 1) for year in range(years))


def value_of(pair: Pair, policy: Policy, now: int) -> dict[str, float | int | None]:
    content = policy.to_dict()
    value, planning = content["prices"]["value"], content["planning"]
    shared = entry([*value["shared"], {"code": "unknown"}], pair.opens)["terms"]
    alone = saving = low = high = 0.0
    terms: dict[str, float] = {}
    for term, price, quantity, common in quantities(pair, content):
        alone += quantity * figure(price, "value")
        saved = common if term in shared else 0.0
        terms[term] = saved * figure(price, "value")
        saving, low = saving + terms[term], low + saved * figure(price, "low")
        high += saved * figure(price, "high")
    rise = value["price_rise_share_per_year"]["value"]
    rate = (1 + planning["discount_share_per_year"]["value"]) / (1 + rise) - 1
    leaks = pair.likelihood * pair.length_m / 1000 * planning["removed_share"]["value"]
    repair = figure(entry(value["repair_cny_per_leak"], pair.medium), "value")
    harm = figure(entry(value["harm_cny_per_leak"], pair.medium), "value") * pair.consequence
    likelihood = content["weights"]["likelihood"]
    power = entry(likelihood["age_exponent"]["factors"], pair.material)["factor"]
    offset = likelihood["age_offset_years"]["value"]

    def leak_cost(year: int) -> float:
        risen = ((pair.age_years + year - now + offset) / (pair.age_years + offset)) ** power
        return float(leaks * (repair + harm) * risen)

    yearly = alone / annuity(rate, round(value["design_life_years"]["value"]))
    told: dict[str, float | int | None] = {
        "cost_alone_cny": alone,
        "cost_together_cny": alone - saving,
        "saving_cny": saving,
        "saving_low_cny": low,
        "saving_high_cny": high,
        **{f"{term}_saving_cny": terms[term] for term in ("trench", "paving", "traffic", "mobilisation")},
        "life_lost_cny_per_year": yearly,
        "waiting_cny_per_year": leak_cost(now) + alone * rise,
    }
    last = now + round(planning["horizon_years"]["value"]) - 1
    nets: dict[int, float] = {}
    if pair.due is not None:
        first_due = max(pair.due[0], now)
        last_due = max(pair.due[1], first_due)
        for year in range(now, last + 1):
            net = saving
            if year < first_due:
                avoided = sum(
                    leak_cost(at) * (1 + rate) ** -(at - year + 1) for at in range(year, min(first_due, last + 1))
                )
                net -= max(0.0, yearly * annuity(rate, first_due - year) - avoided)
            if year > last_due:
                net -= sum(leak_cost(at) * (1 + rate) ** (year - at - 1) for at in range(last_due, year))
                net -= alone * ((1 + rise) ** (year - last_due) - 1)
            nets[year] = net / (1 + rate) ** (year - now)
    return told | _years(pair, nets, saving, now, last)


def _run(paying: list[int], best: int) -> tuple[int, int]:
    """The unbroken run of paying years around the best one."""
    start = end = best
    while start - 1 in paying:
        start -= 1
    while end + 1 in paying:
        end += 1
    return start, end


def _years(pair: Pair, nets: dict[int, float], saving: float, now: int, last: int) -> dict[str, float | int | None]:
    told: dict[str, float | int | None] = dict.fromkeys(
        ("joining_from_year", "joining_until_year", "break_even_year", "best_year", "at_stake_cny")
    )
    paying = [year for year, net in nets.items() if net > 0 and saving > 0]
    if pair.on_site is not None and pair.due is not None:
        here = [year for year in paying if pair.on_site[0] <= year <= pair.on_site[1]]
        best = max(here, key=lambda year: (nets[year], -year), default=None)
        told["best_year"], told["at_stake_cny"] = best, nets[best] if best is not None else 0.0
    if not paying:
        return told
    start, end = _run(paying, max(paying, key=lambda year: (nets[year], -year)))
    told["joining_from_year"], told["joining_until_year"] = start, end
    if pair.on_site is None or pair.due is None:
        return told
    if pair.on_site[1] < max(pair.due[0], now):
        told["break_even_year"] = start if start > now else None
    else:
        told["break_even_year"] = end if end < last else None
    return told
