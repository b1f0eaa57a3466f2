"""The worked examples of docs/windows.md: each line is recomputed as it is written, and agrees with the code."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from planner.policy import read_policy
from planner.sharing import share_costs, site_costs
from registry.fields import columns_of, value_list
from tests.conftest import REPOSITORY
from tests.planner.priced import Site, prices_by_id, site_of

PAGE = (REPOSITORY / "docs" / "windows.md").read_text(encoding="utf-8")
MONEY = PAGE.split("## Money")[1].split("\n## ")[0]
SHARING = PAGE.split("## Sharing")[1].split("\n## ")[0]
LINE = re.compile(r"^(\S.*?) {2,}(\S.*) = (-?[\d,.]+)(?: {2,}(.+))?$")
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


def worth(node: ast.expr) -> float:
    """The value of an expression of numbers."""
    if isinstance(node, ast.BinOp):
        return OPERATORS[type(node.op)](worth(node.left), worth(node.right))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -worth(node.operand)
    assert isinstance(node, ast.Constant)
    return float(node.value)  # type: ignore[arg-type]


def lines() -> list[tuple[str, str, str, str]]:
    """Name, expression, result and price ids of each line of the worked example."""
    found = [LINE.match(line) for line in MONEY.split("### A worked example")[1].splitlines()]
    return [(m[1], m[2], m[3], m[4] or "") for m in found if m]


LINES = lines()


def example() -> Site:
    facts = {"due": (2029, 2031), "on_site": (2027, 2027)}
    main = {"length_m": 120.0, "overlap_m": 90.0, "likelihood": 0.8, "consequence": 3.0, "age_years": 35.0}
    return site_of(facts | main, facts | {"length_m": 60.0}, S0000="secondary")


def plain(text: str) -> str:
    return text.replace("×", "*").replace("−", "-").replace("^", "**")


def test_the_example_is_found() -> None:
    assert len(LINES) > 20


@pytest.mark.parametrize(("name", "expression", "result", "_ids"), LINES, ids=[line[0] for line in LINES])
def test_each_line_gives_what_it_says(name: str, expression: str, result: str, _ids: str) -> None:
    assert not re.search(r"\d,\d", expression), "a comma would not be a number"
    told = float(result.replace(",", ""))
    last_place = 10.0 ** -len(result.partition(".")[2])
    found = worth(ast.parse(plain(expression), mode="eval").body)
    assert found == pytest.approx(told, abs=last_place / 2 + abs(told) * 2e-5), name


def test_the_results_are_those_of_the_code() -> None:
    found: Any = example().values().iloc[0]
    told = {name: float(result.replace(",", "")) for name, _, result, _ in LINES if name in columns_of("pair_values")}
    assert set(told) >= {"cost_alone_cny", "saving_cny", "life_lost_cny_per_year", "waiting_cny_per_year"}
    assert told == {name: round(found[name]) for name in told}
    assert f"Joining pays from {found['joining_from_year']} to {found['joining_until_year']}" in MONEY
    assert f"The best year is {found['best_year']}" in MONEY
    assert pd.isna(found["break_even_year"])


def test_every_price_of_the_example_is_named_with_its_id() -> None:
    prices = prices_by_id()
    named = [(ids.split(", "), expression) for _, expression, _, ids in LINES if ids]
    assert len(named) > 10
    for ids, expression in named:
        numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", expression)}
        for price_id in ids:
            assert numbers & set(prices[price_id]), price_id


def test_the_price_ids_of_the_example_are_those_of_the_steps() -> None:
    steps = example().steps()
    first = steps[(steps["segment_id"] == "S0000") & (steps["quantity"] != 0)]
    assert set(first["price_id"].dropna()) == {name for *_, ids in LINES if ids for name in ids.split(", ")}


def test_the_shares_of_the_page_are_those_of_the_code() -> None:
    site = example()
    site.projects["cost_cny"], site.projects["owner"] = 1_200_000.0, "streets"
    costs = site_costs(site.segments, site.values(), site.projects, read_policy())
    rows = re.findall(r"^\| (gas|streets) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", SHARING, re.M)
    told = {party: [int(cell.replace(",", "")) for cell in cells] for party, *cells in rows}
    shares = {rule: share_costs(costs, rule).set_index("party") for rule in value_list("share_rule")}
    assert told == {
        party: [
            round(shares["shapley"]["cost_alone_cny"][party]),
            *(round(frame["pays_cny"][party]) for frame in shares.values()),
        ]
        for party in ("gas", "streets")
    }
    common = costs.set_index("party").loc["gas", ["trench_cny", "paving_cny", "traffic_cny", "mobilisation_cny"]]
    assert f"{common.sum():,.0f} yuan are also" in SHARING.replace("\n", " ")


def test_the_page_has_every_rule_with_its_word() -> None:
    for entry in value_list("share_rule").values():
        assert f"| `{entry.code}` | {entry.label_zh} |" in SHARING
