from __future__ import annotations

import pytest

from reports.narrative.method import describe_model_metrics, method_rows


def test_versions_sampling_and_policy(lessons):
    session = lessons.session(settings={"policy": {"legal_basis": "demo", "recorded_by": None}})
    rows = dict(method_rows(session))
    assert rows["detector"] == "blaze 1"
    assert rows["pictures looked at"] == "150, 0 dropped"
    assert rows["length of a bin"] == "5 s"
    assert rows["policy"] == "legal basis demo"


def test_without_a_policy_there_is_no_row(lessons):
    for settings in ({}, {"policy": None}):
        assert "policy" not in dict(method_rows(lessons.session(settings=settings)))


CARD = {
    "faces": 1686,
    "accuracy": 0.87,
    "sad_recall": 0.66,
    "sad_precision": 0.78,
    "neutral_called_sad": 0.048,
}


def test_the_model_cards_figures_are_told_in_words(lessons):
    told = describe_model_metrics(lessons.session(settings={"model": {"name": "cp-1", "scores": CARD}})) or ""
    assert told.replace("\N{NO-BREAK SPACE}", " ") == (
        "On 1686 faces that it had not learnt from, the model (cp-1) named what most of ten people saw in "
        "87 %. Of the faces they call sad it found 66 %, of those that it called sad 78 % were, and of those "
        "they call neutral it called 5 % sad."
    )


@pytest.mark.parametrize(
    "kept", [None, "cnn", {}, {"name": "cp-1"}, {"name": "cp-1", "scores": CARD | {"accuracy": None}}]
)
def test_what_was_not_kept_of_the_model_is_not_told(lessons, kept):
    assert describe_model_metrics(lessons.session(settings={"model": kept})) is None
    assert describe_model_metrics(lessons.session(settings={})) is None


def test_how_the_session_stands_and_what_was_computed(lessons):
    rows = dict(method_rows(lessons.session(mode="behaviour")))
    assert rows["session"] == "7, finished, from lesson.mp4"
    assert rows["mode"] == "behaviour"
