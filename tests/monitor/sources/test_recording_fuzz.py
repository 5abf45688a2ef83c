"""Recordings with random container fields. The generator knows the truth: the result is right, or reported as
uncertain by a note, a gap or an error, and never silently wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from monitor.errors import SourceError
from monitor.imaging import image_size
from monitor.sources.media_clock import MAX_PAUSE_S
from monitor.sources.video_file import MAX_RECORDING_S, VideoFile
from monitor.types import Frame, Gap, ImageBGR
from tests.helpers.matroska import write_matroska
from tests.helpers.recordings import set_display_matrix
from tests.helpers.videos import index_of, steps, write_video

STARTED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CHUNKS, SEEDS_PER_CHUNK = 20, 25
START_S = 1e9
"""Timestamps of Matroska are not negative; so far from zero every clock can go back."""
TOLERANCE_S = 0.35
"""The time of a frame may be off by about the interval of two frames where a clock was changed."""


@dataclass
class Made:
    """What is written, and the truth. ``is_decidable``: the right result follows from the file, so a note is
    no excuse. ``is_clean``: nothing is unusual, so that there is no note."""

    times_s: np.ndarray
    true_s: np.ndarray
    sizes: list[tuple[int, int]]
    frame_s: float
    outliers: set[int] = field(default_factory=set)
    duration_s: float | None = None
    display: tuple[int, int] | None = None
    true_aspect: float = 4 / 3
    is_decidable: bool = True
    is_clean: bool = True


def plain(rng: np.random.Generator) -> Made:
    count, frame_s = int(rng.integers(30, 46)), float(rng.choice([0.1, 0.125, 0.2]))
    true_s = np.arange(count) * frame_s
    return Made(START_S + true_s, true_s, [(32, 24)] * count, frame_s)


def far(rng: np.random.Generator, least_s: float = 5.0, most_s: float = 1e8) -> float:
    return float(np.exp(rng.uniform(np.log(least_s), np.log(most_s))))


def outliers(rng: np.random.Generator, made: Made) -> None:
    """Up to a second with a wrong time, and the old clock again."""
    length = int(rng.integers(1, max(2, round(1 / made.frame_s))))
    first = int(rng.integers(1, len(made.times_s) - length - 1))
    made.outliers = set(range(first, first + length))
    made.times_s[first : first + length] += far(rng) * float(rng.choice([-1, 1]))
    made.is_clean = False


def jump(rng: np.random.Generator, made: Made) -> None:
    """A clock that jumps ahead for good. Within the bound it may be a pause."""
    at = int(rng.integers(1, len(made.times_s) - 2))
    jump_s = far(rng)
    made.times_s[at:] += jump_s
    made.is_decidable = jump_s > MAX_PAUSE_S
    made.is_clean = False


def restart(rng: np.random.Generator, made: Made) -> None:
    at = int(rng.integers(1, len(made.times_s) - 2))
    made.times_s[at:] -= far(rng)
    made.is_clean = False


def pause(rng: np.random.Generator, made: Made) -> None:
    """A true pause."""
    at = int(rng.integers(1, len(made.times_s) - 2))
    pause_s = far(rng, 3.0, 3e4)
    made.times_s[at:] += pause_s
    made.true_s[at:] += pause_s
    made.is_decidable = made.is_clean = False


def repeat(rng: np.random.Generator, made: Made) -> None:
    """A clock that stands still for a while or for good."""
    first, last = sorted(int(value) for value in rng.choice(len(made.times_s), 2, replace=False))
    made.times_s[first:last] = made.times_s[first]
    made.is_decidable = made.is_clean = False


def chaos(rng: np.random.Generator, made: Made) -> None:
    """Any timestamps."""
    made.times_s = START_S + rng.uniform(0, far(rng), len(made.times_s))
    made.is_decidable = made.is_clean = False


def scaled(rng: np.random.Generator, made: Made) -> None:
    """A clock that runs much too fast or too slowly."""
    made.times_s = START_S + made.true_s * float(rng.choice([1 / 500, 1 / 100, 200, 1000]))
    made.is_decidable = made.is_clean = False


def variable(rng: np.random.Generator, made: Made) -> None:
    """A variable frame rate; nothing is wrong with it."""
    intervals = rng.choice([made.frame_s, 2 * made.frame_s, 0.5, 0.9], len(made.true_s) - 1)
    made.true_s = np.concatenate([[0.0], np.cumsum(intervals)])
    made.times_s = START_S + made.true_s


def sizes(rng: np.random.Generator, made: Made) -> None:
    """Frame sizes of one shape that change."""
    scales = rng.choice([1, 2, 3], 4)
    made.sizes = [
        (32 * int(scale), 24 * int(scale))
        for scale in np.repeat(scales, -(-len(made.sizes) // 4))[: len(made.sizes)]
    ]
    made.is_clean = len(set(made.sizes)) == 1


def aspect(rng: np.random.Generator, made: Made) -> None:
    """Pixels that are not square, or of an impossible shape."""
    width, height = rng.choice([16, 24, 32, 40, 64, 96, 12_800, 1], 2)
    made.display = (int(width), int(height))
    pixel_aspect = width / height / (4 / 3)
    made.true_aspect = 4 / 3 * pixel_aspect
    made.is_decidable = 1 / 4 <= pixel_aspect <= 4
    made.is_clean = made.is_decidable


def duration(rng: np.random.Generator, made: Made) -> None:
    """An announced length that is right, or wrong."""
    true_s = float(made.true_s[-1]) + made.frame_s
    factor = float(rng.choice([1, 1, 0.1, 10, 1e6]))
    made.duration_s = START_S + true_s * factor
    made.is_decidable = factor <= 1
    made.is_clean = factor <= 1


FAULTS: list[Callable[[np.random.Generator, Made], None]] = [
    outliers,
    jump,
    restart,
    pause,
    repeat,
    chaos,
    scaled,
    variable,
    sizes,
    aspect,
    duration,
    lambda rng, made: None,
]


@dataclass
class Read:
    """What was read; ``error`` is the problem with which the source ended."""

    frames: list[Frame]
    gaps: list[Gap]
    notes: list[tuple[float, str]]
    error: SourceError | None
    dropped: int


def read(path: Path) -> Read:
    items: list[Frame | Gap] = []
    error = None
    with VideoFile(path, STARTED) as source:
        try:
            items.extend(source.frames(4, threading.Event()))
        except SourceError as caught:
            error = caught
        notes = source.pop_notes()
        dropped = source.frames_dropped
    frames = [item for item in items if isinstance(item, Frame)]
    return Read(frames, [item for item in items if isinstance(item, Gap)], notes, error, dropped)


def images(made: Made) -> list[ImageBGR]:
    uniform = steps(len(made.sizes), 1, 1)
    return [
        np.broadcast_to(image, (height, width, 3)).copy()
        for image, (width, height) in zip(uniform, made.sizes, strict=True)
    ]


def true_times(made: Made) -> np.ndarray:
    return made.true_s - made.true_s[0]


def problems(made: Made, got: Read) -> list[str]:
    """What is not as in reality."""
    found = []
    for frame in got.frames:
        index = index_of(frame.image_bgr)
        if index in made.outliers:
            found.append(f"frame {index} has a wrong timestamp")
        elif abs(frame.media_s - true_times(made)[min(index, len(made.true_s) - 1)]) > TOLERANCE_S:
            found.append(f"frame {index} is at {frame.media_s}")
    longest_s = float(np.diff(true_times(made)).max())
    last_s = got.frames[-1].media_s if got.frames else -1.0
    if last_s < true_times(made)[-1] - max(1.3, longest_s + 0.5):
        found.append(f"the last frame is at {last_s}")
    width, height = image_size(got.frames[0].image_bgr) if got.frames else (1, 1)
    if not 0.9 < width / height / made.true_aspect < 1.1:
        found.append(f"images have {width} x {height} pixels")
    return found


def require_invariants(got: Read) -> None:
    times = [frame.media_s for frame in got.frames]
    assert times == sorted(times)
    assert not times or times[-1] <= MAX_RECORDING_S
    assert len({image_size(frame.image_bgr) for frame in got.frames}) <= 1
    assert all(0 <= at_s <= MAX_RECORDING_S for at_s, _ in got.notes)
    kinds = [text.partition(":")[0] for _, text in got.notes]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_result_is_right_or_reported(tmp_path, chunk):
    for seed in range(chunk * SEEDS_PER_CHUNK, (chunk + 1) * SEEDS_PER_CHUNK):
        rng = np.random.default_rng(seed)
        made = plain(rng)
        fault = FAULTS[seed % len(FAULTS)]
        fault(rng, made)
        path = write_matroska(
            tmp_path / f"{seed}.mkv",
            images(made),
            np.maximum(made.times_s, 0).tolist(),
            duration_s=made.duration_s,
            display=made.display,
            frame_s=made.frame_s if fault is repeat else None,
        )
        got = read(path)
        context = (seed, fault.__name__, [text for _, text in got.notes], got.gaps, got.error)
        require_invariants(got)
        found = problems(made, got)
        is_reported = bool(got.notes or got.gaps or got.error)
        assert not found or is_reported, (*context, found)
        if made.is_decidable:
            assert not found, (*context, found)
        if made.is_clean:
            assert not is_reported, context
        path.unlink()


MATRICES = 60


@pytest.mark.parametrize("chunk", range(4))
def test_orientation_is_right_or_reported(tmp_path, chunk):
    image = np.full((24, 32, 3), 20, np.uint8)
    image[:12, :16] = 230
    template = write_video(tmp_path / "template.mp4", [image] * 3, codec="mpeg4", options={})
    for seed in range(chunk * MATRICES, (chunk + 1) * MATRICES):
        rng = np.random.default_rng(seed)
        turn, scale = rng.choice([-1.0, 1.0], 2), float(rng.choice([0.5, 1, 1, 2]))
        if seed % 3 == 0:  # any values
            a, b, c, d = rng.uniform(-2, 2, 4)
        elif seed % 2:
            a, b, c, d = turn[0] * scale, 0.0, 0.0, turn[1] * scale
        else:
            a, b, c, d = 0.0, turn[0] * scale, turn[1] * scale, 0.0
        path = tmp_path / f"{seed}.mp4"
        path.write_bytes(template.read_bytes())
        got = read(set_display_matrix(path, a, b, c, d))
        require_invariants(got)
        shown = got.frames[0].image_bgr
        # The bright corner is to the left of and above the centre, at (-1, -1).
        right, down = -a - c > 0, -b - d > 0
        height, width = shown.shape[0] // 2, shown.shape[1] // 2
        quarter = shown[down * height : (down + 1) * height, right * width : (right + 1) * width]
        is_right = quarter.mean() > 150
        assert is_right or got.notes, (seed, a, b, c, d)
        if seed % 3:
            assert is_right, (seed, a, b, c, d)
            assert not got.notes, (seed, got.notes)
