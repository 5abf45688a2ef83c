"""How many rooms one computer can record: several recordings, each with its own camera.

    classpulse simulate room PHOTO BOXES --seconds 120 --fps 25 --out room
    python -m benchmarks.rooms room/video.mp4 --rooms 1 2 4 8 --sample-fps 1

Each camera sends the video (H.264, without encoding it again) over HTTP on the loopback interface in real
time, in a loop. The rooms run as in the daemon: a supervisor, and one process per room with detector, tracker
and expression model. After a warm-up the share of the due frames that each room analysed is measured. A
number of rooms is sustained if it is at least 95 % in every room.
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import psutil

from monitor.daemon.control import Request, daemon_status, send_request
from monitor.daemon.errors import ControlError
from monitor.session.status import RecordingStatus

MIN_SHARE = 0.95
"""Of the due frames. The results of a session hardly change with another twentieth missing."""

WARM_UP_S, TIMEOUT_S = 20.0, 180.0

CONFIG = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: benchmark
  recorded_on: 2026-01-01
capture:
  sample_fps: {fps}
detection:
  threads: {threads}
expression:
  threads: {threads}
"""


class _Pipe:
    """The connection as a file for PyAV."""

    def __init__(self, out: Any) -> None:
        self._out = out

    def write(self, data: bytes) -> int:
        self._out.write(data)
        return len(data)


def _send(video_path: Path, out: Any) -> None:
    """Send the video's packets as an MPEG transport stream in real time, in a loop."""
    with av.open(_Pipe(out), "w", format="mpegts") as stream:
        shift, started = 0, time.monotonic()
        target = None
        for _ in itertools.count():
            with av.open(str(video_path)) as source:
                video = source.streams.video[0]
                target = target or stream.add_stream_from_template(video)
                last = 0
                for packet in source.demux(video):
                    if packet.dts is None:
                        continue
                    last = packet.dts + (packet.duration or 0)
                    at_s = float((packet.dts + shift) * video.time_base)
                    time.sleep(max(0.0, started + at_s - time.monotonic()))
                    packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                    packet.stream = target
                    stream.mux(packet)
                shift += last


@contextmanager
def cameras(video_path: Path) -> Iterator[str]:
    """An address for any number of rooms, each with its own path."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            try:
                _send(video_path, self.wfile)
            except (OSError, av.error.FFmpegError):
                return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def measure(address: str, rooms: int, fps: float, threads: int, seconds: float) -> None:
    """Record ``rooms`` rooms and print the results."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.yaml").write_text(CONFIG.format(fps=fps, threads=threads), encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
        data = Path(folder, "classpulse-data")
        daemon = subprocess.Popen(
            [sys.executable, "-m", "classpulse", "daemon"],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            for number in range(rooms):
                _send_request(data, Request("start", f"room {number}", source=f"{address}/{number}"))
            _wait(data, rooms)
            time.sleep(WARM_UP_S)
            before, used = _statuses(data), _cpu_s(daemon.pid)
            time.sleep(seconds)
            after, used = _statuses(data), _cpu_s(daemon.pid) - used
            _print_row(before, after, used, _memory_mib(daemon.pid), fps)
        finally:
            daemon.terminate()
            daemon.wait()


def _send_request(data: Path, request: Request) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        try:
            send_request(data, request)
            return
        except ControlError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _wait(data: Path, rooms: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while sum(one.frames_sampled > 0 for one in _statuses(data)) < rooms:
        if time.monotonic() > deadline:
            sys.exit(f"only {len(_statuses(data))} of {rooms} rooms started")
        time.sleep(0.5)


def _statuses(data: Path) -> tuple[RecordingStatus, ...]:
    daemon = daemon_status(data)
    return () if daemon is None else daemon.recordings


def _family(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_s(pid: int) -> float:
    return sum(one.cpu_times().user + one.cpu_times().system for one in _family(pid))


def _memory_mib(pid: int) -> float:
    return sum(one.memory_full_info().uss for one in _family(pid)) / 2**20


def _print_row(
    before: tuple[RecordingStatus, ...],
    after: tuple[RecordingStatus, ...],
    cpu_s: float,
    memory_mib: float,
    fps: float,
) -> None:
    shares = []
    for first, last in zip(before, after, strict=True):
        due = (last.media_s - first.media_s) * fps
        shares.append((last.frames_sampled - first.frames_sampled) / due)
    passed_s = after[0].media_s - before[0].media_s
    verdict = "sustained" if min(shares) >= MIN_SHARE else "not sustained"
    faces = sum(one.face_count for one in after) / len(after)
    least, mean = min(shares), sum(shares) / len(shares)
    cores = cpu_s / passed_s
    print(
        f"{len(after):5}   {least:6.0%} {mean:6.0%}   {cores:10.2f}"
        f"   {memory_mib:8.0f}   {faces:5.1f}   {verdict}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("video_path", type=Path)
    parser.add_argument("--rooms", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--sample-fps", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1, help="detection.threads and expression.threads")
    parser.add_argument("--seconds", type=float, default=60.0)
    arguments = parser.parse_args()
    print("rooms   frames analysed      cores in use   memory     faces")
    print("         min     mean                       MiB        per room")
    with cameras(arguments.video_path) as address:
        for rooms in arguments.rooms:
            measure(address, rooms, arguments.sample_fps, arguments.threads, arguments.seconds)


if __name__ == "__main__":
    main()
