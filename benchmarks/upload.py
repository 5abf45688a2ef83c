"""Memory of the dashboard during a large upload, and the upload rate.

    python benchmarks/upload.py 0.5 4.5

Each number is the size of an upload in 10^9 bytes (zeros over loopback) to a dashboard (``classpulse serve``)
with an empty database in a temporary folder, which needs that much disk space. The benchmark prints the peak
RSS of the dashboard and its ratio to the RSS before the first upload.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx2
import psutil

from classpulse.services.accounts import hash_password
from db.accounts import Role, add_account, set_account_classes
from db.clock import now_utc
from db.engine import open_database
from db.unit_of_work import Store

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

PASSWORD = "three quiet walnuts"
CONFIG = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: benchmark
  recorded_on: 2026-01-15
  mode: emotion
class: {{name: 7b}}
serve: {{port: {port}}}
"""
PIECE = bytes(1 << 18)


class Peak:
    """The peak RSS of a process in the block, bytes."""

    def __init__(self, process: psutil.Process) -> None:
        self.bytes = 0
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self.bytes = max(self.bytes, self._process.memory_info().rss)


def body(fields: dict[str, str], size: int) -> tuple[int, Iterator[bytes]]:
    """A multipart form with a file of ``size`` zeros: its length and its chunks."""
    head = "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    head += '--b\r\nContent-Disposition: form-data; name="recording"; filename="zeros.mp4"\r\n\r\n'
    tail = "\r\n--b--\r\n"

    def pieces() -> Iterator[bytes]:
        yield head.encode()
        for left in range(size, 0, -len(PIECE)):
            yield PIECE[:left]
        yield tail.encode()

    return len(head) + size + len(tail), pieces()


def upload(client: httpx2.Client, size: int) -> float:
    """Upload a recording and delete it again; returns the seconds of the upload."""
    token = _token(client, "/upload")
    length, pieces = body({"csrf_token": token, "class": "7b"}, size)
    headers = {
        "content-type": "multipart/form-data; boundary=b",
        "content-length": str(length),
        "accept": "application/json",
    }
    began = time.monotonic()
    answer = client.post("/upload", content=pieces, headers=headers, timeout=None)
    took_s = time.monotonic() - began
    assert answer.status_code == 201, answer.text
    number = answer.json()["id"]
    while not next(one for one in _listed(client) if one["id"] == number)["is_final"]:
        time.sleep(0.5)
    client.post(f"/upload/{number}/delete", data={"csrf_token": token})
    assert not _listed(client)
    return took_s


def _listed(client: httpx2.Client) -> list[dict[str, object]]:
    return list(client.get("/upload/state").json()["uploads"])


def _token(client: httpx2.Client, page: str) -> str:
    found = re.search(r'name="csrf-token" content="(\w+)"', client.get(page).text)
    assert found is not None
    return found[1]


def _log_in(port: int) -> httpx2.Client:
    client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0)
    for _ in range(300):
        with suppress(httpx2.TransportError):
            client.get("/healthz")
            break
        time.sleep(0.2)
    fields = {"csrf_token": _token(client, "/login"), "name": "Ada", "password": PASSWORD, "return_to": "/"}
    assert client.post("/login", data=fields).status_code == 303
    return client


def measure(folder: Path, sizes: list[float]) -> None:
    """Print the peak memory of a dashboard in ``folder`` for uploads of ``sizes`` (10^9 bytes)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config.yaml").write_text(CONFIG.format(port=port), "utf-8")
    (folder / "classpulse-data").mkdir()
    engine = open_database(f"sqlite:///{folder / 'classpulse-data' / 'classpulse.db'}")
    with Store(engine).unit_of_work() as unit:
        ada = add_account(unit, "Ada", Role.ADMINISTRATOR, hash_password(PASSWORD), now_utc())
        set_account_classes(unit, ada, ["7b"])
        unit.commit()
    engine.dispose()
    served = subprocess.Popen(
        [sys.executable, "-m", "classpulse", "serve"],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with closing(_log_in(port)) as client:
            process = psutil.Process(served.pid)
            upload(client, 1_000_000)  # loads all modules
            before = process.memory_info().rss
            print(f"before: {before / 2**20:.0f} MiB", flush=True)
            for size in sizes:
                with Peak(process) as peak:
                    took_s = upload(client, int(size * 1e9))
                print(
                    f"{size:g} GB: at most {peak.bytes / 2**20:.0f} MiB, "
                    f"{peak.bytes / before:.2f} of before; {size * 1e3 / took_s:.0f} MB/s",
                    flush=True,
                )
    finally:
        served.terminate()
        served.wait()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("gigabytes", nargs="+", type=float)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), parser.parse_args().gigabytes)


if __name__ == "__main__":
    main()
