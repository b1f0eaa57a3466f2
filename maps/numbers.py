"""The few numbers and sentences that head every map, report and index page, so that all of them say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maps.extent import far_away
from maps.inputs import Both, Inputs, both, filled, without_shape
from maps.views import METRES_PER_KM
from planner.scenario_words import made_from_phrases
from registry.catalogue import LANGUAGES, money, say

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Number:
    """One headline number: its value with unit and what it counts, in every language."""

    code: str
    value: float
    shown: Both
    label: Both


def _number(code: str, value: float, **parameters: object) -> Number:
    return Number(
        code, value, both(f"maps_{code}_value", value=value, **parameters), both(f"maps_{code}_label", **parameters)
    )


def _money(code: str, cny: float) -> Number:
    """Make a number of yuan, shown in the unit of money of each language."""
    shown = {language: money(cny, language) for language in LANGUAGES}
    return Number(code, cny, shown, both(f"maps_{code}_label"))


def headline(inputs: Inputs) -> list[Number]:
    """Return the headline numbers that these inputs allow: census, must renew, overlaps, then the plan."""
    segments = inputs.segments
    numbers = [_number("census_km", float(segments["length_m"].sum()) / METRES_PER_KM, count=len(segments))]
    if inputs.scores is not None and filled(inputs.scores):
        scores = inputs.scores.reindex(segments.index)
        mandatory = segments["length_m"].where(scores["policy_class"] == "mandatory", 0.0).sum()
        numbers.append(_number("mandatory_km", float(mandatory) / METRES_PER_KM))
    if inputs.pairs is not None and filled(inputs.pairs):
        inside = inputs.pairs[inputs.pairs["overlap_m"] > 0]
        length = _inside_m(inside, segments) / METRES_PER_KM
        numbers.append(
            _number("overlap_km", length, count=inside["segment_id"].nunique(), projects=inside["project_id"].nunique())
        )
    if inputs.batches is not None and inputs.has_plan:
        numbers.extend(_plan_numbers(inputs, inputs.batches))
    return numbers


def _inside_m(pairs: pd.DataFrame, segments: pd.DataFrame) -> float:
    """Return metres of pipe inside at least one project: each segment once, with its length at most.

    Too much, never more than the segment, where two projects lie over the same part of a segment.
    """
    metres = pairs.groupby("segment_id")["overlap_m"].sum()
    return float(metres.clip(upper=segments["length_m"].reindex(metres.index).fillna(metres)).sum())


def planned(batches: pd.DataFrame) -> pd.DataFrame:
    """Keep the batches that have a year."""
    return batches[batches["year"].notna()]


def _plan_numbers(inputs: Inputs, batches: pd.DataFrame) -> list[Number]:
    rows = planned(batches)
    if rows.empty:
        return []
    years = inputs.summary.get("years") or inputs.years
    text = f"{years[0]}–{years[-1]}" if years[0] != years[-1] else str(years[0])
    return [
        _number("planned_km", float(rows["length_m"].sum()) / METRES_PER_KM, years=text, count=len(rows)),
        _money("cost_cny", float(rows["cost_cny"].sum())),
        _money("saving_cny", float(rows["saving_cny"].sum())),
    ]


def held_line(held: pd.DataFrame | None) -> Both:
    """Return the one sentence that says what was held back at import (rows, kilometres of lines)."""
    if held is None or held.empty:
        return both("maps_held_none")
    length = float(held["length_m"].fillna(0).sum()) / METRES_PER_KM
    return both("maps_held_line", rows=int(held["row_count"].sum()), km=length)


def notices(inputs: Inputs) -> list[Both]:
    """Return a plain sentence for everything that the map could show but has no data for."""
    empty = [
        code
        for code, is_there in (
            ("maps_no_segments", len(inputs.segments) > 0),
            ("maps_no_scores", filled(inputs.scores)),
            ("maps_no_plan", inputs.has_plan),
            ("maps_no_projects", filled(inputs.projects)),
            ("maps_no_overlaps", inputs.pairs is not None or not filled(inputs.projects)),
            ("maps_no_touch", inputs.pairs is None or filled(inputs.pairs)),
            ("maps_no_leaks", filled(inputs.leaks)),
        )
        if not is_there
    ]
    sentences = [both(code) for code in empty]
    if inputs.is_behind:
        sentences.append(both("maps_behind"))
    if inputs.risers is not None and filled(inputs.risers):
        risers = inputs.risers
        sentences.append(
            both(
                "maps_risers_line",
                groups=len(risers),
                km=float(risers["length_m"].sum()) / METRES_PER_KM,
                households=int(risers["household_count"].sum()),
            )
        )
    sentences.extend(_plan_notices(inputs))
    sentences.extend(_ban_notices(inputs))
    if inputs.projects is not None and filled(inputs.projects):
        without = int(without_shape(inputs.projects).sum())
        if without:
            sentences.append(both("maps_projects_without_shape", count=without))
    is_far = far_away(inputs.segments)
    if is_far.any():
        example = inputs.segments.index[int(is_far.argmax())]
        sentences.append(both("maps_far_away", count=int(is_far.sum()), example=example))
    return sentences


def _ban_notices(inputs: Inputs) -> list[Both]:
    """Return whether anything is closed, what of it cannot be drawn, and what nobody can know."""
    closed = inputs.closed
    if closed is None:
        return [both("maps_bans_unknown")] if inputs.has_plan or filled(inputs.pairs) else []
    day = inputs.as_of.isoformat()
    counts = {"now": closed.count("in_force", "unconfirmed"), "later": closed.count("to_come"), "day": day}
    sentences = [both("maps_closed_line", **counts) if len(closed.states) else both("maps_no_bans", day=day)]
    unplaced = int(without_shape(next(iter(closed.streets.values()))).sum())
    if unplaced:
        sentences.append(both("maps_bans_unplaced", count=unplaced))
    if closed.undated_count:
        sentences.append(both("maps_bans_undated", count=closed.undated_count))
    return sentences


def alignment_words(inputs: Inputs) -> list[Both]:
    """Return what going together with projects brings, the last chances left, and how steady the plan is."""
    sentences: list[Both] = []
    found, steady = inputs.summary.get("alignment"), inputs.summary.get("stability")
    if isinstance(found, dict):
        facts = {"share": found["aligned_km_share"], "km": found["aligned_km"], "risk": found["more"]["risk"]}
        amounts = {"saving": (found["reinstatement_saved_cny"], False), "cost": (found["more"]["cost_cny"], True)}
        locked = found["locked_out_batch_count"]
        sentences.append(_with_money("maps_align_line", amounts, **facts, locked=locked))
    if inputs.last_chances is not None and filled(inputs.last_chances):
        chances = inputs.last_chances.drop_duplicates("segment_id")
        amounts = {"price": (float(chances["price_cny"].sum()), False)}
        leaks = float(chances["leaks_in_ban"].sum())
        sentences.append(_with_money("maps_last_line", amounts, count=len(chances), leaks=leaks))
    if isinstance(steady, dict):
        sentences.append(both("maps_core_line", **steady))
    return sentences


def _with_money(code: str, amounts: dict[str, tuple[float, bool]], **facts: object) -> Both:
    """Say amounts, each with whether its sign is told, in the unit of money of each language."""
    return {
        language: say(
            code,
            language,
            **facts,
            **{name: money(cny, language, 3, is_signed=signed) for name, (cny, signed) in amounts.items()},
        )
        for language in LANGUAGES
    }


def _plan_notices(inputs: Inputs) -> list[Both]:
    """Return what the plan itself could not place: mandatory batches beyond the budget, batches larger than a year."""
    sentences: list[Both] = alignment_words(inputs)
    mandatory, oversized = inputs.summary.get("mandatory"), inputs.summary.get("oversized")
    if isinstance(mandatory, dict) and mandatory.get("left_batch_count"):
        left = {"count": mandatory["left_batch_count"], "km": mandatory["left_km"]}
        sentences.append(both("maps_mandatory_left", **left))
    if isinstance(oversized, dict) and oversized.get("batch_count"):
        sentences.append(both("maps_oversized", count=oversized["batch_count"], km=oversized["km"]))
    return sentences


def made_from(inputs: Inputs) -> list[Both]:
    """Return out of which plan and under which scenario the plan was made."""
    told = {language: made_from_phrases(inputs.summary, language) for language in LANGUAGES}
    return [
        {language: phrase.say(language) for language, phrase in zip(told, phrases, strict=True)}
        for phrases in zip(*told.values(), strict=True)
    ]
