"""A recorded video call whose grid is laid out anew when people join or leave: are they told apart?

    python -m benchmarks.regrid [--counts 4 9] [--anywhere] [--seconds 120] [--seed 7] OUT

writes OUT/film.mp4 and OUT/truth.json, for ``classpulse evaluate``. The film has as many stretches of equal
length as there are counts, each with so many people in the call. Who leaves is drawn, and the others close
up; who joins comes last, or with ``--anywhere`` between two others. Nearly everybody's tile moves then, and
its size changes. Nobody who has left comes back.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from classpulse.demo.film import DemoClass
from classpulse.demo.mosaic import square_mosaic
from classpulse.simulation.call import CallSettings, draw_call
from classpulse.simulation.encoder import Film, write_film
from classpulse.simulation.truth import Sample, StudentTruth, Truth
from monitor.domain import ImageBGR

FPS = 5
STEP_S = 0.5
WIDTH, HEIGHT = 1280, 720


def main() -> None:
    """Draw the film."""
    parser = argparse.ArgumentParser(description="a call whose grid is laid out anew")
    parser.add_argument("--counts", type=int, nargs="+", default=[4, 9])
    parser.add_argument("--anywhere", action="store_true")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    members = drawn_members(asked.counts, np.random.default_rng((asked.seed, 5)), anywhere=asked.anywhere)
    everybody = draw_call(CallSettings(max(map(max, members)) + 1, asked.seconds, asked.seed, FPS)).students
    calls = [
        DemoClass(
            asked.seconds,
            FPS,
            tuple(everybody[seat] for seat in seats),
            square_mosaic(len(seats), WIDTH, HEIGHT),
        )
        for seats in members
    ]
    frames = round(asked.seconds * FPS)

    def part(t_s: float) -> int:
        return min(len(calls) - 1, int(t_s * len(calls) / asked.seconds))

    def pictures() -> Iterator[ImageBGR]:
        for number in range(frames):
            yield calls[part(number / FPS)].stage.frame_at(number / FPS)

    def sample(seat: int, t_s: float) -> Sample:
        here = part(t_s)
        if seat in members[here]:
            return calls[here].truth_at(t_s)[members[here].index(seat)]
        return Sample(t_s, False, False, True, None, None, None, None, None)

    times = [number * STEP_S for number in range(int(asked.seconds / STEP_S))]
    # The last, because that is where a session says they sit, by which their expressions are looked up.
    last = {seat: calls[-1].mosaic.tile_xyxy(tile) for tile, seat in enumerate(members[-1])}
    students = tuple(
        StudentTruth(seat, one.seat, last.get(seat), False, tuple(sample(seat, t_s) for t_s in times))
        for seat, one in enumerate(everybody)
    )
    asked.out.mkdir(parents=True, exist_ok=True)
    write_film(asked.out / "film.mp4", Film(FPS, frames, WIDTH, HEIGHT), pictures())
    truth = Truth(asked.seconds, FPS, WIDTH, HEIGHT, STEP_S, students, ())
    (asked.out / "truth.json").write_text(truth.to_json() + "\n", encoding="utf-8")


def drawn_members(counts: Sequence[int], rng: np.random.Generator, *, anywhere: bool) -> list[list[int]]:
    """Who is in the call in each stretch, in the order of the tiles; people are numbered as they come."""
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
