"""Laws that every forecast model keeps, and slow re-implementations of the default and of the regressions."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from planner.age_course import age_course
from planner.factors import Floats
from planner.forecast.catalogue import RANKINGS, forecast_models, learned_models
from planner.forecast.gamma import OwnHistory
from planner.forecast.glm import NegativeBinomialGlm, PoissonGlm
from planner.forecast.panel import Panel
from planner.forecast.simulate import simulate
from planner.forecast.terms import ln_ages
from planner.policy import read_policy
from planner.score import DEFAULT_MODEL
from planner.table_rates import steady_rates
from registry.errors import MissingExtraError, PlanningError

STRENGTHS = {"level": 20.0, "cohort": 5.0, "vintage": 3.0, "diameter": 5.0, "street": 3.0}
NAMES = list(forecast_models())
LIBRARY = {"survival": "lifelines", "boosting": "sklearn"}
WITHOUT_HISTORY = ["rate_table", "poisson_glm", "negative_binomial", "age"]
AHEAD = range(2015, 2018)


def model_of(name: str) -> Any:
    if name in LIBRARY:
        pytest.importorskip(LIBRARY[name], reason="the extra models is not installed")
    return forecast_models()[name]


@pytest.fixture(scope="module")
def city() -> Panel:
    return simulate(1_500, 11, years=range(2000, 2018)).panel


def rows_of(panel: Panel, rows: Any) -> Panel:
    arrays = {name: getattr(panel, name)[rows].copy() for name in ("km_years", "leaks", "age_years")}
    return replace(panel, segments=panel.segments.iloc[rows], **arrays)


@pytest.mark.parametrize("name", NAMES)
def test_rates_are_finite_and_have_a_row_for_each_segment_and_a_column_for_each_year(name: str, city: Panel) -> None:
    past = city.until(2015)
    fitted = model_of(name).fit(past)
    rates = fitted.rates(AHEAD)
    assert rates.shape == (len(past.segments), len(AHEAD))
    assert np.isfinite(rates).all()
    assert (rates >= 0.0).all()
    assert fitted.shape is None or fitted.shape.shape == (len(past.segments),)
    # within a factor of two of what then leaked
    expected = (rates[:, 0] * past.km_years[:, -1]).sum()
    assert 0.5 < expected / past.leaks[:, -3:].sum() * 3.0 < 2.0


@pytest.mark.parametrize("name", NAMES)
def test_the_order_of_the_rows_changes_nothing(name: str, city: Panel) -> None:
    past = city.until(2015)
    order = np.random.default_rng(1).permutation(len(past.segments))
    model = model_of(name)
    straight, mixed = model.fit(past).rates(AHEAD), model.fit(rows_of(past, order)).rates(AHEAD)
    np.testing.assert_allclose(mixed, straight[order], rtol=1e-5 if name == "survival" else 1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_past_gives_the_same_rates_to_the_last_bit(name: str, city: Panel) -> None:
    past = city.until(2015)
    np.testing.assert_array_equal(model_of(name).fit(past).rates(AHEAD), model_of(name).fit(past).rates(AHEAD))


@pytest.mark.parametrize("name", NAMES)
def test_later_years_never_change_a_rate(name: str, city: Panel) -> None:
    draw = np.random.default_rng(2)
    changed = replace(city, **{key: getattr(city, key).copy() for key in ("km_years", "leaks", "age_years")})
    changed.leaks[:, 15:] = draw.poisson(3.0, changed.leaks[:, 15:].shape)
    changed.km_years[:, 15:] = draw.uniform(0.0, 1.0, changed.km_years[:, 15:].shape)
    changed.age_years[:, 15:] = 500.0
    model = model_of(name)
    before, after = model.fit(city.until(2015)), model.fit(changed.until(2015))
    np.testing.assert_array_equal(before.rates(AHEAD), after.rates(AHEAD))


@pytest.mark.parametrize("name", ["glm_with_history", "leyp", "rate_table_history", "boosting"])
def test_a_year_is_explained_by_the_years_before_it_alone(name: str, city: Panel) -> None:
    """The leaks of the last year teach the level, but no term: a pipe that leaked only then was taught as clean."""
    past = city.until(2015)
    quiet = past.leaks.sum(axis=1) == 0.0
    late = replace(past, leaks=past.leaks.copy())
    late.leaks[:] = 0.0
    # everybody leaks once, in the last year, by nothing but chance: history has nothing to say
    late.leaks[:, -1] = np.random.default_rng(3).poisson(late.km_years[:, -1] * 20.0)
    rates = model_of(name).fit(late).rates(range(2015, 2016))[:, 0]
    own = late.leaks[:, -1] > 0.0
    assert rates[own & quiet].mean() / rates[~own & quiet].mean() < 1.5


def test_a_regression_lets_expect_as_many_leaks_as_there_were(city: Panel) -> None:
    # whole years alone: ages are then those of the middle of the year, as of years ahead
    whole = rows_of(city, np.flatnonzero((city.km_years > 0.0).all(axis=1) & (np.ptp(city.km_years, axis=1) < 1e-9)))
    fitted = PoissonGlm().fit(whole)
    assert fitted.expected_leaks(whole).sum() == pytest.approx(whole.leaks.sum(), rel=1e-9)
    np.testing.assert_allclose(fitted.rates(whole.years) * whole.km_years, fitted.expected_leaks(whole))


@pytest.mark.parametrize("name", WITHOUT_HISTORY)
def test_a_segment_in_two_halves_has_the_rate_of_the_whole(name: str, city: Panel) -> None:
    past = city.until(2015)
    halved = past.segments.assign(length_m=past.segments["length_m"] / 2.0)
    ids = [halved.index + end for end in ("a", "b")]
    twice = pd.concat([halved.set_axis(named, axis=0) for named in ids])
    arrays = {key: np.vstack([getattr(past, key) / 2.0] * 2) for key in ("km_years", "leaks")}
    parted = Panel(twice, past.years, age_years=np.vstack([past.age_years] * 2), **arrays)
    whole, halves = model_of(name).fit(past).rates(AHEAD), model_of(name).fit(parted).rates(AHEAD)
    rtol = 3e-2 if name == "negative_binomial" else 1e-6
    np.testing.assert_allclose(halves, np.vstack([whole, whole]), rtol=rtol)


def test_without_exposure_or_leaks_own_history_says_nothing(city: Panel) -> None:
    unseen = replace(city, km_years=city.km_years.copy(), leaks=city.leaks.copy())
    unseen.km_years[:5], unseen.leaks[:5] = 0.0, 0.0
    plain, own = PoissonGlm().fit(unseen), OwnHistory("glm_eb", PoissonGlm()).fit(unseen)
    np.testing.assert_allclose(own.rates(AHEAD)[:5], plain.rates(AHEAD)[:5])
    assert own.shape is not None
    np.testing.assert_allclose(own.shape, own.coefficients.loc["shape", "estimate"] + unseen.leaks.sum(axis=1))
    clean = (unseen.leaks.sum(axis=1) == 0.0) & (unseen.km_years.sum(axis=1) > 0.0)
    assert (own.rates(AHEAD)[clean] < plain.rates(AHEAD)[clean]).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_past_without_leaks_or_without_years(name: str, city: Panel) -> None:
    model = model_of(name)
    rates = model.fit(replace(city, leaks=np.zeros_like(city.leaks))).rates(AHEAD)
    assert np.isfinite(rates).all()
    assert (rates * 0.05 < 1.0).all()
    empty = city.until(1999)
    if name == "default":
        assert model.fit(empty).rates(AHEAD).shape == (0, 3)
    else:
        with pytest.raises(PlanningError, match=name):
            model.fit(empty)


def slow_default(past: Panel, years: range) -> Floats:  # noqa: C901 - loops are the point
    """The default by loops over segments and years."""
    weights = read_policy().weights
    base = steady_rates(past.segments, weights)
    course = age_course(past.segments, weights.likelihood)
    facts = past.segments.to_dict("records")
    for fact in facts:
        year = fact["installed_year_min"]
        fact["decade"] = None if pd.isna(year) else int(year) // 10
        tops = [63.0, 110.0, 149.0, 250.0, 400.0]
        fact["band"] = sum(fact["diameter_mm"] > top for top in tops)
    table = np.zeros(past.km_years.shape)
    for row in range(len(facts)):
        for column in range(len(past.years)):
            age = np.full(len(facts), past.age_years[row, column])
            table[row, column] = base[row] * np.exp(course.ln_factor(age))[row]
    factor = np.ones(len(facts))
    groups = {
        "level": ("medium",),
        "cohort": ("medium", "material"),
        "vintage": ("medium", "material", "decade"),
        "diameter": ("medium", "band"),
        "street": ("medium", "street_name"),
    }
    for step, columns in groups.items():
        found: dict[Any, float] = {}
        awaited: dict[Any, float] = {}
        keys = [tuple(fact[column] for column in columns) for fact in facts]
        for row, key in enumerate(keys):
            found[key] = found.get(key, 0.0) + past.leaks[row].sum()
            awaited[key] = awaited.get(key, 0.0) + (table[row] * past.km_years[row]).sum() * factor[row]
        strength = STRENGTHS[step]
        for row, key in enumerate(keys):
            if None not in key:
                factor[row] *= (found[key] + strength) / (awaited[key] + strength)
    for row in range(len(facts)):
        expected = (table[row] * past.km_years[row]).sum() * factor[row]
        factor[row] *= (0.9 + past.leaks[row].sum()) / (0.9 + expected)
    lately = slice(len(past.years) - 10, None)
    recent = (past.leaks[:, lately].sum() + 20.0) / (
        sum((table[row, lately] * past.km_years[row, lately]).sum() * factor[row] for row in range(len(facts))) + 20.0
    )
    rates = np.zeros((len(facts), len(years)))
    for row, fact in enumerate(facts):
        for column, year in enumerate(years):
            laid = fact["installed_year_min"]
            age = np.full(len(facts), np.nan if pd.isna(laid) else year - laid)
            rates[row, column] = base[row] * np.exp(course.ln_factor(age))[row] * factor[row] * recent
    return rates


def test_the_default_is_what_it_says_by_loops() -> None:
    past = simulate(150, 4, years=range(2000, 2018)).panel.until(2016)
    ahead = range(2016, 2019)
    np.testing.assert_allclose(forecast_models()["default"].fit(past).rates(ahead), slow_default(past, ahead))


@pytest.mark.parametrize("has_dispersion", [False, True])
def test_regressions_agree_with_statsmodels(has_dispersion: bool, city: Panel) -> None:
    library = pytest.importorskip("statsmodels.api", reason="the extra models is not installed")
    dated = rows_of(city, np.flatnonzero(~city.segments["is_undated"].to_numpy()))
    model = NegativeBinomialGlm(ridge=1e-6) if has_dispersion else PoissonGlm(ridge=1e-6)
    fitted: Any = model.fit(dated)
    there = dated.km_years > 0.0
    decade = (dated.segments["installed_year_min"].astype("int64") // 10).astype("str")
    coded = pd.get_dummies(pd.DataFrame({"material": dated.segments["material"], "decade": decade}), drop_first=True)
    steady = np.column_stack(
        [np.ones(len(coded)), coded.astype("float64"), np.log(dated.segments["diameter_mm"] / 150.0)]
    )
    columns = np.column_stack([steady[np.nonzero(there)[0]], ln_ages(dated.age_years)[there]])
    families = library.families
    family = families.NegativeBinomial(alpha=1.0 / fitted.shape[0]) if has_dispersion else families.Poisson()
    oracle = library.GLM(dated.leaks[there], columns, family=family, offset=np.log(dated.km_years[there]))
    means = fitted.expected_leaks(dated)[there]
    np.testing.assert_allclose(means, oracle.fit(tol=1e-12).fittedvalues, rtol=1e-2 if has_dispersion else 1e-4)
    if not has_dispersion:
        kind = {"groups": np.nonzero(there)[0], "use_correction": False}
        clustered = oracle.fit(cov_type="cluster", cov_kwds=kind)
        ours = fitted.coefficients.loc[["ln diameter", "ln age"], "standard_error"]
        np.testing.assert_allclose(ours, clustered.bse[-2:], rtol=1e-3)


def test_the_default_comes_first_and_the_plain_rankings_last() -> None:
    """Thirteen models are made: were two of one name, the second would hide the first."""
    assert len(NAMES) == 13
    assert [DEFAULT_MODEL, *learned_models(), *NAMES[-3:]] == NAMES
    assert set(NAMES[-3:]) == set(RANKINGS)


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_a_missing_library_is_named_with_its_extra(name: str, city: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [key for key in sys.modules if key.split(".")[0] == LIBRARY[name]]:
        monkeypatch.delitem(sys.modules, module)
    # this is how Python itself marks a module that must not be found
    monkeypatch.setitem(sys.modules, LIBRARY[name], None)
    with pytest.raises(MissingExtraError, match=r"digonce\[models\]") as fault:
        forecast_models()[name].fit(city)
    assert LIBRARY[name] in str(fault.value)
    assert LIBRARY[name] in fault.value.message("zh")
