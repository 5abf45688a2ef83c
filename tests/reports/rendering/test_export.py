from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from db.records import Correction, CorrectionKind, CorrectionRecord, FlagRecord, MarkerRecord, TrackRecord
from reports.flags.sadness import FlagSettings
from reports.rendering.export import report_csv, report_data, report_json
from reports.text.dates import ReportSettings
from tests.helpers.session_report import make_report

SHORT = FlagSettings(min_usable_s=20.0, sad_share=0.05)


def _rows(report):
    return list(csv.DictReader(io.StringIO(report_csv(report), newline="")))


@pytest.fixture
def make(lessons):
    def _make(*scripts, students=None, flags=(), **changes):
        session = lessons.session(max(map(len, scripts)), **changes)
        people = students or lessons.students(len(scripts))
        bins = lessons.bins(scripts)
        return make_report(
            session, people, bins, flags=flags, settings=ReportSettings("UTC"), flag_settings=SHORT
        )

    return _make


def test_csv_has_one_row_per_student_and_bin(make):
    rows = _rows(make("s?.", "nnn"))
    assert len(rows) == 6
    first, unknown, absent = rows[:3]
    assert first["student"] == "Student 1"
    assert (first["start_s"], first["watched_s"], first["seen_s"]) == ("0", "5", "5")
    assert (first["leading_expression"], first["p_sad"], first["usable_samples"]) == ("sad", "0.7", "10")
    assert (unknown["leading_expression"], unknown["p_sad"], unknown["seen_samples"]) == ("", "", "10")
    assert (absent["seen_s"], absent["p_neutral"]) == ("0", "")


def test_csv_probabilities_sum_to_one(make):
    row = _rows(make("s"))[0]
    assert sum(float(row[name]) for name in row if name.startswith("p_")) == pytest.approx(1, abs=1e-3)


def test_behaviour_csv_has_no_expression_columns(make):
    row = _rows(make("b<", mode="behaviour"))[1]
    assert (row["pose_samples"], row["facing_samples"]) == ("10", "0")
    assert not [
        name for name in row if name.startswith("p_") or name in {"leading_expression", "usable_samples"}
    ]


def test_csv_has_head_and_eye_columns(make):
    rows = _rows(make("b" * 20 + "z<.", mode="behaviour"))
    shut, away, absent = rows[-3:]
    assert (shut["eye_samples"], shut["closed_samples"], shut["yaw_change_deg"]) == ("10", "10", "0")
    assert (away["yaw_deg"], away["yaw_change_deg"], away["pitch_change_deg"]) == ("50", "45", "0")
    assert (away["facing_change"], away["eye_samples"]) == ("-1", "0")
    assert (absent["yaw_deg"], absent["yaw_change_deg"], absent["facing_change"]) == ("", "", "")


def test_aggregate_csv_has_class_rows_only(lessons):
    session = lessons.session(3, mode="aggregate")
    rows = _rows(make_report(session, lessons.students(6), lessons.aggregate([6, 4, 0], "s")))
    assert [row["students_seen"] for row in rows] == ["6", "4", "0"]
    assert [row["p_sad"] for row in rows] == ["0.7", "", ""]
    assert "student" not in rows[0]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_csv_escapes_formula_names(make, lessons, name):
    students = [replace(lessons.students(1)[0], pseudonym=name)]
    assert _rows(make("n", students=students))[0]["student"] == f"'{name}"


@pytest.mark.parametrize("name", ['O\'Brien, "Pat"', "李小龙", "a;b\nc"])
def test_csv_keeps_other_names(make, lessons, name):
    students = [replace(lessons.students(1)[0], pseudonym=name)]
    assert _rows(make("n", students=students))[0]["student"] == name


