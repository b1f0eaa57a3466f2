"""Views: the ways to colour the segments, each with its classes, and the kilometres of each class by tier."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from maps.facts import list_words
from maps.inputs import Both, Inputs, both, filled
from maps.palette import Stroke, palette, stroke
from registry.fields import value_list

if TYPE_CHECKING:
    from numpy.typing import NDArray

TIERS: Final = ("municipal", "courtyard", "riser", "unknown")
# in the order of drawing: what is new lies on top
CHANGES: Final = ("unchanged", "later", "earlier", "dropped", "added")
_OUTSIDE: Final = "outside"
_GRADES: Final = ("low", "moderate", "high", "severe")
_POLICY: Final = ("keep", "assess", "due", "mandatory")
_FIRST_DECADE: Final = 1950
_LAST_DECADE: Final = 2020
_YEAR_COLOURS: Final = 8
METRES_PER_KM: Final = 1000.0
_MOST_DECIMALS: Final = 3


@dataclass(frozen=True)
class ViewClass:
    """One class of a view with its words, stroke, number of segments and kilometres by tier."""

    code: str
    label: Both
    stroke: Stroke
    count: int
    km_by_tier: dict[str, float]

    @property
    def km(self) -> float:
        """Kilometres of all tiers."""
        return sum(self.km_by_tier.values())


@dataclass(frozen=True)
class View:
    """One way to colour the segments: classes in drawing order (the last on top), and the class of each segment."""

    key: str
    label: Both
    classes: list[ViewClass]
    codes: NDArray[np.int64]
    is_badge: bool = False
    least_decimals: int = 1

    @property
    def decimals(self) -> int:
        """Return how many decimals the kilometres need, to the metre at most, so that no short one is shown as 0."""
        some = [km for one in self.classes for km in one.km_by_tier.values() if km > 0.0]
        shortest = min(some, default=1.0)
        needed = (places for places in range(self.least_decimals, _MOST_DECIMALS) if round(shortest, places) > 0.0)
        return next(needed, _MOST_DECIMALS)

    @property
    def column(self) -> str:
        """Name of the column of class numbers in the page."""
        return f"view_{self.key}"

    @property
    def km(self) -> float:
        """Kilometres of all classes and tiers."""
        return sum(one.km for one in self.classes)

    def km_of(self, tier: str) -> float:
        """Kilometres of all classes in one tier."""
        return sum(one.km_by_tier.get(tier, 0.0) for one in self.classes)

    def described(self) -> dict[str, Any]:
        """Return what the page needs to know of the view."""
        return {
            "key": self.key,
            "label": self.label,
            "column": self.column,
            "is_badge": self.is_badge,
            "classes": [
                {"label": one.label, "colour": one.stroke.colour, "width": one.stroke.width} for one in self.classes
            ],
        }


def make_views(inputs: Inputs) -> list[View]:
    """Return the views that these inputs allow, the default one first."""
    segments = inputs.segments
    views: list[View] = []
    if inputs.has_plan and inputs.batch_segments is not None:
        views.append(year_view(inputs.segments, inputs.batch_segments))
    if filled(inputs.scores) and inputs.scores is not None:
        scores = inputs.scores.reindex(segments.index)
        views.append(_ordered_view("grade", segments, scores["grade"], _GRADES, "risk_grade"))
        views.append(_ordered_view("class", segments, scores["policy_class"], _POLICY, "policy_class"))
    views.append(_material_view(segments))
    views.append(_decade_view(segments))
    return views


def tiers_of(segments: pd.DataFrame) -> pd.Series:
    """Return the tier of each segment; missing counts as unknown."""
    if "tier" not in segments.columns:
        return pd.Series("unknown", index=segments.index, dtype="str")
    return segments["tier"].fillna("unknown")


def _view(key: str, segments: pd.DataFrame, wanted: pd.Series, classes: list[tuple[str, Both, Stroke]]) -> View:
    """Count the segments and kilometres of each class; `wanted` holds the class code of each segment."""
    codes = pd.Index([code for code, _, _ in classes]).get_indexer(pd.Index(wanted))
    tiers = tiers_of(segments)
    lengths = segments["length_m"] / METRES_PER_KM
    table = pd.crosstab(codes, tiers.to_numpy(), values=lengths.to_numpy(), aggfunc="sum").fillna(0.0)
    counts = np.bincount(codes, minlength=len(classes))
    made = [
        ViewClass(
            code=code,
            label=label,
            stroke=drawn,
            count=int(counts[number]),
            km_by_tier={
                str(tier): float(str(table.loc[number, tier])) if number in table.index else 0.0
                for tier in table.columns
            },
        )
        for number, (code, label, drawn) in enumerate(classes)
    ]
    return View(key, both(f"maps_view_{key}"), made, codes.astype(np.int64), is_badge=key in {"grade", "class"})


def _ordered_view(key: str, segments: pd.DataFrame, values: pd.Series, order: tuple[str, ...], list_name: str) -> View:
    classes = [(code, list_words(list_name, code), stroke(f"{key}_{code}")) for code in order]
    if values.isna().any():
        classes.insert(0, ("unknown", both("maps_not_scored"), stroke("unknown")))
    return _view(key, segments, values.fillna("unknown"), classes)


def _material_view(segments: pd.DataFrame) -> View:
    values = segments["material"].fillna("unknown")
    present = set(values.unique())
    order = [code for code in value_list("material") if code in present and code != "unknown"]
    classes = [(code, list_words("material", code), stroke(f"material_{code}")) for code in reversed(order)]
    if "unknown" in present:
        classes.insert(0, ("unknown", list_words("material", "unknown"), stroke("unknown")))
    return _view("material", segments, values, classes)


def decade_of(segments: pd.DataFrame) -> pd.Series:
    """Return the decade of the middle of the install interval, as text; `unknown` where no year is known."""
    earliest, latest = segments["installed_year_min"], segments["installed_year_max"]
    middle = (earliest.fillna(latest).astype("float64") + latest.fillna(earliest).astype("float64")) / 2
    decade = (middle // 10 * 10).clip(_FIRST_DECADE, _LAST_DECADE)
    return decade.fillna(0).astype("int64").astype("str").replace("0", "unknown")


def _decade_view(segments: pd.DataFrame) -> View:
    values = decade_of(segments)
    present = sorted(set(values.unique()) - {"unknown"}, reverse=True)
    classes = [
        (
            code,
            both("maps_decade_first" if code == str(_FIRST_DECADE) else "maps_decade", decade=code),
            stroke(f"decade_{code}"),
        )
        for code in present
    ]
    if (values == "unknown").any():
        classes.insert(0, ("unknown", both("maps_year_unknown"), stroke("unknown")))
    return _view("decade", segments, values, classes)


def year_view(segments: pd.DataFrame, batch_segments: pd.DataFrame, key: str = "year") -> View:
    """Return the view by year of a plan, for its frame `batch_segments`."""
    years = batch_segments["year"].reindex(segments.index)
    values = years.astype("str").where(years.notna(), "rest")
    known = sorted(int(year) for year in batch_segments["year"].dropna().unique())
    classes = [("rest", both("maps_not_in_plan"), stroke("rest"))]
    for year in reversed(known):
        number = (year - known[0]) % _YEAR_COLOURS + 1
        classes.append((str(year), both("maps_year", year=year), palette()[f"year_{number}"]))
    return _view(key, segments, values, classes)


def change_view(segments: pd.DataFrame, moves: pd.Series) -> View:
    """Return the view by what a second plan does to segments; `moves` are those that either plan renews."""
    values = moves.reindex(segments.index).fillna(_OUTSIDE)
    classes = [(_OUTSIDE, both("maps_compare_outside"), stroke("change_outside"))]
    classes += [(move, list_words("plan_move", move), stroke(f"change_{move}")) for move in CHANGES]
    # what changes is little beside a city
    return replace(_view("change", segments, values, classes), least_decimals=2)
