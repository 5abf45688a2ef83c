"""The JSON of a report matches its schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files

import pytest
from jsonschema import Draft202012Validator

from db.records import (
    Correction,
    CorrectionKind,
    CorrectionRecord,
    EarlierShare,
    FlagRecord,
    MarkerRecord,
    ShareEstimate,
    TrackRecord,
)
from db.small_faces import SmallFaces
from reports.flags.attention import AttentionFlagSettings
from reports.flags.sadness import FlagSettings
from reports.rendering.export import SCHEMA, report_json
from reports.text.dates import ReportSettings
from tests.helpers.session_report import make_report

TEXT = (files("reports") / "report.schema.json").read_text("utf-8")
VALIDATOR = Draft202012Validator(json.loads(TEXT))
CARD = {"half": "report", "faces": 9, "accuracy": 0.9, "sad_precision": 0.8, "sad_recall": 0.7}
MODEL = {"name": "cp", "scores": CARD | {"neutral_called_sad": 0.05, "ece": 0.02}}


@pytest.fixture
def make(lessons):
    """The parsed JSON of a report."""

    def _make(*scripts, mode="emotion", aggregate=None, settings=None, **known):
        session = lessons.session(
            max(map(len, scripts)),
            mode=mode,
            settings=settings or {"policy": None},
            small_faces=SmallFaces.from_sizes([9.0, 15.0], 3, 24),
        )
        rows = lessons.bins(scripts) if aggregate is None else lessons.aggregate(aggregate)
        people = lessons.students(len(scripts))
        return json.loads(
            report_json(make_report(session, people, rows, settings=ReportSettings("UTC"), **known))
        )

    return _make


@pytest.fixture
def everything(make, lessons):
    """A report with every optional value."""
    at, named = lessons.started_at, Correction(CorrectionKind.NAME, 2, 3)
    level = ShareEstimate(0.2, 0.1, 0.3)
    return make(
        "s" * 72, *["b" * 40 + "<" * 32] * 6, "b" * 22 + "<" * 50, "?" * 72, "." * 72, "z" * 72,
        settings={"policy": {"legal_basis": "consent"}, "model": MODEL},
        flags=[FlagRecord(7, 1, "sadness", "flagged", {}, "dismissed", "Ms Ono", at, "ill")],
        earlier_shares=[EarlierShare(1, 3, at, kind, level, "flagged") for kind in ("sadness", "attention")],
        tracks=[TrackRecord(1, 1, 0.0, 9.0, 9), TrackRecord(1, 2, 12.7, 14.0, 9, "seat only")],
        markers=[MarkerRecord(1, 7, 61.0, "quiz")],
        corrections=[CorrectionRecord(1, 7, at, None, named, "Student 3", "Student 2")],
        masked_seats=1,
        created_at=at,
    )  # fmt: skip


def problems(data) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(data)]


def test_schema_is_valid() -> None:
    Draft202012Validator.check_schema(json.loads(TEXT))


def test_full_report_matches_schema(everything) -> None:
    assert problems(everything) == []
    # All optional values are present, so the whole schema is tested.
    assert everything["class"]["change_points"]
    first = everything["students"][0]
    assert (first["review"], first["reviewed_by"], first["note"]) == ("dismissed", "Ms Ono", "ill")
    assert [one["share"] for one in (first["earlier"] + first["attention_flag"]["earlier"])] == [0.2, 0.2]
    assert everything["schema"] == SCHEMA
    assert everything["model_metrics"]["faces"] == 9
    outcomes = {one["attention_flag"]["outcome"] for one in everything["students"]}
    assert outcomes == {"flagged", "not_flagged", "insufficient_data"}


@pytest.mark.parametrize("mode", ["emotion", "behaviour"])
@pytest.mark.parametrize("scripts", [["."], ["?"], ["n"], ["sssnnn", "b<zb.."]])
def test_sparse_reports_match_schema(make, mode, scripts) -> None:
    assert problems(make(*scripts, mode=mode)) == []


@pytest.mark.parametrize("people", [[6, 6, 6], [4, 4, 4], [0, 0, 0]])
def test_aggregate_reports_match_schema(make, people) -> None:
    assert problems(make("...", mode="aggregate", aggregate=people)) == []


@pytest.mark.parametrize(
    "place",
    [
        (), ("session",), ("model_metrics",), ("class",), ("class", "change_points", 0), ("class", "expressions"),
        ("flag_settings",), ("attention_flag_settings",), ("students", 0), ("students", 0, "numbers"),
        ("students", 0, "numbers", "shares"), ("students", 0, "earlier", 0), ("students", 0, "attention"),
        ("students", 0, "attention", "medians"), ("students", 0, "attention", "minutes", 0),
        ("students", 0, "attention_flag"), ("students", 0, "attention_flag", "numbers"), ("markers", 0),
    ],
)  # fmt: skip
def test_undescribed_key_is_invalid(everything, place) -> None:
    node = everything
    for step in place:
        node = node[step]
    node["undescribed"] = 1
    assert problems(everything) != []


@pytest.mark.parametrize("key", ["schema", "students", "class", "created_at"])
def test_missing_required_key_is_invalid(everything, key) -> None:
    del everything[key]
    assert problems(everything) != []


def test_schema_thresholds_match_settings() -> None:
    described = json.loads(TEXT)["properties"]
    for name, settings in (
        ("flag_settings", FlagSettings()),
        ("attention_flag_settings", AttentionFlagSettings()),
    ):
        assert described[name]["anyOf"][1]["required"] == list(asdict(settings))


def test_every_key_has_a_description() -> None:
    def walk(node, path):
        for name, part in node.get("properties", {}).items():
            assert part.get("description") or "$ref" in part, f"{path}.{name} has no description"
            walk(part, f"{path}.{name}")
        for key in ("items", "anyOf"):
            for part in [node[key]] if isinstance(node.get(key), dict) else node.get(key, []):
                walk(part, path)

    whole = json.loads(TEXT)
    walk(whole, "$")
    for name, part in whole["$defs"].items():
        assert part["description"], name
        walk(part, name)


def test_share_out_of_bounds_is_invalid(everything) -> None:
    bad = everything | {"students": [everything["students"][0] | {"coverage": 1.5}]}
    assert any("1.5" in line for line in problems(bad))
