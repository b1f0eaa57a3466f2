"""Policy classes: what the rules ask of each segment, before any score."""

from __future__ import annotations

from copy import copy
from datetime import date, timedelta
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from planner.ages import Service, service_years
from planner.factors import Flags, Floats, day_column, flag_column, text_column
from planner.policy import Policy
from planner.policy_models import Rule, RuleSet
from planner.record import DAYS_PER_YEAR, Record, make_record
from registry.fields import check_frame

CLASS_ORDER: Final = ("mandatory", "due", "assess", "keep")
UNMATCHED: Final = "no_rule_applies"
_FAVOURABLE: Final = frozenset({"safe", "controlled"})
_FLAGS: Final = ("is_backward_material", "is_long_service", "is_heavy_leakage", "has_hazard")


def classify_segments(
    segments: pd.DataFrame, leak_links: pd.DataFrame, leaks: pd.DataFrame, policy: Policy, as_of: date
) -> pd.DataFrame:
    """Give every segment its policy class, the rule that decided, and the four flags of the census.

    The strictest matching rule decides; a final rule goes before all. Where a rule needs an assessment and none is
    valid, the class is `assess`: a pipe is kept only if a rule says so. Leaks and assessments after `as_of` are not
    known yet and do not count. The flags count what the notice asks for: backward material, long service, heavy
    leakage, hidden hazard; they may overlap.

    Returns
    -------
    Index as `segments`; columns `policy_class`, `policy_code` and the four flags.
    """
    check_frame(segments, "segments", ["medium", "length_m"])
    record = make_record(segments, leak_links, leaks, as_of, policy.weights.likelihood.history.excluded_causes)
    return classes_from_record(segments, record, policy, as_of)


def classes_from_record(segments: pd.DataFrame, record: Record, policy: Policy, as_of: date) -> pd.DataFrame:
    """Give classes and flags from a leak record that is already made."""
    rules = policy.rules
    facts = _Facts(segments, record, rules, as_of)
    severity, code = _decide(facts, rules)
    codes = np.array([*(rule.code for rule in rules.rules), UNMATCHED], dtype=object)
    result = pd.DataFrame(index=segments.index)
    result["policy_class"] = pd.Series(np.array(CLASS_ORDER, dtype=object)[severity], segments.index, dtype="str")
    result["policy_code"] = pd.Series(codes[code], segments.index, dtype="str")
    flags = (facts.is_backward, facts.is_long_service, facts.is_heavy_leakage, facts.has_hazard)
    for name, flag in zip(_FLAGS, flags, strict=True):
        result[name] = pd.array(flag, dtype="boolean")
    return result


def certain_classes(segments: pd.DataFrame, record: Record, policy: Policy, as_of: date) -> Flags:
    """Tell where every whole year of the service interval leads to the class that the interval has.

    Between two limits of the rules the class is the same, so one age of each stretch is tried.
    """
    facts = _Facts(segments, record, policy.rules, as_of)
    severity, _ = _decide(facts, policy.rules)
    certain = np.ones(len(segments), dtype=bool)
    rows = np.flatnonzero(facts.service.least < facts.service.most)
    part, least, most = facts.of(rows), facts.service.least[rows], facts.service.most[rows]
    limits = {float(rule.service_years) for rule in policy.rules.rules if rule.service_years is not None}
    limits |= {float(years) for years in np.unique(facts.threshold) if np.isfinite(years)}
    for age in [least, *(np.full(len(rows), limit) for limit in sorted(limits))]:
        tried = np.where((age >= least) & (age <= most), np.ceil(age), least)
        part.service = Service(tried, tried)
        certain[rows] &= _decide(part, policy.rules)[0] == severity[rows]
    return certain


class _Facts:
    """What the conditions of rules ask about, as arrays over the segments."""

    def __init__(self, segments: pd.DataFrame, record: Record, rules: RuleSet, as_of: date) -> None:
        self.row_count = len(segments)
        self.medium = segments["medium"]
        self.material = text_column(segments, "material").fillna("unknown")
        self.status = text_column(segments, "status").fillna("unknown")
        self.service = service_years(segments, as_of)
        self.threshold = threshold_years(self.medium, rules)
        self.assessment = _assessment_states(segments, rules, as_of)
        self.is_encroached = flag_column(segments, "is_encroached")
        self.is_heavy_leakage = _heavy_leakage(segments, record, rules, as_of)
        self.has_hazard = self.is_encroached | self.assessment.isin(["renew_by", "renew_now"]).to_numpy(dtype=bool)
        self.is_backward = np.zeros(self.row_count, dtype=bool)
        for listed in rules.backward:
            self.is_backward |= ((self.medium == listed.medium) & self.material.isin(list(listed.materials))).to_numpy()
        self.is_long_service = _middle(self.service) >= self.threshold

    def of(self, rows: NDArray[np.int64]) -> _Facts:
        """Return the facts of some segments."""
        part = copy(self)
        part.row_count = len(rows)
        for name in ("medium", "material", "status", "assessment"):
            setattr(part, name, getattr(self, name).iloc[rows])
        for name in ("threshold", "is_encroached", "is_heavy_leakage", "has_hazard", "is_backward", "is_long_service"):
            setattr(part, name, getattr(self, name)[rows])
        part.service = Service(self.service.least[rows], self.service.most[rows])
        return part


