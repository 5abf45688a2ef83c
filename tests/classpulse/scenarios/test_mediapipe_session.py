"""A session with MediaPipe's own detector, from video to database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from db import sessions as queries
from db.engine import open_database
from tests.helpers.classrooms import classroom
from tests.helpers.real_mediapipe import NEEDS_MEDIAPIPE
from tests.helpers.videos import write_video

pytestmark = NEEDS_MEDIAPIPE

SAMPLES = 24


def test_session_with_mediapipe_has_its_students(
    tmp_path: Path, configured: Callable[..., Path], shell
) -> None:
    """MediaPipe verifies no face: the face mesh makes them students."""
    configured("behaviour", more="detection: {backend: mediapipe}\n")
    frames = (classroom((150, 130), sample % 3) for sample in range(SAMPLES))
    video = write_video(tmp_path / "room.mkv", frames, fps=2, codec="ffv1", pix_fmt="bgr0")
    session_id = shell.json("analyze", video, "--no-report")["session"]
    engine = open_database(f"sqlite:///{tmp_path / 'classpulse-data' / 'classpulse.db'}")
    session = queries.get_session(engine, session_id)
    students, bins = queries.list_students(engine, session_id), queries.load_bins(engine, session_id)
    engine.dispose()
    assert session.versions["detector"].startswith("mediapipe ")
    assert len(students) == 2
    for student in students:
        seen = sum(one.seen_samples for one in bins if one.student_id == student.id)
        assert seen == pytest.approx(SAMPLES, abs=1)
