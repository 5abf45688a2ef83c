"""A recorded video call whose grid is laid out anew when somebody joins: how many are taken for another?

    python -m benchmarks.regrid [--before 4] [--after 9] [--seconds 120] [--seed 7] OUT

writes OUT/film.mp4 and OUT/truth.json, for ``classpulse evaluate``. The first students stay the same; in the
middle of the film the others join, and nearly everybody's tile moves and shrinks.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from classpulse.simulation.call import CallSettings, draw_call
from classpulse.simulation.encoder import write_film
from classpulse.simulation.truth import Sample, StudentTruth, Truth
from monitor.domain import ImageBGR

FPS = 5
STEP_S = 0.5


def main() -> None:
    """Draw the film."""
    parser = argparse.ArgumentParser(description="a call whose grid is laid out anew")
    parser.add_argument("--before", type=int, default=4)
    parser.add_argument("--after", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    few, many = (
        draw_call(CallSettings(seats, asked.seconds, asked.seed, FPS, 1280, 720))
        for seats in (asked.before, asked.after)
    )

    def frames() -> Iterator[ImageBGR]:
        for number in range(many.film.frames):
            t_s = number / FPS
            yield (few if t_s < asked.seconds / 2 else many).stage.frame_at(t_s)

    def sample(seat: int, t_s: float) -> Sample:
        if t_s >= asked.seconds / 2:
            return many.truth_at(t_s)[seat]
        if seat < asked.before:
            return few.truth_at(t_s)[seat]
        return Sample(t_s, False, False, True, None, None, None, None, None)

    times = [number * STEP_S for number in range(int(asked.seconds / STEP_S))]
    students = tuple(
        StudentTruth(
            seat,
            student.seat,
            many.mosaic.tile_xyxy(seat),
            False,
            tuple(sample(seat, t_s) for t_s in times),
        )
        for seat, student in enumerate(many.students)
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    write_film(asked.out / "film.mp4", many.film, frames())
    truth = Truth(asked.seconds, FPS, 1280, 720, STEP_S, students, ())
    (asked.out / "truth.json").write_text(truth.to_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
