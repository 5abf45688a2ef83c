"""Calls at a local socket: taken side by side, and no more when it is over."""

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
def callers(address: str, request: pytest.FixtureRequest) -> Iterator[ConnectionServer]:
    made = ConnectionServer(Listener(address), echo, request.node.name)
    made.start()
    yield made
    made.close()


def say(connection: Connection, word: bytes) -> bytes:
    connection.send_bytes(word)
    return connection.recv_bytes()


def test_one_who_says_nothing_keeps_nobody_waiting(address: str, callers: ConnectionServer) -> None:
    with Client(address) as silent, Client(address) as other:
        assert say(other, b"hello") == b"hello"
        assert say(silent, b"at last") == b"at last"


def test_one_who_hangs_up_at_once_does_not_end_it(address: str, callers: ConnectionServer) -> None:
    Client(address).close()
    with Client(address) as other:
        assert say(other, b"hello") == b"hello"


def test_nobody_is_heard_after_the_end(
    address: str, callers: ConnectionServer, request: pytest.FixtureRequest
) -> None:
    assert not callers.is_closing
    assert callers.close()
    assert callers.is_closing
    assert callers.close(), "and once more does no harm"
    assert request.node.name not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(FileNotFoundError):
        Client(address)


def test_a_socket_that_is_gone_keeps_nobody_from_ending(address: str, callers: ConnectionServer) -> None:
    Path(address).unlink()
    assert not callers.close()
    assert callers.is_closing


def test_one_that_was_never_begun_can_be_ended(address: str) -> None:
    assert ConnectionServer(Listener(address), echo, "test").close()
