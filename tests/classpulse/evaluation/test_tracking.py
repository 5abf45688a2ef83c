from __future__ import annotations

import pytest

from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import EVENT_EFFECT_S, TrackingScore, score_tracking
from classpulse.simulation.ground_truth import GroundTruth, GroundTruthEvent
from tests.helpers.films import BOXES, film, frame, seen, watched


def score(truth: GroundTruth, *scripts: str) -> TrackingScore:
    return score_tracking(truth, watched(*scripts))


def test_a_perfect_result_has_perfect_scores() -> None:
    result = score(film("1111", "1111", "1111"), "aaaa", "bbbb", "cccc")
    assert (result.detection.recall, result.detection.precision) == (1.0, 1.0)
    assert (result.identity.idf1, result.identity.switches, result.identity.fragmentations) == (1.0, (), 0)
    assert (result.identity.students, result.identity.tracked) == (3, 3)
    assert (result.presence.absences, result.presence.reported_present, result.presence.error) == (0, 0, 0.0)
    assert result.frames == 4


def test_nothing_found_is_all_zeros() -> None:
    result = score(film("1111"), "....")
    assert (result.detection.recall, result.detection.precision) == (0.0, None)
    assert (result.identity.idf1, result.identity.tracked) == (0.0, 0)
    assert result.presence.error == 1.0


def test_faces_are_counted_by_their_size() -> None:
    result = score(film("1111", "1111", "1111"), "a..a", "bbbb", "....")
    sizes = {size.from_px: (size.faces, size.found) for size in result.detection.sizes if size.faces}
    assert sizes == {24: (4, 2), 48: (4, 4), 80: (4, 0)}
    assert result.detection.recall == pytest.approx(0.5)


def test_boxes_on_nobody_cost_precision() -> None:
    truth = film("11")
    looked = [frame(t / 2, seen(1, 0, BOXES[0]), seen(2, None, (400.0, 0.0, 440.0, 40.0))) for t in range(2)]
    result = score_tracking(truth, looked)
    assert (result.detection.boxes, result.detection.false_positives) == (4, 2)
    assert result.detection.precision == 0.5


def test_two_people_taken_for_one_another_are_two_switches() -> None:
    result = score(film("11111111", "11111111"), "aaaabbbb", "bbbbaaaa")
    assert result.identity.idf1 == 0.5
    assert [(one.media_s, one.student, one.event) for one in result.identity.switches] == [
        (2.0, 0, None),
        (2.0, 1, None),
    ]


def test_who_swapped_seats_must_keep_the_name() -> None:
    truth = film("111~3333", "111~2222", events=(GroundTruthEvent("swap", 1.0, 2.0, (0, 1)),))
    followed = score(truth, "aaa.bbbb", "bbb.aaaa")
    assert (followed.identity.idf1, followed.identity.switches) == (1.0, ())
    seated = score(truth, "aaa.aaaa", "bbb.bbbb")
    assert seated.identity.idf1 == pytest.approx(4 / 7)
    assert {one.event for one in seated.identity.switches} == {"swap"}


def test_an_event_is_the_cause_only_for_its_own_people_and_not_for_ever() -> None:
    def cause(*events: GroundTruthEvent) -> str | None:
        (switch,) = score(film("1" * 60, "0" * 60, events=events), "a" * 50 + "b" * 10).identity.switches
        return switch.event

    assert cause() is None
    assert cause(GroundTruthEvent("leave", 2.0, 24.0, (0,))) == "leave"
    assert cause(GroundTruthEvent("leave", 2.0, 24.0, (1,))) is None
    assert cause(GroundTruthEvent("pass", 2.0, 24.0, (1,))) == "pass"
    assert cause(GroundTruthEvent("leave", 2.0, 25.0 - EVENT_EFFECT_S - 0.1, (0,))) is None
    assert cause(GroundTruthEvent("leave", 26.0, 28.0, (0,))) is None


def test_who_is_on_the_way_or_hidden_is_neither_right_nor_wrong() -> None:
    truth = film("11~~hh11")
    for script in ("aaaaaaaa", "aa....aa"):
        result = score(truth, script)
        assert result.detection.recall == 1.0
        assert result.identity.idf1 == 1.0
        assert result.presence.error == 0.0


def test_an_absence_reported_as_presence_is_told() -> None:
    truth = film("1100001111", "1111111111")
    honest = score(truth, "aa....aaaa", "b" * 10)
    assert (honest.presence.absences, honest.presence.reported_present, honest.presence.error) == (1, 0, 0.0)
    merged = score(truth, "aaaaaaaaaa", "b" * 10)
    assert (merged.presence.absences, merged.presence.reported_present) == (1, 1)
    assert merged.presence.error == pytest.approx(4 / 20)


def test_somebody_else_on_the_seat_is_not_its_owner() -> None:
    truth = film("11000011", "00222200")
    merged = score(truth, "aaaaaaaa", "........")
    assert merged.presence.reported_present > 0
    told_apart = score(truth, "aabbbbaa", "........")
    assert told_apart.presence.reported_present == 0
    assert told_apart.identity.idf1 == 1.0


def test_one_followed_person_is_one_student_of_the_film_at_most() -> None:
    truth = film("11000011", "00222200")
    merged = score(truth, "aaaaaaaa", "........")
    # The visitor has nobody of their own: never reported, they are wrong while they are there, and their own
    # absences are no more believed to be presence than those of somebody who was never found.
    assert (merged.presence.absences, merged.presence.reported_present) == (3, 1)
    assert merged.presence.error == pytest.approx((4 + 4) / 16)


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        # The first was mostly a, but so was the second, for whom there is nobody else.
        ("aaaabbb...", ".......aaa", 7 + 3),
        # That somebody is left over makes them nobody whom they never were on.
        ("aaaaaaabbb", "..........", 3 + 10),
    ],
)
def test_who_is_followed_as_whom_is_told_of_all_together(first: str, second: str, wrong: int) -> None:
    result = score(film("1" * 10, "1" * 10), first, second)
    assert result.presence.error == pytest.approx(wrong / 20)


def test_lost_and_found_again_is_a_fragmentation() -> None:
    result = score(film("1" * 8), "aa..aa.a")
    assert result.identity.fragmentations == 2
    assert result.identity.switches == ()


def test_the_table_says_what_was_measured() -> None:
    truth = film("111~3333", "111~2222", events=(GroundTruthEvent("swap", 1.0, 2.0, (0, 1)),))
    text = tracking_table(score(truth, "aaa.aaaa", "bbb.bbbb"))
    assert "24 to 31" in text
    assert "IDF1 0.571" in text
    assert "taken for another: 2 times (2 after swap)" in text
    assert "0:02 student 1, swap" in text
    assert "0 of 0 absences" in text