def test_report_data_values(make):
    flags = [FlagRecord(7, 1, "sadness", "flagged", {}, "confirmed")]
    data = report_data(make("ssssssnn", "?.......", flags=flags))
    first, second = data["students"]
    assert data["session"]["started_at"] == "2026-03-02T09:00:00+00:00"
    assert data["summary"][0].endswith("Confirmed on review: Student 1.")
    assert data["flag_settings"]["min_usable_s"] == 20
    assert (first["outcome"], first["review"], first["dominant_expression"]) == (
        "flagged",
        "confirmed",
        "sad",
    )
    assert first["numbers"]["sad_share"] == pytest.approx(0.75)
    assert "settings" not in first["numbers"]
    assert (second["outcome"], second["dominant_expression"], second["review"]) == (
        "insufficient_data",
        None,
        "open",
    )
    assert second["unreadable_reasons"] == {"absent": 70, "too small": 10}
    assert sum(data["class"]["expressions"].values()) == pytest.approx(1)


def test_behaviour_data_has_no_expression(make):
    report = make("ssssss", "b<bbbb", mode="behaviour")
    assert not {"sad", "sad_share", "expressions", "dominant_expression"} & set(
        report_json(report).split('"')
    )
    assert "outcome" not in report_data(report)["students"][0]
    assert report_data(report)["flag_settings"] is None


def test_report_data_has_attention(make):
    first, second = report_data(make("b" * 24 + "z" * 6 + "<" * 6, "." * 36, mode="behaviour"))["students"]
    told = first["attention"]
    assert told["medians"] == {"yaw_deg": 5.0, "pitch_deg": -10.0, "facing_share": 1.0}
    assert told["most_closed_minute"] == {"at_s": 120.0, "value": 1.0}
    assert told["longest_closed_s"] == 30
    assert told["furthest_yaw_minute"] == {"at_s": 120.0, "value": 22.5}
    assert [minute["start_s"] for minute in told["minutes"]] == [0, 60, 120]
    assert [minute["closed_share"] for minute in told["minutes"]] == [0, 0, 1]
    assert second["attention"]["medians"] is None
    assert second["attention"]["minutes"][0]["closed_share"] is None
    assert not [name for name in told if "score" in name]


def test_aggregate_data_has_no_students(lessons):
    report = make_report(lessons.session(2, mode="aggregate"), lessons.students(6), lessons.aggregate([6, 6]))
    assert report_data(report)["students"] == []


@pytest.mark.parametrize("scripts", [["."], ["?"], ["n"]])
def test_report_json_is_strict(make, scripts):
    text = report_json(make(*scripts))
    assert "NaN" not in text
    assert json.loads(text)["class"]["students"] == 1


def test_report_data_has_markers_corrections_and_tracks(lessons):
    tracks = [TrackRecord(1, 1, 0.0, 9.0, 9), TrackRecord(1, 2, 12.7, 14.0, 9, "seat only")]
    named = Correction(CorrectionKind.NAME, 2, 3)
    data = report_data(
        make_report(
            lessons.session(3), lessons.students(2), lessons.bins(["nnn", "nnn"]),
            tracks=tracks, markers=[MarkerRecord(1, 7, 61.0, "quiz")],
            corrections=[CorrectionRecord(1, 7, lessons.started_at, None, named, "Student 3", "Student 2")],
        )
    )  # fmt: skip
    assert [one["uncertain_reidentifications_s"] for one in data["students"]] == [[12.7], []]
    assert data["markers"] == [{"at_s": 61.0, "text": "quiz"}]
    assert data["corrections"] == ["Student 3 is Student 2"]


def test_report_data_has_change_points(lessons):
    happy = lessons.bins(["n" * 40 + "h" * 40] * 8)
    report = make_report(lessons.session(80), lessons.students(8), happy)
    (change,) = report_data(report)["class"]["change_points"]
    assert (change["at_s"], change["students"]) == (200, 8)
    assert change["measure"] in ("happy", "neutral")
    assert abs(change["after"] - change["before"]) == pytest.approx(0.65)
    turned = lessons.bins(["b" * 40 + "<" * 40] * 8)
    report = make_report(lessons.session(80, mode="behaviour"), lessons.students(8), turned)
    assert [change["measure"] for change in report_data(report)["class"]["change_points"]] == ["facing"]
    assert json.loads(report_json(report))["class"]["change_points"][0]["before"] == 1
