from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.flags.attention import (
    AttentionFlagSettings,
    attention_breakdown,
    decide_attention_flags,
    describe_difference,
)
from reports.flags.base import ATTENTION_KIND as KIND
from reports.flags.base import FlagOutcome
from reports.flags.baseline import Baseline

DEFAULT = AttentionFlagSettings()
SHORT = AttentionFlagSettings(min_known_s=60, away_share=0.2)
ATTENTIVE = ["b" * 120] * 4
"""Four classmates for ten minutes."""

letters = st.text(alphabet="b<z.?", min_size=30, max_size=30)


def _plain(reasons) -> str:
    return "; ".join(reasons).replace("\N{NO-BREAK SPACE}", " ")


def _of_first(lessons, scripts, settings=DEFAULT, usual=None):
    return decide_attention_flags(lessons.timelines(*scripts), settings, usual)[0]


@pytest.mark.parametrize(
    ("letter", "seconds"),
    [("b", (0, 0, 0, 5)), ("<", (0, 5, 0, 0)), ("z", (0, 0, 5, 0)), (".", (5, 0, 0, 0)), ("?", (0, 0, 0, 0))],
)
def test_breakdown_divides_time_by_state(lessons, letter, seconds):
    where = attention_breakdown(lessons.timeline(letter))
    parts = (where.not_seen_s, where.turned_away_s, where.eyes_closed_s, where.facing_s)
    assert tuple(float(part[0]) for part in parts) == seconds


def test_breakdown_ignores_unwatched_time(lessons):
    where = attention_breakdown(lessons.timelines("b  b", "b  b")[0])
    assert where.known_s.tolist() == [5, 0, 0, 5]
    assert where.away_s.sum() == 0


def test_breakdown_counts_turned_head_with_closed_eyes_once(lessons):
    line = lessons.timeline("b")
    one = replace(line, facing_samples=np.array([6]), eye_samples=np.array([8]), closed_samples=np.array([5]))
    where = attention_breakdown(one)
    # Of ten samples four were turned away and five had closed eyes; four may be the same.
    assert (where.turned_away_s[0], where.eyes_closed_s[0], where.facing_s[0]) == (2.0, 0.5, 2.5)


def test_breakdown_never_exceeds_seen_time(lessons):
    line = replace(lessons.timeline("<"), seen_samples=np.array([5]), seen_s=np.array([2.5]))
    where = attention_breakdown(line)
    assert (where.not_seen_s[0], where.turned_away_s[0]) == (2.5, 2.5)


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("b" * 20 + "<" * 100, FlagOutcome.FLAGGED, "for 83 % of the time"),
        ("bz<<" * 30, FlagOutcome.FLAGGED, "75 points more than the class"),
        ("b" * 40 + "." * 80, FlagOutcome.FLAGGED, "not seen, turned away or eyes closed for 67 %"),
        ("bbb<" * 30, FlagOutcome.NOT_FLAGGED, "it may be as little as"),
        (
            "b" * 20 + "." * 100,
            FlagOutcome.INSUFFICIENT_DATA,
            "seen for 17 % of the watched time, 30 % needed",
        ),
        ("." * 120, FlagOutcome.INSUFFICIENT_DATA, "never seen"),
        ("<" * 50 + "?" * 70, FlagOutcome.INSUFFICIENT_DATA, "known for 4 min 10 s of the 5 min needed"),
    ],
)
def test_attention_rule_outcome_and_reasons(lessons, script, outcome, reason):
    decision = _of_first(lessons, [script, *ATTENTIVE])
    assert decision.outcome is outcome, decision.reasons
    assert reason in _plain(decision.reasons)


def test_single_student_has_insufficient_data(lessons):
    decision = _of_first(lessons, ["<" * 120, *ATTENTIVE[:3]])
    assert decision.outcome is FlagOutcome.INSUFFICIENT_DATA
    assert (decision.class_difference, decision.class_share, decision.compared_s) == (None, None, 0)
    assert "4 other students to compare with for 0 s of the 5 min needed" in _plain(decision.reasons)


def test_group_work_of_whole_class_flags_no_student(lessons):
    everybody = "b" * 10 + "<" * 110
    decisions = decide_attention_flags(lessons.timelines(*[everybody] * 6), DEFAULT)
    assert {decision.outcome for decision in decisions} == {FlagOutcome.NOT_FLAGGED}
    assert decisions[0].interval.low > DEFAULT.away_share
    assert decisions[0].class_share == pytest.approx(11 / 12)
    assert "compared with the class at the same time" in _plain(decisions[0].reasons)


