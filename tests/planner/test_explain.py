"""Explanations: exact sums, fair shares, real causes in words, and claims that the score itself confirms."""

from __future__ import annotations

import math
from datetime import date
from itertools import combinations
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal

from planner.counterfactuals import class_when_assessed, grade_changes
from planner.explain import CAUSES, TERMS, cause_differences, cohort_standing, explain_scores, term_differences
from planner.explain_facts import Evidence, cohorts_of, find_facts
from planner.explain_text import Reason, explain_in_words, own_reasons, top_reasons
from planner.explain_words import Teller, gap_name
from planner.policy import read_policy
from planner.score import Told, score_segments
from registry.catalogue import LANGUAGES, catalogue
from registry.errors import NotFoundError
from registry.fields import check_frame, value_list
from tests.conftest import REPOSITORY
from tests.planner.frames import EAST, NORTH, frame_of, leaks_of, line, named_links, segments_of

POLICY = read_policy()
AS_OF = date(2026, 11, 1)


def town(count: int = 40, seed: int = 5) -> Evidence:
    """A town of every kind of pipe, with gaps, leaks and buildings."""
    rng = np.random.default_rng(seed)
    materials = ["grey_iron", "steel", "pe100", "pvc", None]
    rows: list[dict[str, Any]] = [
        {
            "medium": str(rng.choice(["gas", "gas", "water"])),
            "material": materials[int(rng.integers(len(materials)))],
            "installed_year_min": int(year),
            "installed_year_max": int(year + rng.integers(0, 9)),
            "joint": [None, "weld", "socket_lead"][int(rng.integers(3))],
            "surface": [None, "green", "carriageway"][int(rng.integers(3))],
            "street_name": str(rng.choice(["金城路", "初山路", "温泉路"])),
            "geometry": line((0, 20.0 * number), (float(rng.uniform(20, 300)), 20.0 * number)),
        }
        for number, year in enumerate(rng.integers(1965, 2015, count))
    ]
    segments = segments_of(*rows)
    leaks = leaks_of(*({"leaked_on": f"{year}-05-01"} for year in rng.integers(2012, 2026, 25)))
    links = named_links(leaks, "S0000").assign(segment_id=rng.choice(segments.index, 25), probability=0.8)
    shapes = [
        shapely.box(EAST + x, NORTH + y, EAST + x + 9, NORTH + y + 9) for x, y in rng.uniform(0, 20.0 * count, (30, 2))
    ]
    uses = [
        {"building_id": f"B{number}", "geometry": shape, "use": str(rng.choice(["residential", "school"]))}
        for number, shape in enumerate(shapes)
    ]
    buildings = frame_of("buildings", [row | {"household_count": 12} for row in uses], ("use", "household_count"))
    return Evidence(segments, links, leaks, buildings, POLICY, AS_OF, Told())


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return town()


@pytest.fixture(scope="module")
def scores(evidence: Evidence) -> pd.DataFrame:
    return evidence.scores()


def test_contributions_add_up_to_the_risk_against_that_of_the_network(evidence: Evidence, scores: pd.DataFrame) -> None:
    frame = explain_scores(scores, evidence.segments["medium"], list(scores.index))
    check_frame(frame, "explanations")
    total = frame.groupby("segment_id")["ln"].sum()
    for medium, rows in scores.groupby(evidence.segments["medium"]):
        ln_risk = pd.Series(np.log(rows["risk_per_km_year"].to_numpy()), rows.index)
        mean = sum(ln_risk * rows["length_m"]) / sum(rows["length_m"])
        assert total[rows.index].to_numpy() == pytest.approx((ln_risk - mean).to_numpy(), abs=1e-9), medium
    assert frame["multiplier"].to_numpy() == pytest.approx(np.exp(frame["ln"].to_numpy()))
    assert frame.groupby("segment_id")["points"].agg(lambda points: points.abs().sum()).to_numpy() == pytest.approx(100)
    assert (np.sign(frame["points"]) == np.sign(frame["ln"])).all()
    for _, rows in frame.groupby("segment_id"):
        assert sorted(rows["rank"]) == list(range(1, len(TERMS) + 1))
        assert rows.sort_values("rank")["ln"].abs().is_monotonic_decreasing


