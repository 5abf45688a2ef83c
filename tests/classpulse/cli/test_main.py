"""Analysis and report, end to end, on the demo class."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import av
import cv2
import pytest

from classpulse.errors import PolicyMissing, SettingsError
from db import sessions as queries
from db.engine import open_database
from db.errors import NotFound
from reports.flags.confusion import confusion_from_settings


def record(tmp_path: Path):
    return open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}", create=False)


def test_analyze_video_writes_a_report(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured()
    answer = shell.json("analyze", demo_video)
    assert (answer["status"], answer["students"], answer["reason"]) == ("finished", 6, "")
    assert answer["watched_s"] == pytest.approx(20, abs=1)
    html, pdf = (Path(answer["report"][kind]) for kind in ("html", "pdf"))
    assert "Student 6" in html.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF")
    engine = record(tmp_path)
    bins = queries.load_bins(engine, 1)
    assert len(bins) == 6 * 4
    assert sum(b.seen_samples for b in bins) > 0.6 * sum(b.samples for b in bins)
    assert all(abs(sum(b.probabilities) - 1) < 1e-3 for b in bins if b.probabilities)
    kinds = [flag.kind for flag in queries.list_flags(engine, 1)]
    assert (kinds.count("sadness"), kinds.count("attention"), len(kinds)) == (6, 6, 12)
    # The confusion matrix of the model is stored with the session.
    assert confusion_from_settings(queries.get_session(engine, 1).settings) is not None
    versions = queries.get_session(engine, 1).versions
    assert set(versions) == {"classpulse", "detector", "model", "head_pose"}
    engine.dispose()


def test_analyze_folder_analyses_every_image(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured("behaviour")
    with av.open(str(demo_video)) as video:
        image = next(video.decode(video=0)).to_ndarray(format="bgr24")
    folder = tmp_path / "images"
    folder.mkdir()
    views = (image, image[:, 427:][:, ::-1], image[:360])
    for number, view in enumerate(views):
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(view, (1280, 720)))
    answer = shell.json("analyze", folder, "--no-report")
    assert (answer["frames_sampled"], answer["frames_dropped"]) == (3, 0)


def test_analyze_numbers_students_in_seat_order(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured()
    shell.json("analyze", demo_video, "--no-report")
    engine = record(tmp_path)
    names = {s.id: s.pseudonym for s in queries.list_students(engine, 1)}
    boxes = {names[s.student_id]: s.box_xyxy for s in queries.list_seats(engine, 1)}
    engine.dispose()
    # Three tiles per row, two rows.
    order = sorted(boxes, key=lambda name: (boxes[name][1] > 360, boxes[name][0]))
    assert order == [f"Student {n}" for n in range(1, 7)]


def test_report_can_be_repeated(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured()
    first = shell.json("analyze", demo_video)
    before = Path(first["report"]["html"]).read_text("utf-8")
    again = shell.json(
        "report",
        "last",
        "--out",
        tmp_path / "again",
        *["--format", "html", "--format", "csv", "--format", "json"],
    )
    after = Path(again["report"]["html"]).read_text("utf-8")
    without_date = [re.sub(r"<p [^>]*>Report created [^<]*</p>", "", html) for html in (before, after)]
    assert without_date[0] == without_date[1]
    assert "Report created" in after
    with Path(again["report"]["csv"]).open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert len({row["student"] for row in rows}) == 6
    json.loads(Path(again["report"]["json"]).read_text(encoding="utf-8"))


def test_history_commands_include_an_analysed_session(configured, shell, demo_video: Path) -> None:
    configured(more="class:\n  name: 5b\n")
    shell.json("analyze", demo_video, "--no-report")
    (session,) = shell.json("sessions")
    assert (session["class_name"], session["status"], session["students"]) == ("5b", "finished", 6)
    assert "5b" in shell.raises(NotFound, "sessions", "--class", "6c").hint
    (lecture,) = shell.json("student", "Student 2")["sessions"]
    assert lecture["session_id"] == session["session_id"]
    assert "Student 2" in shell.raises(NotFound, "student", "Student 22").hint
    for command in (["sessions"], ["student", "Student 2"]):
        code, out, _ = shell(*command)
        assert code == 0
        assert "5b" in out


def test_behaviour_mode_computes_no_emotion(
    tmp_path: Path, configured, shell, demo_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*arguments: object, **options: object) -> None:
        raise AssertionError("the classifier was loaded")

    monkeypatch.setattr("monitor.session.builder.load_classifier", never)
    configured("behaviour")
    answer = shell.json("analyze", demo_video)
    engine = record(tmp_path)
    bins = queries.load_bins(engine, 1)
    assert all(b.probabilities is None and b.usable_samples == 0 for b in bins)
    assert (
        sum(b.unreadable_reasons.get("not computed", 0) for b in bins)
        == sum(b.seen_samples for b in bins)
        > 0
    )
    assert sum(b.pose_samples for b in bins) > 0
    assert {flag.kind for flag in queries.list_flags(engine, 1)} == {"attention"}
    assert queries.get_session(engine, 1).versions["model"] == "none"
    engine.dispose()
    assert "sadness" not in Path(answer["report"]["html"]).read_text(encoding="utf-8").lower()


def test_aggregate_mode_stores_no_single_student(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured("aggregate")
    answer = shell.json("analyze", demo_video)
    engine = record(tmp_path)
    assert queries.list_students(engine, 1) == []
    bins = queries.load_bins(engine, 1)
    engine.dispose()
    assert bins
    assert {b.student_id for b in bins} == {None}
    assert max(b.student_count for b in bins) == 6
    assert "Student 1" not in Path(answer["report"]["html"]).read_text(encoding="utf-8")


def test_eu_emotion_mode_is_rejected(configured, shell, demo_video: Path) -> None:
    path = configured("emotion")
    path.write_text(path.read_text().replace("CH", "EU"))
    assert shell.raises(SettingsError, "analyze", demo_video).key == "policy"
    path.write_text(path.read_text().replace("  mode: emotion\n", ""))
    assert shell.json("analyze", demo_video, "--no-report")["status"] == "finished"


def test_without_policy_analyze_and_start_fail(tmp_path: Path, shell, demo_video: Path) -> None:
    (tmp_path / "config.yaml").write_text("class:\n  name: 5b\n")
    for command in (["analyze", demo_video], ["start"]):
        shell.raises(PolicyMissing, *command)
    assert not (tmp_path / "classpulse-data").exists()


def test_analyze_stores_no_image(tmp_path: Path, configured, shell, demo_video: Path) -> None:
    configured()
    shell.json("analyze", demo_video)
    suffixes = {p.suffix for p in tmp_path.rglob("*") if p.is_file()}
    assert suffixes <= {".yaml", ".db", ".db-wal", ".db-shm", ".html", ".pdf"}
    database = (tmp_path / "classpulse-data" / "classpulse.db").read_bytes()
    assert b"JFIF" not in database
    assert b"\x89PNG" not in database
    assert len(database) < 500_000
