"""How often a trend looks clear where nothing changes: python -m benchmarks.trends [--students 2000]

Draws students without a trend, two sessions a week, and counts whose interval leaves zero out: at 95 % it
should be one in twenty. With ``correlation`` what somebody shows lasts from one session to the next.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import numpy as np

from reports.history.statistics import compute_trend

START = datetime(2026, 1, 12, 9, tzinfo=UTC)


def shares(random: np.random.Generator, sessions: int, correlation: float) -> list[float]:
    """Of one student, around 20 %."""
    deviations = random.normal(size=sessions)
    for number in range(1, sessions):
        fresh = (1 - correlation**2) ** 0.5 * deviations[number]
        deviations[number] = correlation * deviations[number - 1] + fresh
    return [float(share) for share in np.clip(0.2 + 0.05 * deviations, 0, 1)]


def clear_share(students: int, sessions: int, correlation: float) -> float:
    """The share of students whose trend is called rising or falling."""
    random = np.random.default_rng(1)
    moments = [START + timedelta(days=3.5 * number) for number in range(sessions)]
    drawn = (shares(random, sessions, correlation) for _ in range(students))
    found = [compute_trend(list(zip(moments, one, strict=True))).direction for one in drawn]
    return sum(direction in {"rising", "falling"} for direction in found) / students


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=2000)
    students = parser.parse_args().students
    for correlation in (0.0, 0.25, 0.5):
        for sessions in (5, 8, 12, 24, 36):
            share = clear_share(students, sessions, correlation)
            print(f"correlation {correlation:.2f}, {sessions:2} sessions: {share:.1%} look clear")


if __name__ == "__main__":
    main()
