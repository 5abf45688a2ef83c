"""False positive rate of trends: python -m benchmarks.trends [--students 2000]

Simulates students without a trend, two sessions per week, and counts intervals that exclude zero: at 95 % it
should be one in twenty. ``correlation`` is that of consecutive sessions.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

import numpy as np

from reports.history.statistics import compute_trend

START = datetime(2026, 1, 12, 9, tzinfo=UTC)


def shares(random: np.random.Generator, sessions: int, correlation: float) -> list[float]:
    """Shares of one student, around 20 %."""
    deviations = random.normal(size=sessions)
    for n in range(1, sessions):
        innovation = (1 - correlation**2) ** 0.5 * deviations[n]
        deviations[n] = correlation * deviations[n - 1] + innovation
    return [float(share) for share in np.clip(0.2 + 0.05 * deviations, 0, 1)]


def clear_share(students: int, sessions: int, correlation: float) -> float:
    """The share of students whose trend is rising or falling."""
    random = np.random.default_rng(1)
    times = [START + timedelta(days=3.5 * n) for n in range(sessions)]
    simulated = (shares(random, sessions, correlation) for _ in range(students))
    directions = [compute_trend(list(zip(times, own, strict=True))).direction for own in simulated]
    return sum(direction in {"rising", "falling"} for direction in directions) / students


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=2000)
    students = parser.parse_args().students
    for correlation in (0.0, 0.25, 0.5):
        for sessions in (5, 8, 12, 24, 36):
            share = clear_share(students, sessions, correlation)
            print(f"correlation {correlation:.2f}, {sessions:2} sessions: {share:.1%} look clear")


if __name__ == "__main__":
    main()
