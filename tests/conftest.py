"""Guards and shared fixtures. No test may reach a camera, the network or a database of the user's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest
from hypothesis import settings

from tests.helpers.guard import Forbidden, guarded, loopback_only

# The same examples every time and no time limits: a slow machine must not fail a right program.
settings.register_profile("classpulse", deadline=None, derandomize=True)
settings.load_profile("classpulse")

REAL_CAPTURE = cv2.VideoCapture
SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def no_camera(*arguments: object, **_: object) -> None:
        raise Forbidden(f"a test opened the camera or stream {arguments!r}; tests use a fake one")

    monkeypatch.setattr("cv2.VideoCapture", no_camera)
    monkeypatch.delenv("CLASSPULSE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with guarded():
        yield


@pytest.fixture
def loopback_streams(_sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Streams of this machine's own servers can be opened, and still no camera and no other machine's."""
    monkeypatch.setattr("cv2.VideoCapture", loopback_only(REAL_CAPTURE))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that is not part of the project; tests that need it are skipped without."""
    if not SHARED.is_dir():
        pytest.skip("needs the data folder ../shared, which is not there")
    return SHARED


@pytest.fixture(scope="session")
def demo_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short film of the demo class: its six students, 20 seconds of them."""
    from classpulse.simulation.demo.video import write_demo_video

    path = tmp_path_factory.mktemp("demo") / "class.mp4"
    write_demo_video(path, seconds=20)
    return path
