"""The connection server: parallel clients, and its end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import pytest

from monitor.runtime.ipc import ConnectionServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")


def echo(connection: Connection) -> None:
    with connection:
        try:
            while True:
                connection.send_bytes(connection.recv_bytes())
        except (OSError, EOFError):
            pass


@pytest.fixture
def address(tmp_path: Path) -> str:
    return str(tmp_path / "s")


@pytest.fixture
def server(address: str, request: pytest.FixtureRequest) -> Iterator[ConnectionServer]:
    connection_server = ConnectionServer(Listener(address), echo, request.node.name)
    connection_server.start()
    yield connection_server
    connection_server.close()


def send(connection: Connection, word: bytes) -> bytes:
    connection.send_bytes(word)
    return connection.recv_bytes()


def test_silent_client_does_not_block_others(address: str, server: ConnectionServer) -> None:
    with Client(address) as silent, Client(address) as other:
        assert send(other, b"hello") == b"hello"
        assert send(silent, b"at last") == b"at last"


def test_immediate_disconnect_does_not_stop_the_server(address: str, server: ConnectionServer) -> None:
    Client(address).close()
    with Client(address) as other:
        assert send(other, b"hello") == b"hello"


def test_closed_server_accepts_no_connection(
    address: str, server: ConnectionServer, request: pytest.FixtureRequest
) -> None:
    assert not server.is_closing
    assert server.close()
    assert server.is_closing
    assert server.close(), "a second close is harmless"
    assert request.node.name not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(FileNotFoundError):
        Client(address)


def test_close_without_the_socket_returns_false(address: str, server: ConnectionServer) -> None:
    Path(address).unlink()
    assert not server.close()
    assert server.is_closing


def test_close_before_start(address: str) -> None:
    assert ConnectionServer(Listener(address), echo, "test").close()