def test_compared_time_requires_known_classmates(lessons):
    # Four classmates are known in the second half only.
    others = ["?" * 60 + "b" * 60] * 2 + ["b" * 120] * 2
    decision = _of_first(lessons, ["<" * 120, *others])
    assert (decision.known_s, decision.compared_s) == (600, 300)
    assert decision.outcome is FlagOutcome.FLAGGED


def test_attention_decision_numbers(lessons):
    decision = _of_first(lessons, ["<<zz..bb??", *["b" * 10] * 4], replace(SHORT, min_known_s=30))
    assert (decision.watched_s, decision.known_s, decision.compared_s) == (50, 40, 40)
    assert (decision.turned_away_s, decision.eyes_closed_s, decision.not_seen_s, decision.away_s) == (
        10,
        10,
        10,
        30,
    )
    assert decision.away_share == pytest.approx(0.75)
    assert decision.shares_by_cause == {"not seen": 0.25, "turned away": 0.25, "eyes closed": 0.25}
    assert (decision.coverage, decision.class_share) == (0.8, 0)
    assert decision.class_difference.share == pytest.approx(0.75)


def test_attention_within_baseline_is_not_flagged(lessons):
    scripts = ["b<<<" * 30, *ATTENTIVE]
    low = _of_first(lessons, scripts).interval.low
    for level, outcome in ((low + 0.01, FlagOutcome.NOT_FLAGGED), (low - 0.01, FlagOutcome.FLAGGED)):
        decision = _of_first(lessons, scripts, DEFAULT, {1: {KIND: Baseline(level, 3)}})
        assert decision.outcome is outcome
    assert _of_first(lessons, scripts, DEFAULT, {1: {KIND: Baseline(0.9, 2)}}).outcome is FlagOutcome.FLAGGED
    assert _of_first(lessons, scripts, DEFAULT, {2: {KIND: Baseline(0.9, 3)}}).outcome is FlagOutcome.FLAGGED


@settings(max_examples=40)
@given(own=letters, others=st.lists(letters, min_size=4, max_size=6), order=st.randoms())
def test_attention_decisions_ignore_student_order(lessons, own, others, order):
    lines = lessons.timelines(own, *others)
    shuffled = list(lines[1:])
    order.shuffle(shuffled)
    one, two = (decide_attention_flags([lines[0], *rest], SHORT)[0] for rest in (lines[1:], shuffled))
    assert one.outcome is two.outcome
    assert one.class_share == (None if two.class_share is None else pytest.approx(two.class_share))


@settings(max_examples=40)
@given(own=letters, others=st.lists(letters, min_size=4, max_size=4), data=st.data())
def test_more_time_turned_away_never_unflags(lessons, own, others, data):
    before = decide_attention_flags(lessons.timelines(own, *others), SHORT)[0]
    front = [i for i, letter in enumerate(own) if letter == "b"]
    turned = data.draw(st.sets(st.sampled_from(front))) if front else set()
    further = "".join("<" if i in turned else letter for i, letter in enumerate(own))
    after = decide_attention_flags(lessons.timelines(further, *others), SHORT)[0]
    if before.outcome is FlagOutcome.FLAGGED:
        assert after.outcome is FlagOutcome.FLAGGED


@settings(max_examples=40)
@given(scripts=st.lists(letters, min_size=5, max_size=7))
def test_attention_numbers_stay_in_bounds(lessons, scripts):
    for decision in decide_attention_flags(lessons.timelines(*scripts), SHORT):
        assert decision.reasons
        assert decision.known_s <= decision.watched_s + 1e-9
        assert sum(decision.shares_by_cause.values()) <= 1 + 1e-9
        if decision.outcome is FlagOutcome.FLAGGED:
            assert decision.interval.low > SHORT.away_share
            assert decision.class_difference.low > SHORT.away_margin


def test_attention_record_is_json_ready(lessons):
    for decision in decide_attention_flags(lessons.timelines("<" * 120, "." * 120, *ATTENTIVE), DEFAULT):
        record = decision.to_record(7)
        numbers = json.loads(json.dumps(record.numbers, allow_nan=False))
        assert (record.kind, record.outcome) == ("attention", decision.outcome.value)
        assert numbers["away_share"] == decision.away_share
        assert numbers["settings"]["min_classmates"] == 4


def test_no_students_give_no_decisions():
    assert decide_attention_flags([], DEFAULT) == ()


@pytest.mark.parametrize(
    ("difference", "told"), [(0.25, "25 points more"), (-0.1, "10 points less"), (0.0, "0 points more")]
)
def test_describe_difference(difference, told):
    assert _plain([str(describe_difference(difference))]) == told
