from __future__ import annotations

from model.emotions import EMOTIONS, Emotion


def test_emotions_have_the_order_of_fer2013() -> None:
    assert EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def test_emotion_value_is_the_index_of_its_label() -> None:
    assert [EMOTIONS[emotion] for emotion in Emotion] == [emotion.label for emotion in Emotion]
    assert EMOTIONS[Emotion.SAD] == "sad"
