"""The layers of the map: each a description for the page and a blob of its features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from maps.ban_facts import ban_facts
from maps.facts import (
    Fact,
    add_facts,
    diameter_text,
    field_fact,
    frame_facts,
    list_words,
    text_fact,
    top_causes,
    year_text,
)
from maps.inputs import Both, Inputs, both, filled, without_shape
from maps.palette import Stroke, stroke
from maps.payload import Blob, Shape, add_geometry
from maps.views import View
from registry.fields import value_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FACTORS: Final = 3
# the closed ground is drawn to this much: a road buffer has many more points than a screen shows
_OUTLINE_M: Final = 0.3
_POLYGONS: Final = ("Polygon", "MultiPolygon")
_LINES: Final = ("LineString", "MultiLineString")
_SEGMENT_FACTS: Final = ("medium", "tier", "material", "pressure_class", "coating", "status", "assessment")
_PLACE_FACTS: Final = ("street_name", "compound_name", "owner", "length_m")
_SCORE_FACTS: Final = (
    "policy_code",
    "policy_is_certain",
    "age_years",
    "leak_count",
    "likelihood_per_km_year",
    "consequence_index",
    "risk_per_km_year",
    "gap_count",
)
_PROJECT_FACTS: Final = (
    "name",
    "kind",
    "state",
    "starts_on",
    "ends_on",
    "owner",
    "opens_ground",
    "building_count",
    "household_count",
    "cost_cny",
)
_EVENT_FACTS: Final = ("happened_on", "kind", "grade", "finding", "source", "reporter", "segment_id", "closed_on")
_LEAK_FACTS: Final = ("leaked_on", "cause", "grade", "source", "position_quality", "address", "repaired_on")


@dataclass(frozen=True)
class Layer:
    """One sheet of features: how it is drawn, which switch of the layer control shows it, and its blob."""

    key: str
    switch: str
    shape: Shape
    label: Both
    classes: list[tuple[Both, Stroke]]
    blob: Blob
    count: int
    style: dict[str, Any]
    class_column: str = "class"

    def described(self) -> dict[str, Any]:
        """Return what the page needs to know of the layer."""
        return {
            "key": self.key,
            "switch": self.switch,
            "shape": self.shape,
            "label": self.label,
            "class_column": self.class_column,
            "classes": [
                {"label": label, "colour": drawn.colour, "width": drawn.width} for label, drawn in self.classes
            ],
            **self.style,
        }


def make_layers(inputs: Inputs, views: list[View], facts: Sequence[Fact] = ()) -> list[Layer]:
    """Return every layer that these inputs fill, in the order of drawing; `facts` are more of the segments."""
    makers: list[Callable[[Inputs], list[Layer]]] = [
        _buildings,
        _compounds,
        _roads,
        _projects,
        _bans,
        _overlaps,
        lambda some: [_segments(some, views, facts)],
        _valves,
        _events,
        _leaks,
    ]
    return [layer for make in makers for layer in make(inputs)]


def _plain(table: gpd.GeoDataFrame, shape: Shape, facts: list[Fact]) -> Blob:
    """Return a blob with the ids, geometry and facts of a frame."""
    blob = Blob({"ids": [str(value) for value in table.index]})
    add_geometry(blob, table.geometry, shape)
    add_facts(blob, facts)
    return blob


def _with_shape(table: gpd.GeoDataFrame, kinds: tuple[str, ...] | None = None) -> gpd.GeoDataFrame:
    """Keep the rows that can be drawn."""
    is_there = ~without_shape(table)
    return table[is_there if kinds is None else is_there & table.geom_type.isin(kinds).to_numpy()]


def _buildings(inputs: Inputs) -> list[Layer]:
    if inputs.buildings is None or not filled(inputs.buildings):
        return []
    table = _with_shape(inputs.buildings)
    label = both("maps_layer_buildings")
    style = {"outline": "#c9c4b8"}
    return [
        Layer(
            "buildings",
            "base",
            "polygon",
            label,
            [(label, stroke("building"))],
            _plain(table, "polygon", []),
            len(table),
            style,
        )
    ]


def _compounds(inputs: Inputs) -> list[Layer]:
    if inputs.compounds is None or not filled(inputs.compounds):
        return []
    table = _with_shape(inputs.compounds)
    label = both("maps_layer_compounds")
    facts = frame_facts(table, "compounds", ["name", "built_year", "building_count", "household_count"])
    style = {"outline": "#cfc6ae", "opacity": 0.55}
    return [
        Layer(
            "compounds",
            "compounds",
            "polygon",
            label,
            [(label, stroke("compound"))],
            _plain(table, "polygon", facts),
            len(table),
            style,
        )
    ]


def _codes(blob: Blob, values: pd.Series, order: list[str]) -> None:
    found = pd.Index(order).get_indexer(pd.Index(values))
    blob.add("class", np.where(found < 0, len(order) - 1, found).astype(np.int64))


def _roads(inputs: Inputs) -> list[Layer]:
    if inputs.roads is None or not filled(inputs.roads):
        return []
    table = _with_shape(inputs.roads)
    order = [*reversed([code for code in value_list("road_class") if code != "unknown"]), "unknown"]
    blob = _plain(table, "line", frame_facts(table, "roads", ["name"]))
    _codes(blob, table["road_class"].fillna("unknown"), order)
    classes = [(list_words("road_class", code), stroke(f"road_{code}")) for code in order]
    return [Layer("roads", "base", "line", both("maps_layer_roads"), classes, blob, len(table), {})]


def _projects(inputs: Inputs) -> list[Layer]:
    if inputs.projects is None or not filled(inputs.projects):
        return []
    kinds = list(value_list("project_kind"))
    classes = [(list_words("project_kind", code), stroke(f"project_{code}")) for code in kinds]
    made: list[Layer] = []
    shapes: list[tuple[str, Shape, tuple[str, ...], dict[str, Any]]] = [
        ("project_areas", "polygon", _POLYGONS, {"outline": "class", "dash": [7, 4], "opacity": 0.13}),
        ("project_lines", "line", _LINES, {"is_band": True, "opacity": 0.6}),
    ]
    for key, shape, geometry, style in shapes:
        table = _with_shape(inputs.projects, geometry)
        if table.empty:
            continue
        blob = _plain(table, shape, frame_facts(table, "projects", _PROJECT_FACTS))
        _codes(blob, table["kind"], kinds)
        made.append(Layer(key, "projects", shape, both("maps_layer_projects"), classes, blob, len(table), style))
    return made


def _bans(inputs: Inputs) -> list[Layer]:
    """Make the closed ground, what is closed now apart from what will be: also the hatch tells them apart."""
    if inputs.closed is None:
        return []
    made: list[Layer] = []
    for key, is_later in (("bans_to_come", True), ("bans", False)):
        wanted = (inputs.closed.states == "to_come") == is_later
        table = _with_shape(inputs.closed.streets["zh"][wanted], _POLYGONS)
        if table.empty:
            continue
        label = both(f"maps_layer_{key}")
        outline = gpd.GeoSeries(table.simplify(_OUTLINE_M), crs=table.crs)
        blob = _plain(table.set_geometry(outline), "polygon", ban_facts(table, inputs.closed))
        classes = [(label, stroke(key))]
        style = {"outline": "class", "opacity": 0.9, "hatch": -1 if is_later else 1}
        made.append(Layer(key, key, "polygon", label, classes, blob, len(table), style))
    return made


def overlapping(pairs: pd.DataFrame | None, segments: pd.DataFrame) -> pd.Series:
    """Return segment_id -> whether one of its projects meets the planning years, for segments inside any project."""
    if pairs is None or pairs.empty:
        return pd.Series(dtype="bool")
    inside = pairs[(pairs["overlap_m"] > 0) & pairs["segment_id"].isin(segments.index)]
    return inside["meets_years"].astype("bool").groupby(inside["segment_id"]).any()


def _overlaps(inputs: Inputs) -> list[Layer]:
    meets = overlapping(inputs.pairs, inputs.segments)
    if meets.empty:
        return []
    table = inputs.segments.loc[meets.index]
    blob = _plain(table, "line", [])
    blob.add("class", meets.to_numpy().astype(np.int64))
    classes = [
        (both("maps_overlap_other_time"), stroke("overlap_other_time")),
        (both("maps_overlap_same_time"), stroke("overlap_same_time")),
    ]
    return [
        Layer("overlaps", "overlaps", "line", both("maps_layer_overlaps"), classes, blob, len(table), {"opacity": 0.75})
    ]


def _segments(inputs: Inputs, views: list[View], more: Sequence[Fact]) -> Layer:
    segments = inputs.segments
    facts = [
        *more,
        *frame_facts(segments, "segments", _SEGMENT_FACTS),
        text_fact("diameter", "maps_diameter", diameter_text(segments)),
        text_fact("installed", "maps_installed", year_text(segments)),
        *frame_facts(segments, "segments", _PLACE_FACTS),
        *_score_facts(inputs),
        *_batch_facts(inputs),
    ]
    blob = _plain(segments, "line", facts)
    for view in views:
        blob.add(view.column, view.codes)
    _add_factors(blob, inputs)
    _add_links(blob, inputs)
    classes = [(one.label, one.stroke) for one in views[0].classes]
    return Layer(
        "segments", "segments", "line", both("maps_layer_segments"), classes, blob, len(segments), {}, views[0].column
    )


def _score_facts(inputs: Inputs) -> list[Fact]:
    if inputs.scores is None or inputs.scores.empty:
        return []
    facts = frame_facts(inputs.scores.reindex(inputs.segments.index), "scores", _SCORE_FACTS)
    return [replace(fact, words=inputs.rules) if fact.key == "policy_code" else fact for fact in facts]


def _batch_facts(inputs: Inputs) -> list[Fact]:
    if inputs.batches is None or inputs.batch_segments is None or not inputs.has_plan:
        return []
    rows = inputs.batch_segments.reindex(inputs.segments.index)
    facts = [
        field_fact("batch_segments", "year", rows["year"]),
        field_fact("batch_segments", "batch_id", rows["batch_id"]),
    ]
    facts.append(text_fact("place", "maps_batch_place", rows["batch_id"].map(inputs.batches["label"])))
    if inputs.projects is not None:
        facts.append(text_fact("project", "maps_batch_project", rows["project_id"].map(inputs.projects["name"])))
    facts.append(field_fact("batch_segments", "cost_cny", rows["cost_cny"]))
    share = inputs.batches.get("stable_share")
    if share is not None and share.notna().any():
        told = rows["batch_id"].map(share).where(rows["year"].notna())
        facts.append(text_fact("stable", "maps_batch_stable", told.map("{:.0%}".format, na_action="ignore")))
    return [*facts, *_last_chance_facts(inputs)]


def _last_chance_facts(inputs: Inputs) -> list[Fact]:
    """Return until when the road over a pipe will be closed, and the leaks to expect in that time."""
    if inputs.last_chances is None or inputs.last_chances.empty:
        return []
    dearest = inputs.last_chances.sort_values("rank").drop_duplicates("segment_id").set_index("segment_id")
    rows = dearest.reindex(inputs.segments.index)
    return [field_fact("last_chances", name, rows[name]) for name in ("banned_from", "banned_until", "leaks_in_ban")]


def _add_factors(blob: Blob, inputs: Inputs) -> None:
    if inputs.scores is None or inputs.scores.empty:
        return
    words, codes, logarithms = top_causes(
        inputs.scores.reindex(inputs.segments.index), inputs.segments["medium"], FACTORS
    )
    blob.header["factors"] = words
    for rank, (code, logarithm) in enumerate(zip(codes, logarithms, strict=True), start=1):
        blob.add(f"factor_{rank}", code)
        # a hundredth of a logarithm is one percent: nobody reads a popup closer
        scaled = np.rint(logarithm * 100).astype(np.int64)
        blob.add(f"factor_ln_{rank}", np.where(scaled >= 0, scaled + 1, scaled))


def _add_links(blob: Blob, inputs: Inputs) -> None:
    """Add the pairs of segment and project, by segment, and the names and dates of the projects they name."""
    if inputs.pairs is None or inputs.pairs.empty:
        return
    place = inputs.segments.index.get_indexer(pd.Index(inputs.pairs["segment_id"]))
    pairs = inputs.pairs.assign(place=place)[place >= 0]
    pairs = pairs[pairs["overlap_m"] > 0].sort_values(["place", "project_id"], kind="stable")
    codes, names = pd.factorize(pairs["project_id"], sort=True)
    blob.add("link_segment", pairs["place"].to_numpy(dtype=np.int64), is_delta=True)
    blob.add("link_project", np.asarray(codes, dtype=np.int64))
    blob.add("link_dm", np.rint(pairs["overlap_m"].to_numpy(dtype="float64") * 10).astype(np.int64))
    blob.add("link_meets", pairs["meets_years"].astype("bool").to_numpy().astype(np.int64))
    blob.header["link_projects"] = [_project_words(inputs, pairs, str(name)) for name in names]


def _project_words(inputs: Inputs, pairs: pd.DataFrame, project_id: str) -> dict[str, str]:
    one = pairs[pairs["project_id"] == project_id].iloc[0]
    name = project_id
    if inputs.projects is not None and project_id in inputs.projects.index:
        name = str(inputs.projects.loc[project_id, "name"])
    days = [f"{day:%Y-%m-%d}" if pd.notna(day) else "…" for day in (one["starts_on"], one["ends_on"])]
    return {"name": name, "days": " – ".join(days)}


def _valves(inputs: Inputs) -> list[Layer]:
    if inputs.valves is None or not filled(inputs.valves):
        return []
    table = _with_shape(inputs.valves)
    label = both("maps_layer_valves")
    facts = frame_facts(table, "valves", ["kind", "diameter_mm", "segment_id"])
    blob = _plain(table, "point", facts)
    return [
        Layer("valves", "valves", "point", label, [(label, stroke("valve"))], blob, len(table), {"is_square": True})
    ]


def _events(inputs: Inputs) -> list[Layer]:
    if inputs.events is None or not filled(inputs.events):
        return []
    table = _with_shape(inputs.events)
    table = table.set_geometry(shapely.point_on_surface(np.asarray(table.geometry.array)), crs=table.crs)
    label = both("maps_layer_events")
    blob = _plain(table, "point", frame_facts(table, "events", _EVENT_FACTS))
    return [Layer("events", "events", "point", label, [(label, stroke("event"))], blob, len(table), {})]


def _leaks(inputs: Inputs) -> list[Layer]:
    if inputs.leaks is None or not filled(inputs.leaks):
        return []
    table = _with_shape(inputs.leaks)
    label = both("maps_layer_leaks")
    blob = _plain(table, "point", frame_facts(table, "leaks", _LEAK_FACTS))
    return [Layer("leaks", "leaks", "point", label, [(label, stroke("leak"))], blob, len(table), {})]
