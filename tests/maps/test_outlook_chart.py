"""The chart of a forecast: both futures with their bands, true to the figures, in both languages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from maps.inputs import Inputs
from maps.outlook_chart import outlook_charts
from maps.report import write_report

SPACE = "{http://www.w3.org/2000/svg}"


def a_forecast(years: range = range(2027, 2037), scenarios: tuple[str, ...] = ("nothing", "plan")) -> pd.DataFrame:
    rows = [
        {
            "medium": "gas",
            "year": year,
            "scenario": scenario,
            "leaks": leaks,
            "leaks_low": leaks - 7,
            "leaks_high": leaks + 9,
        }
        for scenario in scenarios
        for year in years
        for leaks in [30.0 + year - 2027 if scenario == "nothing" else 20.0]
    ]
    return pd.DataFrame(rows).astype({"year": "Int64"})


def picture(chart: dict[str, str]) -> ElementTree.Element:
    return ElementTree.fromstring(chart["picture"])  # noqa: S314 - our own text


def corners(element: ElementTree.Element) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in element.attrib["points"].split()]  # type: ignore[misc]


def test_bands_hold_their_lines_and_all_stand_to_one_scale() -> None:
    (chart,) = outlook_charts(a_forecast(), "en")
    drawn = picture(chart)
    lines, bands = ([corners(found) for found in drawn.iter(name)] for name in ("polyline", "polygon"))
    assert [len(line) for line in lines] == [10, 10]
    assert [len(band) for band in bands] == [20, 20]
    for line, band in zip(lines, bands, strict=True):
        upper, lower = band[:10], band[:9:-1]
        for (x, y), high, low in zip(line, upper, lower, strict=True):
            assert x == high[0] == low[0]
            # 7 leaks below and 9 above, on one scale; y grows downwards
            assert (low[1] - y) / (y - high[1]) == pytest.approx(7 / 9, abs=0.02)
    # 10 leaks more in 2027 and 19 in 2036
    apart = [below[1] - above[1] for above, below in zip(*lines, strict=True)]
    assert apart[9] / apart[0] == pytest.approx(1.9, abs=0.02)


@pytest.mark.parametrize(("language", "said"), [("en", "345 leaks if nothing"), ("zh", "不改造预计漏点345处")])
def test_the_sum_is_said_in_words(language: str, said: str) -> None:
    (chart,) = outlook_charts(a_forecast(), language)
    assert said in chart["told"]
    assert "145" in chart["told"]
    assert len(chart["lines"]) == 2


def test_without_a_plan_or_with_one_year_there_is_still_a_chart() -> None:
    assert outlook_charts(None, "zh") == []
    (alone,) = outlook_charts(a_forecast(scenarios=("nothing",)), "zh")
    assert len(alone["lines"]) == 1
    (single,) = outlook_charts(a_forecast(range(2027, 2028)), "zh")
    assert len(list(picture(single).iter("circle"))) == 2


@pytest.mark.parametrize(
    ("language", "said"), [("en", "from water mains; no public record of gas"), ("zh", "验证数据均为供水管道")]
)
def test_the_report_says_of_each_chart_where_the_evidence_is_from(
    inputs: Inputs, tmp_path: Path, language: str, said: str
) -> None:
    told = replace(inputs, outlook=a_forecast())
    page = write_report(told, tmp_path / "report.html", language)[0].read_text(encoding="utf-8")
    assert page.count('<svg class="chart"') == 1
    assert page.count(said) == 1
    plain = write_report(inputs, tmp_path / "plain.html", language)[0].read_text(encoding="utf-8")
    assert '<svg class="chart"' not in plain
