from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.emotions import EMOTIONS, Emotion
from model.inference.classifier import read_model, shipped_file
from reports.flags.base import SADNESS_KIND, FlagOutcome
from reports.flags.baseline import Baseline
from reports.flags.confusion import ConfusionMatrix, confusion_from_settings
from reports.flags.sadness import FlagSettings, decide_sadness_flag

SHORT = FlagSettings(min_usable_s=20.0)
LAX = FlagSettings(sad_share=0.05, min_usable_s=0, min_usable_samples=0)
script = st.text(alphabet="adfhsun.?<", min_size=1, max_size=30)
sad_script = st.text(alphabet="sssssnnah.?<", min_size=12, max_size=40)


@pytest.fixture(scope="module")
def exact(lessons) -> ConfusionMatrix:
    """A matrix with which corrected shares equal a script's letters."""
    found = confusion_from_settings({"model": lessons.model()})
    assert found is not None
    return found


@pytest.fixture(scope="module")
def own() -> ConfusionMatrix:
    """The shipped model's matrix."""
    found = confusion_from_settings({"model": read_model(shipped_file("expression.tflite")).model_metrics})
    assert found is not None
    return found


def _plain(reasons) -> str:
    return "; ".join(reasons).replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("sssn" * 15, FlagOutcome.FLAGGED, "estimated at 75 % of the readable time ("),
        ("sn" * 30, FlagOutcome.NOT_FLAGGED, "another expression reached 50 %"),
        ("sssssssnnnnnnhhhhhaaaaafffff" * 8, FlagOutcome.NOT_FLAGGED, "it may be as little as"),
        ("sssnn", FlagOutcome.NOT_FLAGGED, "it may be as little as <1 %; more than 25 % is needed"),
        ("nnnnnnnn", FlagOutcome.NOT_FLAGGED, "estimated at <1 % of the readable time (0–49 %)"),
        ("sss.....", FlagOutcome.INSUFFICIENT_DATA, "readable for 15 s of the 20 s needed"),
        ("????????", FlagOutcome.INSUFFICIENT_DATA, "never readable"),
        ("........", FlagOutcome.INSUFFICIENT_DATA, "never readable"),
        ("ssss" + "." * 20, FlagOutcome.INSUFFICIENT_DATA, "seen for 17 % of the watched time, 20 % needed"),
        (
            "ssss" + "?" * 40,
            FlagOutcome.INSUFFICIENT_DATA,
            "readable for 9 % of the watched time, 10 % needed",
        ),
    ],
)
def test_sadness_rule_outcome_and_reasons(lessons, exact, script, outcome, reason):
    decision = decide_sadness_flag(lessons.timeline(script), SHORT, exact)
    assert decision.outcome is outcome
    assert reason in _plain(decision.reasons)


def test_sadness_decision_numbers(lessons, exact):
    decision = decide_sadness_flag(lessons.timeline("sssn?."), SHORT, exact)
    assert (decision.watched_s, decision.seen_s, decision.usable_s, decision.sad_s) == (30, 25, 20, 15)
    assert (decision.usable_samples, decision.corrected) == (40, True)
    assert decision.coverage == pytest.approx(5 / 6)
    assert decision.usable_share == pytest.approx(0.8)
    assert decision.raw_share == pytest.approx(0.7 * 0.75 + 0.05 * 0.25)
    assert (decision.sad_share, decision.neutral_share) == pytest.approx((0.75, 0.25))
    assert sum(decision.shares) == pytest.approx(1)
    assert decision.interval.low < 0.75 < decision.interval.high


