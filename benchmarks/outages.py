"""Outages of streams, true and reported, side by side.

    python benchmarks/outages.py [--seconds 24 63] [--kinds rtsp mjpeg ts hls] [--faults stop kill hold]

Each stream is served by a process on loopback and watched like a camera in a lesson. After some seconds of
frames the server is stopped (SIGSTOP), killed and started again, or its connections hold back everything that
the server sends and then send all of it (a network that stalls). Printed are the gaps, from their beginning
after the fault, and the markers. RTSP needs GStreamer's server (``docs/explanation/camera.md``).
"""

from __future__ import annotations

import argparse
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from monitor.sources.factory import open_source
from monitor.types import Frame, Gap

HELPERS = Path(__file__).resolve().parents[1] / "tests" / "helpers"
SYSTEM_PYTHON = "/usr/bin/python3"
BALL = (
    "videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=480,framerate=20/1 ! "
    "videoconvert ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! "
    "rtph264pay name=pay0 pt=96"
)
PATHS = {"rtsp": "/class", "mjpeg": "/mjpeg/plain", "ts": "/ts", "hls": "/hls/live.m3u8"}
BEFORE_S = 15.0
AFTER_S = 45.0
SAMPLE_FPS = 5.0


class Server:
    """A process that serves one kind of stream on a port that it keeps."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        """Start it, also after ``signal(SIGKILL)``."""
        command = (
            [SYSTEM_PYTHON, str(HELPERS / "rtsp_server.py"), str(self.port), f"class={BALL}"]
            if self.kind == "rtsp"
            else [sys.executable, str(HELPERS / "stream_server.py"), str(self.port)]
        )
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def signal(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            self.process.wait()


class Proxy:
    """Forwards connections to a port; while ``is_holding`` it keeps what arrives."""

    def __init__(self, port: int) -> None:
        self.is_holding = threading.Event()
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._socket.accept()
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        kept: list[tuple[socket.socket, bytes]] = []
        with client, server, selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ, server)
            selector.register(server, selectors.EVENT_READ, client)
            try:
                while True:
                    for key, _ in selector.select(timeout=0.05):
                        data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
                        if not data:
                            return
                        kept.append((key.data, data))
                    if not self.is_holding.is_set():
                        for receiver, data in kept:
                            receiver.sendall(data)
                        kept.clear()
            except OSError:
                return


@dataclass
class Result:
    """One fault; times in seconds from it."""

    kind: str
    fault: str
    true_s: float
    gaps: list[tuple[float, float, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        gaps = "; ".join(f"{end - start:.1f} s ({start:+.1f}, {reason})" for start, end, reason in self.gaps)
        return f"{self.kind:6} {self.fault:5} {self.true_s:5.1f} s   {gaps or '-':60} {'; '.join(self.notes)}"


def measure(kind: str, fault: str, seconds: float) -> Result:
    """Watch one stream with one fault of ``seconds``."""
    server = Server(kind)
    proxy = Proxy(server.port)
    scheme = "rtsp" if kind == "rtsp" else "http"
    times: list[float] = []

    def act() -> None:
        time.sleep(BEFORE_S)
        times.append(time.monotonic())
        apply(server, proxy, fault)
        time.sleep(seconds)
        remove(server, proxy, fault)
        times.append(time.monotonic())
        time.sleep(AFTER_S)
        stop.set()

    stop = threading.Event()
    result = Result(kind, fault, seconds)
    with open_source(f"{scheme}://127.0.0.1:{proxy.port}{PATHS[kind]}") as source:
        items: list[Frame | Gap] = []
        actor: threading.Thread | None = None
        start_s = time.monotonic()
        for item in source.frames(SAMPLE_FPS, stop):
            items.append(
                Frame(item.image_bgr[:1, :1], item.captured_at, item.media_s)
                if isinstance(item, Frame)
                else item
            )
            if actor is None:
                actor = threading.Thread(target=act, daemon=True)
                actor.start()
        fault_s = times[0] - start_s
        gaps = {item.start_s: item for item in items if isinstance(item, Gap)}
        result.true_s = times[1] - times[0]
        result.gaps = [(g.start_s - fault_s, g.end_s - fault_s, g.reason.value) for g in gaps.values()]
        result.notes = [text for _, text in source.pop_notes()]  # type: ignore[attr-defined]
    server.signal(signal.SIGKILL)
    return result


def apply(server: Server, proxy: Proxy, fault: str) -> None:
    """Begin the fault."""
    if fault == "hold":
        proxy.is_holding.set()
    else:
        server.signal(signal.SIGSTOP if fault == "stop" else signal.SIGKILL)


def remove(server: Server, proxy: Proxy, fault: str) -> None:
    """End the fault."""
    if fault == "hold":
        proxy.is_holding.clear()
    elif fault == "stop":
        server.signal(signal.SIGCONT)
    else:
        server.start()


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, nargs="+", default=[24.0, 63.0])
    parser.add_argument("--kinds", nargs="+", choices=PATHS, default=list(PATHS))
    parser.add_argument(
        "--faults", nargs="+", choices=["stop", "kill", "hold"], default=["stop", "kill", "hold"]
    )
    parser.add_argument("--jobs", type=int, default=4, help="Streams that are watched at the same time.")
    options = parser.parse_args()
    print("stream fault true      gaps (from the fault, reason)                                notes")
    with ThreadPoolExecutor(options.jobs) as pool:
        runs = [
            pool.submit(measure, kind, fault, seconds)
            for seconds in options.seconds
            for fault in options.faults
            for kind in options.kinds
        ]
        for run in runs:
            print(run.result(), flush=True)


if __name__ == "__main__":
    main()
