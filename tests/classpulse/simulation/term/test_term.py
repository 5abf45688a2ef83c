from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.simulation.ground_truth import SimulationError
from classpulse.simulation.term.bins import around, draw_bins, sampling, shipped_answers
from classpulse.simulation.term.calendar import GROUP_WORK, plan_term
from classpulse.simulation.term.lecture import act, class_bins, sad_share, taken_of
from classpulse.simulation.term.names import Names, pseudonyms
from classpulse.simulation.term.student_model import (
    EXPRESSIONS,
    LASTS_S,
    STATES,
    USUAL,
    Lecture,
    Script,
    State,
    Trait,
    draw_script,
    own_shares,
    shares_in,
    trait_of,
)
from db.records import TimelineBin
from model.emotions import Emotion
from reports.flags.confusion import read_confusion

SURE = np.eye(7)
"""Answers without a mistake."""


def script(*spells: tuple[State, float], length_s: float = 20.0) -> Script:
    starts = np.array([start_s for _, start_s in spells])
    return Script(starts, np.array([STATES.index(state) for state, _ in spells]), length_s)


def bins_of(one: Script, **more: bool) -> list[TimelineBin]:
    return draw_bins(one, 7, sampling(one.length_s), SURE, np.random.default_rng(0), **more)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_state_has_a_share_and_a_length_and_the_shares_are_all_of_the_time() -> None:
    assert set(USUAL) == set(LASTS_S) == set(State)
    assert sum(USUAL.values()) == pytest.approx(1)
    assert [STATES[emotion] for emotion in Emotion] == [emotion.label for emotion in Emotion]


def test_over_long_times_a_script_has_the_shares_that_were_asked_for() -> None:
    long = draw_script(USUAL, 4_000_000.0, rng())
    lasts_s = np.diff([*long.starts_s, long.length_s])
    for place, state in enumerate(STATES):
        of_state = lasts_s[long.states == place]
        assert of_state.sum() / long.length_s == pytest.approx(USUAL[state], rel=0.15), state
        assert of_state.mean() == pytest.approx(LASTS_S[state], rel=0.15), state


@given(st.integers(0, 10_000), st.floats(1.0, 400.0))
def test_a_script_begins_at_0_and_covers_its_length(seed: int, length_s: float) -> None:
    one = draw_script(USUAL, length_s, rng(seed))
    assert one.starts_s[0] == 0.0
    assert (np.diff([*one.starts_s, length_s]) > 0).all()


def test_a_group_work_turns_everybody_away_who_is_there() -> None:
    one = script((State.HAPPY, 0.0), (State.ABSENT, 10.0), (State.SAD, 15.0)).during(5.0, 17.0, State.TURNED)
    assert one.starts_s.tolist() == [0.0, 5.0, 10.0, 15.0, 17.0]
    states = [STATES[state] for state in one.states]
    assert states == [State.HAPPY, State.TURNED, State.ABSENT, State.TURNED, State.SAD]


def test_what_a_state_leaves_in_a_bin() -> None:
    rows = bins_of(script((State.SAD, 0.0), (State.TURNED, 5.0), (State.ABSENT, 10.0), (State.SHUT, 17.5)))
    sad, turned, absent, shut = rows
    assert [row.start_s for row in rows] == [0.0, 5.0, 10.0, 15.0]
    assert {row.samples for row in rows} == {10}
    assert sad.probabilities == pytest.approx(SURE[Emotion.SAD])
    assert (sad.usable_samples, sad.facing_samples, sad.eye_samples, sad.unknown) == (10, 10, 10, {})
    assert (turned.probabilities, turned.unknown) == (None, {"turned away": 10})
    assert (turned.seen_samples, turned.pose_samples, turned.facing_samples) == (10, 10, 0)
    assert abs(turned.yaw_deg or 0.0) > 35
    assert (absent.seen_s, absent.unknown, absent.yaw_deg) == (0.0, {"absent": 10}, None)
    assert (shut.seen_s, shut.usable_samples, shut.closed_samples) == (2.5, 5, 5)
    assert shut.probabilities == pytest.approx(SURE[Emotion.NEUTRAL])


def test_without_expressions_none_is_computed() -> None:
    (row,) = bins_of(script((State.HAPPY, 0.0), length_s=5.0), expressions=False)
    assert (row.probabilities, row.usable_samples, row.unknown) == (None, 0, {"not computed": 10})


def test_nothing_is_recorded_in_a_gap() -> None:
    taken = sampling(30.0, (7.5, 20.0))
    rows = draw_bins(script((State.HAPPY, 0.0), length_s=30.0), 7, taken, SURE, rng())
    assert [(row.start_s, row.samples, row.watched_s) for row in rows] == [
        (0.0, 10, 5.0),
        (5.0, 5, 2.5),
        (20.0, 10, 5.0),
        (25.0, 10, 5.0),
    ]