def test_known_confusions_are_corrected(lessons):
    rows = np.eye(7)
    rows[Emotion.SAD, [Emotion.SAD, Emotion.NEUTRAL]] = 0.6, 0.4
    model = ConfusionMatrix(tuple(map(tuple, rows)), (10**9,) * 7)
    line = lessons.timeline("sssnn" * 24)
    read = np.where(line.leading_expression[:, None] == Emotion.SAD, rows[Emotion.SAD], rows[Emotion.NEUTRAL])
    line = replace(line, probabilities=read)
    corrected, as_read = decide_sadness_flag(line, SHORT, model), decide_sadness_flag(line, SHORT)
    assert (corrected.outcome, as_read.outcome) == (FlagOutcome.FLAGGED, FlagOutcome.NOT_FLAGGED)
    assert corrected.sad_share == pytest.approx(0.6)
    assert (as_read.sad_share, corrected.raw_share) == pytest.approx((0.36, 0.36))
    assert "not corrected" in as_read.reasons[-1]


def test_unseen_time_does_not_change_the_share(lessons, exact):
    lines = lessons.timelines("sssssnnn....", "sssssnnn????")
    seen, less = (decide_sadness_flag(line, SHORT, exact) for line in lines)
    assert seen.sad_share == less.sad_share == pytest.approx(5 / 8)
    assert seen.interval == less.interval


def test_small_margin_over_neutral_is_not_flagged(lessons, exact):
    line = lessons.timeline(("s" * 11 + "n" * 9) * 12)
    assert decide_sadness_flag(line, SHORT, exact).outcome is FlagOutcome.FLAGGED
    wider = decide_sadness_flag(line, replace(SHORT, sad_margin=0.2), exact)
    assert wider.outcome is FlagOutcome.NOT_FLAGGED
    assert "neutral reached 45 %, less than 20 % behind" in _plain(wider.reasons)


def test_sadness_within_baseline_is_not_flagged(lessons, exact):
    line = lessons.timeline("sssn" * 60)
    low = decide_sadness_flag(line, SHORT, exact).interval.low
    usually, seldom = Baseline(low + 0.01, 3), Baseline(low - 0.01, 3)
    assert decide_sadness_flag(line, SHORT, exact, seldom).outcome is FlagOutcome.FLAGGED
    decision = decide_sadness_flag(line, SHORT, exact, usually)
    assert (decision.outcome, decision.baseline) == (FlagOutcome.NOT_FLAGGED, usually)
    assert "not above the student's own usual" in _plain(decision.reasons)
    assert "(median of 3 earlier sessions)" in _plain(decision.reasons)
    early = decide_sadness_flag(line, SHORT, exact, Baseline(0.9, 2))
    assert (early.outcome, early.baseline) == (FlagOutcome.FLAGGED, None)


def test_default_settings_require_a_minute(lessons, exact):
    outcomes = [
        decide_sadness_flag(lessons.timeline("s" * n), FlagSettings(), exact).outcome for n in (11, 12)
    ]
    assert outcomes == [FlagOutcome.INSUFFICIENT_DATA, FlagOutcome.FLAGGED]


def test_few_samples_are_insufficient_data(lessons, exact):
    line = lessons.timeline("s" * 24)
    seldom = replace(line, usable_samples=np.ones(24, np.int64), seen_samples=np.ones(24, np.int64))
    decision = decide_sadness_flag(seldom, SHORT, exact)
    assert decision.outcome is FlagOutcome.INSUFFICIENT_DATA
    assert decision.reasons == ("readable in 24 of the 30 frames needed",)


def test_sad_share_setting_changes_outcome(lessons, exact):
    line = lessons.timeline("ssn" * 60)
    low = decide_sadness_flag(line, SHORT, exact).interval.low
    assert (
        decide_sadness_flag(line, replace(SHORT, sad_share=low - 0.01), exact).outcome is FlagOutcome.FLAGGED
    )
    assert (
        decide_sadness_flag(line, replace(SHORT, sad_share=low + 0.01), exact).outcome
        is FlagOutcome.NOT_FLAGGED
    )


def test_never_seen_is_insufficient_data_without_minima(lessons):
    lax = replace(LAX, min_coverage=0, min_usable_share=0)
    decision = decide_sadness_flag(lessons.timeline("..."), lax)
    assert decision.outcome is FlagOutcome.INSUFFICIENT_DATA
    assert decision.interval is decision.sad_share is decision.raw_share is decision.neutral_share is None


