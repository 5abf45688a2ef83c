"""The backend and its process, with a package in place of MediaPipe."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil
import pytest

from model.errors import NetworkFileError
from model.networks import FACE_DETECTION_SHORT_RANGE
from monitor.detection import mediapipe_backend
from monitor.detection.base import DetectionSettings
from monitor.detection.factory import load_detector
from monitor.detection.mediapipe_backend import MediaPipeDetector
from monitor.errors import BackendNotInstalled, DetectorError, RunError
from tests.helpers.stand_in_mediapipe import write_stand_in
from tests.helpers.waiting import wait_for

pytestmark = pytest.mark.integration

SETTINGS = DetectionSettings(backend="mediapipe", min_face_px=12)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A function that writes the package into a folder, from which this process and its children import."""

    def write(**statements: str) -> Path:
        folder = tmp_path / "packages"
        write_stand_in(folder, **statements)
        monkeypatch.syspath_prepend(folder)
        return folder

    return write


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_backend_without_mediapipe_is_not_installed(monkeypatch):
    def version(package: str) -> str:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr("importlib.metadata.version", version)
    with pytest.raises(BackendNotInstalled) as caught:
        load_detector(SETTINGS)
    assert (caught.value.backend, caught.value.package) == ("mediapipe", "mediapipe")


@pytest.mark.parametrize("version", ["0.10.35", "1.1.9", "1.1"])
def test_backend_with_an_older_mediapipe_names_both_versions(stand_in, version):
    stand_in(version=version)
    with pytest.raises(DetectorError, match=rf"mediapipe {version} is older than 1\.2") as caught:
        load_detector(SETTINGS)
    assert "pip install --upgrade" in caught.value.hint


@pytest.mark.parametrize("version", ["1.2", "1.10.0", "2.0.0rc1"])
def test_backend_version_names_mediapipe_and_the_network(stand_in, version):
    stand_in(version=version)
    label = FACE_DETECTION_SHORT_RANGE.label
    assert load_detector(SETTINGS).version == f"mediapipe {version} face detector (short range: {label})"


def test_detector_does_not_import_mediapipe_itself(stand_in):
    stand_in(at_import="print('imported')")
    code = (
        "import sys; from monitor.detection import base, factory; "
        "factory.load_detector(base.DetectionSettings(backend='mediapipe')); "
        "sys.exit('mediapipe' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_detect_returns_widened_boxes_and_keypoints_in_pixels_best_first(stand_in):
    points = "[(0.1, 0.2), (0.3, 0.2), (0.2, 0.3), (0.2, 0.4), (0.05, 0.25), (0.35, 0.25)]"
    stand_in(faces=f"return [face(20, 20, 40, 40, 0.6), face(100, 50, 50, 50, 0.9, {points})]")
    first, second = load_detector(SETTINGS).detect(noise(100, 200))
    assert first.box_xyxy == pytest.approx((100, 43.5, 150, 100))
    assert second.box_xyxy == pytest.approx((20, 14.8, 60, 62))
    assert (first.score, second.score) == pytest.approx((0.9, 0.6))
    assert first.keypoints.dtype == np.float32
    expected = [(20, 20), (60, 20), (40, 30), (40, 40), (10, 25), (70, 25)]
    np.testing.assert_allclose(first.keypoints, expected, rtol=1e-6)
    assert (first.verified, second.verified) == (False, False)


def test_detect_drops_boxes_that_are_too_small_empty_or_outside(stand_in):
    boxes = ["10, 10, 7, 7", "10, 10, 8, 8", "30, 30, 0, 0", "300, 10, 20, 20", "-40, 10, 20, 20"]
    stand_in(faces="return [" + ", ".join(f"face({box}, 0.9)" for box in boxes) + "]")
    (face,) = load_detector(SETTINGS).detect(noise(100, 200))
    assert face.box_xyxy[:1] + face.box_xyxy[2:3] == (10, 18)


def test_min_score_reaches_mediapipe(stand_in):
    stand_in(faces="return [face(10, 10, 20, 20, self.min_score)]")
    settings = DetectionSettings(backend="mediapipe", min_face_px=12, min_score=0.35)
    (face,) = load_detector(settings).detect(noise(50, 50))
    assert face.score == pytest.approx(0.35)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (719, 1281)], ids=str)
@pytest.mark.parametrize("view", ["contiguous", "cropped", "mirrored", "transposed"])
def test_frames_of_any_shape_and_memory_order_arrive_as_rgb(stand_in, shape, view):
    folder = stand_in(at_detect="import numpy; numpy.save(__file__ + '.frame.npy', image.data)")
    height, width = shape
    image = {
        "contiguous": lambda: noise(height, width),
        "cropped": lambda: noise(height + 2, width + 3)[1:-1, 2:-1],
        "mirrored": lambda: noise(height, width)[::-1, ::-1],
        "transposed": lambda: noise(width, height).transpose(1, 0, 2),
    }[view]()
    before = image.copy()
    assert load_detector(SETTINGS).detect(image) == []
    np.testing.assert_array_equal(image, before)
    (file,) = folder.rglob("*.frame.npy")
    np.testing.assert_array_equal(np.load(file), image[:, :, ::-1])


