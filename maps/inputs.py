"""What a map or report is drawn from: the frames of one registry as of one day, and at most one saved plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import shapely

from maps.meeting import Closed, find_closed, stored_policy, stored_table, under_scenario
from registry.catalogue import LANGUAGES, say
from registry.errors import DrawingError, NotFoundError
from registry.saved import forecast_since

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from registry.store import Registry, SavedRun

BASE_KINDS: Final = ("roads", "buildings", "compounds", "projects", "leaks", "events", "valves", "risers")
# frames of a run that are drawn as they were stored
_OF_RUN: Final = (
    "scores",
    "pairs",
    "batches",
    "batch_segments",
    "emissions",
    "late_work",
    "late_years",
    "last_chances",
)
Both = dict[str, str]


@dataclass(frozen=True)
class Inputs:
    """Frames by the contracts of fields.csv; what is None or empty is left out of the map with a notice.

    `pairs` without rows say that overlaps were looked for and none was found.

    `meeting` is the frame `overlap_table`; None where the times and amounts of the pairs are not known. `closed` is
    None where the run does not say by which rules streets are closed.

    `is_behind` says that deliveries came in after the scores or overlaps had been made.
    `outlook` is the frame `network_forecast` of the forecast that was made for the plan since it was saved.
    `ranking` says which model ranks in the scores and why, as `Ranking.facts`; None where the run did not keep it.
    `summary` is the summary that the planner saved with the plan; `held` is the summary of held-back rows;
    `rules` are the words for the rule codes of the scores. All
    geometry is in the projected CRS of the segments.
    """

    city: str
    as_of: date
    segments: gpd.GeoDataFrame
    scores: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    batches: pd.DataFrame | None = None
    batch_segments: pd.DataFrame | None = None
    projects: gpd.GeoDataFrame | None = None
    leaks: gpd.GeoDataFrame | None = None
    events: gpd.GeoDataFrame | None = None
    roads: gpd.GeoDataFrame | None = None
    buildings: gpd.GeoDataFrame | None = None
    compounds: gpd.GeoDataFrame | None = None
    valves: gpd.GeoDataFrame | None = None
    risers: pd.DataFrame | None = None
    held: pd.DataFrame | None = None
    plan_name: str | None = None
    summary: Mapping[str, Any] = field(default_factory=dict)
    rules: Mapping[str, Both] = field(default_factory=dict)
    meeting: pd.DataFrame | None = None
    closed: Closed | None = None
    is_behind: bool = False
    emissions: pd.DataFrame | None = None
    outlook: pd.DataFrame | None = None
    late_work: pd.DataFrame | None = None
    late_years: pd.DataFrame | None = None
    last_chances: pd.DataFrame | None = None
    ranking: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse segments without a CRS: they could be drawn anywhere."""
        if self.segments.crs is None:
            raise DrawingError("maps_crs_missing")

    @property
    def has_plan(self) -> bool:
        """Whether a plan is drawn."""
        return filled(self.batches) and filled(self.batch_segments)

    @property
    def years(self) -> list[int]:
        """The years in which the plan renews something, in order."""
        if self.batches is None:
            return []
        return sorted(int(year) for year in self.batches["year"].dropna().unique())


def filled(table: pd.DataFrame | None) -> bool:
    """Return whether there is a frame and it has rows."""
    return table is not None and len(table) > 0


def without_shape(table: gpd.GeoDataFrame) -> NDArray[np.bool_]:
    """Return which rows have no geometry or an empty one."""
    shapes = np.asarray(table.geometry.array)
    return np.asarray(shapely.is_missing(shapes) | shapely.is_empty(shapes), dtype=bool)


def both(code: str, **parameters: object) -> Both:
    """Return the words of a code in every language."""
    return {language: say(code, language, **parameters) for language in LANGUAGES}


