from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.emotions import Emotion
from reports.text import formatting as words
from reports.text.formatting import NBSP
from reports.text.i18n import use_language


@pytest.mark.parametrize(
    ("seconds", "clock", "length"),
    [
        (0, "0:00", "0 s"),
        (0.5, "0:00", "0 s"),
        (59.6, "1:00", "1 min"),
        (75, "1:15", "1 min 15 s"),
        (3600, "1:00:00", "1 h"),
        (3675, "1:01:15", "1 h 1 min"),
    ],
)
def test_format_media_time_and_duration(seconds, clock, length):
    assert words.format_media_time(seconds) == clock
    assert words.format_duration(seconds) == length.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.004, "<1 %"), (0.625, "62 %"), (0.9999, ">99 %"), (1.0, "100 %"), (None, "–")],
)
def test_format_percent(share, text):
    assert words.format_percent(share) == text.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("angle", "sideways", "upwards"),
    [(12.4, "12° left", "12° up"), (-8, "8° right", "8° down"), (-0.4, "0°", "0°")],
)
def test_format_yaw_and_pitch(angle, sideways, upwards):
    assert words.format_yaw(angle) == sideways.replace(" ", NBSP)
    assert words.format_pitch(angle) == upwards.replace(" ", NBSP)


@pytest.mark.parametrize(
    ("change", "text"), [(0, "0 points"), (0.004, "0 points"), (-0.254, "−25 points"), (1, "+100 points")]
)
def test_format_points(change, text):
    assert words.format_change_points(change) == text.replace(" ", NBSP)


@given(share=st.floats(0, 1))
def test_format_percent_shows_0_and_100_only_if_exact(share):
    text = words.format_percent(share)
    assert (text == f"0{NBSP}%") <= (share == 0)
    assert (text == f"100{NBSP}%") <= (share > 1 - 1e-8)


def test_format_percent_range():
    assert words.format_percent_range(0.4, 0.812) == f"40–81{NBSP}%"


@pytest.mark.parametrize(
    ("items", "text"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join_items(items, text):
    assert words.join_items(items) == text


@pytest.mark.parametrize(("number", "text"), [(0, "no students"), (1, "1 student"), (2, "2 students")])
def test_format_count(number, text):
    assert words.format_count(number, "student") == text


def test_every_expression_has_a_noun():
    assert set(words.EMOTION_NOUNS) == set(Emotion)
    assert not {"sad", "angry", "happy"} & set(words.EMOTION_NOUNS.values())


def test_natural_sort_key() -> None:
    names = ["Student 10", "owl", "Student 9", "Fox", "李雷", "Student"]
    assert sorted(names, key=words.natural_sort_key) == [
        "Fox",
        "owl",
        "Student",
        "Student 9",
        "Student 10",
        "李雷",
    ]


def test_expression_tags_are_no_findings():
    tags = {emotion: words.expression_tag(emotion, 0.625) for emotion in Emotion}
    assert tags[Emotion.SAD] == f"sad-like{NBSP}62{NBSP}%"
    assert tags[Emotion.HAPPY] == f"happy{NBSP}62{NBSP}%"
    for unpleasant in (Emotion.ANGRY, Emotion.DISGUST, Emotion.FEAR, Emotion.SAD):
        assert tags[unpleasant].split(NBSP)[0].endswith("-like")
    assert words.expression_tag(Emotion.SAD, 0.625, short=True) == "sad-like"


def test_expression_and_reason_tags_are_translated():
    with use_language("de"):
        assert words.expression_tag(Emotion.SAD, 0.62) == f"wirkt traurig{NBSP}62{NBSP}%"
        assert words.reason_tag("head bowed") == "Kopf gesenkt"
        assert words.reason_tag("head bowed", short=True) == "gesenkt"