@settings(max_examples=60)
@given(script=script, factor=st.floats(0.0, 1.0))
def test_less_seen_time_never_flags(lessons, exact, script, factor):
    line = lessons.timeline(script)
    less = replace(line, seen_s=line.seen_s * factor)
    before, after = (decide_sadness_flag(one, SHORT, exact).outcome for one in (line, less))
    if before is not FlagOutcome.FLAGGED:
        assert after is not FlagOutcome.FLAGGED


@settings(max_examples=60)
@given(script=script, data=st.data())
def test_removing_bins_never_makes_data_sufficient(lessons, script, data):
    seen = [i for i, letter in enumerate(script) if letter != "."]
    if (
        not seen
        or decide_sadness_flag(lessons.timeline(script), SHORT).outcome is not FlagOutcome.INSUFFICIENT_DATA
    ):
        return
    gone = data.draw(st.sets(st.sampled_from(seen)))
    less = "".join("." if i in gone else letter for i, letter in enumerate(script))
    assert decide_sadness_flag(lessons.timeline(less), SHORT).outcome is FlagOutcome.INSUFFICIENT_DATA


@settings(max_examples=150)
@given(script=sad_script, seed=st.integers(0, 10**6), corrected=st.booleans(), level=st.floats(0, 0.5))
def test_more_sadness_never_unflags(lessons, own, script, seed, corrected, level):
    rng, line = np.random.default_rng(seed), lessons.timeline(script)
    model, usual = own if corrected else None, Baseline(level, 3)
    before = decide_sadness_flag(line, LAX, model, usual)
    # In random bins, other expressions give random parts of their probability to sad.
    given_up = rng.random(line.probabilities.shape) * rng.integers(2, size=line.probabilities.shape)
    given_up[:, Emotion.SAD] = 0
    sadder = line.probabilities * (1 - given_up)
    sadder[:, Emotion.SAD] += (line.probabilities * given_up).sum(axis=1)
    after = decide_sadness_flag(replace(line, probabilities=sadder), LAX, model, usual)
    if before.interval is not None:
        assert after.sad_share >= before.sad_share - 1e-9
        assert after.interval.low >= before.interval.low - 1e-9
    if before.outcome is FlagOutcome.FLAGGED:
        assert after.outcome is FlagOutcome.FLAGGED


@settings(max_examples=60)
@given(script=script)
def test_sadness_decision_has_reasons_and_numbers_in_bounds(lessons, own, script):
    decision = decide_sadness_flag(lessons.timeline(script), SHORT, own)
    assert decision.reasons
    assert 0 <= decision.sad_s <= decision.usable_s <= decision.seen_s <= decision.watched_s
    if decision.outcome is FlagOutcome.FLAGGED:
        assert decision.interval.low > SHORT.sad_share
        assert decision.sad_share == max(decision.shares)


def test_sadness_record_is_json_ready_with_thresholds(lessons, exact):
    for line in lessons.timelines("sssssssss", "........."):
        record = decide_sadness_flag(line, SHORT, exact, Baseline(0.2, 4)).to_record(7)
        numbers = json.loads(json.dumps(record.numbers, allow_nan=False))
        assert (record.session_id, record.student_id, record.kind) == (7, line.student_id, SADNESS_KIND)
        assert record.review == "open"
        assert (numbers["baseline_share"], numbers["baseline_sessions"]) == (0.2, 4)
        assert numbers["settings"]["min_usable_s"] == 20
        assert numbers["reasons"]
        if line.student_id == 1:
            assert list(numbers["shares"]) == list(EMOTIONS)
            assert numbers["sad_share_low"] < numbers["sad_share"] == pytest.approx(1)
    assert record.outcome == "insufficient_data"
    assert numbers["sad_share"] is numbers["shares"] is numbers["raw_share"] is None


def test_reasons_never_state_that_a_student_is_sad(lessons, exact):
    for text in ("s" * 20, "sn" * 20, "n" * 20):
        reasons = " ".join(
            decide_sadness_flag(lessons.timeline(text), FlagSettings(), exact, Baseline(0.5, 3)).reasons
        )
        assert Emotion.SAD.label not in reasons
