"""Where a joint dig saves most: the pairs of a meeting in the words of the reader, their places and their sums."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from maps.inputs import Inputs
from planner.advice import pair_advice
from planner.overlap_table import by_street
from registry.catalogue import say
from registry.fields import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

_JOINING: Final = ("together", "race", "near_miss")
_DAYS: Final = ("due_from", "locked_from", "locked_until")


@dataclass(frozen=True)
class Stake:
    """What is at stake over all pairs: their number, their sum, and the sum where each segment can join only once."""

    pair_count: int
    at_stake_cny: float
    once_cny: float


def pair_rows(inputs: Inputs, language: str) -> pd.DataFrame | None:
    """Return the pairs with most at stake first: the frame `report_pairs`, None where no amounts are stored."""
    if inputs.meeting is None:
        return None
    table = inputs.meeting.copy()
    closed = inputs.closed
    rules, exceptions = (closed.rules, closed.exceptions) if closed is not None else ({}, {})
    table["rank"] = pd.array(np.arange(1, len(table) + 1), dtype="Int64")
    table["rule"] = _mapped(table["rule_code"], lambda code: _named(rules, code, language))
    table["exceptions"] = _mapped(
        table["exceptions"], lambda codes: "; ".join(_named(exceptions, code, language) for code in codes.split("|"))
    )
    table["advice"] = advice_sentences(inputs.meeting, language, has_plan=inputs.has_plan)
    return table[columns_of("report_pairs")]


def _mapped(values: pd.Series, words: Callable[[str], str]) -> pd.Series:
    """Put each text into words; what is missing or empty is missing."""
    known = {text: words(text) for text in values.dropna().unique() if text}
    return values.map(known).astype("str")


def _named(words: Mapping[str, Mapping[str, str]], code: str, language: str) -> str:
    named = words.get(code)
    return named[language] if named else code


def advice_sentences(table: pd.DataFrame, language: str, *, has_plan: bool) -> pd.Series:
    """Return the advice of each row of the frame `overlap_table` as a few sentences; missing without a relation.

    Where the two could go together and there is a plan, it says whether the plan lets them.
    """
    advised = pair_advice(table)
    could_join = (advised["advice"].isin(_JOINING) & has_plan).to_numpy(dtype=bool)
    year = table["plan_year"]
    is_absent = year.isna().to_numpy(dtype=bool)
    is_outside = (year < table["project_from"].dt.year) | (year > table["project_until"].dt.year)
    is_outside = is_outside.fillna(value=False).to_numpy(dtype=bool)
    rows = table.assign(
        advice=advised["advice"],
        move=advised["move"],
        plan=np.select([could_join & is_absent, could_join & is_outside], ["unplanned", "planned"], default=""),
        **{name: table[name].dt.strftime("%Y-%m-%d").astype("object") for name in _DAYS},
    )
    return pd.Series([_sentence(row, language) for row in rows.to_dict("records")], table.index, dtype="str")


def _sentence(row: Mapping[Hashable, Any], language: str) -> str | None:
    if pd.isna(row["advice"]):
        return None
    unknown = say("maps_date_open", language)
    facts = {str(name): unknown if pd.isna(row[name]) else row[name] for name in (*_DAYS, "best_year")}
    facts["gap"] = 0 if pd.isna(row["gap_days"]) else row["gap_days"]
    said = say(f"maps_advice_{row['advice']}", language, **facts)
    sentences = [said]
    if not pd.isna(row["move"]):
        owner = say("maps_the_owner", language) if pd.isna(row["owner"]) else row["owner"]
        sentences.append(say(f"maps_move_{row['move']}", language, days=facts["gap"], owner=owner))
    if row["plan"]:
        sentences.append(say(f"maps_advice_{row['plan']}", language, year=row["plan_year"]))
    return ("" if language == "zh" else " ").join(sentences)


def closed_rows(inputs: Inputs, language: str, *, is_quoted: bool) -> pd.DataFrame | None:
    """Return the streets under a dig ban, in force first, by last forbidden day: the frame `report_closed`.

    The exceptions are quoted or named only. None where the rules of the bans are not known.
    """
    if inputs.closed is None:
        return None
    table = pd.DataFrame(inputs.closed.streets[language].drop(columns="geometry"))
    states = inputs.closed.states
    table["state"] = states.map({code: say(f"maps_ban_{code}", language) for code in states.unique()}).astype("str")
    if not is_quoted:
        names = inputs.closed.exceptions
        table["exceptions"] = _mapped(
            inputs.closed.codes, lambda codes: "; ".join(_named(names, code, language) for code in codes.split("|"))
        )
    return table[columns_of("report_closed")].reset_index(drop=True)


def place_rows(meeting: pd.DataFrame, language: str) -> pd.DataFrame:
    """Sum up the pairs by street, or by compound where no street is known: the frame `report_places`.

    A street and a compound of one name would be one place.
    """
    neither = say("maps_place_neither", language)
    place = meeting["street_name"].fillna(meeting["compound_name"]).fillna(neither)
    places = by_street(meeting.assign(street_name=place))
    return places.rename(columns={"street_name": "place"})[columns_of("report_places")]


def stake_of(meeting: pd.DataFrame) -> Stake:
    """Sum up what is at stake; a segment inside several projects is renewed once, so with its dearest pair at most."""
    dear = meeting[meeting["at_stake_cny"] > 0]
    dearest = dear.groupby("segment_id")["at_stake_cny"].max()
    return Stake(len(dear), float(dear["at_stake_cny"].sum()), float(dearest.sum()))
