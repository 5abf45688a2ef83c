"""A student's own usual level: flags are held against it, whichever command asks first."""

from __future__ import annotations

import json
from pathlib import Path


def mia_in(shell, session: int) -> dict:
    files = shell.json("report", str(session), "--format", "json")["report"]
    (mia,) = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
    return mia


def test_the_first_report_of_all_knows_what_is_usual(shell, lessons) -> None:
    fourth = mia_in(shell, lessons[3])
    assert (fourth["numbers"]["baseline_sessions"], fourth["outcome"]) == (3, "not_flagged")
    assert "which is not above the student's own usual" in " ".join(fourth["numbers"]["reasons"])
    assert mia_in(shell, lessons[2])["outcome"] == "flagged"  # two earlier lessons are not yet usual
    assert [line["session_id"] for line in shell.json("review")] == lessons[2::-1]


def test_a_correction_of_an_earlier_lesson_reaches_later_ones(shell, lessons) -> None:
    """Whoever was there in the first lesson was not Mia after all: she has two before the fourth."""
    assert len(shell.json("review")) == 3
    shell.json("seats", "name", str(lessons[0]), "Mia", "Noah", "--new")
    assert [line["session_id"] for line in shell.json("review")] == lessons[::-1]
