from __future__ import annotations

from datetime import date

import pytest

from reports.history.weeks import (
    CLASS_SESSION_HEADINGS,
    WEEK_HEADINGS,
    build_class_trends,
    class_session_line,
)
from reports.text.dates import ReportSettings

UTC = ReportSettings("UTC")


def test_week_without_session_has_no_figures(terms, lessons):
    some = [terms.lesson(lessons, 1, {1: 0.1}), terms.lesson(lessons, 3, {1: 0.3})]
    found = build_class_trends("Physics 10b", some, UTC)
    assert [(week.name, week.session_count) for week in found.weeks] == [
        ("2026-W10", 1),
        ("2026-W11", 0),
        ("2026-W12", 1),
    ]
    gap = found.weeks[1]
    assert gap.flags is None
    assert not any(gap.figures.values())
    assert gap.cells[3:] == ("no lesson", *["–"] * (len(WEEK_HEADINGS) - 4))


def test_weeks_end_with_latest_session(terms, lessons):
    some = [terms.lesson(lessons, number, {1: 0.1}) for number in (1, 5, 6)]
    found = build_class_trends("Physics 10b", some, UTC, weeks=3)
    assert [week.name for week in found.weeks] == ["2026-W13", "2026-W14", "2026-W15"]
    assert [line.session_id for line in found.sessions] == [5, 6]
    # Longer than the class has been: the weeks before have no lesson either.
    assert [
        week.session_count for week in build_class_trends("Physics 10b", some[:1], UTC, weeks=2).weeks
    ] == [0, 1]


def test_week_counts_every_student_once(terms, lessons):
    """Student 1 was in both lessons, Student 2 in one: the mean is of two students and not of three rows."""
    some = [
        terms.lesson(lessons, 1, {1: 0.1, 2: 0.6}, week=0),
        terms.lesson(lessons, 2, {1: 0.3}, week=0.3),
    ]
    (week,) = build_class_trends("Physics 10b", some, UTC).weeks
    sadness = week.figures["resembling sadness"]
    assert (week.student_count, sadness.student_count) == (2, 2)
    assert sadness.value == pytest.approx((0.2 + 0.6) / 2)


def test_weeks_are_in_the_report_zone(terms, lessons):
    """Sunday night in London is Monday in Tokyo."""
    sunday = terms.lesson(lessons, 1, {1: 0.1}, week=0)
    late = sunday.session.started_at.replace(day=1, hour=20)
    session = sunday.session.__class__(**(vars(sunday.session) | {"started_at": late}))
    lesson = type(sunday)(session, sunday.summary, sunday.students)
    for zone, first in (("Europe/London", date(2026, 2, 23)), ("Asia/Tokyo", date(2026, 3, 2))):
        (week,) = build_class_trends("Physics 10b", [lesson], ReportSettings(zone)).weeks
        assert week.monday == first


def test_aggregate_week_has_no_interval_or_flags(terms, lessons):
    line = class_session_line(terms.lesson(lessons, 1, {}, mode="aggregate"), UTC)
    assert (line.student_count, line.flags) == (12, None)
    assert (line.figures["seen"].value, line.figures["seen"].low) == (0.8, None)
    assert line.cells[3:] == ("80", "60", "25", "50", "–")
    (week,) = build_class_trends("Physics 10b", [terms.lesson(lessons, 1, {}, mode="aggregate")], UTC).weeks
    assert week.figures["seen"].value == 0.8


def test_flag_cells_show_open_ones(terms, lessons):
    flags = (terms.flag(1, 1), terms.flag(1, 2, "dismissed"))
    line = class_session_line(terms.lesson(lessons, 1, {1: 0.6, 2: 0.7}, flags), UTC)
    assert line.cells[-1] == "2 (1 open)"
    assert line.flags.text == "2 flags: 1 open, 1 dismissed"
    assert len(line.cells) == len(CLASS_SESSION_HEADINGS)


def test_running_session_has_no_figures(terms, lessons):
    running = terms.lesson(lessons, 1, {})
    line = class_session_line(type(running)(running.session, None), UTC)
    assert (line.student_count, line.flags) == (None, None)
    assert set(line.cells[2:]) == {"–"}


def test_no_sessions_give_no_weeks():
    found = build_class_trends("Physics 10b", [], UTC, weeks=6)
    assert (found.sessions, found.weeks) == ((), ())
