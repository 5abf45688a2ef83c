from __future__ import annotations

import numpy as np
import pytest

from model.data.faces import NO_MAJORITY, expression_counts, majority_labels, vote_distribution
from model.emotions import EMOTIONS, Emotion


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        # neutral happiness surprise sadness anger disgust fear contempt unknown NF
        pytest.param((6, 0, 0, 4, 0, 0, 0, 0, 0, 0), {"neutral": 0.6, "sad": 0.4}, id="two labels"),
        pytest.param((0, 10, 0, 0, 0, 0, 0, 0, 0, 0), {"happy": 1}, id="all agree"),
        pytest.param((0, 0, 5, 0, 0, 0, 5, 0, 0, 0), {"surprise": 0.5, "fear": 0.5}, id="a tie"),
        pytest.param((0, 0, 0, 0, 3, 1, 0, 6, 0, 0), {"angry": 0.75, "disgust": 0.25}, id="contempt dropped"),
        pytest.param((4, 0, 0, 0, 0, 0, 0, 0, 3, 3), {"neutral": 1}, id="unknown and NF dropped"),
        pytest.param((0, 0, 0, 0, 0, 0, 0, 10, 0, 0), {}, id="nothing but contempt"),
        pytest.param((4, 0, 0, 0, 0, 0, 0, 0, 6, 0), {}, id="unknown leads"),
        pytest.param((5, 0, 0, 0, 0, 0, 0, 0, 5, 0), {}, id="unknown ties"),
        pytest.param((1, 0, 0, 0, 0, 0, 0, 0, 0, 9), {}, id="not a face"),
        pytest.param((0,) * 10, {}, id="no votes"),
    ],
)
def test_vote_distribution(counts: tuple[int, ...], expected: dict[str, float]) -> None:
    votes = vote_distribution(np.array([counts]))
    result = {Emotion(i).label: share for i, share in enumerate(votes[0].tolist()) if share}
    assert result == pytest.approx(expected)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        pytest.param((6, 0, 0, 4, 0, 0, 0, 0, 0, 0), Emotion.NEUTRAL, id="more than half"),
        pytest.param((0, 2, 0, 3, 0, 2, 2, 0, 1, 0), Emotion.SAD, id="less than half"),
        pytest.param((0, 0, 5, 0, 0, 0, 5, 0, 0, 0), NO_MAJORITY, id="a tie of two labels"),
        pytest.param((0, 0, 0, 0, 5, 0, 0, 5, 0, 0), NO_MAJORITY, id="a tie with contempt"),
        pytest.param((0, 0, 0, 0, 4, 0, 0, 0, 4, 2), NO_MAJORITY, id="a tie with unknown"),
        pytest.param((0, 0, 0, 0, 4, 0, 0, 6, 0, 0), NO_MAJORITY, id="contempt leads"),
        pytest.param((4, 0, 0, 0, 0, 0, 0, 0, 6, 0), NO_MAJORITY, id="unknown leads"),
        pytest.param((1, 0, 0, 0, 0, 0, 0, 0, 0, 9), NO_MAJORITY, id="not a face leads"),
        pytest.param((0,) * 10, NO_MAJORITY, id="no votes"),
    ],
)
def test_majority_labels(counts: tuple[int, ...], expected: int) -> None:
    assert majority_labels(np.array([counts])).tolist() == [expected]


def test_majority_labels_of_each_column() -> None:
    columns = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
    result = majority_labels(np.eye(10, dtype=np.int64))
    assert [EMOTIONS[label] for label in result[:7]] == list(columns)
    assert result[7:].tolist() == [NO_MAJORITY] * 3
    assert expression_counts(np.eye(10, dtype=np.int64)).argmax(axis=1)[:7].tolist() == result[:7].tolist()


def test_votes_of_several_faces() -> None:
    counts = np.array([[0, 8, 0, 0, 0, 0, 0, 0, 2, 0], [0] * 10, [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]])
    votes = vote_distribution(counts)
    assert (votes.shape, votes.dtype) == ((3, 7), np.float32)
    assert votes.sum(axis=1).tolist() == [1, 0, 1]
    assert majority_labels(counts).tolist() == [Emotion.HAPPY, NO_MAJORITY, Emotion.SAD]
