"""Guards and shared fixtures. No test may reach a camera, the network or a database of the user's."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples every time and no time limits: a slow machine must not fail a right program.
settings.register_profile("classpulse", deadline=None, derandomize=True)
settings.load_profile("classpulse")

SHARED = Path(__file__).resolve().parents[2] / "shared"


class Forbidden(AssertionError):
    """A test tried to leave its sandbox."""


_guarded = False


def _audit(event: str, arguments: tuple[object, ...]) -> None:
    if not _guarded:
        return
    if event == "socket.connect":
        address = arguments[1]
        if isinstance(address, tuple) and str(address[0]) not in {"127.0.0.1", "::1", "localhost"}:
            raise Forbidden(f"a test connected to {address!r}; tests use no network")
    elif event == "sqlite3.connect":
        _check_database(str(arguments[0]))


def _check_database(database: str) -> None:
    path = database.removeprefix("file:").split("?")[0]
    if path in {"", ":memory:"} or ":memory:" in path or "mode=memory" in database:
        return
    if not Path(path).resolve().is_relative_to(Path(tempfile.gettempdir()).resolve()):
        raise Forbidden(f"a test opened the database {database!r}; tests keep theirs in a temporary folder")


# An audit hook sees every connection of the process, whichever library makes it.
sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def _sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    global _guarded

    def no_camera(*arguments: object, **_: object) -> None:
        raise Forbidden(f"a test opened the camera or stream {arguments!r}; tests use a fake one")

    monkeypatch.setattr("cv2.VideoCapture", no_camera)
    monkeypatch.delenv("CLASSPULSE_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    _guarded = True
    yield
    _guarded = False


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of data that is not part of the project; tests that need it are skipped without."""
    if not SHARED.is_dir():
        pytest.skip("needs the data folder ../shared, which is not there")
    return SHARED


@pytest.fixture(scope="session")
def demo_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short film of the demo class: its six students, 20 seconds of them."""
    from classpulse.demo import write_demo_video

    path = tmp_path_factory.mktemp("demo") / "class.mp4"
    write_demo_video(path, seconds=20)
    return path
