from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import planner
from planner.policy import Policy, read_policy
from registry.catalogue import say
from registry.errors import PolicyError
from registry.fields import value_list

PACKAGED = Path(planner.__file__).parent


def copied(folder: Path) -> Path:
    for name in ("policies", "rules", "weights", "prices", "bans"):
        shutil.copytree(PACKAGED / name, folder / name)
    policy = folder / "city.toml"
    shutil.move(folder / "policies" / "default.toml", policy)
    return policy


def test_a_policy_survives_a_round_trip() -> None:
    policy = read_policy()
    assert Policy.from_dict(policy.to_dict()) == policy
    assert Policy.from_dict(policy.to_dict()).content_hash == policy.content_hash


def test_the_content_hash_is_the_same_in_another_process() -> None:
    code = "import planner; print(planner.read_policy().content_hash)"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert other.stdout.strip() == read_policy().content_hash


def test_the_content_hash_follows_content_not_layout(tmp_path: Path) -> None:
    path = copied(tmp_path)
    assert read_policy(path).content_hash == read_policy().content_hash
    path.write_text("# a comment\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    assert read_policy(path).content_hash == read_policy().content_hash
    path.write_text(path.read_text(encoding="utf-8").replace("radius_m = 30", "radius_m = 31"), encoding="utf-8")
    assert read_policy(path).content_hash != read_policy().content_hash


def test_parts_beside_the_policy_win_over_packaged_ones(tmp_path: Path) -> None:
    path = copied(tmp_path)
    prices = tmp_path / "prices" / "assumed-2026.toml"
    text = prices.read_text(encoding="utf-8").replace("value = 30000", "value = 12345")
    prices.write_text(text, encoding="utf-8")
    assert read_policy(path).prices.mobilisation_cny_per_batch.value == 12345


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("city.toml", "maximum_run_m = ", "maximum_run = ", ["groups.maximum_run_m", "groups.maximum_run", "missing"]),
        ("city.toml", "radius_m = 30", "radius_m = -3", ["links.reach.0.radius_m", "-3"]),
        ("city.toml", 'minimum_grade = "severe"', 'minimum_grade = "awful"', ["candidates.minimum_grade", "awful"]),
        ("rules/cn-2022-22.toml", 'gives = "due"', 'gives = "perhaps"', ["rules", "gives", "perhaps"]),
        ("weights/base.toml", 'code = "grey_iron", factor = 8', 'code = "grey_iron", factor = "x"', ["factor", "'x'"]),
        ("prices/assumed-2026.toml", "maximum_mm = 160", "maximum_mm = 60", ["pipe prices must rise"]),
        ("prices/assumed-2026.toml", "low = 85, high = 170", "low = 135, high = 170", ["trench", "must rise"]),
        ("prices/assumed-2026.toml", "low = 140, high = 300, ", "low = 140, ", ["surface", "both low and high"]),
        ("prices/assumed-2026.toml", "low = 10000, high = 60000", "low = 40000, high = 60000", ["mobilisation"]),
        ("prices/assumed-2026.toml", 'code = "unknown", value = 50', 'code = "lanes", value = 50', ["traffic"]),
        ("prices/assumed-2026.toml", 'code = "none", terms', 'code = "paving", terms', ["shared needs each"]),
        ("prices/assumed-2026.toml", 'terms = ["paving"', 'terms = ["pavement"', ["terms", "pavement"]),
        ("prices/assumed-2026.toml", "maximum_mm = 90, price_cny_per_m = 127.5", "price_cny_per_m = 127.5", ["trench"]),
        ("prices/assumed-2026.toml", "value = 50, low = 30, high", "value = 50, low = 0, high", ["design_life_years"]),
        ("weights/base.toml", 'code = "unknown", factor = 4,', 'code = "unknwn", factor = 4,', ["unknown"]),
        ("weights/base.toml", "gap_penalty = { value = 1.15", "gap_penalty = { value = 0.9", ["gap_penalty"]),
        ("weights/base.toml", 'code = "weak", words', 'code = "wet", words', ["soil_levels", "wet"]),
        ("weights/base.toml", '"pe80", decade = 1980', '"pe80", decade = 1970', ["material and decade"]),
        ("weights/base.toml", '"pe80", decade = 1980', '"pe80", decade = 1985', ["decade is its first year"]),
        ("weights/base.toml", "own = { value = 0.9", "own = { value = 0", ["likelihood.history.strengths.own.value"]),
    ],
)
def test_every_fault_is_named_with_file_key_and_value(
    tmp_path: Path, file: str, old: str, new: str, told: list[str]
) -> None:
    policy = copied(tmp_path)
    path = tmp_path / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        read_policy(policy)
    message = caught.value.message("en")
    assert path.name in message
    for word in told:
        assert word in message


