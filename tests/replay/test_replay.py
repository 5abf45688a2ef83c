from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.replay.comparison import EXACT, differences, to_text
from tests.replay.inputs import INPUTS, REFERENCES, TERM_TOLERANCES

REFERENCE = {
    "seen_share": 0.9,
    "decision": "flagged",
    "count": 3,
    "window_samples": {"from 0 s": {"seen": 18, "shut": 0}},
    "students": [{"name": "Student 1"}, {"name": "Student 2"}],
    "dominant": None,
}
TOLERANCES = {"share": 0.05, "samples": 2.0}


def changed(**values: object) -> dict[str, object]:
    return {**REFERENCE, **values}


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in REFERENCE.items() if key != name}


def test_term_equals_the_reference(tmp_path: Path) -> None:
    reference = json.loads((REFERENCES / "term.json").read_text(encoding="utf-8"))
    assert differences(reference, INPUTS["term"].play(tmp_path), TERM_TOLERANCES) == []


def test_references_are_complete_and_in_written_form() -> None:
    assert {path.stem for path in REFERENCES.glob("*.json")} == set(INPUTS)
    for name in INPUTS:
        text = (REFERENCES / f"{name}.json").read_text(encoding="utf-8")
        assert to_text(json.loads(text)) + "\n" == text


def test_differences_of_equal_values_is_empty() -> None:
    assert differences(REFERENCE, json.loads(to_text(REFERENCE)), EXACT) == []


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (changed(decision="not flagged"), 'demo/decision: "flagged" -> "not flagged"'),
        (changed(count=4), "demo/count: 3 -> 4"),
        (changed(seen_share=0.84), "demo/seen_share: 0.9 -> 0.84"),
        (changed(dominant="sad"), 'demo/dominant: null -> "sad"'),
        (changed(count=True), "demo/count: 3 -> true"),
        (
            changed(window_samples={"from 0 s": {"seen": 15, "shut": 0}}),
            "demo/window_samples/from 0 s/seen: 18 -> 15",
        ),
        (changed(students=[{"name": "Student 1"}]), 'demo/students/1: {"name": "Student 2"} -> (missing)'),
        (without("count"), "demo/count: 3 -> (missing)"),
        (without("dominant"), "demo/dominant: null -> (missing)"),
        (changed(extra=0), "demo/extra: (missing) -> 0"),
    ],
)
def test_differences_reports_changed_missing_and_new_values(now: object, line: str) -> None:
    assert differences(REFERENCE, now, TOLERANCES, "demo") == [line]


@pytest.mark.parametrize(
    "now", [changed(seen_share=0.85), changed(window_samples={"from 0 s": {"seen": 20, "shut": 1}})]
)
def test_differences_within_tolerances_are_reported_only_if_exact(now: object) -> None:
    assert differences(REFERENCE, now, TOLERANCES) == []
    assert differences(REFERENCE, now, EXACT)
