"""A recorded video call whose tiles change when participants join or leave.

    python -m benchmarks.regrid [--counts 4 9] [--anywhere] [--slide 0] [--seconds 120] [--seed 7] OUT

Writes OUT/video.mp4 and OUT/truth.json, for ``classpulse evaluate video``. The video has one section of equal
length per count, with that many participants. Random participants leave, and the others close the gap; new
ones come last, or with ``--anywhere`` between two others. Almost every tile then moves and changes its size:
at once, or sliding for ``--slide`` seconds. Participants that have left do not come back.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from classpulse.simulation.demo.cast import DemoStudent
from classpulse.simulation.demo.video import DemoClass, square_layout
from classpulse.simulation.ground_truth import GroundTruth, GroundTruthSample, StudentGroundTruth
from classpulse.simulation.video_call import CallSettings, build_call
from classpulse.simulation.video_writer import VideoFormat, encode_video
from monitor.types import ImageBGR

FPS = 5
STEP_S = 0.5
WIDTH, HEIGHT = 1280, 720


def main() -> None:
    """Draw the video."""
    parser = argparse.ArgumentParser(description="a video call whose tile layout changes")
    parser.add_argument("--counts", type=int, nargs="+", default=[4, 9])
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--slide", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    members = drawn_members(args.counts, np.random.default_rng((args.seed, 5)), anywhere=args.anywhere)
    all_students = build_call(CallSettings(max(map(max, members)) + 1, args.seconds, args.seed, FPS)).students
    call = ChangingCall(members, all_students, args.seconds, args.slide)
    times = [number * STEP_S for number in range(int(args.seconds / STEP_S))]
    # The last tile, because it is the seat that a session stores and by which expressions are scored.
    last = {seat: call.parts[-1].layout.tile_xyxy(tile) for tile, seat in enumerate(members[-1])}
    students = tuple(
        StudentGroundTruth(
            seat, one.seat, last.get(seat), False, tuple(call.sample(seat, t_s) for t_s in times)
        )
        for seat, one in enumerate(all_students)
    )
    args.out.mkdir(parents=True, exist_ok=True)
    frames = round(args.seconds * FPS)
    images = (call.frame_at(number / FPS) for number in range(frames))
    encode_video(args.out / "video.mp4", VideoFormat(FPS, frames, WIDTH, HEIGHT), images)
    truth = GroundTruth(args.seconds, FPS, WIDTH, HEIGHT, STEP_S, students, ())
    (args.out / "truth.json").write_text(truth.to_json() + "\n", encoding="utf-8")


class ChangingCall:
    """``members`` are the participants of each section in the order of their tiles; after each change the
    tiles move for ``slide_s`` seconds."""

    def __init__(
        self, members: list[list[int]], all_students: Sequence[DemoStudent], length_s: float, slide_s: float
    ) -> None:
        self.members = members
        self.parts = [
            DemoClass(
                length_s,
                FPS,
                tuple(all_students[seat] for seat in seats),
                square_layout(len(seats), WIDTH, HEIGHT),
            )
            for seats in members
        ]
        self._section_s = length_s / len(members)
        self._slide_s = slide_s

    def frame_at(self, t_s: float) -> ImageBGR:
        """The frame at ``t_s``."""
        here = self._part(t_s)
        settled: ImageBGR = self.parts[here].renderer.frame_at(t_s)
        if self._moved(t_s) == 1.0:
            return settled
        # The gaps between tiles have the background's colour, and the corner is in a gap.
        frame = np.full_like(settled, settled[0, 0])
        for tile, seat in enumerate(self.members[here]):
            left, top, right, bottom = self.parts[here].layout.tile_xyxy(tile)
            x1, y1, x2, y2 = (round(edge) for edge in self._tile(seat, t_s))
            if x2 > x1 and y2 > y1:
                frame[y1:y2, x1:x2] = cv2.resize(settled[top:bottom, left:right], (x2 - x1, y2 - y1))
        return frame

    def sample(self, seat: int, t_s: float) -> GroundTruthSample:
        """The ground truth of a student at ``t_s``."""
        here = self._part(t_s)
        if seat not in self.members[here]:
            return GroundTruthSample(t_s, False, False, True, None, None, None, None, None)
        tile = self.members[here].index(seat)
        settled = self.parts[here].ground_truth_at(t_s)[tile]
        if settled.box_xyxy is None or self._moved(t_s) == 1.0:
            return settled
        left, top, right, bottom = self.parts[here].layout.tile_xyxy(tile)
        x1, y1, x2, y2 = self._tile(seat, t_s)
        if x2 - x1 < 1:
            return replace(settled, present=False, visible=False, settled=False, box_xyxy=None)
        across, down = (x2 - x1) / (right - left), (y2 - y1) / (bottom - top)
        bx1, by1, bx2, by2 = settled.box_xyxy
        box = (
            x1 + (bx1 - left) * across,
            y1 + (by1 - top) * down,
            x1 + (bx2 - left) * across,
            y1 + (by2 - top) * down,
        )
        return replace(settled, box_xyxy=box, settled=False)

    def _part(self, t_s: float) -> int:
        return min(len(self.parts) - 1, int(t_s / self._section_s))

    def _moved(self, t_s: float) -> float:
        """Progress of the tiles' motion, 0 to 1; slow at both ends, as in real calls."""
        here = self._part(t_s)
        since_s = t_s - here * self._section_s
        if here == 0 or since_s >= self._slide_s:
            return 1.0
        return 0.5 - 0.5 * math.cos(math.pi * since_s / self._slide_s)

    def _tile(self, seat: int, t_s: float) -> tuple[float, float, float, float]:
        """The tile of a student; that of a new participant grows from its centre."""
        here, moved = self._part(t_s), self._moved(t_s)
        new = self.parts[here].layout.tile_xyxy(self.members[here].index(seat))
        if seat in self.members[here - 1]:
            old = self.parts[here - 1].layout.tile_xyxy(self.members[here - 1].index(seat))
        else:
            middle = ((new[0] + new[2]) // 2, (new[1] + new[3]) // 2)
            old = (*middle, *middle)
        x1, y1, x2, y2 = (a + (b - a) * moved for a, b in zip(old, new, strict=True))
        return x1, y1, x2, y2


def drawn_members(counts: Sequence[int], rng: np.random.Generator, *, anywhere: bool) -> list[list[int]]:
    """The participants of each section in the order of the tiles, numbered in the order of joining."""
    members: list[list[int]] = [[]]
    known = 0
    for count in counts:
        here = list(members[-1])
        while len(here) > count:
            here.pop(int(rng.integers(len(here))))
        while len(here) < count:
            place = int(rng.integers(len(here) + 1)) if anywhere and members[-1] else len(here)
            here.insert(place, known)
            known += 1
        members.append(here)
    return members[1:]


if __name__ == "__main__":
    main()
