from __future__ import annotations

from reports.method import method


def test_versions_sampling_and_policy(lessons):
    session = lessons.session(settings={"policy": {"legal_basis": "demo", "recorded_by": None}})
    rows = dict(method(session))
    assert rows["detector"] == "blaze 1"
    assert rows["pictures looked at"] == "150, 0 dropped"
    assert rows["length of a bin"] == "5 s"
    assert rows["policy"] == "legal basis demo"


def test_without_a_policy_there_is_no_row(lessons):
    for settings in ({}, {"policy": None}):
        assert "policy" not in dict(method(lessons.session(settings=settings)))


def test_the_model_cards_figures_are_printed_as_they_were_kept(lessons):
    kept = {
        "accuracy": 0.80512,
        "trained_on": "FER+",
        "bounds": [0.25, 1],
        "sad": {"recall": 0.5},
        "note": None,
    }
    rows = dict(method(lessons.session(settings={"model": kept})))
    assert rows["model card"] == "accuracy 0.8051; trained on FER+; bounds 0.25, 1; sad (recall 0.5)"
    for settings in ({}, {"model": None}, {"model": "cnn"}, {"model": {}}):
        assert "model card" not in dict(method(lessons.session(settings=settings)))


def test_how_the_session_stands_and_what_was_computed(lessons):
    rows = dict(method(lessons.session(mode="behaviour")))
    assert rows["session"] == "7, finished, from lesson.mp4"
    assert rows["mode"] == "behaviour"
