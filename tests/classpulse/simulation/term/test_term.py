from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.simulation.ground_truth import SimulationError
from classpulse.simulation.term.bins import draw_bins, draw_dirichlet, make_sampling, shipped_answer_model
from classpulse.simulation.term.calendar import GROUP_WORK_EVENT, plan_term
from classpulse.simulation.term.lecture import class_bins, sad_share, sampling_of, simulate_students
from classpulse.simulation.term.names import PseudonymStyle, make_pseudonyms
from classpulse.simulation.term.student_model import (
    MEAN_DURATION_S,
    STATE_EXPRESSIONS,
    STATES,
    USUAL_SHARES,
    LecturePosition,
    StudentScript,
    StudentState,
    Trait,
    draw_state_sequence,
    draw_student_shares,
    lecture_shares,
    trait_of_student,
)
from db.records import TimelineBin
from model.emotions import Emotion
from reports.flags.confusion import confusion_from_settings

IDENTITY = np.eye(7)
"""Mean answers of a perfect model."""


def script(*segments: tuple[StudentState, float], length_s: float = 20.0) -> StudentScript:
    starts = np.array([start_s for _, start_s in segments])
    return StudentScript(starts, np.array([STATES.index(state) for state, _ in segments]), length_s)


def bins_of(one: StudentScript, **more: bool) -> list[TimelineBin]:
    return draw_bins(one, 7, make_sampling(one.length_s), IDENTITY, np.random.default_rng(0), **more)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_state_has_a_share_and_a_duration() -> None:
    assert set(USUAL_SHARES) == set(MEAN_DURATION_S) == set(StudentState)
    assert sum(USUAL_SHARES.values()) == pytest.approx(1)
    assert [STATES[emotion] for emotion in Emotion] == [emotion.label for emotion in Emotion]


def test_draw_state_sequence_has_the_requested_shares() -> None:
    long = draw_state_sequence(USUAL_SHARES, 4_000_000.0, rng())
    lasts_s = np.diff([*long.starts_s, long.length_s])
    for place, state in enumerate(STATES):
        of_state = lasts_s[long.states == place]
        assert of_state.sum() / long.length_s == pytest.approx(USUAL_SHARES[state], rel=0.15), state
        assert of_state.mean() == pytest.approx(MEAN_DURATION_S[state], rel=0.15), state


@given(st.integers(0, 10_000), st.floats(1.0, 400.0))
def test_draw_state_sequence_covers_its_length(seed: int, length_s: float) -> None:
    one = draw_state_sequence(USUAL_SHARES, length_s, rng(seed))
    assert one.starts_s[0] == 0.0
    assert (np.diff([*one.starts_s, length_s]) > 0).all()


def test_with_state_keeps_absences() -> None:
    one = script((StudentState.HAPPY, 0.0), (StudentState.ABSENT, 10.0), (StudentState.SAD, 15.0)).with_state(
        5.0, 17.0, StudentState.TURNED
    )
    assert one.starts_s.tolist() == [0.0, 5.0, 10.0, 15.0, 17.0]
    states = [STATES[state] for state in one.states]
    assert states == [
        StudentState.HAPPY,
        StudentState.TURNED,
        StudentState.ABSENT,
        StudentState.TURNED,
        StudentState.SAD,
    ]


def test_draw_bins_of_each_state() -> None:
    rows = bins_of(
        script(
            (StudentState.SAD, 0.0),
            (StudentState.TURNED, 5.0),
            (StudentState.ABSENT, 10.0),
            (StudentState.SHUT, 17.5),
        )
    )
    sad, turned, absent, shut = rows
    assert [row.start_s for row in rows] == [0.0, 5.0, 10.0, 15.0]
    assert {row.samples for row in rows} == {10}
    assert sad.probabilities == pytest.approx(IDENTITY[Emotion.SAD])
    assert (sad.usable_samples, sad.facing_samples, sad.eye_samples, sad.unreadable_reasons) == (
        10,
        10,
        10,
        {},
    )
    assert (turned.probabilities, turned.unreadable_reasons) == (None, {"turned away": 10})
    assert (turned.seen_samples, turned.pose_samples, turned.facing_samples) == (10, 10, 0)
    assert abs(turned.yaw_deg or 0.0) > 35
    assert (absent.seen_s, absent.unreadable_reasons, absent.yaw_deg) == (0.0, {"absent": 10}, None)
    assert (shut.seen_s, shut.usable_samples, shut.closed_samples) == (2.5, 5, 5)
    assert shut.probabilities == pytest.approx(IDENTITY[Emotion.NEUTRAL])


def test_draw_bins_without_expressions() -> None:
    (row,) = bins_of(script((StudentState.HAPPY, 0.0), length_s=5.0), expressions=False)
    assert (row.probabilities, row.usable_samples, row.unreadable_reasons) == (None, 0, {"not computed": 10})


def test_draw_bins_skips_gaps() -> None:
    sampling = make_sampling(30.0, (7.5, 20.0))
    rows = draw_bins(script((StudentState.HAPPY, 0.0), length_s=30.0), 7, sampling, IDENTITY, rng())
    assert [(row.start_s, row.samples, row.watched_s) for row in rows] == [
        (0.0, 10, 5.0),
        (5.0, 5, 2.5),
        (20.0, 10, 5.0),
        (25.0, 10, 5.0),
    ]


