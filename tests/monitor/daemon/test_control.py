"""Requests over the control socket, with real sockets, and the lock of the data folder."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import threading
from multiprocessing.connection import Client, Listener
from pathlib import Path

import pytest

from monitor.daemon import client, control, control_server
from monitor.daemon.control import DataDirLock, DataDirLocked, Reply, Request, read_endpoint, send_request
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import (
    ControlError,
    DaemonNotRunning,
    DataDirNotWritable,
    ErrorReply,
    InternalError,
    InvalidRequest,
    RecordingNotFound,
)

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


def echo(request: Request) -> Reply:
    return Reply({"verb": request.verb, "room": request.room, "text": request.text})


def test_request_is_answered(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        assert send_request(tmp_path, Request("mark", "A 12", text="Prüfung")) == {
            "verb": "mark",
            "room": "A 12",
            "text": "Prüfung",
        }


def test_error_of_the_answer_is_raised_with_its_class(tmp_path: Path) -> None:
    error = ErrorReply(RecordingNotFound.kind, "There is no such room.", "Use another.")
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, lambda _: Reply({}, error)),
        pytest.raises(RecordingNotFound) as raised,
    ):
        send_request(tmp_path, Request("stop"))
    assert (raised.value.problem, raised.value.hint) == (error.problem, error.hint)


def test_error_reply_of_an_unknown_kind_is_a_control_error() -> None:
    error = ErrorReply("from a later version", "A problem.", "A hint.").to_error()
    assert type(error) is ControlError
    assert (error.problem, error.hint) == ("A problem.", "A hint.")


def test_request_without_a_daemon_raises_not_running(tmp_path: Path) -> None:
    with pytest.raises(DaemonNotRunning):
        send_request(tmp_path, Request("status"))
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        pass
    assert read_endpoint(tmp_path) is None
    with pytest.raises(DaemonNotRunning):
        send_request(tmp_path, Request("status"))


def test_files_of_a_killed_daemon_are_taken_over(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal\n"
        "from monitor.daemon.control import DataDirLock\n"
        "from monitor.daemon.control import Reply\n"
        "from monitor.daemon.control_server import ControlServer\n"
        "folder = pathlib.Path.cwd()\n"
        "DataDirLock(folder).__enter__()\n"
        "ControlServer(folder, lambda _: Reply({})).__enter__()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    root = str(Path(control.__file__).parents[2])
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": root}, check=False
    )
    assert read_endpoint(tmp_path) is not None
    with pytest.raises(DaemonNotRunning):
        send_request(tmp_path, Request("status"))
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        assert send_request(tmp_path, Request("status"))["verb"] == "status"


def test_data_folder_is_held_by_one_process(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        with (
            pytest.raises(DataDirLocked, match=rf"process {os.getpid()}\b"),
            DataDirLock(tmp_path),
        ):
            pass
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
    with DataDirLock(tmp_path):
        pass


@POSIX
def test_socket_and_key_are_accessible_only_to_the_owner(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        endpoint = read_endpoint(tmp_path)
        assert endpoint is not None
        for path in (Path(endpoint.address), tmp_path / "control.json"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["control.lock"])


@POSIX
def test_socket_of_a_long_path_is_in_a_private_folder(tmp_path: Path) -> None:
    deep = tmp_path / ("long name " * 12).strip() / "data"
    deep.mkdir(parents=True)
    with DataDirLock(deep), ControlServer(deep, echo):
        endpoint = read_endpoint(deep)
        assert endpoint is not None
        address = Path(endpoint.address)
        assert not address.is_relative_to(deep)
        assert stat.S_IMODE(address.parent.stat().st_mode) == 0o700
        assert send_request(deep, Request("status"))["verb"] == "status"
    assert not address.parent.exists()


@pytest.mark.parametrize("first", [b"classpulse 1" + bytes(32), b"", b"GET / HTTP/1.1"])
def test_client_with_a_wrong_key_is_disconnected(tmp_path: Path, first: bytes) -> None:
    requests = []
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, lambda request: requests.append(request) or echo(request)),
    ):
        endpoint = read_endpoint(tmp_path)
        assert endpoint is not None
        with Client(endpoint.address) as connection:

            def send() -> bytes:
                connection.send_bytes(b'{"verb": "stop"}')
                return connection.recv_bytes()

            connection.send_bytes(first)
            with pytest.raises((EOFError, ConnectionError)):  # in sending or in receiving
                send()
        assert requests == []
        assert send_request(tmp_path, Request("status"))["verb"] == "status"


@pytest.mark.parametrize("message", [b"no json", b"[]", b'{"verb": "erase"}', b'{"verb": "mark", "text": 3}'])
def test_invalid_message_is_rejected_and_the_next_is_answered(tmp_path: Path, message: bytes) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        endpoint = read_endpoint(tmp_path)
        assert endpoint is not None
        with Client(endpoint.address) as connection:
            connection.send_bytes(b"classpulse 1" + bytes.fromhex(endpoint.key))
            connection.send_bytes(message)
            reply = control.REPLY_ADAPTER.validate_json(connection.recv_bytes())
            assert reply.error.kind == InvalidRequest.kind
            connection.send_bytes(b'{"verb": "status"}')
            assert b'"verb":"status"' in connection.recv_bytes()


def test_silent_client_does_not_block_others(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        endpoint = read_endpoint(tmp_path)
        assert endpoint is not None
        with Client(endpoint.address):
            assert send_request(tmp_path, Request("status"))["verb"] == "status"


def test_slow_answer_does_not_block_others(tmp_path: Path) -> None:
    release = threading.Event()

    def answer(request: Request) -> Reply:
        if request.verb == "stop":
            release.wait(30)
        return echo(request)

    with DataDirLock(tmp_path), ControlServer(tmp_path, answer):
        slow = threading.Thread(target=send_request, args=(tmp_path, Request("stop")))
        slow.start()
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
        release.set()
        slow.join()


def test_unwritable_data_folder_raises_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DataDirNotWritable), DataDirLock(folder):
            pass
        with pytest.raises(DaemonNotRunning):
            send_request(folder, Request("status"))


def test_lock_without_an_endpoint_is_starting_or_shutting_down(tmp_path: Path) -> None:
    with (
        DataDirLock(tmp_path),
        pytest.raises(DataDirLocked, match="starting"),
        DataDirLock(tmp_path),
    ):
        pass


@POSIX
def test_socket_on_a_disk_without_sockets_is_in_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listener(address: str, backlog: int) -> Listener:
        if Path(address).is_relative_to(tmp_path):
            raise OSError(1, "Operation not permitted")
        return Listener(address, backlog=backlog)

    monkeypatch.setattr(control_server, "Listener", listener)
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        endpoint = read_endpoint(tmp_path)
        assert endpoint is not None
        assert not Path(endpoint.address).is_relative_to(tmp_path)
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
    assert not Path(endpoint.address).parent.exists()


@POSIX
def test_removed_data_folder_does_not_prevent_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with DataDirLock(folder), ControlServer(folder, echo):
        shutil.rmtree(folder)
        with pytest.raises(DaemonNotRunning):
            send_request(folder, Request("status"))


def test_exception_in_the_handler_raises_internal_error(tmp_path: Path) -> None:
    def fail(request: Request) -> Reply:
        if request.verb == "stop":
            raise ZeroDivisionError
        return echo(request)

    with DataDirLock(tmp_path), ControlServer(tmp_path, fail):
        with pytest.raises(InternalError, match="ZeroDivisionError"):
            send_request(tmp_path, Request("stop"))
        assert send_request(tmp_path, Request("status"))["verb"] == "status"


def test_daemon_that_ends_during_a_request_raises_not_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        old = (tmp_path / "control.json").read_bytes()
    (tmp_path / "control.json").write_bytes(old)

    def gone(*_: object) -> None:
        (tmp_path / "control.json").unlink()
        raise FileNotFoundError

    monkeypatch.setattr(client, "Client", gone)
    with pytest.raises(DaemonNotRunning):
        send_request(tmp_path, Request("status"))


def test_request_with_invalid_unicode_is_rejected(tmp_path: Path) -> None:
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, echo),
        pytest.raises(InvalidRequest),
    ):
        send_request(tmp_path, Request("start", class_name="\udcff"))
