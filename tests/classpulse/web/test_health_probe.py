"""``classpulse health --dashboard``, the health check of a container."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvicorn

from classpulse.config.settings import read_config
from classpulse.web.app import build_app
from classpulse.web.health_probe import probe_dashboard
from classpulse.web.server import uvicorn_config
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def held() -> Iterator[socket.socket]:
    """A bound port that does not listen yet, so that no other process can use it."""
    with socket.socket() as bound:
        bound.bind(("0.0.0.0", 0))
        yield bound


@pytest.fixture
def port(held: socket.socket) -> int:
    return int(held.getsockname()[1])


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classpulse.web.health_probe.PROBE_TIMEOUT_S", PATIENCE_S)


@pytest.fixture(params=["http", "tls"])
def running(
    request: pytest.FixtureRequest,
    configured: Any,
    engine: Any,
    tmp_path: Path,
    held: socket.socket,
    port: int,
) -> Iterator[Any]:
    """A dashboard on all interfaces: plain HTTP behind a proxy, or TLS for another host name."""
    more = f"serve: {{host: 0.0.0.0, port: {port}, behind_proxy: true, host_names: [pulse.school.example]"
    if request.param == "tls":
        certificate = trustme.CA().issue_cert("pulse.school.example")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
        more += f", certificate: {tmp_path / 'cert.pem'}, key: {tmp_path / 'key.pem'}"
    config = read_config(configured(more=more + "}\n"))
    server = uvicorn.Server(uvicorn_config(config, build_app(config, engine)))
    held.listen()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [held]})
    thread.start()
    yield config
    server.should_exit = True
    thread.join()


def test_running_dashboard_is_healthy(running: Any, shell: Any) -> None:
    assert probe_dashboard(running.settings.serve) is None
    code, out, _ = shell("--config", running.path, "health", "--dashboard")
    assert (code, out) == (0, "ok: the dashboard answers\n")


def test_missing_dashboard_is_down(configured: Any, port: int, shell: Any) -> None:
    path = configured(more=f"serve: {{port: {port}}}\n")
    code, out, _ = shell("--config", path, "health", "--dashboard")
    assert code == 1
    assert out.startswith(f"down: no answer at 127.0.0.1:{port}")


@pytest.mark.parametrize("running", ["tls"], indirect=True)
def test_tls_port_rejects_plain_http(running: Any, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as plain:
        said = b""
        with suppress(ConnectionError):  # closing the connection is accepted
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            said = plain.recv(100)
        assert not said.startswith(b"HTTP")
    old = ssl.create_default_context()
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        old.wrap_socket(raw, server_hostname="x") as wrapped,
    ):
        assert wrapped.version() in {"TLSv1.2", "TLSv1.3"}
