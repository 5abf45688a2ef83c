"""Orders over the local socket, with real sockets."""

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

from monitor.daemon import control
from monitor.daemon import control_server as controlserver
from monitor.daemon.control import DataDirLock, DataDirLocked, Reply, Request, read_endpoint, send_request
from monitor.daemon.control_server import ControlServer
from monitor.daemon.errors import ControlError, DaemonNotRunning

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")


def echo(request: Request) -> Reply:
    return Reply({"verb": request.verb, "room": request.room, "text": request.text})


def test_an_order_is_answered(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        assert send_request(tmp_path, Request("mark", "A 12", text="Prüfung")) == {
            "verb": "mark",
            "room": "A 12",
            "text": "Prüfung",
        }


def test_a_refusal_is_the_callers_error(tmp_path: Path) -> None:
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, lambda _: Reply({}, "no such room")),
        pytest.raises(ControlError, match=r"^no such room$"),
    ):
        send_request(tmp_path, Request("stop"))


def test_nobody_answers_where_nobody_is(tmp_path: Path) -> None:
    with pytest.raises(DaemonNotRunning, match="nothing is being recorded"):
        send_request(tmp_path, Request("status"))
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        pass
    assert read_endpoint(tmp_path) is None
    with pytest.raises(DaemonNotRunning):
        send_request(tmp_path, Request("status"))


def test_what_a_killed_program_left_behind_is_taken_over(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, signal\n"
        "from monitor.daemon.control import Claim\n"
        "from monitor.daemon.control import Reply\n"
        "from monitor.daemon.control_server import ControlServer\n"
        "folder = pathlib.Path.cwd()\n"
        "Claim(folder).__enter__()\n"
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


def test_a_data_folder_has_one_program(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        with (
            pytest.raises(ControlError, match=rf"already runs on .*process {os.getpid()}"),
            DataDirLock(tmp_path),
        ):
            pass
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
    with DataDirLock(tmp_path):
        pass


@POSIX
def test_socket_and_key_are_their_owners_alone(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        notice = read_endpoint(tmp_path)
        assert notice is not None
        for path in (Path(notice.address), tmp_path / "control.json"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert sorted(path.name for path in tmp_path.iterdir()) in ([], ["control.lock"])


@POSIX
def test_a_long_path_gets_a_private_folder_for_its_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("long name " * 12).strip() / "data"
    deep.mkdir(parents=True)
    with DataDirLock(deep), ControlServer(deep, echo):
        notice = read_endpoint(deep)
        assert notice is not None
        place = Path(notice.address)
        assert not place.is_relative_to(deep)
        assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
        assert send_request(deep, Request("status"))["verb"] == "status"
    assert not place.parent.exists()


@pytest.mark.parametrize("first", [b"classpulse 1" + bytes(32), b"", b"GET / HTTP/1.1"])
def test_who_does_not_know_the_key_is_not_listened_to(tmp_path: Path, first: bytes) -> None:
    asked = []
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, lambda request: asked.append(request) or echo(request)),
    ):
        notice = read_endpoint(tmp_path)
        assert notice is not None
        with Client(notice.address) as connection:

            def order() -> bytes:
                connection.send_bytes(b'{"verb": "stop"}')
                return connection.recv_bytes()

            connection.send_bytes(first)
            with pytest.raises((EOFError, ConnectionError)):  # sending or receiving, as it comes
                order()
        assert asked == []
        assert send_request(tmp_path, Request("status"))["verb"] == "status"


@pytest.mark.parametrize("message", [b"no json", b"[]", b'{"verb": "erase"}', b'{"verb": "mark", "text": 3}'])
def test_an_order_that_is_none_is_refused_and_the_next_one_heard(tmp_path: Path, message: bytes) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        notice = read_endpoint(tmp_path)
        assert notice is not None
        with Client(notice.address) as connection:
            connection.send_bytes(b"classpulse 1" + bytes.fromhex(notice.key))
            connection.send_bytes(message)
            assert b"not understood" in connection.recv_bytes()
            connection.send_bytes(b'{"verb": "status"}')
            assert b'"verb":"status"' in connection.recv_bytes()


def test_a_caller_who_says_nothing_keeps_nobody_waiting(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        notice = read_endpoint(tmp_path)
        assert notice is not None
        with Client(notice.address):
            assert send_request(tmp_path, Request("status"))["verb"] == "status"


def test_one_slow_answer_does_not_hold_up_another(tmp_path: Path) -> None:
    let_go = threading.Event()

    def answer(request: Request) -> Reply:
        if request.verb == "stop":
            let_go.wait(30)
        return echo(request)

    with DataDirLock(tmp_path), ControlServer(tmp_path, answer):
        slow = threading.Thread(target=send_request, args=(tmp_path, Request("stop")))
        slow.start()
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
        let_go.set()
        slow.join()


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ControlError, match=r"^the data folder .* cannot be written"), DataDirLock(folder):
            pass
        with pytest.raises(DaemonNotRunning):
            send_request(folder, Request("status"))


def test_a_folder_where_somebody_begins_or_ends_is_taken_but_not_answered(tmp_path: Path) -> None:
    with (
        DataDirLock(tmp_path),
        pytest.raises(DataDirLocked, match="is starting or ending"),
        DataDirLock(tmp_path),
    ):
        pass


@POSIX
def test_a_disk_without_sockets_gets_a_private_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listener(address: str, backlog: int) -> Listener:
        if Path(address).is_relative_to(tmp_path):
            raise OSError(1, "Operation not permitted")
        return Listener(address, backlog=backlog)

    monkeypatch.setattr(controlserver, "Listener", listener)
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        notice = read_endpoint(tmp_path)
        assert notice is not None
        assert not Path(notice.address).is_relative_to(tmp_path)
        assert send_request(tmp_path, Request("status"))["verb"] == "status"
    assert not Path(notice.address).parent.exists()


@POSIX
def test_a_data_folder_that_vanishes_does_not_keep_the_program_from_ending(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with DataDirLock(folder), ControlServer(folder, echo):
        shutil.rmtree(folder)
        with pytest.raises(DaemonNotRunning):
            send_request(folder, Request("status"))


def test_a_fault_in_an_answer_is_told_to_who_asked(tmp_path: Path) -> None:
    def fail(request: Request) -> Reply:
        if request.verb == "stop":
            raise ZeroDivisionError
        return echo(request)

    with DataDirLock(tmp_path), ControlServer(tmp_path, fail):
        with pytest.raises(ControlError, match=r"a fault of Classpulse \(ZeroDivisionError\)"):
            send_request(tmp_path, Request("stop"))
        assert send_request(tmp_path, Request("status"))["verb"] == "status"


def test_one_that_ends_while_it_is_asked_is_gone_and_not_another_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with DataDirLock(tmp_path), ControlServer(tmp_path, echo):
        old = (tmp_path / "control.json").read_bytes()
    (tmp_path / "control.json").write_bytes(old)

    def gone(*_: object) -> None:
        (tmp_path / "control.json").unlink()
        raise FileNotFoundError

    monkeypatch.setattr(control, "Client", gone)
    with pytest.raises(DaemonNotRunning, match="ended at this moment"):
        send_request(tmp_path, Request("status"))


def test_what_is_no_text_cannot_be_ordered(tmp_path: Path) -> None:
    with (
        DataDirLock(tmp_path),
        ControlServer(tmp_path, echo),
        pytest.raises(ControlError, match="characters that are no text"),
    ):
        send_request(tmp_path, Request("start", class_name="\udcff"))