def test_answers_scatter_around_the_model_s_own() -> None:
    answers = shipped_answers()
    assert answers.means.shape == (7, 7)
    assert answers.means.sum(axis=1) == pytest.approx(np.ones(7))
    assert answers.means[Emotion.SAD, Emotion.NEUTRAL] > answers.means[Emotion.HAPPY, Emotion.NEUTRAL]
    drawn = around(np.repeat(answers.means[None], 4000, axis=0), 8.0, rng())
    assert drawn.sum(axis=-1) == pytest.approx(np.ones((4000, 7)))
    assert drawn.mean(axis=0) == pytest.approx(answers.means, abs=0.01)


def test_they_come_with_what_a_record_keeps_of_the_model() -> None:
    found = shipped_answers()
    assert found.measured is not None
    assert read_confusion({"model": found.measured}) is not None
    assert found.source.startswith("mean answers of cp-fer-")


def term(count: int = 12, minutes: float = 50.0, interrupted: int = 0, start: date = date(2026, 1, 12)):
    return plan_term(start, count // 2, 2, minutes, interrupted, rng())


def test_lectures_are_on_mondays_and_thursdays() -> None:
    planned = term()
    assert [one.started_at.weekday() for one in planned] == [0, 3] * 6
    assert planned[-1].started_at.date() == date(2026, 2, 19)
    assert sum(event.text == GROUP_WORK for one in planned for event in one.events) == 1


def test_so_many_lectures_break_off_and_one_has_a_gap() -> None:
    planned = term(interrupted=3)
    assert sum(one.is_interrupted for one in planned) == 3
    (gap_s,) = [one.gap_s for one in planned if one.gap_s is not None]
    assert gap_s[0] < gap_s[1] < 1500


@pytest.mark.parametrize(
    ("change", "said"),
    [({"start": date(2026, 1, 14)}, "Wednesday; expected a Monday, such as 2026-01-12"),
     ({"interrupted": 13}, "13 lectures cannot break off of 12")],
)  # fmt: skip
def test_a_term_that_cannot_be_is_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(SimulationError, match=said):
        term(**change)  # type: ignore[arg-type]


def test_traits_are_what_they_say() -> None:
    traits = [trait_of(student) for student in range(30)]
    assert {trait: traits.count(trait) for trait in Trait if trait is not Trait.NONE} == dict.fromkeys(
        [trait for trait in Trait if trait is not Trait.NONE], 1
    )
    own = own_shares(rng())
    lectures = [Lecture(index, 12) for index in range(12)]

    def shares(trait: Trait, state: State) -> list[float | None]:
        spent = (shares_in(lecture, trait, own) for lecture in lectures)
        return [None if of is None else of[state] for of in spent]

    sadder = [share or 0.0 for share in shares(Trait.SADDER, State.SAD)]
    assert sadder == sorted(sadder)
    assert (sadder[0], sadder[-1]) == pytest.approx((0.05, 0.50))
    assert sum((share or 0) >= 0.6 for share in shares(Trait.SAD_AT_TIMES, State.SAD)) == 3
    assert sum((share or 0) >= 0.6 for share in shares(Trait.TURNED, State.TURNED)) == 8
    assert shares(Trait.MISSING, State.SAD).count(None) == 4


def test_a_script_is_the_seed_s_whoever_else_is_there() -> None:
    planned = term()[0]
    few = act(planned, Lecture(0, 12), [Trait.NONE] * 2, 5)
    many = act(planned, Lecture(0, 12), [Trait.NONE] * 9, 5)
    other = act(planned, Lecture(0, 12), [Trait.NONE] * 2, 6)
    answers = shipped_answers()

    def bins(acted):
        ids = {one.student: one.student for one in acted}
        return class_bins(acted[:2], ids, taken_of(planned), answers, Lecture(0, 12), 5)

    assert bins(few) == bins(many)
    assert bins(few) != bins(other)


def test_the_truth_is_what_the_bins_were_made_of() -> None:
    planned = term(minutes=20.0)[0]
    (one,) = act(planned, Lecture(0, 12), [Trait.SAD_AT_TIMES], 1)
    shares = one.shares(taken_of(planned))
    assert sum(shares.values()) == pytest.approx(1)
    sure = replace(shipped_answers(), means=SURE)
    rows = class_bins([one], {0: 1}, taken_of(planned), sure, Lecture(0, 12), 1)
    usable = sum(row.usable_samples for row in rows)
    assert usable / sum(row.samples for row in rows) == pytest.approx(
        sum(share for state, share in shares.items() if state in EXPRESSIONS)
    )
    sad = sum(row.probabilities[Emotion.SAD] * row.usable_samples for row in rows if row.probabilities)
    assert sad / usable == pytest.approx(sad_share(shares), abs=0.02)
    assert sad_share({State.ABSENT: 1.0}) is None


@pytest.mark.parametrize("kind", list(Names))
def test_pseudonyms_are_different(kind: Names) -> None:
    names = pseudonyms(60, kind)
    assert len(set(names)) == 60
    assert names[:3] == pseudonyms(3, kind)
