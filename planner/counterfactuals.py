"""What would change a grade: single changes of a segment, each scored again by the score itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd

from planner.classes import classify_segments
from planner.explain_facts import Evidence
from planner.factors import code_factors, text_column
from planner.learned import Learned
from planner.table_rates import attribute_factors

# what a person can find out about the pipe itself; the soil and the roads are told by other layers
_FINDABLE: Final = (
    "material",
    "coating",
    "cathodic_protection",
    "diameter_mm",
    "pressure_class",
    "cover_depth_m",
    "joint",
    "surface",
)
_NEW_LEAK: Final = "a leak more"


@dataclass(frozen=True)
class Change:
    """One change and what it does: the grade it leads to, and how many times the risk it makes.

    `attribute` is empty where a leak more is the change; else `value` is what would be found out.
    """

    attribute: str
    value: Any
    grade: str
    multiple: float


def grade_changes(evidence: Evidence, scores: pd.DataFrame, segment_id: str) -> list[Change]:
    """Score a segment again with one thing changed at a time: one more leak, and each unknown attribute as known.

    An unknown attribute is tried as the mildest and as the worst value that its network (medium and tier) has. All of
    the city is scored again for each change, as a leak more teaches its street and its kind too. Every change tried is
    returned, the one that moves the risk least first.

    Misleads where two things change at once, which nobody tries here, and for values that the network does not have.
    Where a learned model ranks, the change is that of the default: the model is not asked again.
    """
    evidence = replace(evidence, learned=Learned.of_scores(scores))
    before = scores.loc[segment_id]
    changes = [
        Change(
            attribute,
            value,
            str(after["grade"]),
            float(after["risk_per_km_year"] / before["risk_per_km_year"]),
        )
        for attribute, value in _to_try(evidence, scores, segment_id)
        for after in [scored_again(evidence, segment_id, attribute, value)]
    ]
    return sorted(changes, key=lambda change: (abs(np.log(change.multiple)), change.attribute, str(change.value)))


def scored_again(evidence: Evidence, segment_id: str, attribute: str, value: Any) -> pd.Series:  # noqa: ANN401
    """Return the score of a segment with one attribute changed, or with one more leak where `attribute` is empty."""
    changed = _with_leak(evidence, segment_id) if not attribute else _with_value(evidence, segment_id, attribute, value)
    return changed.scores().loc[[segment_id]].iloc[0]


def class_when_assessed(evidence: Evidence, segment_id: str) -> str:
    """Return the policy class of a segment after an assessment of today that lets it run on."""
    one = evidence.segments.loc[[segment_id]]
    safe = _with(one, segment_id, "assessment", "safe")
    safe = _with(safe, segment_id, "assessed_on", pd.Timestamp(evidence.as_of))
    found = classify_segments(safe, evidence.leak_links, evidence.leaks, evidence.policy, evidence.as_of)
    return str(found["policy_class"].iloc[0])


def _to_try(evidence: Evidence, scores: pd.DataFrame, segment_id: str) -> Iterator[tuple[str, Any]]:
    yield "", None
    gaps = str(scores["gaps"].loc[segment_id]).split(",")
    segments, weights = evidence.segments, evidence.policy.weights
    factors = {name: found.factor for name, found in attribute_factors(segments, weights).items()}
    medium = segments["medium"]
    factors["surface"], _ = code_factors(text_column(segments, "surface"), medium, weights.consequence.surface)
    is_alike = (medium == medium[segment_id]).to_numpy(dtype=bool)
    if "tier" in segments.columns:
        is_alike = is_alike & (segments["tier"] == segments["tier"].loc[segment_id]).to_numpy(
            dtype=bool, na_value=False
        )
    for name in _FINDABLE:
        if name not in gaps or name not in segments.columns:
            continue
        values = segments[name]
        is_known = is_alike & (values.notna() & (values != "unknown")).to_numpy(dtype=bool, na_value=False)
        found = pd.DataFrame({"value": values[is_known], "factor": factors[name][is_known]})
        # of equal factors the first value by name, whatever the order of rows
        found = found.drop_duplicates().sort_values(["factor", "value"])
        for value in dict.fromkeys([*found["value"].head(1), *found["value"].tail(1)]):
            yield name, value


def _with_leak(evidence: Evidence, segment_id: str) -> Evidence:
    """Add one leak of today that is surely of the segment."""
    day = pd.Timestamp(evidence.as_of)
    leak = evidence.leaks.reindex([_NEW_LEAK]).astype(evidence.leaks.dtypes.to_dict(), errors="ignore")
    leak["leaked_on"] = pd.Series([day], leak.index, dtype=evidence.leaks["leaked_on"].dtype)
    leak.index.name = evidence.leaks.index.name
    link = pd.DataFrame(
        {"leak_id": [_NEW_LEAK], "segment_id": [segment_id], "probability": [1.0], "distance_m": 0.0, "measure_m": 0.0}
    )
    links = link.astype({name: evidence.leak_links[name].dtype for name in link.columns})
    if len(evidence.leak_links):
        links = pd.concat([evidence.leak_links, links], ignore_index=True)
    leaks: gpd.GeoDataFrame = pd.concat([evidence.leaks, leak]) if len(evidence.leaks) else leak
    return replace(evidence, leak_links=links, leaks=leaks)


def _with_value(evidence: Evidence, segment_id: str, attribute: str, value: Any) -> Evidence:  # noqa: ANN401
    return replace(evidence, segments=_with(evidence.segments, segment_id, attribute, value))


def _with(segments: gpd.GeoDataFrame, segment_id: str, attribute: str, value: Any) -> gpd.GeoDataFrame:  # noqa: ANN401
    changed = segments.copy()
    if attribute not in changed.columns:
        changed[attribute] = pd.Series(np.nan, changed.index, dtype="object")
    changed.loc[segment_id, attribute] = value
    return changed
