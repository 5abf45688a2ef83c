from __future__ import annotations

import pytest

from reports.narrative.method import describe_model_metrics, method_rows


def test_method_rows(lessons):
    session = lessons.session(settings={"policy": {"legal_basis": "demo", "recorded_by": None}})
    rows = dict(method_rows(session))
    assert rows["detector"] == "blaze 1"
    assert rows["analysed frames"] == "150, 0 dropped"
    assert rows["time step"] == "5 s"
    assert rows["policy"] == "legal basis demo"


def test_method_rows_without_policy(lessons):
    for settings in ({}, {"policy": None}):
        assert "policy" not in dict(method_rows(lessons.session(settings=settings)))


CARD = {
    "faces": 1686,
    "accuracy": 0.87,
    "sad_recall": 0.66,
    "sad_precision": 0.78,
    "neutral_called_sad": 0.048,
}


def test_describe_model_metrics(lessons):
    result = (
        describe_model_metrics(lessons.session(settings={"model": {"name": "cp-1", "scores": CARD}})) or ""
    )
    assert result.replace("\N{NO-BREAK SPACE}", " ") == (
        "On 1686 faces that it was not trained on, the model (cp-1) agreed with the majority of ten people "
        "in 87 % of the cases. It found 66 % of the faces that they call sad; of the faces that it calls "
        "sad, they call 78 % sad too; it calls 5 % of the faces that they call neutral sad."
    )


@pytest.mark.parametrize(
    "kept", [None, "cnn", {}, {"name": "cp-1"}, {"name": "cp-1", "scores": CARD | {"accuracy": None}}]
)
def test_missing_model_metrics_give_none(lessons, kept):
    assert describe_model_metrics(lessons.session(settings={"model": kept})) is None
    assert describe_model_metrics(lessons.session(settings={})) is None


def test_method_rows_have_status_and_mode(lessons):
    rows = dict(method_rows(lessons.session(mode="behaviour")))
    assert rows["session"] == "7, finished, from lesson.mp4"
    assert rows["mode"] == "behaviour"
