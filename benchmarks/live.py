"""Latency from a camera frame to the live page, and the effect of viewers on the recording.

    python -m classpulse simulate call --students 25 --seconds 60 --out call25
    python benchmarks/live.py call25/video.mp4 --viewers 1 8

A camera on loopback repeats the video and hides the left half of the frame every few seconds. The benchmark
prints the time from the first hidden frame to the page event with fewer students and, for each number of
viewers, the sampled and dropped frames.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import cv2
import httpx2
import numpy as np

from classpulse.config.settings import read_config
from classpulse.services.accounts import hash_password
from db.accounts import Role, add_account
from db.clock import now_utc
from db.engine import open_database
from db.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

FPS = 10.0
PASSWORD = "three quiet walnuts"
CONFIG = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: benchmark
  recorded_on: 2026-01-15
  mode: emotion
class: {{name: Call}}
capture: {{source: "{url}"}}
serve: {{port: {port}}}
"""


class Camera:
    """Serves the frames of a video, with the left half hidden while ``hidden`` is set. ``hidden_at``:
    monotonic seconds of the first such frame."""

    def __init__(self, video: Path) -> None:
        self.hidden = threading.Event()
        self.hidden_at = 0.0
        self._pictures = list(_pictures(video))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/video"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=picture")
                self.end_headers()
                due_s, was_hidden = time.monotonic(), False
                for whole, half in itertools.cycle(camera._pictures):
                    hide = camera.hidden.is_set()
                    picture = half if hide else whole
                    head = b"--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(
                        picture
                    )
                    try:
                        self.wfile.write(head + picture + b"\r\n")
                    except OSError:
                        return
                    if hide and not was_hidden:
                        camera.hidden_at = time.monotonic()
                    was_hidden = hide
                    due_s += 1 / FPS
                    time.sleep(max(0.0, due_s - time.monotonic()))

        return Handler


def _pictures(video: Path) -> Iterator[tuple[bytes, bytes]]:
    with av.open(str(video)) as container:
        step = max(1, round(float(container.streams.video[0].average_rate) / FPS))
        for number, frame in enumerate(container.decode(video=0)):
            if number % step == 0 and number < 40 * step * FPS:
                image = frame.to_ndarray(format="bgr24")
                image[:4, :4] = np.uint8(number % 251)
                half = image.copy()
                half[:, : image.shape[1] // 2] = 40 + number % 17
                yield tuple(cv2.imencode(".jpg", one)[1].tobytes() for one in (image, half))


class Page:
    """Reads a page's event stream in a thread; ``seen``: (students seen, monotonic seconds) of each event."""

    def __init__(self, client: httpx2.Client, session: int) -> None:
        self.seen: list[tuple[int, float]] = []
        self._client, self._session = client, session
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        stream = self._client.stream("GET", f"/live/{self._session}/events", timeout=None)
        with suppress(httpx2.TransportError), stream as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    found = re.search(r"Seen now: (\d+) / ", json.loads(line[6:])["parts"].get("people", ""))
                    if found:
                        self.seen.append((int(found[1]), time.monotonic()))


def latencies(camera: Camera, page: Page, times: int) -> list[float]:
    """Seconds from the first hidden frame to the page event, per trial."""
    found = []
    for number in range(times):
        time.sleep(4.0 + 0.37 * (number % 3))
        before = page.seen[-1][0]
        camera.hidden.set()
        time.sleep(6.0)
        after = [at for people, at in page.seen if at >= camera.hidden_at and people <= 0.75 * before]
        camera.hidden.clear()
        if after:
            found.append(after[0] - camera.hidden_at)
        else:
            print(f"  the page shows {page.seen[-1][0]} of {before} students after 6 s", flush=True)
        time.sleep(4.0)
    return found


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video", type=Path)
    parser.add_argument("--viewers", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--times", type=int, default=8)
    parser.add_argument("--port", type=int, default=8461)
    options = parser.parse_args()
    camera = Camera(options.video)
    with tempfile.TemporaryDirectory() as name:
        config = Path(name) / "config.yaml"
        config.write_text(CONFIG.format(url=camera.url, port=options.port), encoding="utf-8")
        _make_account(config)
        served = subprocess.Popen(
            [sys.executable, "-m", "classpulse", "--config", str(config), "serve"],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _measure(camera, options, config)
        finally:
            served.terminate()
            served.wait()


def _measure(camera: Camera, options: Any, config: Path) -> None:
    client = httpx2.Client(base_url=f"http://127.0.0.1:{options.port}", timeout=30)
    _log_in(client)
    session = _start(client)
    for viewers in options.viewers:
        pages = [Page(client, session) for _ in range(viewers)]
        _wait(lambda pages=pages: bool(pages[0].seen) and pages[0].seen[-1][0] >= 10)
        time.sleep(20.0)
        found = latencies(camera, pages[0], options.times)
        status = _status(config)
        times = "never"
        if found:
            times = f"{statistics.median(found):.2f} s (median), {min(found):.2f} to {max(found):.2f} s"
        print(
            f"{viewers} viewers: {max(n for n, _ in pages[0].seen)} students; frame to page {times}; "
            f"{status['sample_fps']:.2f} of {status['target_fps']:g} frames per second, "
            f"{status['frames_dropped']} dropped of {status['frames_sampled']}",
            flush=True,
        )


def _make_account(config: Path) -> None:
    read = read_config(config)
    read.data_folder.mkdir(parents=True)
    engine = open_database(read.database_url)
    with Store(engine).unit_of_work() as unit:
        add_account(unit, "Root", Role.ADMINISTRATOR, hash_password(PASSWORD), now_utc())
        unit.commit()
    engine.dispose()
    Camera.config = config  # type: ignore[attr-defined]


def _status(config: Path) -> dict[str, Any]:
    ran = subprocess.run(
        [sys.executable, "-m", "classpulse", "--config", str(config), "status", "--json"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=True,
    )
    status: dict[str, Any] = json.loads(ran.stdout)["recordings"][0]
    return status


def _token(client: httpx2.Client, page: str) -> str:
    found = re.search(r'name="csrf-token" content="(\w+)"', client.get(page).text)
    assert found is not None
    return found[1]


def _log_in(client: httpx2.Client) -> None:
    def answers() -> bool:
        try:
            return client.get("/login").status_code == 200
        except httpx2.TransportError:
            return False

    _wait(answers)
    fields = {"name": "Root", "password": PASSWORD, "return_to": "/", "csrf_token": _token(client, "/login")}
    assert client.post("/login", data=fields).status_code == 303


def _start(client: httpx2.Client) -> int:
    token = _token(client, "/")
    _wait(lambda: client.post("/start", data={"class": "Call", "csrf_token": token}).status_code == 303)
    found: list[int] = []

    def has_started() -> bool:
        found[:] = map(int, re.findall(r'href="/live/(\d+)"', client.get("/recordings").json()["html"]))
        return bool(found)

    _wait(has_started)
    return found[0]


def _wait(condition: Any) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("Timed out after 120 s.")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
