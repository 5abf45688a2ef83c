"""Uploads over a real connection: interrupted, chunked, and too large."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import uvicorn

from classpulse.config.settings import read_config
from tests.helpers.waiting import PATIENCE_S, wait_for

PIECE = bytes(1 << 16)
HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="class"\r\n\r\n7b\r\n'
    b'--b\r\nContent-Disposition: form-data; name="recording"; filename="a.mp4"\r\n\r\n'
)
TAIL = b"\r\n--b--\r\n"


@pytest.fixture
def config(configured):
    return read_config(configured(more="class: {name: 7b}\nserve: {max_upload_gb: 0.004}\n"))


@pytest.fixture
def port(app) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        # A client that is still sending after a rejection is not disconnected.
        more = {"log_config": None, "lifespan": "off", "timeout_keep_alive": round(PATIENCE_S)}
        server = uvicorn.Server(uvicorn.Config(app, **more))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.fixture
def connect(browser, port):
    """Opens Ada's connection and sends the request head of an upload with a length header."""
    ada = browser("Ada")
    token = ada.token("/upload")

    def open_connection(length: str) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        connection.sendall(
            f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
            f"Cookie: classpulse_session={ada.cookies['classpulse_session']}\r\nX-CSRF-Token: {token}\r\n"
            f"Content-Type: multipart/form-data; boundary=b\r\n{length}\r\n\r\n".encode()
        )
        return connection

    return open_connection


def chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def answer(connection: socket.socket) -> str:
    """The status line."""
    return connection.makefile("rb").readline().decode().strip()


def left(folder: Path) -> list[tuple[str, int]]:
    """Suffix and size of every file in the folder; files deleted meanwhile are left out."""
    found = []
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):
            found.append((path.suffix, path.stat().st_size))
    return found


def test_interrupted_upload_leaves_no_file(app, connect) -> None:
    uploads = app.state.upload_store
    size = 3_000_000
    length = f"Content-Length: {len(HEAD) + size + len(TAIL)}"
    connection = connect(length)
    connection.sendall(HEAD + bytes(size // 2))
    wait_for(lambda: any(suffix == ".part" and held >= 1 << 20 for suffix, held in left(uploads.folder)))
    connection.close()
    wait_for(lambda: left(uploads.folder) == [])
    assert uploads.list_all() == []
    with connect(length) as connection:
        connection.sendall(HEAD + bytes(size) + TAIL)
        assert answer(connection) == "HTTP/1.1 201 Created"
    (taken,) = uploads.list_all()
    assert (taken.size_bytes, taken.state) == (size, "waiting")


def test_announced_size_above_limit_is_rejected(app, connect) -> None:
    with connect("Content-Length: 4200000") as connection:
        assert answer(connection).startswith("HTTP/1.1 413")
    assert not app.state.upload_store.folder.exists()


def test_chunked_upload_is_limited(app, connect) -> None:
    with connect("Transfer-Encoding: chunked") as connection:
        connection.sendall(chunk(HEAD))
        for _ in range(200):  # data after the response are discarded
            connection.sendall(chunk(PIECE))
            assert sum(held for _, held in left(app.state.upload_store.folder)) <= 4_000_000
        assert answer(connection).startswith("HTTP/1.1 413")
    wait_for(lambda: left(app.state.upload_store.folder) == [])
    with connect("Transfer-Encoding: chunked") as connection:
        connection.sendall(chunk(HEAD) + chunk(PIECE) + chunk(TAIL) + b"0\r\n\r\n")
        assert answer(connection) == "HTTP/1.1 201 Created"
    assert app.state.upload_store.list_all()[0].size_bytes == len(PIECE)


def test_size_limit_is_exact(app, connect) -> None:
    for size, said in ((4_000_000, "201 Created"), (4_000_001, "413")):
        with connect("Transfer-Encoding: chunked") as connection:
            connection.sendall(chunk(HEAD) + chunk(bytes(size)) + chunk(TAIL) + b"0\r\n\r\n")
            assert answer(connection).startswith(f"HTTP/1.1 {said}")
    assert len(app.state.upload_store.list_all()) == 1