def test_the_mean_of_the_network_is_explained_by_nothing() -> None:
    alone = town(1)
    frame = explain_scores(alone.scores(), alone.segments["medium"], ["S0000"])
    assert (frame["ln"] == 0).all()
    assert (frame["points"] == 0).all()


def test_contributions_are_the_shapley_values_by_all_orders(evidence: Evidence, scores: pd.DataFrame) -> None:
    medium = evidence.segments["medium"]
    found: dict[Any, float] = term_differences(scores, medium).loc[["S0003"]].to_dict("records")[0]
    own = scores[medium == medium["S0003"]]
    term_of = scores.loc["S0003", list(TERMS)].to_dict()
    mean = {term: np.average(own[term], weights=own["length_m"]) for term in TERMS}
    players = [term for term in TERMS if abs(found[term]) > 0][:5]
    assert len(players) == 5

    def ln_risk(joined: tuple[str, ...]) -> float:
        """The logarithm of the risk where some terms are the segment's own and the others the network's."""
        return float(sum(term_of[term] if term in joined else mean[term] for term in TERMS))

    for player in players:
        others = [other for other in players if other != player]
        value = 0.0
        for size in range(len(players)):
            weight = math.factorial(size) * math.factorial(len(players) - size - 1) / math.factorial(len(players))
            for joined in combinations(others, size):
                value += weight * (ln_risk((*joined, player)) - ln_risk(joined))
        assert value == pytest.approx(found[player], abs=1e-9)


def test_every_term_belongs_to_one_cause_and_no_sum_is_lost(evidence: Evidence, scores: pd.DataFrame) -> None:
    assert sorted(term for terms in CAUSES.values() for term in terms) == sorted(TERMS)
    assert set(CAUSES) == set(value_list("explanation_cause"))
    differences = term_differences(scores, evidence.segments["medium"])
    causes = cause_differences(differences)
    assert causes.sum(axis=1).to_numpy() == pytest.approx(differences.sum(axis=1).to_numpy(), abs=1e-12)
    assert (causes["network"] == 0).all()


def test_the_order_of_rows_changes_nothing(evidence: Evidence, scores: pd.DataFrame) -> None:
    medium, asked = evidence.segments["medium"], ["S0007", "S0002"]
    turned = explain_scores(scores.iloc[::-1], medium.sample(frac=1, random_state=1), asked)
    frame = explain_scores(scores, medium, asked)
    assert list(dict.fromkeys(frame["segment_id"])) == asked
    assert_frame_equal(turned, frame, rtol=1e-9)


def test_a_segment_without_a_score_is_refused_by_name(evidence: Evidence, scores: pd.DataFrame) -> None:
    with pytest.raises(NotFoundError, match="NO-1, NO-2"):
        explain_scores(scores, evidence.segments["medium"], ["S0001", "NO-1", "NO-2"])


def test_the_standing_among_its_kind_is_what_loops_find(evidence: Evidence, scores: pd.DataFrame) -> None:
    cohort = cohorts_of(evidence.segments)
    standing = cohort_standing(scores, cohort, list(scores.index))
    for segment_id in scores.index:
        pipe = evidence.segments.loc[segment_id]
        alike = [
            risk
            for (_, other), risk in zip(evidence.segments.iterrows(), scores["risk_per_km_year"], strict=True)
            if other["medium"] == pipe["medium"]
            and (other["material"] == pipe["material"] or (pd.isna(other["material"]) and pd.isna(pipe["material"])))
            and decade(other) == decade(pipe)
        ]
        own = float(scores["risk_per_km_year"].loc[[segment_id]].iloc[0])
        told = standing.loc[[segment_id]].to_dict("records")[0]
        assert told["cohort_count"] == len(alike)
        assert told["cohort_rank"] == 1 + sum(risk > own for risk in alike)
        assert told["cohort_multiple"] == pytest.approx(own / np.median(alike))


def decade(pipe: pd.Series) -> int | None:
    first, last = pipe["installed_year_min"] // 10, pipe["installed_year_max"] // 10
    return int(first) if first == last else None


