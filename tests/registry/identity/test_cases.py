"""What a surveyor would ask of the matching, case by case."""

from __future__ import annotations

from dataclasses import fields, replace

import pandas as pd
import pytest

from registry.catalogue import catalogue
from registry.errors import FrameError
from registry.identity import Matches, findings, match_census, read_identity_settings
from registry.identity.settings import IdentitySettings, read_model
from tests.registry.identity.streets import found_pairs, grid, pipes

LONG = [(0.0, 0.0), (100.0, 0.0)]


def beside(metres: float, start: float = 0.0, end: float = 100.0) -> list[tuple[float, float]]:
    """Return a course parallel to LONG."""
    return [(start, metres), (end, metres)]


def years(first: int, last: int | None) -> dict[str, object]:
    return {"installed_year_min": first, "installed_year_max": last}


def reasons(matches: Matches) -> dict[tuple[str, str], str | None]:
    table = matches.pairs
    said = [reason if isinstance(reason, str) else None for reason in table["reason"]]
    return dict(zip(zip(table["delivered_id"], table["known_id"], strict=True), said, strict=True))


def test_two_pipes_in_one_trench_are_told_apart_by_course_where_the_survey_is_good() -> None:
    # thirty pipes that kept their ids show how well the survey agrees
    others = {f"S{number}": beside(200.0 + 20.0 * number) for number in range(30)}
    known = pipes({"A": LONG, "B": beside(0.5)} | others)
    delivered = pipes({"X": beside(0.5), "Y": LONG} | others)
    matches = match_census(known, delivered)
    assert {pair for pair in found_pairs(matches) if pair[2] != "same"} == {
        ("X", "B", "renumbered"),
        ("Y", "A", "renumbered"),
    }
    assert not matches.pairs["is_doubtful"].any()


def test_one_pipe_surveyed_anew_among_copied_ones_is_not_lost() -> None:
    copied = {f"S{number}": beside(200.0 + 20.0 * number) for number in range(30)}
    known = pipes({"A": LONG} | copied, diameter_mm=200.0)
    matches = match_census(known, pipes({"N": beside(0.6)} | copied, diameter_mm=200.0))
    assert ("N", "A", "renumbered") in found_pairs(matches)


def test_equal_pipes_are_paired_in_the_order_of_their_ids() -> None:
    known, delivered = pipes(dict.fromkeys("BCA", LONG)), pipes(dict.fromkeys("ZXY", LONG))
    expected = {("X", "A", "renumbered"), ("Y", "B", "renumbered"), ("Z", "C", "renumbered")}
    assert found_pairs(match_census(known, delivered)) == expected


def test_two_pipes_in_one_trench_are_doubtful_where_nothing_tells_them_apart() -> None:
    known = pipes({"A": LONG, "B": beside(0.5)})
    delivered = pipes({"X": beside(0.2), "Y": beside(0.3)})
    matches = match_census(known, delivered)
    assert len(matches.pairs) == 2
    assert set(reasons(matches).values()) == {findings.RIVAL}
    assert matches.pairs["probability"].max() < 0.6


def test_two_pipes_in_one_trench_are_told_apart_by_what_they_are() -> None:
    known = pipes({"A": LONG, "B": beside(0.5)}, material=["steel", "pe80"], diameter_mm=[200.0, 110.0])
    delivered = pipes({"X": beside(0.2), "Y": beside(0.3)}, material=["pe80", "steel"], diameter_mm=[110.0, 200.0])
    matches = match_census(known, delivered)
    assert found_pairs(matches) == {("X", "B", "renumbered"), ("Y", "A", "renumbered")}
    assert not matches.pairs["is_doubtful"].any()


def test_ids_swapped_between_two_pipes_of_one_trench_go_to_review() -> None:
    known = pipes({"A": LONG, "B": beside(0.5)}, material=["steel", "pe80"], diameter_mm=[200.0, 110.0])
    delivered = pipes({"B": LONG, "A": beside(0.5)}, material=["steel", "pe80"], diameter_mm=[200.0, 110.0])
    matches = match_census(known, delivered)
    assert reasons(matches) == {("B", "A"): findings.ID_REUSED, ("A", "B"): findings.ID_REUSED}