def threshold_years(medium: pd.Series, rules: RuleSet) -> Floats:
    """Return the service time of each medium after which a pipe must be assessed or renewed; infinite without."""
    years = {entry.code: entry.factor for entry in rules.service_years}
    return np.asarray(medium.map(years).to_numpy(dtype="float64", na_value=np.inf), dtype="float64")


def _middle(service: Service) -> Floats:
    """The middle of the service interval; an open or unknown interval proves no long service but its least."""
    return np.where(np.isinf(service.most), service.least, (service.least + service.most) / 2.0)


def _assessment_states(segments: pd.DataFrame, rules: RuleSet, as_of: date) -> pd.Series:
    """Return none, expired, or the verdict that stands on `as_of`.

    A favourable verdict needs a date within its valid time; an unfavourable one stands until it is lifted.
    """
    verdict = text_column(segments, "assessment").fillna("none").to_numpy(dtype=object)
    day = day_column(segments, "assessed_on")
    oldest = as_of - timedelta(days=round(rules.assessment_valid_years.value * DAYS_PER_YEAR))
    is_future = day > np.datetime64(as_of)
    is_favourable = np.isin(verdict, list(_FAVOURABLE))
    has_expired = is_favourable & ~(day >= np.datetime64(oldest))
    state = np.where(is_future, "none", np.where(has_expired, "expired", verdict))
    return pd.Series(state, index=segments.index, dtype="str")


def _heavy_leakage(segments: pd.DataFrame, record: Record, rules: RuleSet, as_of: date) -> Flags:
    limits = rules.heavy_leakage
    since = as_of - timedelta(days=round(limits.window_years.value * DAYS_PER_YEAR))
    leaks = record.expected_leaks(since)
    km_years = segments["length_m"].to_numpy(dtype="float64") / 1000.0 * limits.window_years.value
    reaches_rate = leaks >= limits.leaks_per_km_year.value * km_years
    return reaches_rate & (leaks >= limits.minimum_leaks.value)


def _decide(facts: _Facts, rules: RuleSet) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each segment the severity (position in CLASS_ORDER) and the position of the deciding rule."""
    severity = np.full(facts.row_count, CLASS_ORDER.index("assess"), dtype=np.int64)
    code = np.full(facts.row_count, len(rules.rules), dtype=np.int64)
    is_open = np.ones(facts.row_count, dtype=bool)
    order = sorted(
        range(len(rules.rules)),
        key=lambda place: (not rules.rules[place].is_final, CLASS_ORDER.index(rules.rules[place].gives), place),
    )
    for place in order:
        rule = rules.rules[place]
        hit = is_open & _matches(rule, facts)
        severity[hit] = CLASS_ORDER.index(rule.gives)
        code[hit] = place
        is_open &= ~hit
    return severity, code


def _matches(rule: Rule, facts: _Facts) -> Flags:
    matched = np.ones(facts.row_count, dtype=bool)
    listed = (
        (rule.media, facts.medium),
        (rule.materials, facts.material),
        (rule.statuses, facts.status),
        (rule.assessments, facts.assessment),
    )
    for allowed, values in listed:
        if allowed is not None:
            matched &= values.isin(list(allowed)).to_numpy(dtype=bool)
    if rule.service is not None:
        matched &= _service_matches(rule, facts)
    if rule.is_encroached is not None:
        matched &= facts.is_encroached == rule.is_encroached
    if rule.is_heavy_leakage is not None:
        matched &= facts.is_heavy_leakage == rule.is_heavy_leakage
    return matched


def _service_matches(rule: Rule, facts: _Facts) -> Flags:
    """Tell where the service time has certainly reached the limit, may have, or certainly has not."""
    limit = facts.threshold if rule.service_years is None else np.full(facts.row_count, rule.service_years)
    reached = facts.service.least >= limit
    below = facts.service.most < limit
    states = {"reached": reached, "below": below, "possible": ~reached & ~below}
    matched: Flags = np.logical_or.reduce([states[state] for state in rule.service or ()])
    return matched
