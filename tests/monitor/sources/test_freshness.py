from __future__ import annotations

import numpy as np
import pytest

from monitor.sources.freshness import (
    EXACT_TOLERANCE,
    RECODED_TOLERANCE,
    FrameStatus,
    FrozenFrameDetector,
    is_black,
)


def grey(level: int, size: tuple[int, int] = (20, 30)) -> np.ndarray:
    return np.full(size, level, np.uint8)


def with_spot(image: np.ndarray, level: int) -> np.ndarray:
    spotted = image.copy()
    spotted[5, 5] = level
    return spotted


def test_classify_repeated_frame_is_duplicate():
    detector = FrozenFrameDetector(EXACT_TOLERANCE)
    assert [detector.classify(grey(90)) for _ in range(3)] == [
        FrameStatus.FRESH,
        FrameStatus.DUPLICATE,
        FrameStatus.DUPLICATE,
    ]


@pytest.mark.parametrize(
    ("tolerance", "level", "status"),
    [
        (EXACT_TOLERANCE, 90, FrameStatus.DUPLICATE),
        (EXACT_TOLERANCE, 91, FrameStatus.FRESH),
        (EXACT_TOLERANCE, 89, FrameStatus.FRESH),
        (RECODED_TOLERANCE, 89 + RECODED_TOLERANCE, FrameStatus.DUPLICATE),
        (RECODED_TOLERANCE, 91 - RECODED_TOLERANCE, FrameStatus.DUPLICATE),
        (RECODED_TOLERANCE, 90 + RECODED_TOLERANCE, FrameStatus.FRESH),
        (RECODED_TOLERANCE, 90 - RECODED_TOLERANCE, FrameStatus.FRESH),
    ],
)
def test_classify_one_changed_block_decides(tolerance, level, status):
    detector = FrozenFrameDetector(tolerance)
    detector.classify(grey(90))
    assert detector.classify(with_spot(grey(90), level)) is status


def test_classify_slow_changes_add_up():
    detector = FrozenFrameDetector(RECODED_TOLERANCE)
    statuses = [detector.classify(grey(90 + step)) for step in range(2 * RECODED_TOLERANCE + 1)]
    assert [i for i, status in enumerate(statuses) if status is FrameStatus.FRESH] == [
        0,
        RECODED_TOLERANCE,
        2 * RECODED_TOLERANCE,
    ]


def test_classify_continues_from_a_given_last_thumbnail():
    first = FrozenFrameDetector(EXACT_TOLERANCE)
    first.classify(grey(90))
    assert (
        FrozenFrameDetector(EXACT_TOLERANCE, first.last_thumbnail).classify(grey(90)) is FrameStatus.DUPLICATE
    )


def test_classify_another_size_is_fresh():
    detector = FrozenFrameDetector(RECODED_TOLERANCE)
    detector.classify(grey(90))
    assert detector.classify(grey(90, (15, 20))) is FrameStatus.FRESH


def test_classify_first_frame_after_black_is_fresh():
    detector = FrozenFrameDetector(RECODED_TOLERANCE)
    statuses = [detector.classify(grey(level)) for level in (90, 2, 2, 90, 90)]
    assert statuses == [
        FrameStatus.FRESH,
        FrameStatus.BLACK,
        FrameStatus.BLACK,
        FrameStatus.FRESH,
        FrameStatus.DUPLICATE,
    ]


@pytest.mark.parametrize(
    ("thumbnail", "black"),
    [
        (grey(0), True),
        (grey(16), True),
        (with_spot(grey(16), 18), True),
        (grey(40), False),
        # One face, lit by a projector or a screen, in a dark room.
        (with_spot(grey(3), 20), False),
        (grey(255), False),
    ],
)
def test_is_black_requires_every_block_to_be_dark(thumbnail, black):
    assert is_black(thumbnail) is black
