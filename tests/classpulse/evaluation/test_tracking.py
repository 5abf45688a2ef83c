from __future__ import annotations

import pytest

from classpulse.evaluation.table import tracking_table
from classpulse.evaluation.tracking import EVENT_EFFECT_S, TrackingScore, score_tracking
from classpulse.simulation.ground_truth import GroundTruth, GroundTruthEvent
from tests.helpers.scripted import BOXES, frame_result, scripted_results, scripted_truth, tracked_face


def score(truth: GroundTruth, *scripts: str) -> TrackingScore:
    return score_tracking(truth, scripted_results(*scripts))


def test_score_tracking_perfect_result() -> None:
    result = score(scripted_truth("1111", "1111", "1111"), "aaaa", "bbbb", "cccc")
    assert (result.detection.recall, result.detection.precision) == (1.0, 1.0)
    assert (result.identity.idf1, result.identity.switches, result.identity.fragmentations) == (1.0, (), 0)
    assert (result.identity.students, result.identity.tracked) == (3, 3)
    assert (result.presence.absences, result.presence.reported_present, result.presence.error) == (0, 0, 0.0)
    assert result.frames == 4


def test_score_tracking_nothing_found() -> None:
    result = score(scripted_truth("1111"), "....")
    assert (result.detection.recall, result.detection.precision) == (0.0, None)
    assert (result.identity.idf1, result.identity.tracked) == (0.0, 0)
    assert result.presence.error == 1.0


def test_detection_recall_by_size() -> None:
    result = score(scripted_truth("1111", "1111", "1111"), "a..a", "bbbb", "....")
    sizes = {size.from_px: (size.faces, size.found) for size in result.detection.sizes if size.faces}
    assert sizes == {24: (4, 2), 48: (4, 4), 80: (4, 0)}
    assert result.detection.recall == pytest.approx(0.5)


def test_detection_false_positives_reduce_precision() -> None:
    truth = scripted_truth("11")
    results = [
        frame_result(t / 2, tracked_face(1, 0, BOXES[0]), tracked_face(2, None, (400.0, 0.0, 440.0, 40.0)))
        for t in range(2)
    ]
    result = score_tracking(truth, results)
    assert (result.detection.boxes, result.detection.false_positives) == (4, 2)
    assert result.detection.precision == 0.5


def test_identity_exchanged_students_are_two_switches() -> None:
    result = score(scripted_truth("11111111", "11111111"), "aaaabbbb", "bbbbaaaa")
    assert result.identity.idf1 == 0.5
    assert [(switch.media_s, switch.student, switch.event) for switch in result.identity.switches] == [
        (2.0, 0, None),
        (2.0, 1, None),
    ]


def test_identity_after_a_seat_swap() -> None:
    truth = scripted_truth("111~3333", "111~2222", events=(GroundTruthEvent("swap", 1.0, 2.0, (0, 1)),))
    tracked = score(truth, "aaa.bbbb", "bbb.aaaa")
    assert (tracked.identity.idf1, tracked.identity.switches) == (1.0, ())
    seated = score(truth, "aaa.aaaa", "bbb.bbbb")
    assert seated.identity.idf1 == pytest.approx(4 / 7)
    assert {switch.event for switch in seated.identity.switches} == {"swap"}


def test_switch_cause_is_a_recent_event_of_the_student() -> None:
    def cause(*events: GroundTruthEvent) -> str | None:
        (switch,) = score(
            scripted_truth("1" * 60, "0" * 60, events=events), "a" * 50 + "b" * 10
        ).identity.switches
        return switch.event

    assert cause() is None
    assert cause(GroundTruthEvent("leave", 2.0, 24.0, (0,))) == "leave"
    assert cause(GroundTruthEvent("leave", 2.0, 24.0, (1,))) is None
    assert cause(GroundTruthEvent("pass", 2.0, 24.0, (1,))) == "pass"
    assert cause(GroundTruthEvent("leave", 2.0, 25.0 - EVENT_EFFECT_S - 0.1, (0,))) is None
    assert cause(GroundTruthEvent("leave", 26.0, 28.0, (0,))) is None


def test_score_tracking_ignores_unsettled_and_hidden_students() -> None:
    truth = scripted_truth("11~~hh11")
    for script in ("aaaaaaaa", "aa....aa"):
        result = score(truth, script)
        assert result.detection.recall == 1.0
        assert result.identity.idf1 == 1.0
        assert result.presence.error == 0.0


def test_presence_absence_reported_as_present() -> None:
    truth = scripted_truth("1100001111", "1111111111")
    honest = score(truth, "aa....aaaa", "b" * 10)
    assert (honest.presence.absences, honest.presence.reported_present, honest.presence.error) == (1, 0, 0.0)
    merged = score(truth, "aaaaaaaaaa", "b" * 10)
    assert (merged.presence.absences, merged.presence.reported_present) == (1, 1)
    assert merged.presence.error == pytest.approx(4 / 20)


def test_presence_visitor_on_the_seat_is_another_student() -> None:
    truth = scripted_truth("11000011", "00222200")
    merged = score(truth, "aaaaaaaa", "........")
    assert merged.presence.reported_present > 0
    separate = score(truth, "aabbbbaa", "........")
    assert separate.presence.reported_present == 0
    assert separate.identity.idf1 == 1.0


def test_presence_tracked_student_matches_one_student() -> None:
    truth = scripted_truth("11000011", "00222200")
    merged = score(truth, "aaaaaaaa", "........")
    # No tracked student is left for the visitor: its presence is never reported and thus wrong, and its
    # absences are not reported as present.
    assert (merged.presence.absences, merged.presence.reported_present) == (3, 1)
    assert merged.presence.error == pytest.approx((4 + 4) / 16)


@pytest.mark.parametrize(
    ("first", "second", "wrong"),
    [
        # The first is mostly a, but so is the second, for which no other tracked student is left.
        ("aaaabbb...", ".......aaa", 7 + 3),
        # A tracked student that is left over is not assigned to a student it never overlapped.
        ("aaaaaaabbb", "..........", 3 + 10),
    ],
)
def test_presence_matching_is_globally_optimal(first: str, second: str, wrong: int) -> None:
    result = score(scripted_truth("1" * 10, "1" * 10), first, second)
    assert result.presence.error == pytest.approx(wrong / 20)


def test_identity_fragmentations() -> None:
    result = score(scripted_truth("1" * 8), "aa..aa.a")
    assert result.identity.fragmentations == 2
    assert result.identity.switches == ()


def test_tracking_table_lists_scores_and_switches() -> None:
    truth = scripted_truth("111~3333", "111~2222", events=(GroundTruthEvent("swap", 1.0, 2.0, (0, 1)),))
    text = tracking_table(score(truth, "aaa.aaaa", "bbb.bbbb"))
    assert "24 to 31" in text
    assert "IDF1 0.571" in text
    assert "identity switches: 2 (2 after swap)" in text
    assert "0:02 student 1, swap" in text
    assert "0 of 0 absences" in text
