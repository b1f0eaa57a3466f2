"""What the verbs of the planner show on the terminal."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from registry.catalogue import CNY_PER_UNIT
from registry.fields import fields, value_list

_DEAREST = 10

if TYPE_CHECKING:
    import pandas as pd

    from registry.console import Session


def in_words(table: pd.DataFrame, listed: dict[str, str], language: str) -> pd.DataFrame:
    """Return the table with listed codes replaced by their words; `listed` gives column -> value list."""
    words = table.copy()
    for column, name in listed.items():
        labels = {code: value.label(language) for code, value in value_list(name).items()}
        words[column] = words[column].map(labels).fillna(table[column])
    return words


def show_scores(session: Session, classes: pd.DataFrame, grades: pd.DataFrame) -> None:
    """Print kilometres by class and by grade, each by tier."""
    headings = headings_of(session, "segment_count", "km")
    for table, column, listed in ((classes, "policy_class", "policy_class"), (grades, "grade", "risk_grade")):
        words = in_words(table, {column: listed, "tier": "tier"}, session.language)
        title = session.say("plan_title_classes" if column == "policy_class" else "plan_title_grades")
        session.table(words, {column: title, "tier": session.say("plan_heading_tier"), **headings}, title)


def show_risk(session: Session, media: pd.DataFrame, matrix: pd.DataFrame) -> None:
    """Print incidents and harm of a year by medium with their range, and the kilometres of each cell of the matrix."""
    unit = CNY_PER_UNIT[session.language]
    words = in_words(media, {"medium": "medium"}, session.language)
    for name, columns, scale in (
        ("incidents", "incidents{}_per_year", 1.0),
        ("harm", "harm{}_cny_per_year", unit),
    ):
        ends = [media[columns.format(end)] / scale for end in ("", "_low", "_high")]
        words[name] = [_ranged(session, *row) for row in zip(*ends, strict=True)]
    title = session.say("plan_title_incidents")
    medium = fields()["segments"]["medium"].label(session.language)
    headings = {"medium": medium} | headings_of(session, "km", "leaks_per_year", "incidents", "harm")
    session.table(words, headings, title)
    for _, cells in matrix.groupby(["medium", "tier"], sort=False):
        _show_matrix(session, cells)


def _show_matrix(session: Session, cells: pd.DataFrame) -> None:
    """Print the matrix of one network: likelihood downwards, the likeliest first, consequence to the right."""
    listed = {"matrix_grade": "risk_grade", "tier": "tier", "medium": "medium"}
    words = in_words(cells, listed, session.language)
    words["cell"] = [
        f"{km:,.1f} {grade}" if km else grade for km, grade in zip(words["km"], words["matrix_grade"], strict=True)
    ]
    table = words.pivot_table("cell", "likelihood_band", "consequence_band", aggfunc="first").iloc[::-1]
    bands = {f"c{band}": f"C{band}" for band in table.columns}
    table.columns = list(bands)
    table.insert(0, "p", [f"P{band}" for band in table.index])
    first = words.iloc[0]
    title = session.say("plan_title_matrix", medium=first["medium"], tier=first["tier"])
    # cells may be folded on a narrow terminal; without the label of its row no cell means anything
    session.table(table, {"p": "P"} | bands, title, whole=["p"])


def _ranged(session: Session, value: float, low: float, high: float) -> str:
    """Say a figure with its range, or a dash where it is not known."""
    if math.isnan(value):
        return "—"
    return session.say("plan_ranged", value=two_digits(value), low=two_digits(low), high=two_digits(high))


def two_digits(value: float) -> str:
    """Say a figure with two digits that count and without a power of ten."""
    if value == 0:
        return "0"
    places = 1 - math.floor(math.log10(abs(value)))
    return f"{round(value, places):,.{max(places, 0)}f}"


def told(table: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Return the rows of a table as plain values that JSON can hold: what is not known is null."""
    return table.astype("object").where(table.notna(), None).to_dict("records")


def show_kinds(session: Session, kinds: pd.DataFrame) -> None:
    """Print kilometres of overlap by kind of project."""
    words = in_words(kinds, {"project_kind": "project_kind", "tier": "tier"}, session.language)
    words["meets_years"] = [session.say("yes" if meets else "no") for meets in kinds["meets_years"]]
    pairs = fields()["pairs"]
    headings = {name: pairs[name].label(session.language) for name in ("project_kind", "meets_years")}
    headings["tier"] = session.say("plan_heading_tier")
    session.table(words, headings | headings_of(session, "pair_count", "km"), session.say("plan_title_kinds"))


def show_relations(session: Session, relations: pd.DataFrame) -> None:
    """Print pairs, kilometres and money by the relation of renewal and project in time."""
    unit = CNY_PER_UNIT[session.language]
    words = in_words(relations, {"relation": "time_relation"}, session.language)
    for column in ("saving", "at_stake"):
        words[column] = relations[f"{column}_cny"] / unit
    title = session.say("plan_title_relations")
    headings = {"relation": title} | headings_of(session, "pair_count", "km", "saving", "at_stake")
    session.table(words, headings, title)


def show_dearest(session: Session, table: pd.DataFrame) -> None:
    """Print the pairs with most at stake."""
    unit = CNY_PER_UNIT[session.language]
    shown = table[table["at_stake_cny"] > 0].head(_DEAREST)
    if shown.empty:
        return
    listed = {"relation": "time_relation", "verdict": "verdict"}
    words = in_words(shown, listed, session.language)
    words["verdict"] = words["verdict"].fillna("—")
    words["relation"] = _with_season(session, words["relation"], shown)
    words["at_stake"] = shown["at_stake_cny"] / unit
    words["best_year"] = shown["best_year"].astype("str")
    declared = fields()["overlap_table"]
    names = ("pair_id", "project_name", "relation", "overlap_m", "best_year", "verdict")
    headings = {name: declared[name].label(session.language) for name in names}
    session.table(words, headings | headings_of(session, "at_stake"), session.say("plan_title_dearest"))


def _with_season(session: Session, relations: pd.Series, table: pd.DataFrame) -> pd.Series:
    """Add to the relation of pairs that go together what the calendar leaves of their days, where it leaves none."""
    season = in_words(table, {"season": "season"}, session.language)["season"]
    is_doubtful = (table["relation"] == "together") & table["season"].isin(["closed", "unfiled"])
    said = [
        session.say("plan_season_note", relation=relation, season=word)
        for relation, word in zip(relations[is_doubtful], season[is_doubtful], strict=True)
    ]
    relations = relations.copy()
    relations[is_doubtful] = said
    return relations


def warn_of_seasons(session: Session, table: pd.DataFrame) -> dict[str, int]:
    """Say how many pairs go together on paper only: all days closed, or no longer to be filed."""
    seasons = table.loc[table["relation"] == "together", "season"].value_counts()
    counts = {name: int(seasons.get(name, 0)) for name in ("closed", "unfiled")}
    for name, count in counts.items():
        if count:
            session.warn(f"plan_pairs_{name}", count=count)
    return counts


def headings_of(session: Session, *names: str) -> dict[str, str]:
    """Return the heading of each column in the language of the reader."""
    return {name: session.say(f"plan_heading_{name}") for name in names}