def test_leaks_of_a_street_are_counted_as_loops_count_them(evidence: Evidence, scores: pd.DataFrame) -> None:
    facts = find_facts(evidence, scores, list(scores.index))
    day = evidence.leaks["leaked_on"].to_dict()
    place = dict(
        zip(
            evidence.segments.index,
            zip(evidence.segments["medium"], evidence.segments["street_name"], strict=True),
            strict=True,
        )
    )
    links = evidence.leak_links[["leak_id", "segment_id", "probability"]].to_numpy().tolist()
    for segment_id, count in facts["street_leak_count"].items():
        expected = sum(
            probability
            for leak, segment, probability in links
            if day[leak] >= pd.Timestamp("2016-11-01") and place[segment] == place[str(segment_id)]
        )
        assert count == pytest.approx(expected)
    assert facts["street_leak_count"].nunique() > 3


def test_where_the_usual_explains_nothing_the_pipe_itself_does() -> None:
    pipe = {"medium": "gas", "material": "grey_iron", "installed_year_min": 1970, "installed_year_max": 1970}
    segments = segments_of(pipe | {"geometry": line((0, 0), (100, 0))})
    leaks = leaks_of({"leaked_on": "2020-05-01"}, {"leaked_on": "2024-05-01"})
    alone = Evidence(segments, named_links(leaks, "S0000"), leaks, None, POLICY, AS_OF, Told())
    scores = alone.scores()
    score = scores.iloc[0]
    told = explain_in_words(alone, scores, ["S0000"]).loc["S0000"]
    terms = ("material", "decade", "cohort", "vintage")
    factor = math.exp(sum(float(score[f"ln_likelihood_{term}"]) for term in terms))
    assert f"grey cast iron laid in 1970 ({factor:.0f} times)" in str(told["text_en"])
    assert "自身有漏点记录2处（" in str(told["text_zh"])
    # a pipe that something sets apart needs no other reason, nor does one of the lowest grade
    low = str(score["grade"])
    assert own_reasons(score, [Reason("age", 1.0)], [], low) == []
    assert own_reasons(score, [], [Reason("age", -1.0)], low) == []
    causes = [reason.cause for reason in own_reasons(score, [], [Reason("age", -1.0)], "low")]
    assert causes == ["pipe", "history", "age"]


def test_only_causes_that_matter_are_told_and_the_strongest_first() -> None:
    causes = pd.Series(0.0, list(CAUSES)) + pd.Series(
        {
            "pipe": 0.5,
            "age": 0.9,
            "soil": 0.2,
            "joint": 0.3,
            "cover": 0.04,
            "surface": -0.1,
            "void": -0.7,
            "network": 3.0,
        }
    ).reindex(list(CAUSES), fill_value=0.0)
    up, down = top_reasons(causes)
    assert [reason.cause for reason in up] == ["age", "pipe", "joint"]
    assert [reason.cause for reason in down] == ["void"]


def test_every_claim_of_another_grade_is_what_the_score_says(evidence: Evidence, scores: pd.DataFrame) -> None:
    claims = 0
    for segment_id in scores.index[scores["gaps"].str.contains("material|joint|surface")][:4]:
        changes = grade_changes(evidence, scores, segment_id)
        gaps = scores.loc[segment_id, "gaps"].split(",")
        assert {change.attribute for change in changes} <= {"", *gaps}
        steps = [abs(math.log(change.multiple)) for change in changes]
        assert steps == sorted(steps)
        for change in changes:
            segments, leaks, links = evidence.segments.copy(), evidence.leaks, evidence.leak_links
            if change.attribute:
                segments.loc[segment_id, change.attribute] = change.value
            else:
                more = leaks_of({"leak_id": "more", "leaked_on": str(AS_OF)})
                leaks = gpd.GeoDataFrame(pd.concat([leaks, more]))
                links = pd.concat([links, named_links(more, segment_id)], ignore_index=True)
            after = score_segments(segments, links, leaks, evidence.buildings, POLICY, AS_OF, told=Told())
            new, old = (table.loc[[segment_id]].to_dict("records")[0] for table in (after, scores))
            assert new["grade"] == change.grade
            assert new["risk_per_km_year"] / old["risk_per_km_year"] == pytest.approx(change.multiple, rel=1e-9)
            claims += 1
    assert claims > 8