def test_ids_swapped_between_the_mains_of_two_sides_go_to_review() -> None:
    known = pipes({"A": LONG, "B": beside(12.0)}, material="steel")
    delivered = pipes({"B": LONG, "A": beside(12.0)}, material="steel")
    matches = match_census(known, delivered)
    assert matches.pairs["is_doubtful"].all()
    assert {*matches.pairs["delivered_id"]} == {"A", "B"}


def test_mains_of_two_sides_with_new_ids_keep_their_sides() -> None:
    known = pipes({"A": LONG, "B": beside(12.0)})
    matches = match_census(known, pipes({"X": beside(12.3), "Y": beside(0.3)}))
    assert found_pairs(matches) == {("X", "B", "renumbered"), ("Y", "A", "renumbered")}
    assert not matches.pairs["is_doubtful"].any()


def test_a_pipe_that_moved_keeps_its_id() -> None:
    matches = match_census(pipes({"A": LONG}, material="steel"), pipes({"A": beside(8.0)}, material="steel"))
    row = matches.pairs.iloc[0]
    assert found_pairs(matches) == {("A", "A", "moved")}
    assert row["distance_m"] == pytest.approx(8.0)
    assert not row["is_doubtful"]
    assert row["share_of_known"] == row["share_of_delivered"] == 0.0


@pytest.mark.parametrize(("metres", "relation"), [(1.4, "same"), (1.6, "moved")])
def test_moved_begins_where_a_pipe_has_left_the_search_distance(metres: float, relation: str) -> None:
    assert found_pairs(match_census(pipes({"A": LONG}), pipes({"A": beside(metres)}))) == {("A", "A", relation)}


def test_an_id_that_lies_somewhere_else_altogether_goes_to_review() -> None:
    matches = match_census(pipes({"A": LONG}, material="steel"), pipes({"A": beside(4000.0)}, material="steel"))
    assert reasons(matches) == {("A", "A"): findings.ID_ELSEWHERE}
    assert matches.pairs["probability"].iloc[0] < 0.5


def test_an_id_given_to_another_pipe_does_not_take_the_old_one_with_it() -> None:
    known = pipes({"A": LONG, "B": beside(300.0)})
    matches = match_census(known, pipes({"A": beside(3000.0), "N": LONG, "B": beside(300.0)}))
    assert found_pairs(matches) == {("N", "A", "renumbered"), ("B", "B", "same")}
    assert reasons(matches)["N", "A"] == findings.ID_REUSED
    assert matches.new.to_dict("list") == {"delivered_id": ["A"], "reason": [findings.ID_REUSED]}
    assert matches.gone.empty


@pytest.mark.parametrize("delivered_id", ["A", "N"])
def test_one_corrected_attribute_does_not_break_what_the_course_settles(delivered_id: str) -> None:
    was = {"material": "steel", "diameter_mm": 200.0, "installed_year_min": 1990, "installed_year_max": 1990}
    for change in (
        {"material": "pe80"},
        {"diameter_mm": 110.0},
        {"installed_year_min": 1975, "installed_year_max": 1975},
    ):
        matches = match_census(pipes({"A": LONG}, **was), pipes({delivered_id: beside(0.3)}, **(was | change)))
        assert len(matches.pairs) == 1, change
        assert not matches.pairs["is_doubtful"].iloc[0], change
        assert matches.pairs["attribute_agreement"].iloc[0] == pytest.approx(2 / 3)


def test_another_pipe_laid_in_the_old_course_is_no_sure_match() -> None:
    old = pipes({"A": LONG}, material="grey_iron", diameter_mm=200.0, installed_year_min=1975, installed_year_max=1975)
    laid = pipes({"N": LONG}, material="pe100", diameter_mm=110.0, installed_year_min=2026, installed_year_max=2026)
    matches = match_census(old, laid)
    assert matches.pairs.empty or matches.pairs["is_doubtful"].all()


