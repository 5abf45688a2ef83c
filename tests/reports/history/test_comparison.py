from __future__ import annotations

import pytest

from reports.history.comparison import COMPARISON_HEADINGS, compare_sessions


def row(found, name):
    return next(one for one in found.rows if one.name == name)


def test_matched_students_give_paired_differences(terms, lessons):
    before = terms.lesson(lessons, 1, {1: 0.1, 2: 0.4, 3: 0.7})
    after = terms.lesson(lessons, 2, {1: 0.2, 2: 0.51, 3: 0.79})
    found = compare_sessions(terms.history(before, after))
    assert (found.matched, found.is_paired) == (3, True)
    sadness = row(found, "resembling sadness")
    assert (sadness.before, sadness.after) == (pytest.approx(0.4), pytest.approx(0.5))
    assert (sadness.difference.value, sadness.difference.student_count) == (pytest.approx(0.1), 3)
    assert sadness.difference.excludes_zero
    assert "3 students who were seen in both" in found.basis
    assert len(sadness.cells) == len(COMPARISON_HEADINGS)


def test_changes_are_sorted_by_size(terms, lessons):
    before = terms.lesson(lessons, 1, {1: 0.1, 2: 0.5, 3: None})
    after = terms.lesson(lessons, 2, {1: 0.15, 2: 0.1, 3: 0.9})
    found = compare_sessions(terms.history(before, after))
    assert [(change.name, change.difference.value) for change in found.changes] == [
        ("Student 2", pytest.approx(-0.4)),
        ("Student 1", pytest.approx(0.05)),
    ]  # without Student 3, with not enough data in the first session
    assert [change.difference.excludes_zero for change in found.changes] == [True, False]


def test_without_matched_students_groups_are_compared(terms, lessons):
    before, after = terms.lesson(lessons, 1, {1: 0.1, 2: 0.2}), terms.lesson(lessons, 2, {3: 0.3, 4: 0.4})
    found = compare_sessions(terms.history(before, after, by_seat=frozenset({1, 2, 3, 4})))
    assert (found.matched, found.is_paired, found.changes) == (0, False, ())
    assert row(found, "resembling sadness").difference.value == pytest.approx(0.2)
    assert found.basis.startswith("No student is known to be in both")


def test_few_matched_students_give_unpaired_differences(terms, lessons):
    first = dict.fromkeys(range(1, 11), 0.1)
    second = dict.fromkeys([1, 2, *range(11, 19)], 0.2)
    found = compare_sessions(terms.history(terms.lesson(lessons, 1, first), terms.lesson(lessons, 2, second)))
    assert (found.matched, found.is_paired) == (2, False)
    assert found.basis.startswith("Only 2 students are known to be in both")


def test_aggregate_differences_have_no_interval(terms, lessons):
    before = terms.lesson(lessons, 1, {}, mode="aggregate")
    found = compare_sessions(terms.history(before, terms.lesson(lessons, 2, {1: 0.1, 2: 0.2})))
    assert row(found, "seen").difference is None
    assert "has class figures only" in found.basis
    assert found.remarks[0] == "The modes differ: aggregate and emotion."


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        ({"bin_s": 10.0, "length": 300}, "The time steps differ: 5 s and 10 s."),
        ({"versions": {"model": "cnn 2"}}, "The versions of the model differ: cnn 1 and cnn 2."),
        ({"class_name": "8a"}, "The classes differ: Physics 10b and 8a."),
        ({"status": "interrupted"}, "Session 2 was interrupted."),
    ],
)
def test_comparability_remarks(terms, lessons, changes, remark):
    changes = {name: value for name, value in changes.items() if name != "length"}
    before = terms.lesson(lessons, 1, {1: 0.1})
    found = compare_sessions(terms.history(before, terms.lesson(lessons, 2, {1: 0.1}, **changes)))
    assert found.remarks == (remark,)


def test_remarks_on_coverage_and_running_session(terms, lessons):
    before, after = terms.lesson(lessons, 1, {1: 0.1}), terms.lesson(lessons, 2, {1: 0.1})
    assert compare_sessions(terms.history(before, after)).remarks == ()
    seldom = after.summary.__class__(**(vars(after.summary) | {"seen_share": 0.5}))
    seldom_lesson = type(after)(after.session, seldom, after.students)
    (remark,) = compare_sessions(terms.history(before, seldom_lesson)).remarks
    assert remark.startswith("Students were seen for 90\N{NO-BREAK SPACE}% and 50\N{NO-BREAK SPACE}%")
    running = type(after)(after.session, None)
    assert compare_sessions(terms.history(before, running)).remarks == (
        "Session 2 is still running and has no figures.",
    )