def test_a_leak_more_never_lowers_and_is_no_change_of_the_evidence(evidence: Evidence, scores: pd.DataFrame) -> None:
    count = len(evidence.leaks)
    leak = next(change for change in grade_changes(evidence, scores, "S0001") if not change.attribute)
    assert leak.multiple > 1
    assert len(evidence.leaks) == count
    bare = Evidence(evidence.segments, named_links(leaks_of(), "S0000"), leaks_of(), None, POLICY, AS_OF, Told())
    assert next(c for c in grade_changes(bare, bare.scores(), "S0001") if not c.attribute).multiple > 1


def school_town() -> Evidence:
    """One grey iron pipe before a school in a street that leaks, among plain ones."""
    old = {
        "material": "grey_iron",
        "installed_year_min": 1970,
        "installed_year_max": 1979,
        "street_name": "解放路",
        "coating": "not_applicable",
        "cathodic_protection": "not_applicable",
        "joint": None,
    }
    plain = [{"material": "pe100", "installed_year_min": 2015, "installed_year_max": 2015}] * 12
    segments = segments_of(old, *plain, {"street_name": "解放路", "geometry": line((0, 5), (60, 5))})
    leaks = leaks_of(*({"leaked_on": f"20{year}-03-01"} for year in (18, 20, 22, 24, 12)))
    links = named_links(leaks, "S0000").assign(segment_id=["S0000", "S0013", "S0013", "S0013", "S0013"])
    school = {
        "building_id": "B1",
        "use": "school",
        "geometry": shapely.box(EAST, NORTH - 23, EAST + 40, NORTH - 3),
        "household_count": 0,
    }
    buildings = frame_of("buildings", [school], ("use", "household_count"))
    return Evidence(segments, links, leaks, buildings, POLICY, AS_OF, Told())


def test_a_reader_is_told_real_causes_in_both_languages() -> None:
    evidence = school_town()
    texts = explain_in_words(evidence, evidence.scores(), ["S0000", "S0003"])
    check_frame(texts, "explanation_texts")
    english, chinese = (str(texts[column].loc["S0000"]) for column in ("text_en", "text_zh"))
    for words in ("grey cast iron laid in the 1970s", "3 m from a school", "mandatory", "only pipe of its kind"):
        assert words in english
    for words in ("1970年代铺设的灰口铸铁管", "距学校3米", "必须改造", "仅此一段"):
        assert words in chinese
    assert "joint" in english.split("Not on file: ")[1].split(";")[0]
    assert "接口型式" in chinese.split("资料缺失：")[1].split("；")[0]
    facts = facts_of(find_facts(evidence, evidence.scores(), ["S0000"]))[0]
    for language, words in (("en", "4 leaks in 解放路 in 10 years"), ("zh", "解放路近10年漏点4处")):
        assert Teller(facts, POLICY.weights, language).cause("street", 0.5) == words
    fewer = Teller(facts, POLICY.weights, "en")
    assert fewer.cause("street", -0.5) == "only 4 leaks in 解放路 in 10 years"
    assert fewer.cause("history", -0.5) == "only one leak of its own, fewer than such pipes let expect"
    assert fewer.cause("history", 0.5) == "one leak of its own on record"
    plain = str(texts["text_en"].loc["S0003"])
    assert "PE100 laid in 2015" in plain
    assert "What lowers it most" in plain


@pytest.mark.parametrize(
    ("cause", "ln", "changed", "english", "chinese"),
    [
        ("diameter", 0.3, {"diameter_mm": 63.0}, "pipes 63 mm wide leak more than usual", "管径63毫米的管道较易泄漏"),
        (
            "diameter",
            -0.3,
            {"diameter_mm": 300.0},
            "pipes 300 mm wide leak less than usual",
            "管径300毫米的管道较少泄漏",
        ),
        ("diameter", -0.3, {"diameter_mm": None}, "diameter not on file", "管径不详"),
        ("building", 0.3, {}, "3 m from a school", "距学校3米"),
        # what lies far away lowers the risk: nearness must not be given as the reason
        (
            "building",
            -0.3,
            {"building_m": 13.2},
            "the nearest building, a school, is 13 m away",
            "最近建筑为学校，相距13米",
        ),
        ("pipe", 0.3, {"material": None}, "pipe of unknown material laid in the 1970s", "材质不明、1970年代铺设的管道"),
        ("pressure", 0.3, {"pressure_class": "medium_a"}, "run at medium pressure A", "运行压力为中压A"),
    ],
)
def test_a_cause_says_what_is_so_and_which_way_it_works(
    cause: str, ln: float, changed: dict[str, Any], english: str, chinese: str
) -> None:
    evidence = school_town()
    facts = facts_of(find_facts(evidence, evidence.scores(), ["S0000"]))[0] | changed
    told = [Teller(facts, POLICY.weights, language).cause(cause, ln) for language in ("en", "zh")]
    assert told == [english, chinese]


