from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reports
from db.records import ONLINE_SOURCE, TimelineBin
from model.emotions import Emotion
from reports.flags.attention import AttentionFlagSettings, decide_attention_flags
from reports.timeline.classroom import class_timeline
from reports.timeline.student import NO_EXPRESSION, build_session_grid, build_student_timelines

scripts = st.lists(st.text(alphabet="adfhsun.?<", min_size=6, max_size=6), min_size=1, max_size=8)


def test_timeline_places_bins_on_grid(lessons):
    line = lessons.timeline("sh.?n")
    assert line.grid.start_s.tolist() == [0, 5, 10, 15, 20]
    assert line.seen_s.tolist() == [5, 5, 0, 5, 5]
    assert line.leading_expression.tolist() == [
        Emotion.SAD,
        Emotion.HAPPY,
        NO_EXPRESSION,
        NO_EXPRESSION,
        Emotion.NEUTRAL,
    ]
    assert line.unreadable_reasons == {"absent": 10, "too small": 10}
    assert np.isnan(line.probabilities[2]).all()
    assert line.probabilities[0, Emotion.SAD] == pytest.approx(0.7)


def test_shares_and_dominant_expression(lessons):
    line = lessons.timeline("ssh.?<")
    assert line.coverage == pytest.approx(5 / 6)
    assert line.usable_share == pytest.approx(3 / 5)
    assert line.facing_share == pytest.approx(3 / 4)
    assert line.dominant_expression is Emotion.SAD
    assert line.leading_s(Emotion.SAD) == 10
    assert line.first_seen_s == 0


def test_never_seen_student_has_no_expression_or_direction(lessons):
    line = lessons.timelines("nnn", "...")[1]
    assert (line.coverage, line.usable_share) == (0, 0)
    assert line.dominant_expression is None
    assert line.facing_share is None
    assert line.first_seen_s is None


def test_bins_before_the_first_appearance_count_as_not_seen(lessons):
    early, late = lessons.timelines("nnnn", "  nn")
    assert early.coverage == 1
    assert late.coverage == 0.5
    assert late.first_seen_s == 10


def test_gap_is_unwatched_not_absent(lessons):
    session = lessons.session(6, watched_s=20.0)
    bins = lessons.bins(["nn  nn", "n.  nn"])
    first, second = build_student_timelines(session, lessons.students(2), bins)
    assert first.grid.is_watched.tolist() == [True, True, False, False, True, True]
    assert first.coverage == 1
    assert second.coverage == 0.75


def test_empty_room_before_first_student_is_watched(lessons):
    session = lessons.session(4, watched_s=20.0)
    grid = build_session_grid(session, lessons.bins(["  nn"]))
    assert grid.watched_s.tolist() == [5, 5, 5, 5]


def test_room_without_students_is_watched(lessons):
    assert build_session_grid(lessons.session(3, watched_s=12.0), []).watched_s.tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    ("end_s", "watched_s", "expected"), [(0.0, 0.0, []), (0.0, 0.5, [0.5]), (0.5, 1.0, [1.0])]
)
def test_grid_of_no_frame_and_one_frame(lessons, end_s, watched_s, expected):
    session = lessons.session(0, end_s=end_s, watched_s=watched_s)
    assert build_session_grid(session, []).watched_s.tolist() == expected


def test_half_usable_bin_counts_half_its_seen_time(lessons):
    row = TimelineBin(1, 0.0, 5.0, 4.0, 10, 8, 4, lessons.probabilities("sad"), {"absent": 2, "blurred": 4})
    (line,) = build_student_timelines(lessons.session(1), lessons.students(1), [row])
    assert line.usable_s.tolist() == [2.0]
    assert line.coverage == pytest.approx(0.8)


def test_bin_of_unknown_student_raises(lessons):
    with pytest.raises(ValueError, match="unknown student 2"):
        build_student_timelines(lessons.session(), lessons.students(1), lessons.bins(["n", "n"]))


@settings(max_examples=30)
@given(scripts=scripts, seed=st.integers(0, 1000))
def test_timelines_ignore_bin_order(lessons, scripts, seed):
    bins = lessons.bins(scripts)
    shuffled = random.Random(seed).sample(bins, len(bins))
    session, students = lessons.session(6), lessons.students(len(scripts))
    for a, b in zip(
        build_student_timelines(session, students, bins),
        build_student_timelines(session, students, shuffled),
        strict=True,
    ):
        np.testing.assert_array_equal(a.probabilities, b.probabilities)
        np.testing.assert_array_equal(a.seen_s, b.seen_s)
        assert a.unreadable_reasons == b.unreadable_reasons


@settings(max_examples=50)
@given(scripts=scripts)
def test_grid_preserves_watched_time(lessons, scripts):
    lines = lessons.timelines(*scripts)
    assert sum(line.seen_s.sum() for line in lines) == pytest.approx(
        sum(5 for s in "".join(scripts) if s != ".")
    )
    for line in lines:
        assert 0 <= line.coverage <= 1
        assert 0 <= line.usable_share <= 1
        assert (line.usable_s <= line.seen_s).all()
        assert sum(line.leading_s(e) for e in Emotion) == pytest.approx(line.usable_s.sum())


@settings(max_examples=20)
@given(scripts=scripts)
def test_additional_student_changes_no_other_timeline(lessons, scripts):
    alone = lessons.timelines(*scripts)
    joined = lessons.timelines(*scripts, "ssssss")
    for before, after in zip(alone, joined, strict=False):
        np.testing.assert_array_equal(before.probabilities, after.probabilities)
        assert before.coverage == after.coverage


def test_pure_modules_load_no_framework():
    code = (
        "import sys, reports.timeline.student, reports.flags.sadness, reports.history; "
        "print({'cv2', 'mediapipe', 'tensorflow', 'sqlalchemy', 'matplotlib'} & set(sys.modules))"
    )
    root = Path(reports.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "set()"


class TestAnOnlineLesson:
    """No student is watched before joining or after leaving."""

    def lines(self, lessons, *scripts: str):
        session = lessons.session(max(map(len, scripts)), source=ONLINE_SOURCE)
        return build_student_timelines(session, lessons.students(len(scripts)), lessons.bins(scripts))

    def test_only_own_watched_time_counts(self, lessons):
        whole, part = self.lines(lessons, "nnnnnn", "  nn. ")
        assert (whole.coverage, part.coverage) == (1, pytest.approx(2 / 3))
        assert part.watched_s.tolist() == [0, 0, 5, 5, 5, 0]
        assert part.own_grid.is_watched.tolist() == [False, False, True, True, True, False]
        assert part.grid.is_watched.all()

    def test_nothing_is_watched_before_the_first_participant(self, lessons):
        (line,) = self.lines(lessons, "  nn")
        assert line.grid.watched_s.tolist() == [0, 0, 5, 5]

    def test_class_shares_refer_to_present_students(self, lessons):
        whole = class_timeline(lines := self.lines(lessons, "nnnn", "  n."), lines[0].grid)
        assert whole.seen_share.tolist() == [1, 1, 1, 0.5]

    def test_time_before_joining_flags_no_student(self, lessons):
        there, gone = "n" * 120, "n" * 60 + " " * 60
        decisions = decide_attention_flags(self.lines(lessons, *[there] * 5, gone), AttentionFlagSettings())
        assert (decisions[-1].not_seen_s, decisions[-1].watched_s) == (0, 300)
        assert decisions[-1].coverage == 1