def load_inputs(
    registry: Registry,
    plan_name: str | None = None,
    *,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> Inputs:
    """Load all that a map and a report need: the named plan, else the latest plan, else the census with its scores.

    A saved plan is shown from its own stored scores and pairs, on the census as it was known when the plan was made:
    a later delivery changes nothing in it. With `as_of` or `known_at` the census of then is loaded without any plan,
    and scores and overlaps only where they were made for the same. Without them and without a plan it is the census as
    known now, on the day of the latest scores, with the latest scores and overlaps.

    Raises
    ------
    NotFoundError
        If a plan is named that does not exist.
    DrawingError
        If a plan is named together with `as_of` or `known_at`: the plan fixes both.
    """
    is_asked = as_of is not None or known_at is not None
    if plan_name is not None and is_asked:
        raise DrawingError("maps_plan_fixes_time", name=plan_name)
    plan = None if is_asked else _run(registry, "plan", plan_name, is_needed=plan_name is not None)
    found = [plan] if plan is not None else [_run(registry, kind, None) for kind in ("score", "overlap")]
    runs = [run for run in found if run is not None and (not is_asked or _is_made_for(run, as_of, known_at))]
    stored: dict[str, pd.DataFrame] = {}
    for run in runs:
        # that no project touches a pipe is a result; a run of scores alone has looked for none
        looked = {"pairs"} if run.kind in {"plan", "overlap"} else set[str]()
        stored |= {name: frame for name, frame in run.frames.items() if len(frame) or name in looked}
    day = as_of or next((run.as_of for run in runs), None) or registry.today()
    # the transaction that saved the plan began after every delivery that the plan has read
    instant = known_at if plan is None else plan.known_at or plan.made_at
    kinds = ("segments", "moratoria", *BASE_KINDS)
    policy = stored_policy(runs[-1].policy if runs else None)
    found_frames = {kind: registry.frame(kind, as_of=day, known_at=instant) for kind in kinds}
    frames, changes = under_scenario(found_frames, {} if plan is None else plan.summary, policy, day)
    moratoria = frames.pop("moratoria")
    drawn: dict[str, Any] = {name: stored.get(name) for name in _OF_RUN}
    return Inputs(
        city=registry.city,
        as_of=day,
        outlook=None if plan is None or plan.name is None else forecast_since(registry, plan.name, plan.made_at),
        held=registry.held_summary(known_at=instant),
        plan_name=plan.name if plan is not None else None,
        summary=plan.summary if plan is not None else {},
        rules=_rule_words(next((run.policy for run in runs), {})),
        meeting=stored_table(registry, stored, frames["segments"], frames["projects"], day, instant),
        closed=None
        if policy is None
        else find_closed(frames["roads"], frames["projects"], moratoria, policy, day, changes),
        is_behind=not is_asked and plan is None and _is_behind(registry, runs),
        **drawn,
        ranking=next((run.summary.get("ranking") for run in runs if run.kind in {"plan", "score"}), None),
        **frames,
    )


def _is_behind(registry: Registry, runs: list[SavedRun]) -> bool:
    """Tell whether a delivery came to count after the oldest of these runs was made."""
    if not runs:
        return False
    applied = registry.deliveries()["applied_at"].dropna()
    return bool((applied > min(run.made_at for run in runs)).any())


def _is_made_for(run: SavedRun, as_of: date | None, known_at: datetime | None) -> bool:
    return (as_of is None or run.as_of == as_of) and run.known_at == known_at


def _rule_words(policy: Mapping[str, Any]) -> dict[str, Both]:
    """Return the words for each rule of a stored policy; an older or foreign policy may have none."""
    rules = policy.get("rules", {})
    listed = rules.get("rules", []) if isinstance(rules, dict) else []
    return {rule["code"]: {"en": rule["label_en"], "zh": rule["label_zh"]} for rule in listed if "label_zh" in rule}


def _run(registry: Registry, kind: str, name: str | None, *, is_needed: bool = False) -> SavedRun | None:
    try:
        return registry.load_run(kind, name)
    except NotFoundError:
        if is_needed:
            raise
        return None