def test_protection_is_told_as_good_or_weak() -> None:
    evidence = school_town()
    facts = facts_of(find_facts(evidence, evidence.scores(), ["S0000"]))[0]
    facts |= {"coating": "coal_tar", "cathodic_protection": "sacrificial"}
    told = [Teller(facts, POLICY.weights, "en").cause("protection", ln) for ln in (-0.5, 0.5)]
    named = "protection against corrosion than usual, coating: coal tar, cathodic protection: sacrificial anode"
    assert told == [f"better {named}", f"weaker {named}"]


def facts_of(facts: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in facts.to_dict("records")]


def test_an_assessment_is_told_where_it_would_change_the_class() -> None:
    aged = {"installed_year_min": 1990, "installed_year_max": 1990}
    evidence = Evidence(
        segments_of(aged, {}), named_links(leaks_of(), "S0000"), leaks_of(), None, POLICY, AS_OF, Told()
    )
    scores = evidence.scores()
    assert scores.loc["S0000", "policy_class"] == "assess"
    assert class_when_assessed(evidence, "S0000") == "keep"
    assert "from assess first to keep" in explain_in_words(evidence, scores, ["S0000"])["text_en"].iloc[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_that_a_score_may_name_has_words(evidence: Evidence, scores: pd.DataFrame, language: str) -> None:
    facts = find_facts(evidence, scores, list(scores.index))
    gaps = {gap for text in scores["gaps"] for gap in text.split(",") if gap}
    assert len(gaps) > 5
    for gap in gaps:
        assert "_" not in gap_name(gap, language)
    for fact in facts_of(facts):
        teller = Teller(fact, POLICY.weights, language)
        for cause in CAUSES:
            for ln in (-1.0, 1.0):
                said = teller.cause(cause, ln)
                assert said
                assert "explain_" not in said
                assert "nan" not in said
    codes = {f"explain_surface_{code}" for code in value_list("surface")}
    codes |= {f"explain_use_{code}" for code in (*value_list("building_use"), "sensitive_place")}
    codes |= {f"explain_soil_{entry.code}" for entry in POLICY.weights.likelihood.soil.factors}
    codes |= {f"explain_stray_current_{entry.code}" for entry in POLICY.weights.likelihood.stray_current.factors}
    assert codes <= set(catalogue())


def test_the_example_of_the_page_is_what_the_program_says() -> None:
    evidence = school_town()
    scores = evidence.scores()
    texts = explain_in_words(evidence, scores, ["S0000"])
    page = (REPOSITORY / "docs" / "how-scores-work.md").read_text(encoding="utf-8")
    shown = page.split("<!-- explanation -->")[1].split("<!-- end of explanation -->")[0]
    english, chinese = (" ".join(part.replace("> ", "").split()) for part in shown.strip().split("\n\n"))
    assert english == texts["text_en"].iloc[0]
    assert chinese == texts["text_zh"].iloc[0]
    figures = explain_scores(scores, evidence.segments["medium"], ["S0000"]).set_index("term")["multiplier"]
    parts = [figures[f"likelihood_{name}"] for name in ("material", "cohort", "vintage")]
    told = " × ".join(
        f"{name} {part:.2f}"
        for name, part in zip(
            ("material", "record of the material", "record of material and decade"), parts, strict=True
        )
    )
    assert f"{np.prod(parts):.1f} times is the product of three terms: {told}." in " ".join(page.split())
