"""Baselines: flags use the earlier sessions of a student, whichever command assesses first."""

from __future__ import annotations

import json
from pathlib import Path


def mia_in(shell, session: int) -> dict:
    files = shell.json("report", str(session), "--format", "json")["report"]
    (mia,) = json.loads(Path(files["json"]).read_text("utf-8"))["students"]
    return mia


def test_report_summarises_earlier_sessions_for_the_baseline(shell, lessons) -> None:
    fourth = mia_in(shell, lessons[3])
    assert (fourth["numbers"]["baseline_sessions"], fourth["outcome"]) == (3, "not_flagged")
    assert "which is not above the student's own usual" in " ".join(fourth["numbers"]["reasons"])
    assert mia_in(shell, lessons[2])["outcome"] == "flagged"  # two earlier sessions are no baseline yet
    assert [line["session_id"] for line in shell.json("review")] == lessons[2::-1]


def test_correction_of_an_earlier_session_changes_later_flags(shell, lessons) -> None:
    """The student of the first session was not Mia, who then has two sessions before the fourth."""
    assert len(shell.json("review")) == 3
    shell.json("seats", "assign", str(lessons[0]), "Mia", "Noah", "--new")
    assert [line["session_id"] for line in shell.json("review")] == lessons[::-1]
