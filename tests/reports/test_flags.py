from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.emotions import Emotion
from reports.flags import KIND, FlagSettings, Outcome, judge, judge_all, to_record
from reports.timeline import StudentTimeline

SHORT = FlagSettings(least_usable_s=20.0)
script = st.text(alphabet="adfhsun.?<", min_size=1, max_size=30)


def _times_scaled(line: StudentTimeline, factor: float) -> StudentTimeline:
    return replace(line, seen_s=line.seen_s * factor)


@pytest.mark.parametrize(
    ("script", "outcome", "reason"),
    [
        ("sssssnnn", Outcome.FLAGGED, "led for 62 % of the readable time, more than 50 %"),
        ("ssssnnnn", Outcome.NOT_FLAGGED, "led for 50 % of the readable time, not more than 50 %"),
        ("nnnnnnnn", Outcome.NOT_FLAGGED, "led for 0 %"),
        ("sss.....", Outcome.INSUFFICIENT_DATA, "readable for 15 s of the 20 s needed"),
        ("????????", Outcome.INSUFFICIENT_DATA, "never readable"),
        ("........", Outcome.INSUFFICIENT_DATA, "never readable"),
        ("ssss" + "." * 20, Outcome.INSUFFICIENT_DATA, "seen for 17 % of the watched time, 20 % needed"),
        ("ssss" + "?" * 20, Outcome.INSUFFICIENT_DATA, "readable for 17 % of the seen time, 20 % needed"),
    ],
)
def test_the_rule(lessons, script, outcome, reason):
    verdict = judge(lessons.timeline(script), SHORT)
    assert verdict.outcome is outcome
    assert reason in " ".join(verdict.reasons).replace("\N{NO-BREAK SPACE}", " ")


def test_the_numbers_that_decided(lessons):
    verdict = judge(lessons.timeline("sssn?."), SHORT)
    assert (verdict.watched_s, verdict.seen_s, verdict.usable_s, verdict.sad_s) == (30, 25, 20, 15)
    assert verdict.coverage == pytest.approx(5 / 6)
    assert verdict.usable_share == pytest.approx(0.8)
    assert verdict.sad_share == pytest.approx(0.75)
    assert verdict.interval.low < 0.75 < verdict.interval.high


def test_unseen_time_is_no_evidence(lessons):
    seen, less = judge_all(lessons.timelines("sssssnnn....", "sssssnnn????"), SHORT)
    assert seen.sad_share == less.sad_share == pytest.approx(5 / 8)


def test_a_flag_that_may_be_chance_says_so(lessons):
    short = judge(lessons.timeline("sssnn"), SHORT)
    assert short.outcome is Outcome.FLAGGED
    assert "this may be chance" in short.reasons[1]
    long = judge(lessons.timeline("sssn" * 120), SHORT)
    assert long.interval.low > 0.5
    assert len(long.reasons) == 1


def test_a_flag_that_was_not_raised_may_be_chance_too(lessons):
    assert "cannot be ruled out" in judge(lessons.timeline("ssnnn"), SHORT).reasons[1]


def test_the_defaults_ask_for_a_minute(lessons):
    outcomes = [judge(lessons.timeline("s" * n), FlagSettings()).outcome for n in (11, 12)]
    assert outcomes == [Outcome.INSUFFICIENT_DATA, Outcome.FLAGGED]


def test_the_threshold_is_a_setting(lessons):
    line = lessons.timeline("sssnnnnnnn")
    assert judge(line, replace(SHORT, sad_share=0.25)).outcome is Outcome.FLAGGED
    assert judge(line, replace(SHORT, sad_share=0.3)).outcome is Outcome.NOT_FLAGGED


def test_never_seen_is_insufficient_even_without_minima(lessons):
    lax = FlagSettings(least_usable_s=0, least_coverage=0, least_usable_share=0)
    verdict = judge(lessons.timeline("..."), lax)
    assert verdict.outcome is Outcome.INSUFFICIENT_DATA
    assert verdict.interval is None
    assert verdict.sad_share is None


@settings(max_examples=60)
@given(script=script, factor=st.floats(0.0, 1.0))
def test_less_seen_time_never_flags(lessons, script, factor):
    line = lessons.timeline(script)
    before, after = judge(line, SHORT).outcome, judge(_times_scaled(line, factor), SHORT).outcome
    if before is not Outcome.FLAGGED:
        assert after is not Outcome.FLAGGED


@settings(max_examples=60)
@given(script=script, data=st.data())
def test_who_had_too_little_still_has_when_readable_moments_go(lessons, script, data):
    readable = [i for i, letter in enumerate(script) if letter not in ".?<"]
    if not readable or judge(lessons.timeline(script), SHORT).outcome is not Outcome.INSUFFICIENT_DATA:
        return
    gone = data.draw(st.sets(st.sampled_from(readable)))
    less = "".join("." if i in gone else letter for i, letter in enumerate(script))
    assert judge(lessons.timeline(less), SHORT).outcome is Outcome.INSUFFICIENT_DATA


@settings(max_examples=60)
@given(script=script, data=st.data())
def test_more_sadness_never_unflags(lessons, script, data):
    readable = [i for i, letter in enumerate(script) if letter not in ".?<"]
    if not readable or judge(lessons.timeline(script), SHORT).outcome is not Outcome.FLAGGED:
        return
    turned = data.draw(st.sets(st.sampled_from(readable)))
    sadder = "".join("s" if i in turned else letter for i, letter in enumerate(script))
    assert judge(lessons.timeline(sadder), SHORT).outcome is Outcome.FLAGGED


@settings(max_examples=60)
@given(script=script)
def test_every_verdict_has_reasons_and_numbers_in_bounds(lessons, script):
    verdict = judge(lessons.timeline(script), SHORT)
    assert verdict.reasons
    assert 0 <= verdict.sad_s <= verdict.usable_s <= verdict.seen_s <= verdict.watched_s
    assert (verdict.outcome is Outcome.FLAGGED) <= (verdict.sad_share is not None and verdict.sad_share > 0.5)


def test_the_record_is_ready_for_json_and_names_the_thresholds(lessons):
    for line in lessons.timelines("sssssssss", "........."):
        record = to_record(7, judge(line, SHORT))
        numbers = json.loads(json.dumps(record.numbers, allow_nan=False))
        assert (record.session_id, record.student_id, record.kind) == (7, line.student_id, KIND)
        assert record.review == "open"
        assert numbers["settings"]["least_usable_s"] == 20
        assert numbers["reasons"]
    assert record.outcome == "insufficient_data"
    assert numbers["sad_share"] is None


def test_the_reasons_never_say_that_somebody_is_sad(lessons):
    reasons = " ".join(judge(lessons.timeline("s" * 20), FlagSettings()).reasons)
    assert "is sad" not in reasons
    assert Emotion.SAD.label not in reasons