def test_an_unknown_part_is_named_with_what_there_is(tmp_path: Path) -> None:
    policy = copied(tmp_path)
    text = policy.read_text(encoding="utf-8").replace('id = "cn-2022-22"', 'id = "mars-2030"')
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        read_policy(policy)
    assert "mars-2030" in str(caught.value)
    assert "cn-2022-22" in str(caught.value)


def test_an_unreadable_file_is_a_policy_error(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("id = [", encoding="utf-8")
    for path in (broken, tmp_path / "absent.toml"):
        with pytest.raises(PolicyError) as caught:
            read_policy(path)
        assert path.name in caught.value.message("zh")


def test_packaged_codes_are_in_the_value_lists() -> None:
    policy = read_policy()
    likelihood, consequence = policy.weights.likelihood, policy.weights.consequence
    tables = {
        "material": [likelihood.material, likelihood.age_exponent],
        "coating": [likelihood.coating],
        "cathodic_protection": [likelihood.cathodic_protection],
        "pressure_class": [consequence.pressure],
        "surface": [consequence.surface],
    }
    for name, listed in tables.items():
        for table in listed:
            assert {factor.code for factor in table.factors} == set(value_list(name)), name
    assert {price.code for price in policy.prices.surface} == set(value_list("surface"))
    for rule in policy.rules.rules:
        assert set(rule.media or ()) <= set(value_list("medium"))
        assert set(rule.materials or ()) <= set(value_list("material"))
        assert set(rule.statuses or ()) <= set(value_list("status"))
        assert set(rule.assessments or ()) <= set(value_list("assessment")) | {"none", "expired"}


def test_packaged_factors_never_fall_with_pressure_nearness_or_households() -> None:
    weights = read_policy().weights
    consequence = weights.consequence
    for table in (consequence.pressure, weights.likelihood.pressure):
        pressure = {factor.code: factor.factor for factor in table.factors}
        rising = [pressure[limit.code] for limit in weights.pressure_limits]
        assert rising == sorted(rising)
    for medium in (None, "water", "heat", "drain"):
        distance = [band.factor for band in consequence.building_distance_m.bands if band.medium == medium]
        assert distance == sorted(distance, reverse=True)
    households = [band.factor for band in consequence.households.bands]
    assert households == sorted(households)


def test_every_figure_of_the_policy_says_how_sure_it_is() -> None:
    names = read_policy().unverified()
    assert any("mobilisation_cny_per_batch" in name for name in names)
    assert not any("gas_grey_iron" in name for name in names)
    assert len(names) == len(set(names)) or len(names) > 100


def test_words_of_faults_exist() -> None:
    for code in ("plan_policy_missing", "plan_policy_extra_forbidden", "plan_policy_other"):
        assert say(code, "zh", detail="x") != code


def test_importing_planner_loads_nothing_heavy() -> None:
    code = "import sys, planner, planner.cli; print([m for m in ('pandas', 'numba', 'geopandas') if m in sys.modules])"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("key", "value", "english", "chinese"),
    [
        ("planning.horizon_years.value", -1.0, "must be", "须"),
        ("planning.horizon_years.value", "many", "must be a number", "须为数值"),
        ("planning.horizon_years.confidence", "surely", "must be one of", "须为以下之一"),
        ("planning.horizon", 30.0, "not known here", "没有该键"),
    ],
)
def test_faults_of_a_policy_are_said_in_the_language_of_the_reader(
    key: str, value: object, english: str, chinese: str
) -> None:
    content = read_policy().to_dict()
    part = content
    *steps, last = key.split(".")
    for step in steps:
        part = part[step]
    part[last] = value
    with pytest.raises(PolicyError) as caught:
        Policy.from_dict(content)
    assert english in caught.value.message("en")
    assert chinese in caught.value.message("zh")
    assert english not in caught.value.message("zh")
    assert key in caught.value.message("zh")
