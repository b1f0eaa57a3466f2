"""Late work in sentences: what is late, what stood in its way year by year, and what would help."""

from __future__ import annotations

import math
from typing import Any, Final

import pandas as pd

from registry.catalogue import CNY_PER_UNIT, say
from registry.fields import value_list

_METRES_PER_KM: Final = 1000.0
_NO_NUMBER: Final = "—"
_BANS: Final = ("ban", "coming_ban")
# a unit of ten thousand needs fewer than one of a million
_PLACES: Final = {"zh": 2, "en": 3}


def late_in_words(
    work: pd.DataFrame, years: pd.DataFrame, batches: pd.DataFrame, batch_segments: pd.DataFrame, language: str
) -> pd.Series:
    """Return by segment what there is to say of it, worst first; segments of one batch with one story share a text.

    `work` and `years` are the frames `late_work` and `late_years`, the others those of the same plan.
    """
    if work.empty:
        return pd.Series([], pd.Index([], dtype="str", name="segment_id"), dtype="str", name="text")
    stories = _stories(years, language)
    table = work.assign(
        batch_id=batch_segments["batch_id"].reindex(work.index).array,
        story=stories.reindex(work.index).fillna("").array,
    )
    table["label"] = batches["label"].reindex(table["batch_id"]).replace(_NO_NUMBER, pd.NA).array
    table["label"] = table["label"].fillna(say("plan_late_unnamed", language))
    table["options"] = [_options(row, language) for row in table.to_dict("records")]
    keys = ["batch_id", "policy_class", "due_year", "year", "story", "options"]
    table["case"] = table.groupby(keys, dropna=False, sort=False).ngroup()
    table["metre_years"] = table["late_years"] * table["length_m"]
    # a case has one class, so that the first stands for all
    badness = table.groupby("case").agg(policy_class=("policy_class", "first"), metre_years=("metre_years", "sum"))
    badness["is_mandatory"] = badness["policy_class"] == "mandatory"
    order = badness.reset_index().sort_values(["is_mandatory", "metre_years", "case"], ascending=[False, False, True])
    cases = dict(iter(table.sort_index().groupby("case")))
    texts = [pd.Series(_text(cases[case], language), cases[case].index) for case in order["case"]]
    return pd.concat(texts).astype("str").rename("text")


def _stories(years: pd.DataFrame, language: str) -> pd.Series:
    told = [
        say("plan_late_year", language, year=row["year"], rules=_rules(row, language))
        for row in years.to_dict("records")
    ]
    joint = say("plan_late_joint", language)
    by_segment = pd.Series(told, years.index, dtype="str").groupby(years["segment_id"]).agg(joint.join)
    return by_segment.map(lambda text: say("plan_late_years", language, years=text))


def _rules(row: dict[Any, Any], language: str) -> str:
    words: list[str] = []
    for rule in str(row["rules"]).split("|"):
        facts = {"missing": _money(row["missing_cny"], language), "bans": "", "until": ""}
        code = f"plan_late_rule_{rule}"
        if rule in _BANS and not pd.isna(row["bans"]):
            code = "plan_late_rule_ban_open" if pd.isna(row["closed_until"]) else "plan_late_rule_ban_until"
            facts["bans"] = ban_words(str(row["bans"]), language)
            facts["until"] = f"{row['closed_until']:%Y-%m-%d}" if code.endswith("until") else ""
        words.append(say(code, language, **facts))
    return say("plan_late_and", language).join(words)


def _options(row: dict[Any, Any], language: str) -> str:
    found: list[str] = []
    if not pd.isna(row["extra_cny"]):
        missing = _money(row["extra_cny"], language)
        found.append(say("plan_late_option_money", language, missing=missing, year=row["extra_year"]))
    if not pd.isna(row["open_year"]):
        rules = str(row["open_rules"]).split("|")
        if set(rules) & set(_BANS):
            has_names = not pd.isna(row["open_bans"])
            bans = ban_words(str(row["open_bans"]), language) if has_names else ""
            code = "plan_late_option_bans" if has_names else "plan_late_option_ban"
            found.append(say(code, language, bans=bans, year=row["open_year"]))
        if "decision" in rules:
            found.append(say("plan_late_option_decision", language, year=row["open_year"]))
    if not found:
        return say("plan_late_no_option", language)
    if not pd.isna(row["year"]):
        found.append(say("plan_late_option_wait", language, year=row["year"]))
    return say("plan_late_options", language, options=say("plan_late_joint", language).join(found))


def _text(rows: pd.DataFrame, language: str) -> str:
    first = rows.iloc[0]
    code = "plan_late_segment" if len(rows) == 1 else "plan_late_segments"
    classes = value_list("policy_class")
    head = say(
        "plan_late_left" if pd.isna(first["year"]) else "plan_late_done",
        language,
        label=first["label"],
        km=f"{rows['length_m'].sum() / _METRES_PER_KM:,.2f}",
        policy_class=classes[first["policy_class"]].label(language),
        segments=say(code, language, segment=rows.index[0], count=len(rows) - 1),
        due_year=first["due_year"],
        year=first["year"],
        late=first["late_years"],
    )
    return ("" if language == "zh" else " ").join(filter(None, [head, first["story"], first["options"]]))


def ban_words(bans: str, language: str) -> str:
    """Name bans by what they are known from: the kind and the id of their sources, each once."""
    kinds = value_list("ban_source")
    named: list[str] = []
    for ban in bans.split("|"):
        kind, _, rest = ban.partition(":")
        source = rest if kind == "moratorium" else rest.rpartition(":")[0]
        named.append(f"{kinds[kind].label(language)} {source}" if kind in kinds else ban)
    return say("plan_late_and", language).join(dict.fromkeys(named))


def _money(cny: Any, language: str) -> str:  # noqa: ANN401 - a number or nothing
    """Say an amount, rounded up: what is said has to suffice."""
    if pd.isna(cny):
        return _NO_NUMBER
    places = _PLACES[language]
    return f"{math.ceil(float(cny) / CNY_PER_UNIT[language] * 10**places) / 10**places:,.{places}f}"