def test_draw_dirichlet_has_the_models_means() -> None:
    answers = shipped_answer_model()
    assert answers.means.shape == (7, 7)
    assert answers.means.sum(axis=1) == pytest.approx(np.ones(7))
    assert answers.means[Emotion.SAD, Emotion.NEUTRAL] > answers.means[Emotion.HAPPY, Emotion.NEUTRAL]
    drawn = draw_dirichlet(np.repeat(answers.means[None], 4000, axis=0), 8.0, rng())
    assert drawn.sum(axis=-1) == pytest.approx(np.ones((4000, 7)))
    assert drawn.mean(axis=0) == pytest.approx(answers.means, abs=0.01)


def test_shipped_answer_model_has_model_metrics() -> None:
    found = shipped_answer_model()
    assert found.model_metrics is not None
    assert confusion_from_settings({"model": found.model_metrics}) is not None
    assert found.source.startswith("mean answers of cp-fer-")


def term(count: int = 12, minutes: float = 50.0, interrupted: int = 0, start: date = date(2026, 1, 12)):
    return plan_term(start, count // 2, 2, minutes, interrupted, rng())


def test_plan_term_weekdays() -> None:
    planned = term()
    assert [one.started_at.weekday() for one in planned] == [0, 3] * 6
    assert planned[-1].started_at.date() == date(2026, 2, 19)
    assert sum(event.text == GROUP_WORK_EVENT for one in planned for event in one.events) == 1


def test_plan_term_interrupted_lectures_and_gap() -> None:
    planned = term(interrupted=3)
    assert sum(one.is_interrupted for one in planned) == 3
    (gap_s,) = [one.gap_s for one in planned if one.gap_s is not None]
    assert gap_s[0] < gap_s[1] < 1500


@pytest.mark.parametrize(
    ("change", "message"),
    [({"start": date(2026, 1, 14)}, "Wednesday, not a Monday. Use a Monday, such as 2026-01-12"),
     ({"interrupted": 13}, "12 lectures cannot have 13 interrupted ones")],
)  # fmt: skip
def test_plan_term_invalid_settings_raise(change: dict[str, object], message: str) -> None:
    with pytest.raises(SimulationError, match=message):
        term(**change)  # type: ignore[arg-type]


def test_lecture_shares_follow_the_traits() -> None:
    traits = [trait_of_student(student) for student in range(30)]
    assert {trait: traits.count(trait) for trait in Trait if trait is not Trait.NONE} == dict.fromkeys(
        [trait for trait in Trait if trait is not Trait.NONE], 1
    )
    own = draw_student_shares(rng())
    lectures = [LecturePosition(index, 12) for index in range(12)]

    def shares(trait: Trait, state: StudentState) -> list[float | None]:
        spent = (lecture_shares(lecture, trait, own) for lecture in lectures)
        return [None if of is None else of[state] for of in spent]

    sadder = [share or 0.0 for share in shares(Trait.SADDER, StudentState.SAD)]
    assert sadder == sorted(sadder)
    assert (sadder[0], sadder[-1]) == pytest.approx((0.05, 0.50))
    assert sum((share or 0) >= 0.6 for share in shares(Trait.SAD_AT_TIMES, StudentState.SAD)) == 3
    assert sum((share or 0) >= 0.6 for share in shares(Trait.TURNED, StudentState.TURNED)) == 8
    assert shares(Trait.MISSING, StudentState.SAD).count(None) == 4


def test_simulate_students_depends_on_seed_and_student_only() -> None:
    planned = term()[0]
    few = simulate_students(planned, LecturePosition(0, 12), [Trait.NONE] * 2, 5)
    many = simulate_students(planned, LecturePosition(0, 12), [Trait.NONE] * 9, 5)
    other = simulate_students(planned, LecturePosition(0, 12), [Trait.NONE] * 2, 6)
    answers = shipped_answer_model()

    def bins(activities):
        ids = {activity.student: activity.student for activity in activities}
        return class_bins(activities[:2], ids, sampling_of(planned), answers, LecturePosition(0, 12), 5)

    assert bins(few) == bins(many)
    assert bins(few) != bins(other)


def test_state_shares_match_the_bins() -> None:
    planned = term(minutes=20.0)[0]
    (one,) = simulate_students(planned, LecturePosition(0, 12), [Trait.SAD_AT_TIMES], 1)
    shares = one.state_shares(sampling_of(planned))
    assert sum(shares.values()) == pytest.approx(1)
    identity_model = replace(shipped_answer_model(), means=IDENTITY)
    rows = class_bins([one], {0: 1}, sampling_of(planned), identity_model, LecturePosition(0, 12), 1)
    usable = sum(row.usable_samples for row in rows)
    assert usable / sum(row.samples for row in rows) == pytest.approx(
        sum(share for state, share in shares.items() if state in STATE_EXPRESSIONS)
    )
    sad = sum(row.probabilities[Emotion.SAD] * row.usable_samples for row in rows if row.probabilities)
    assert sad / usable == pytest.approx(sad_share(shares), abs=0.02)
    assert sad_share({StudentState.ABSENT: 1.0}) is None


@pytest.mark.parametrize("kind", list(PseudonymStyle))
def test_make_pseudonyms_are_unique(kind: PseudonymStyle) -> None:
    names = make_pseudonyms(60, kind)
    assert len(set(names)) == 60
    assert names[:3] == make_pseudonyms(3, kind)
