from __future__ import annotations

from datetime import date

import pytest

from reports.history.weeks import LESSON_HEADINGS, WEEK_HEADINGS, class_trends, lesson_line
from reports.text.dates import ReportSettings

UTC = ReportSettings("UTC")


def test_a_week_without_a_lesson_is_a_gap(terms, lessons):
    some = [terms.lesson(lessons, 1, {1: 0.1}), terms.lesson(lessons, 3, {1: 0.3})]
    found = class_trends("Physics 10b", some, UTC)
    assert [(week.name, week.lessons) for week in found.weeks] == [
        ("2026-W10", 1),
        ("2026-W11", 0),
        ("2026-W12", 1),
    ]
    gap = found.weeks[1]
    assert gap.flags is None
    assert not any(gap.figures.values())
    assert gap.cells[3:] == ("no lesson", *["–"] * (len(WEEK_HEADINGS) - 4))


def test_weeks_end_with_the_latest_lesson(terms, lessons):
    some = [terms.lesson(lessons, number, {1: 0.1}) for number in (1, 5, 6)]
    found = class_trends("Physics 10b", some, UTC, weeks=3)
    assert [week.name for week in found.weeks] == ["2026-W13", "2026-W14", "2026-W15"]
    assert [line.session_id for line in found.lessons] == [5, 6]
    # Longer than the class has been: the weeks before have no lesson either.
    assert [week.lessons for week in class_trends("Physics 10b", some[:1], UTC, weeks=2).weeks] == [0, 1]


def test_in_a_week_every_student_counts_once(terms, lessons):
    """Student 1 was in both lessons, Student 2 in one: the mean is of two students and not of three rows."""
    some = [
        terms.lesson(lessons, 1, {1: 0.1, 2: 0.6}, week=0),
        terms.lesson(lessons, 2, {1: 0.3}, week=0.3),
    ]
    (week,) = class_trends("Physics 10b", some, UTC).weeks
    sadness = week.figures["resembling sadness"]
    assert (week.people, sadness.people) == (2, 2)
    assert sadness.value == pytest.approx((0.2 + 0.6) / 2)


def test_a_week_is_of_the_reports_zone(terms, lessons):
    """Sunday night in London is Monday in Tokyo."""
    sunday = terms.lesson(lessons, 1, {1: 0.1}, week=0)
    late = sunday.session.started_at.replace(day=1, hour=20)
    session = sunday.session.__class__(**(vars(sunday.session) | {"started_at": late}))
    lesson = type(sunday)(session, sunday.summary, sunday.students)
    for zone, first in (("Europe/London", date(2026, 2, 23)), ("Asia/Tokyo", date(2026, 3, 2))):
        (week,) = class_trends("Physics 10b", [lesson], ReportSettings(zone)).weeks
        assert week.first == first


def test_class_figures_have_no_interval_and_no_flags(terms, lessons):
    line = lesson_line(terms.lesson(lessons, 1, {}, mode="aggregate"), UTC)
    assert (line.people, line.flags) == (12, None)
    assert (line.figures["seen"].value, line.figures["seen"].low) == (0.8, None)
    assert line.cells[3:] == ("80", "60", "25", "50", "–")
    (week,) = class_trends("Physics 10b", [terms.lesson(lessons, 1, {}, mode="aggregate")], UTC).weeks
    assert week.figures["seen"].value == 0.8


def test_flags_are_told_with_those_still_open(terms, lessons):
    flags = (terms.flag(1, 1), terms.flag(1, 2, "dismissed"))
    line = lesson_line(terms.lesson(lessons, 1, {1: 0.6, 2: 0.7}, flags), UTC)
    assert line.cells[-1] == "2 (1 open)"
    assert line.flags.told == "2 flags: 1 open, 1 dismissed"
    assert len(line.cells) == len(LESSON_HEADINGS)


def test_a_running_lesson_has_no_figures(terms, lessons):
    running = terms.lesson(lessons, 1, {})
    line = lesson_line(type(running)(running.session, None), UTC)
    assert (line.people, line.flags) == (None, None)
    assert set(line.cells[2:]) == {"–"}


def test_no_lesson_no_week():
    found = class_trends("Physics 10b", [], UTC, weeks=6)
    assert (found.lessons, found.weeks) == ((), ())
