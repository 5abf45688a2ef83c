"""Speaker views of a call: how often the participant in the large tile is counted twice.

    python -m benchmarks.speaker_view [--sides above below left right] [--seeds 0 1] [--seconds 24]
        [--slides] [--json]

For each side and seed a call of 4 to 7 drawn students is shown as a strip of small tiles, with a large tile
above or below it, or on its left or right. With odd seeds the large tile shows another participant every four
seconds, else always the same; with seeds 2, 3, 6, 7 and so on it is 0.2 s behind the strip. With ``--slides``
it shows slides. Every student has one portrait, so participants differ in expression, clothes and background
only: real ones are easier to distinguish. Expected: as many students as participants.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.rooms_and_calls import Row, analyse
from classpulse.simulation.demo.video import DemoClass, TileBox, TileLayout
from classpulse.simulation.ground_truth import GroundTruth, GroundTruthSample, StudentGroundTruth
from classpulse.simulation.video_call import CallSettings, build_call
from classpulse.simulation.video_writer import VideoFormat, encode_video
from monitor.types import ImageBGR

SIDES = ("above", "below", "left", "right")
FPS, STEP_S = 5, 0.5
WIDTH, HEIGHT, GAP = 1280, 720, 8
SPEAKER_S = 4.0
MAX_SMALL_WH = 300, 260
"""Largest width of a small tile in a horizontal strip, and in a vertical one, pixels."""


class SpeakerView:
    """A speaker view with the large tile on ``side`` of the strip; equal arguments give equal videos."""

    def __init__(self, side: str, seed: int, seconds: float, *, has_slides: bool = False) -> None:
        rng = np.random.default_rng((seed, 91))
        self.count = int(rng.integers(4, 8))
        self._drawn = TileLayout(WIDTH, HEIGHT, 3, 3 if self.count > 6 else 2)
        students = build_call(CallSettings(self.count, seconds, seed, FPS)).students
        self._call = DemoClass(seconds, FPS, students, self._drawn)
        self._seconds, self._has_slides = seconds, has_slides
        self._delay_frames = seed // 2 % 2
        self._speakers = [int(rng.integers(self.count))]
        while seed % 2 and len(self._speakers) * SPEAKER_S < seconds:
            others = [number for number in range(self.count) if number != self._speakers[-1]]
            self._speakers.append(int(rng.choice(others)))
        self.small, self.large = _layout(side, self.count, self._drawn.tile_width / self._drawn.tile_height)

    def frames(self) -> Iterator[ImageBGR]:
        """All frames in order."""
        recent: deque[list[ImageBGR]] = deque(maxlen=1 + self._delay_frames)
        for number in range(round(self._seconds * FPS)):
            t_s = number / FPS
            whole = self._call.renderer.frame_at(t_s)
            boxes = [self._drawn.tile_xyxy(index) for index in range(self.count)]
            recent.append([whole[y1:y2, x1:x2] for x1, y1, x2, y2 in boxes])
            frame = np.full((HEIGHT, WIDTH, 3), (36, 32, 30), np.uint8)
            for box, tile in zip(self.small, recent[-1], strict=True):
                _paste(frame, tile, box)
            speaker = self._speakers[min(len(self._speakers) - 1, int(t_s / SPEAKER_S))]
            _paste(frame, _slide(t_s) if self._has_slides else recent[0][speaker], self.large)
            yield frame

    def ground_truth(self) -> GroundTruth:
        """Every student in the strip every half second."""
        times = np.arange(0.0, self._seconds, STEP_S).tolist()
        samples = [self._call.ground_truth_at(t_s) for t_s in times]
        students = tuple(
            StudentGroundTruth(
                index,
                f"Seat {index + 1}",
                self.small[index],
                False,
                tuple(self._moved(index, sample[index]) for sample in samples),
            )
            for index in range(self.count)
        )
        return GroundTruth(self._seconds, FPS, WIDTH, HEIGHT, STEP_S, students, ())

    def _moved(self, index: int, sample: GroundTruthSample) -> GroundTruthSample:
        """The sample with its box in the strip."""
        if sample.box_xyxy is None:
            return sample
        left, top, right, low = self._drawn.tile_xyxy(index)
        x1, y1, x2, y2 = self.small[index]
        across, down = (x2 - x1) / (right - left), (y2 - y1) / (low - top)
        a, b, c, d = sample.box_xyxy
        box = (
            x1 + (a - left) * across,
            y1 + (b - top) * down,
            x1 + (c - left) * across,
            y1 + (d - top) * down,
        )
        return replace(sample, box_xyxy=box)


def _layout(side: str, count: int, aspect: float) -> tuple[list[TileBox], TileBox]:
    """The tiles of the strip and the large tile; ``aspect`` is width over height."""
    if side in ("above", "below"):
        width = min(MAX_SMALL_WH[0], (WIDTH - GAP * (count + 1)) // count)
        height = int(width / aspect)
        first = (WIDTH - count * (width + GAP)) // 2, HEIGHT - height - GAP if side == "above" else GAP
        step = width + GAP, 0
        free = (0, 0, WIDTH, HEIGHT - height - 2 * GAP)
        offset = (0, 0) if side == "above" else (0, height + 2 * GAP)
    else:
        height = min(int(MAX_SMALL_WH[1] / aspect), (HEIGHT - GAP * (count + 1)) // count)
        width = int(height * aspect)
        first = WIDTH - width - GAP if side == "left" else GAP, (HEIGHT - count * (height + GAP)) // 2
        step = 0, height + GAP
        free = (0, 0, WIDTH - width - 2 * GAP, HEIGHT)
        offset = (0, 0) if side == "left" else (width + 2 * GAP, 0)
    corners = [(first[0] + place * step[0], first[1] + place * step[1]) for place in range(count)]
    large_height = min(free[3] - 2 * GAP, int((free[2] - 2 * GAP) / aspect))
    large_width = int(large_height * aspect)
    x, y = offset[0] + (free[2] - large_width) // 2, offset[1] + (free[3] - large_height) // 2
    return [(x1, y1, x1 + width, y1 + height) for x1, y1 in corners], (
        x,
        y,
        x + large_width,
        y + large_height,
    )


def _paste(frame: ImageBGR, tile: ImageBGR, box: TileBox) -> None:
    x1, y1, x2, y2 = box
    way = cv2.INTER_AREA if x2 - x1 < tile.shape[1] else cv2.INTER_CUBIC
    frame[y1:y2, x1:x2] = cv2.resize(tile, (x2 - x1, y2 - y1), interpolation=way)


def _slide(t_s: float) -> ImageBGR:
    slide = np.full((360, 480, 3), 245, np.uint8)
    for line in range(6):
        text = f"Slide {int(t_s // 8) + 1}, line {line + 1}"
        cv2.putText(slide, text, (30, 60 + 50 * line), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 40, 40), 2)
    return slide


def main() -> None:
    """Draw the videos, analyse them and print a table."""
    parser = argparse.ArgumentParser(description="speaker views of a call")
    parser.add_argument("--sides", nargs="+", choices=SIDES, default=list(SIDES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--slides", action="store_true", help="show slides in the large tile")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        for side in args.sides:
            for seed in args.seeds:
                view = SpeakerView(side, seed, args.seconds, has_slides=args.slides)
                folder = Path(temporary) / f"{side}-{seed}"
                folder.mkdir()
                video_format = VideoFormat(FPS, round(args.seconds * FPS), WIDTH, HEIGHT)
                encode_video(folder / "video.mp4", video_format, view.frames())
                (folder / "truth.json").write_text(view.ground_truth().to_json() + "\n", encoding="utf-8")
                rows.append(analyse(side, seed, folder))
                row = rows[-1]
                line = f"{side:6} seed {seed:3}  participants {row.present}  students {row.found}"
                print(
                    f"{line}  IDF1 {row.idf1:.3f}", file=sys.stderr if args.json else sys.stdout, flush=True
                )
    if args.json:
        print(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
