"""Guards and shared fixtures. No test may reach a camera, the network or a database of the user's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from filelock import FileLock
from hypothesis import settings

from tests.helpers.guard import Forbidden, guarded, guarded_open

# The same examples in every run and no time limits: a slow machine must not fail a correct program.
settings.register_profile("classpulse", deadline=None, derandomize=True)
settings.load_profile("classpulse")

REAL_OPEN = av.open
TESTS = Path(__file__).resolve().parent
os.environ["FONTCONFIG_FILE"] = str(TESTS / "helpers" / "fonts.conf")
SHARED = TESTS.parents[1] / "shared"

KINDS = ("integration", "browser", "training", "packaging")
"""The markers of tests that start processes, servers or whole sessions. A test without one is a unit test."""

MARKED_PATHS = {
    "classpulse/cli/": "integration",
    "classpulse/online/test_online_session": "integration",
    "classpulse/scenarios/": "integration",
    "classpulse/services/": "integration",
    "classpulse/web/": "integration",
    "db/test_crash": "integration",
    "db/test_engine": "integration",
    "docs/": "integration",
    "docs/test_site": "packaging",
    "faults/": "integration",
    "model/export/": "training",
    "model/inference/test_calibration": "slow",
    "model/inference/test_weights": "slow",
    "model/training/": "training",
    "monitor/daemon/": "integration",
    "monitor/detection/test_small_faces": "slow",
    "monitor/seating/test_call_grid": "slow",
    "monitor/session/": "integration",
    "monitor/sources/": "integration",
    "monitor/tracking/test_id_switch": "slow",
    "packaging/": "packaging",
    "replay/": "integration",
    "reports/rendering/": "integration",
    "reports/timeline/test_change_points": "slow",
}
"""The markers of whole folders and files, by the start of their path below ``tests``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by its folder and fixtures, and every other test as ``unit``."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix()
        for path, kind in MARKED_PATHS.items():
            if place.startswith(path):
                item.add_marker(kind)
        if {"page", "address"} <= set(getattr(item, "fixturenames", ())):
            item.add_marker("browser")
        if not any(item.get_closest_marker(kind) for kind in (*KINDS, "slow")):
            item.add_marker("unit")


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    def no_camera(*arguments: object, **_: object) -> None:
        raise Forbidden(f"a test opened the camera or stream {arguments!r}; tests use a fake one")

    monkeypatch.setattr("cv2.VideoCapture", no_camera)
    monkeypatch.setattr("av.open", guarded_open(REAL_OPEN, allows_loopback=False))
    monkeypatch.delenv("CLASSPULSE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    with guarded():
        yield


@pytest.fixture
def loopback_streams(_sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allow streams of servers on this machine; cameras and other machines stay forbidden."""
    monkeypatch.setattr("av.open", guarded_open(REAL_OPEN, allows_loopback=True))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of data that is not part of the project, or skip the test if it is missing."""
    if not SHARED.is_dir():
        pytest.skip("needs the data folder ../shared, which does not exist")
    return SHARED


@pytest.fixture(scope="session")
def demo_video(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a video of the demo class, six students in 20 seconds; all workers of a run share it."""
    from classpulse.simulation.demo.video import write_demo_video

    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "demo_video"
    with FileLock(f"{folder}.lock"):
        path = folder / "class.mp4"
        if not path.exists():
            folder.mkdir(exist_ok=True)
            # The writer renames the file into place, so an interrupted worker leaves nothing to reuse.
            write_demo_video(path, seconds=20)
    return path
