"""The tables of the docs (rules, weights, prices, bans, emission factors), made from the packaged policy.

python -m tests.factor_tables        writes them anew between their marks
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

import planner
from planner.forecast.outlook import leak_outlook
from planner.forecast.outlook_frames import leak_forecast
from planner.gbt27512 import why_missing
from planner.policy_bans import BanSet
from planner.policy_emissions import EmissionFactors
from planner.policy_gbt27512 import read_standard
from planner.policy_tables import Band, BandTable, CodeTable, DecadeFactor, Factor
from registry.catalogue import say
from registry.fields import value_list, value_list_names

DOCS = Path(__file__).parents[1] / "docs"
Rows = list[Sequence[str]]


def table(headings: Sequence[str], rows: Rows) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(number: float, confidence: str) -> str:
    """A number with the first letter of its confidence."""
    return f"{number:g} {confidence[0]}"


def code_table(factors: CodeTable, list_name: str) -> str:
    media = list(dict.fromkeys(entry.medium for entry in factors.factors))
    codes = list(dict.fromkeys(entry.code for entry in factors.factors))
    by_key = {(entry.code, entry.medium): entry for entry in factors.factors}
    rows: Rows = [
        [f"`{code}`", _in_chinese(code, list_name), *(_cell(by_key.get((code, m))) for m in media)] for code in codes
    ]
    return table(["code", "中文", *(f"{medium} only" if medium else "factor" for medium in media)], rows)


def _in_chinese(code: str, list_name: str) -> str:
    """Say a code by its list, else as explanations say it."""
    words = value_list(list_name) if list_name in value_list_names() else {}
    if code in words:
        return words[code].label_zh
    said = {"building_use": "evacuation" if code == "none" else "use", "road_class": "traffic"}
    return say(f"explain_{said.get(list_name, list_name)}_{code}", "zh")


def _cell(entry: Factor | None) -> str:
    return figure(entry.factor, entry.confidence) if entry else ""


def band_table(bands: BandTable, unit: str) -> str:
    media = list(dict.fromkeys([*(band.medium for band in bands.bands), *(entry.medium for entry in bands.unknown)]))
    tops = sorted({band.maximum for band in bands.bands if band.maximum is not None})
    rows: Rows = [[f"up to {top:g} {unit}", *(_band(bands.bands, medium, top) for medium in media)] for top in tops]
    rows.append(["above", *(_band(bands.bands, medium, None) for medium in media)])
    unknown = {entry.medium: entry for entry in bands.unknown}
    rows.append(["unknown", *(_cell(unknown.get(medium)) for medium in media)])
    return table(["", *(f"{medium} only" if medium else "factor" for medium in media)], rows)


def _band(bands: Sequence[Band], medium: str | None, top: float | None) -> str:
    found = [band for band in bands if band.medium == medium and band.maximum == top]
    return figure(found[0].factor, found[0].confidence) if found else ""


def decade_table(factors: Sequence[DecadeFactor]) -> str:
    words = value_list("material")
    rows: Rows = [
        [
            f"`{entry.code}`",
            words[entry.code].label_zh,
            entry.medium or "all",
            f"{entry.decade}s",
            figure(entry.factor, entry.confidence),
            entry.source,
        ]
        for entry in factors
    ]
    return table(["code", "中文", "medium", "decade", "factor", "source"], rows)


def strengths() -> str:
    history = planner.read_policy().weights.likelihood.history
    found = [(f"`strengths.{name}`", entry) for name, entry in history.strengths]
    found += [("`recent_years`", history.recent_years)]
    found += [("`gap_penalty`", planner.read_policy().weights.likelihood.gap_penalty)]
    rows: Rows = [[name, f"{entry.value:g}", entry.source, entry.confidence] for name, entry in found]
    return table(["figure", "", "source", "confidence"], rows)


def rules() -> str:
    found = planner.read_policy().rules.rules
    rows: Rows = [
        [f"`{rule.code}`", rule.gives, rule.label_en, rule.label_zh, rule.source, rule.confidence] for rule in found
    ]
    return table(["rule", "class", "", "中文", "source", "confidence"], rows)


def service_years() -> str:
    found = planner.read_policy().rules.service_years
    rows: Rows = [[f"`{entry.code}`", f"{entry.factor:g}", entry.source, entry.confidence] for entry in found]
    return table(["medium", "years", "source", "confidence"], rows)


def factors() -> str:
    weights = planner.read_policy().weights
    likelihood, consequence = weights.likelihood, weights.consequence
    parts = (
        ("Base rate, leaks per kilometre and year, by medium", code_table(likelihood.base_per_km_year, "medium")),
        ("Material", code_table(likelihood.material, "material")),
        ("Coating (steel and galvanised steel)", code_table(likelihood.coating, "coating")),
        (
            "Cathodic protection (steel and galvanised steel)",
            code_table(likelihood.cathodic_protection, "cathodic_protection"),
        ),
        ("Decade of installation (every other decade: 1)", decade_table(likelihood.decade)),
        ("Power of age, by material", code_table(likelihood.age_exponent, "material")),
        ("Age in years where no install year is known, by medium", code_table(likelihood.unknown_age_years, "medium")),
        ("Diameter", band_table(likelihood.diameter_mm, "mm")),
        ("Pressure", code_table(likelihood.pressure, "pressure_class")),
        ("Soil (metals)", code_table(likelihood.soil, "soil")),
        ("Stray current (metals)", code_table(likelihood.stray_current, "stray_current")),
        ("Cover", band_table(likelihood.cover_depth_m, "m")),
        ("Traffic (under a carriageway)", code_table(likelihood.traffic, "road_class")),
        ("Joint", code_table(likelihood.joint, "joint")),
        ("Consequence: pressure", code_table(consequence.pressure, "pressure_class")),
        ("Consequence: nearest building", band_table(consequence.building_distance_m, "m")),
        ("Consequence: surface", code_table(consequence.surface, "surface")),
        ("Consequence: nearest void", band_table(consequence.void_distance_m, "m")),
        ("Consequence: people within reach", band_table(consequence.people, "people")),
        ("Consequence: the hardest to lead away within reach", code_table(consequence.evacuation, "building_use")),
        ("Consequence: households that are cut off", band_table(consequence.households, "households")),
        ("People per square metre of floor, by use", code_table(consequence.people_per_m2, "building_use")),
    )
    return "\n\n".join(f"**{title}**\n\n{text}" for title, text in parts)


def grades() -> str:
    rows: Rows = [
        [
            f"`{limit.medium}`" if limit.medium else "others",
            f"`{limit.grade}`",
            f"{limit.minimum_incidents_per_km_year:g}",
            limit.source,
            limit.confidence,
        ]
        for limit in planner.read_policy().weights.grades
    ]
    return table(["medium", "grade", "from incidents per km and year", "source", "confidence"], rows)


def incidents() -> str:
    rows: Rows = [
        [f"`{entry.code}`", f"{entry.value:g}", f"{entry.low:g}", f"{entry.high:g}", entry.source, entry.confidence]
        for entry in planner.read_policy().weights.incidents_per_leak
    ]
    return table(["medium", "incidents per leak", "low", "high", "source", "confidence"], rows)


def matrix() -> str:
    found = planner.read_policy().weights.matrix
    headings = ["", *(f"C{place} {text}" for place, text in enumerate(_bands(found.consequence_index.limits), 1))]
    rows: Rows = [
        [f"P{place} {text}", *(f"`{grade}`" for grade in cells)]
        for place, (text, cells) in enumerate(
            zip(_bands(found.likelihood_per_km_year.limits), found.cells, strict=True), 1
        )
    ]
    return table(headings, rows[::-1])


def _bands(limits: Sequence[float]) -> list[str]:
    return [f"below {limits[0]:g}", *(f"from {limit:g}" for limit in limits)]


def prices() -> str:
    found = planner.read_policy().prices
    pipe: Rows = [
        [
            f"up to {price.maximum_mm:g} mm" if price.maximum_mm else "above",
            figure(price.price_cny_per_m, price.confidence),
            f"{price.trench_width_m:g}",
            price.source,
        ]
        for price in found.pipe
    ]
    words = value_list("surface")
    surface: Rows = [
        [
            f"`{price.code}`",
            words[price.code].label_zh,
            figure(price.price_cny_per_m2, price.confidence),
            price.source,
        ]
        for price in found.surface
    ]
    return "\n\n".join(
        (
            table(["diameter", "pipe and trench, yuan a metre", "trench width, m", "source"], pipe),
            table(["surface", "中文", "reinstatement, yuan a square metre", "source"], surface),
        )
    )


def opened_ground() -> str:
    rows: Rows = [
        [f"`{opened.code}`", f"`{opened.opens_ground}`", opened.source, opened.confidence]
        for opened in planner.read_policy().planning.opens_ground
    ]
    return table(["kind of project", "opens", "source", "confidence"], rows)


def value_prices() -> str:
    value = planner.read_policy().prices.value
    assert value is not None
    mobilisation = planner.read_policy().prices.mobilisation_cny_per_batch
    rows: Rows = [
        ranged("`mobilisation_cny_per_batch`", "site", mobilisation),
        *(
            ranged(f"`value.trench[{price.maximum_mm:g}]`" if price.maximum_mm else "`value.trench[above]`", "m", price)
            for price in value.trench
        ),
    ]
    for name, unit in (("traffic_cny_per_m", "m"), ("repair_cny_per_leak", "leak"), ("harm_cny_per_leak", "leak")):
        rows += [ranged(f"`value.{name}[{entry.code}]`", unit, entry) for entry in getattr(value, name)]
    rows.append(ranged("`value.design_life_years`", "", value.design_life_years))
    rows.append(ranged("`value.price_rise_share_per_year`", "", value.price_rise_share_per_year))
    if value.carbon is not None:
        rows += [
            ranged(f"`value.carbon.paving_kg_per_m2[{entry.code}]`", "kg/m2", entry)
            for entry in value.carbon.paving_kg_per_m2
        ]
        rows.append(ranged("`value.carbon.trench_kg_per_m3`", "kg/m3", value.carbon.trench_kg_per_m3))
        rows.append(ranged("`value.carbon.trench_depth_m`", "m", value.carbon.trench_depth_m))
    return table(["price, of `prices`", "yuan a", "figure", "low", "high", "of", "source"], rows)


def ranged(name: str, unit: str, entry: Any) -> Sequence[str]:
    """A row of a figure with its range and its year."""
    amount = entry.price_cny_per_m if hasattr(entry, "price_cny_per_m") else entry.value
    ends = [f"{end:g}" for end in (entry.low, entry.high)]
    return [name, unit, figure(amount, entry.confidence), *ends, str(entry.dated), entry.source]


def due_windows() -> str:
    rows: Rows = [
        [
            f"`{window.code}`",
            value_list("policy_class")[window.code].label_zh,
            f"`{window.clock}`",
            f"{window.from_years}–{window.until_years}",
            str(window.pull_forward_years),
            str(window.wait_years),
            window.source,
            window.confidence,
        ]
        for window in planner.read_policy().timing.due
    ]
    headings = ["class", "中文", "clock", "due after years", "earlier by", "later by", "source", "confidence"]
    return table(headings, rows)


def ban_rules() -> str:
    folder = Path(planner.__file__).parent / "bans"
    sets = [BanSet.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml"))]
    rows: Rows = [
        [f"`{bans.id}`", f"`{rule.code}`", rule.label_en, rule.label_zh, rule.source, rule.confidence]
        for bans in sets
        for rule in bans.rules
    ]
    return table(["ban set", "rule", "", "中文", "source", "confidence"], rows)


def emissions() -> str:
    folder = Path(planner.__file__).parent / "emission_factors"
    sets = [EmissionFactors.model_validate(tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*"))]
    rows: Rows = []
    for found in sets:
        rows += [
            [
                f"`{found.id}`",
                f"`{main.code}`",
                main.label_zh,
                *(f"{kg:,g}" for kg in main.range),
                main.source,
                main.confidence,
            ]
            for main in found.mains
        ]
        rows += [
            [
                f"`{found.id}`",
                f"`{name}`",
                "全球增温潜势",
                f"{weight.value:g}",
                "",
                "",
                weight.source,
                weight.confidence,
            ]
            for name, weight in (("gwp100", found.gwp100), ("gwp20", found.gwp20))
        ]
    return table(["set", "main", "中文", "kg per km and year", "low", "high", "source", "confidence"], rows)


def gbt27512_without_steps() -> str:
    labels = value_list("gbt27512_missing")
    rows: Rows = [
        [row.part, row.label_en, row.label_zh, f"{row.maximum:g}", "not available", labels[why_missing(row)].label_en]
        for row in read_standard().rows
        if row.lacks and not row.steps
    ]
    return table(["part", "row", "中文", "points at most", "points", "why"], rows)


def outlook() -> str:
    """The steel main of docs/emissions-and-outlook.md, from 2027 to 2031, renewed in 2029."""
    made = {"medium": "gas", "material": "steel", "diameter_mm": 200.0, "length_m": 100.0}
    index = pd.Index(["main"], name="segment_id", dtype="str")
    segments = pd.DataFrame(made, index)
    told = {"likelihood_per_km_year": 0.3, "age_years": 36.0, "leak_count": 1.0, "third_party_per_km_year": 0.02}
    scores = pd.DataFrame(told | {"ln_likelihood_level": 0.0}, index)
    renewed = pd.Series([2029], index)
    years = range(2027, 2032)
    found = leak_forecast(leak_outlook(segments, scores, planner.read_policy(), years, date(2026, 11, 1), renewed))
    rows: Rows = [
        [
            str(row["year"]),
            *(f"{row[one]:.4f} ({row[f'{one}_low']:g}–{row[f'{one}_high']:g})" for one in ("leaks", "planned_leaks")),
            f"{row['third_party_leaks']:.4f}",
        ]
        for row in found.to_dict("records")
    ]
    return table(["year", "nothing renewed", "renewed in 2029", "third-party damage"], rows)


SECTIONS: dict[str, dict[str, Callable[[], str]]] = {
    "how-scores-work.md": {
        "rules": rules,
        "service-years": service_years,
        "factors": factors,
        "strengths": strengths,
        "incidents": incidents,
        "grades": grades,
        "matrix": matrix,
        "gbt27512-without-steps": gbt27512_without_steps,
    },
    "how-plans-work.md": {"prices": prices, "opened-ground": opened_ground},
    "windows.md": {"due-windows": due_windows, "ban-rules": ban_rules, "value-prices": value_prices},
    "emissions-and-outlook.md": {"emissions": emissions, "outlook": outlook},
}


def with_tables(text: str, sections: dict[str, Callable[[], str]]) -> str:
    """Put the tables between their marks."""
    for name, make in sections.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
        before, after = text.split(start)[0], text.split(end)[1]
        text = f"{before}{start}{make()}{end}{after}"
    return text


def main() -> None:
    """Write the tables anew."""
    for name, sections in SECTIONS.items():
        path = DOCS / name
        path.write_text(with_tables(path.read_text(encoding="utf-8"), sections), encoding="utf-8")


if __name__ == "__main__":
    main()
