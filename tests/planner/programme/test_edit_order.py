"""The order of works in edited plans: what is told to come too early is what the independent checker finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from planner.edit_effects import edit_effects
from planner.edit_order import out_of_order
from planner.limits import Limits
from planner.plan_edit import Draft, Edit, Source, edit_plan
from planner.verify_plan import PlanView
from planner.verify_years import check_precedence
from registry.errors import Phrase
from tests.planner.programme.test_edit_limits import YEARS, Made, made_of, some_edits

TRIALS = 40
# a batch, its year, the batch that goes first and the year of that
Early = tuple[str, int, str, int | None]


@pytest.fixture(scope="module")
def made() -> Made:
    return made_of(Limits(YEARS, (240e3, 300e3, 180e3, 400e3)), 2)


def order_of(pairs: Iterable[tuple[str, str]]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["first_id", "then_id"], dtype="str")


def leads(draft: Draft, source: Source, candidates: set[str]) -> dict[tuple[str, str], int]:
    """By pair that is out of order by how many years, what is left out being done after the last one."""
    placed = set(draft.batch_segments.index[draft.batch_segments["year"].notna()])
    awaited = source.order[[first in candidates or first in placed for first in source.order["first_id"]]]
    plan = PlanView(source.segments, draft.batches, draft.batch_segments)
    return {
        (str(one.place), str(one.segment_id)): (YEARS.stop if one.value is None else int(one.value))
        - int(one.year or 0)
        for one in check_precedence(plan, awaited)
    }


def early(before: Draft, after: Draft, source: Source, candidates: set[str]) -> set[Early]:
    was, now = leads(before, source, candidates), leads(after, source, candidates)
    batch, year = after.batch_segments["batch_id"].to_dict(), after.batch_segments["year"].to_dict()
    found: set[Early] = set()
    for (first, then), lead in now.items():
        if lead > was.get((first, then), 0):
            at = None if pd.isna(year[first]) else int(year[first])
            found.add((batch[then], int(year[then]), batch[first], at))
    return found


def told_in(breaches: list[Phrase]) -> set[Early]:
    facts = [one.parameters for one in breaches]
    return {
        (
            str(one["batch"]),
            int(str(one["year"])),
            str(one["first"]),
            int(str(one["first_year"])) if "first_year" in one else None,
        )
        for one in facts
    }


def test_what_comes_too_early_is_what_the_checker_finds(made: Made, rng: np.random.Generator) -> None:
    candidates = {str(one) for one in made.plan.reasons.index}
    seen: set[str] = set()
    unheld = 0
    for _ in range(TRIALS):
        ids = rng.choice(made.source.segments.index, (25, 2))
        source = replace(made.source, order=order_of({(str(one), str(other)) for one, other in ids if one != other}))
        before = made.draft if rng.random() < 0.5 else some_edits(made.draft, source, rng)
        after = some_edits(before, source, rng)
        breaches = out_of_order(before, after, source)
        assert told_in(breaches) == early(before, after, source, candidates)
        assert len(breaches) == len(told_in(breaches))
        seen |= {one.code for one in breaches}
        unheld += len(leads(after, source, candidates)) > 0 and not breaches
        assert out_of_order(after, after, source) == []
        for breach in breaches:
            for language in ("en", "zh"):
                assert not set(breach.say(language)) & set("{}")
    assert seen == {"plan_breach_order", "plan_breach_order_left"}
    assert unheld


def test_a_branch_is_told_where_its_main_goes_later_or_stays_out(made: Made) -> None:
    placed = made.draft.batches["year"].dropna().astype(int)
    year = YEARS[1]
    main, branch = (str(name) for name in placed.index[:2])
    both, _ = edit_plan(made.draft, [Edit("move", (main,), year), Edit("move", (branch,), year)], made.source)
    members = both.batch_segments["batch_id"]
    pairs = [(str(a), str(b)) for a in members.index[members == main] for b in members.index[members == branch]]
    source = replace(made.source, order=order_of(pairs))
    # in one year they are in order, and so is the main before
    for edit, codes in (
        (Edit("move", (main,), year - 1), set()),
        (Edit("drop", (branch,)), set()),
        (Edit("move", (main,), year + 1), {"plan_breach_order"}),
        (Edit("move", (branch,), year - 1), {"plan_breach_order"}),
        (Edit("drop", (main,)), {"plan_breach_order_left"}),
    ):
        after, _ = edit_plan(both, [edit], source)
        told = [one for one in edit_effects(both, after, source).breaches if "order" in one.code]
        assert {one.code for one in told} == codes
        assert len(told) == len(codes)
        assert all((one.parameters["batch"], one.parameters["first"]) == (branch, main) for one in told)


def test_what_was_no_candidate_keeps_nobody_waiting_until_it_is_planned(made: Made) -> None:
    stranger = str(made.source.segments.index.difference(made.plan.reasons.index)[0])
    members = made.draft.batch_segments
    then = str(members.index[members["year"].isna()][0])
    source = replace(made.source, order=order_of([(stranger, then)]))
    alone, _ = edit_plan(made.draft, [Edit("add", (then,), 2028)], source)
    assert out_of_order(made.draft, alone, source) == []
    later, _ = edit_plan(alone, [Edit("add", (stranger,), 2029)], source)
    (breach,) = out_of_order(alone, later, source)
    assert (breach.code, breach.parameters["first_year"]) == ("plan_breach_order", 2029)
    added = str(later.batch_segments["batch_id"][stranger])
    out, _ = edit_plan(later, [Edit("drop", (added,))], source)
    assert out_of_order(later, out, source) == []
