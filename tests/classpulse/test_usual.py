"""A student's own usual level: flags are held against it, whichever command asks first."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from db.records import Progress, SessionStatus
from recorded import BINS, START, new_session, one_bin

WEEKS = 4
SAD = "s" * 30 + "n" * 10
"""Three quarters of what can be read, in lessons of five minutes."""


@pytest.fixture
def lessons(store) -> list[int]:
    """Mia of the roster looks sad for the same share of each of four lessons, a week apart."""
    numbers, mia = [], 0
    for week in range(WEEKS):
        begun = replace(new_session(), started_at=START + timedelta(weeks=week))
        with store.unit() as unit:
            number = unit.start_session(begun)
            mia = mia or unit.add_newcomer(number, "Mia", to_roster=True)
            letters = (SAD * BINS)[:BINS]
            unit.write_bins(number, [one_bin(mia, n, letter) for n, letter in enumerate(letters)])
            unit.progress(number, Progress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
            unit.end_session(number, SessionStatus.FINISHED, begun.started_at + timedelta(minutes=5), "")
            unit.commit()
        numbers.append(number)
    return numbers


def mia_in(shell, session: int) -> dict:
    files = shell.json("report", str(session), "--format", "json")["report"]
    (mia,) = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
    return mia


def test_the_first_report_of_all_knows_what_is_usual(shell, lessons) -> None:
    fourth = mia_in(shell, lessons[3])
    assert (fourth["numbers"]["usual_sessions"], fourth["outcome"]) == (3, "not_flagged")
    assert "which is not above the student's own usual" in " ".join(fourth["numbers"]["reasons"])
    assert mia_in(shell, lessons[2])["outcome"] == "flagged"  # two earlier lessons are not yet usual
    assert [line["session_id"] for line in shell.json("review")] == lessons[2::-1]


def test_a_correction_of_an_earlier_lesson_reaches_later_ones(shell, lessons) -> None:
    """Whoever was there in the first lesson was not Mia after all: she has two before the fourth."""
    assert len(shell.json("review")) == 3
    shell.json("seats", "name", str(lessons[0]), "Mia", "Noah", "--new")
    assert [line["session_id"] for line in shell.json("review")] == lessons[::-1]
