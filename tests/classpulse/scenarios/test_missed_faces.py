"""A drawn class of which the detector finds a part: terminal, JSON and report warn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from db import sessions as queries
from db.engine import open_database
from monitor.detection.base import DetectionSettings
from monitor.seating.seat_plan import SeatOwnerResolver
from monitor.seating.session_setup import OnlineSetup, RoomSetup
from monitor.sources.participant_grid import TileGrid
from tests.helpers.classrooms import classroom
from tests.helpers.videos import write_video

LARGE = (40, 44, 48)
SMALL = (9, 10, 11, 12, 13, 14, 15, 16) * 2


def film(path: Path, face_px: Sequence[float], samples: int = 30) -> Path:
    frames = (classroom(face_px, sample % 3) for sample in range(samples))
    return write_video(path, frames, fps=2, codec="ffv1", pix_fmt="bgr0")


def test_missed_faces_are_reported(tmp_path: Path, configured: Callable[..., Path], shell) -> None:
    configured("behaviour")
    code, _, error = shell("analyze", film(tmp_path / "hall.mkv", LARGE + SMALL))
    assert code == 0, error
    assert "warning: About 1" in error
    assert "more faces are smaller than 24" in error
    assert "Set detection.min_face_px to 1" in error
    assert "3 students tracked" in error or "4 students tracked" in error
    page = next((tmp_path / "classpulse-data").rglob("report.html")).read_text("utf-8")
    assert 'class="missed">About 1' in page
    # The same as data.
    answer = shell.json("analyze", tmp_path / "hall.mkv", "--no-report")
    assert answer["small_faces"]["warning"]
    # The detector reports some faces of 15 and 16 pixels now and then: they are not missed.
    assert len(SMALL) / 2 <= answer["small_faces"]["missed"] <= len(SMALL)
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}")
    stored = queries.get_session(engine, answer["session"]).small_faces
    engine.dispose()
    assert stored is not None
    assert stored.to_json().items() <= answer["small_faces"].items()


def test_no_missed_faces_no_warning(tmp_path: Path, configured: Callable[..., Path], shell) -> None:
    configured("behaviour")
    code, _, error = shell("analyze", film(tmp_path / "room.mkv", (60, 64, 70)))
    assert code == 0, error
    assert "warning" not in error
    page = next((tmp_path / "classpulse-data").rglob("report.html")).read_text("utf-8")
    assert 'class="missed"' not in page
    assert "No further face was found." in page


def test_small_face_probe_online_lesson_is_none() -> None:
    resolver = SeatOwnerResolver((), {})
    assert RoomSetup(owner_resolver=resolver).small_face_probe(DetectionSettings()) is not None
    online = OnlineSetup(owner_resolver=resolver, grid=TileGrid(4))
    assert online.small_face_probe(DetectionSettings()) is None