def test_gas_is_never_matched_to_water() -> None:
    matches = match_census(pipes({"A": LONG}, medium="gas"), pipes({"N": LONG}, medium="water"))
    assert matches.pairs.empty
    assert (len(matches.new), len(matches.gone)) == (1, 1)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreement"),
    [
        ({"material": "cast_iron"}, {"material": "grey_iron"}, None),
        ({"material": "grey_iron"}, {"material": "ductile_iron"}, 0.0),
        ({"material": "unknown"}, {"material": "steel"}, None),
        ({"diameter_mm": 150.0}, {"diameter_mm": 160.0}, None),
        ({"diameter_mm": 200.0}, {"diameter_mm": 203.0}, 1.0),
        ({"diameter_mm": 200.0}, {"diameter_mm": 250.0}, 0.0),
        ({"street_name": "Main Street"}, {"street_name": " main street"}, 1.0),
        (years(1980, 1985), years(1983, 1990), 1.0),
        (years(1950, 2020), years(1983, 1983), None),
        (years(1980, 1985), years(1987, 1990), None),
        (years(1980, 1985), years(1988, 1990), 0.0),
        (years(2000, None), years(1980, 1990), 0.0),
    ],
)
def test_attributes_agree_differ_or_say_nothing(
    ours: dict[str, object], theirs: dict[str, object], agreement: float | None
) -> None:
    matches = match_census(pipes({"A": LONG}, **ours), pipes({"A": LONG}, **theirs))
    said = matches.pairs["attribute_agreement"].iloc[0]
    assert pd.isna(said) if agreement is None else said == agreement


def test_a_split_is_found_as_such_also_when_one_piece_keeps_the_id() -> None:
    known = pipes({"A": LONG})
    for first in ("A", "N1"):
        matches = match_census(known, pipes({first: beside(0.2, 0.0, 40.0), "N2": beside(0.1, 40.5, 100.0)}))
        assert found_pairs(matches) == {(first, "A", "split"), ("N2", "A", "split")}
        assert not matches.pairs["is_doubtful"].any()
        assert matches.pairs["share_of_known"].sum() == pytest.approx(1.0, abs=0.04)


def test_a_short_piece_cut_off_the_end_is_a_split() -> None:
    matches = match_census(pipes({"A": LONG}), pipes({"N": beside(0.0, 0.0, 94.0), "M": beside(0.0, 94.0, 100.0)}))
    assert found_pairs(matches) == {("N", "A", "split"), ("M", "A", "split")}


def test_pieces_that_leave_a_gap_or_lie_on_each_other_are_no_split() -> None:
    known = pipes({"A": LONG})
    for pieces in ((0.0, 40.0, 60.0, 100.0), (0.0, 60.0, 40.0, 100.0), (10.0, 40.0, 40.0, 85.0)):
        first, last = beside(0.0, *pieces[:2]), beside(0.0, *pieces[2:])
        matches = match_census(known, pipes({"N": first, "M": last}))
        assert matches.pairs.empty, pieces


def test_pieces_go_with_those_they_meet() -> None:
    known = pipes({"A": LONG, "B": beside(0.0)})
    delivered = pipes(
        {
            "W": beside(0.0, 0.0, 50.0),
            "X": beside(0.0, 51.5, 100.0),
            "Y": beside(0.0, 0.0, 51.5),
            "Z": beside(0.0, 50.0, 100.0),
        }
    )
    groups = match_census(known, delivered).pairs.groupby("known_id")["delivered_id"].agg(set).tolist()
    assert sorted(map(sorted, groups)) == [["W", "Z"], ["X", "Y"]]


def test_a_merge_is_found_as_such() -> None:
    known = pipes({"A": beside(0.0, 0.0, 30.0), "B": beside(0.0, 30.0, 70.0), "C": beside(0.0, 70.0, 100.0)})
    matches = match_census(known, pipes({"N": beside(0.2)}))
    assert found_pairs(matches) == {("N", name, "merged") for name in "ABC"}
    assert not matches.pairs["is_doubtful"].any()


def test_a_split_of_one_of_two_equal_pipes_is_doubtful() -> None:
    known = pipes({"A": LONG, "B": LONG})
    delivered = pipes({"X": LONG, "Y": beside(0.0, 0.0, 50.0), "Z": beside(0.0, 50.0, 100.0)})
    matches = match_census(known, delivered)
    assert len(matches.pairs) == 3
    assert set(reasons(matches).values()) == {findings.RIVAL}