def test_what_native_code_prints_does_not_reach_answers_or_the_terminal(stand_in, capfd):
    noisy = "os.write(1, b'{\"error\": 1}\\n'); os.write(2, b'W0000 delegate\\n'); print('hello', flush=True)"
    stand_in(at_import=noisy, at_detect=noisy, faces="return [face(10, 10, 20, 20, 0.5)]")
    detector = load_detector(SETTINGS)
    assert [len(detector.detect(noise(50, 50))) for _ in range(3)] == [1, 1, 1]
    assert capfd.readouterr() == ("", "")


RECORD = """
import json, socket, pathlib
def record(name):
    proxies = {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    try:
        socket.create_connection(("127.0.0.1", int(proxies["https_proxy"].rpartition(":")[2])))
        error = ""
    except OSError as caught:
        error = type(caught).__name__
    pathlib.Path(__file__).with_name(name).write_text(json.dumps([proxies, error]))
record("import.json")
"""


def test_mediapipe_sees_a_proxy_that_refuses_every_connection(stand_in, monkeypatch):
    """MediaPipe sends usage metrics through the proxy of the environment."""
    for name in ("no_proxy", "NO_PROXY", "ftp_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "*")
    folder = stand_in(at_import=RECORD, at_detect="import mediapipe; mediapipe.record('detect.json')")
    detector = load_detector(SETTINGS)
    detector.detect(noise(10, 10))
    for name in ("import.json", "detect.json"):
        proxies, error = json.loads((folder / "mediapipe" / name).read_text())
        lower = {"http_proxy", "https_proxy", "all_proxy"}
        assert set(proxies) == lower | {key.upper() for key in lower}
        (address,) = set(proxies.values())
        assert address.startswith("http://127.0.0.1:")
        assert error == "ConnectionRefusedError"
    # While the process runs, no other program can get the port.
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", int(address.rpartition(":")[2])))


@pytest.mark.parametrize(
    ("at_import", "reason"),
    [
        (
            "raise ImportError('libGL.so.1: cannot open shared object file')",
            "ImportError: libGL.so.1: cannot",
        ),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("os._exit(3)", "ended with exit code 3"),
        ("import signal; os.kill(os.getpid(), signal.SIGKILL)", "ended with exit code -9"),
    ],
)
def test_start_that_fails_names_the_reason(stand_in, at_import, reason):
    stand_in(at_import=at_import)
    with pytest.raises(DetectorError, match=reason) as caught:
        load_detector(SETTINGS)
    assert caught.value.hint


def test_start_that_never_ends_is_given_up(stand_in, monkeypatch):
    stand_in(at_import="import threading; threading.Event().wait()")
    monkeypatch.setattr(mediapipe_backend, "START_LIMIT_S", 0.1)
    with pytest.raises(DetectorError, match="cannot be started"):
        load_detector(SETTINGS)


@pytest.mark.parametrize(
    ("at_detect", "reason"),
    [
        ("os._exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", f"exit code {-signal.SIGSEGV}"),
        ("raise RuntimeError('graph failed')", "RuntimeError: graph failed"),
    ],
)
def test_process_that_ends_in_the_middle_is_one_clear_error(stand_in, at_detect, reason):
    stand_in(at_detect=f"if image.data.shape == (8, 8, 3): {at_detect}")
    detector = load_detector(SETTINGS)
    assert detector.detect(noise(9, 9)) == []
    with pytest.raises(RunError, match=reason):
        detector.detect(noise(8, 8))
    # A frame larger than the pipe holds, which is not read any more.
    with pytest.raises(RunError, match="MediaPipe's process ended"):
        detector.detect(noise(720, 1280))


def test_deleted_detector_leaves_no_process(stand_in):
    stand_in()
    detector = load_detector(SETTINGS)
    assert isinstance(detector, MediaPipeDetector)
    process = detector._process
    assert process.poll() is None
    del detector
    gc.collect()
    assert process.returncode is not None
    assert not psutil.pid_exists(process.pid)


@pytest.mark.parametrize("end", ["pass", "import os; os._exit(0)", "import os; os.kill(os.getpid(), 9)"])
def test_process_ends_with_its_parent(stand_in, end):
    stand_in()
    code = (
        "from monitor.detection import base, factory\n"
        "detector = factory.load_detector(base.DetectionSettings(backend='mediapipe'))\n"
        f"print(detector._process.pid, flush=True)\n{end}"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
    pid = int(done.stdout)
    assert done.stderr == b""
    # In a container without an init process, nothing collects the exit code of an orphan.
    wait_for(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal for one process of a terminal")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_process_ignores_the_signals_of_a_terminal(stand_in, name):
    stand_in()
    detector = load_detector(SETTINGS)
    assert isinstance(detector, MediaPipeDetector)
    detector._process.send_signal(signal.Signals[name])
    assert detector.detect(noise(9, 9)) == []


def test_damaged_network_is_reported_before_the_start(stand_in, monkeypatch):
    folder = stand_in(at_import="open(__file__ + '.imported', 'w')")
    monkeypatch.setattr("model.networks._FOLDER", folder)
    with pytest.raises(NetworkFileError):
        load_detector(SETTINGS)
    assert list(folder.rglob("*.imported")) == []