def test_a_merge_of_one_of_two_equal_pipes_is_doubtful() -> None:
    known = pipes({"A": beside(0.0, 0.0, 50.0), "B": beside(0.0, 0.0, 50.0), "C": beside(0.0, 50.0, 100.0)})
    matches = match_census(known, pipes({"N": LONG, "X": beside(0.0, 0.0, 50.0)}))
    assert len(matches.pairs) == 3
    assert matches.pairs["is_doubtful"].all()


def test_a_split_and_a_merge_on_one_course_are_no_renumbering() -> None:
    known = pipes({"A": LONG, "B": beside(0.0, 0.0, 50.0), "C": beside(0.0, 50.0, 100.0)})
    matches = match_census(known, pipes({"N": LONG, "X": beside(0.0, 0.0, 30.0), "Y": beside(0.0, 30.0, 100.0)}))
    assert found_pairs(matches) == {
        ("X", "A", "split"),
        ("Y", "A", "split"),
        ("N", "B", "merged"),
        ("N", "C", "merged"),
    }


def test_a_merge_is_doubtful_where_its_equal_was_split() -> None:
    half, rest = beside(0.0, 0.0, 50.0), beside(0.0, 50.0, 100.0)
    known = pipes({"A": half, "B": half, "C": rest})
    matches = match_census(known, pipes({"N": LONG, "X": beside(0.0, 0.0, 25.0), "Y": beside(0.0, 25.0, 50.0)}))
    assert {relation for _, _, relation in found_pairs(matches)} == {"split", "merged"}
    assert matches.pairs["is_doubtful"].all()


def test_of_three_pipes_that_nothing_tells_apart_each_pair_has_a_third() -> None:
    known, delivered = pipes(dict.fromkeys("ABC", LONG)), pipes(dict.fromkeys("XYZ", LONG))
    matches = match_census(known, delivered)
    assert matches.pairs["probability"].tolist() == pytest.approx([1 / 3] * 3, abs=0.01)


def test_a_pipe_of_the_same_id_that_became_much_shorter_goes_to_review() -> None:
    matches = match_census(pipes({"A": LONG}), pipes({"A": beside(0.0, 0.0, 50.0)}))
    assert found_pairs(matches) == {("A", "A", "same")}
    assert reasons(matches) == {("A", "A"): findings.EXTENT}


def test_pipes_that_only_touch_or_cross_are_never_one() -> None:
    known = pipes({"A": LONG})
    delivered = pipes({"N": [(100.0, 0.0), (200.0, 0.0)], "M": [(50.0, -50.0), (50.0, 50.0)]})
    assert match_census(known, delivered).pairs.empty


def test_a_stricter_threshold_sends_more_to_review() -> None:
    known, delivered = pipes({"A": LONG}), pipes({"N": beside(0.2)})
    strict = replace(read_identity_settings(), sure_probability=0.999)
    assert not match_census(known, delivered).pairs["is_doubtful"].any()
    assert reasons(match_census(known, delivered, strict)) == {("N", "A"): findings.EVIDENCE}


def test_nothing_can_be_matched_to_nothing() -> None:
    known = grid(1, 1)
    matches = match_census(known, known.iloc[:0])
    assert (len(matches.pairs), len(matches.new), len(matches.gone)) == (0, 0, len(known))
    assert len(match_census(known.iloc[:0], known).new) == len(known)


def test_two_coordinate_systems_are_refused() -> None:
    known = pipes({"A": LONG})
    with pytest.raises(FrameError, match="EPSG:4549"):
        match_census(known, known.set_crs("EPSG:4548", allow_override=True))


def test_every_weight_says_where_it_is_from() -> None:
    model = read_model()
    entries = [*model["numbers"].values(), *model["attributes"]]
    assert {entry["confidence"] for entry in entries} <= {"sourced", "memory", "derived"}
    assert all(entry["source"] for entry in entries)
    assert {field.name for field in fields(IdentitySettings)} == {*model["numbers"], "attributes", "version"}


def test_every_reason_has_words() -> None:
    codes = {value for name, value in vars(findings).items() if name.isupper()}
    assert len(codes) == 5
    assert {code for code in catalogue() if code.startswith("identity_")} == codes | {"identity_crs_differ"}
