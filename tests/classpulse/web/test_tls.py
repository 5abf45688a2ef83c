"""The dashboard with its own TLS: errors for invalid certificates, and the pages in a browser."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import uvicorn

from classpulse.config.settings import read_config
from classpulse.web.app import build_app
from classpulse.web.pages import live
from classpulse.web.server import InvalidCertificate, check_certificate, uvicorn_config
from db import sessions as queries
from db.unit_of_work import Store
from monitor.session.status import LiveStudent
from tests.helpers.chromium import WITH_A_CAMERA, complaints_of, launch_chromium, needs_chromium
from tests.helpers.recorded import new_session
from tests.helpers.status_messages import recording
from tests.helpers.waiting import PATIENCE_S
from tests.helpers.watched_session import FakeDaemon

NAME = "pulse.school.example"


def certify(folder: Path, stem: str = "") -> None:
    certificate = trustme.CA().issue_cert(NAME)
    certificate.private_key_pem.write_to_path(folder / f"{stem}key.pem")
    certificate.cert_chain_pems[0].write_to_path(folder / f"{stem}cert.pem")


class TestCertificate:
    @pytest.fixture
    def error_of(self, configured, shell, tmp_path: Path) -> Callable[..., InvalidCertificate]:
        def error_of(certificate: str, key: str) -> InvalidCertificate:
            path = configured(more=f"serve: {{certificate: {certificate}, key: {key}}}\n")
            shell.fails(2, "serve")
            with pytest.raises(InvalidCertificate) as raised:
                check_certificate(read_config(path))
            return raised.value

        certify(tmp_path)
        certify(tmp_path, "other-")
        return error_of

    def test_missing_file_is_rejected(self, error_of, tmp_path: Path) -> None:
        reason = f"{tmp_path / 'gone.pem'} cannot be read (No such file or directory)."
        assert error_of("gone.pem", "key.pem").problem == f"serve.certificate: {reason}"
        assert error_of("cert.pem", "gone.pem").problem == f"serve.key: {reason}"

    def test_key_of_another_certificate_is_rejected(self, error_of) -> None:
        error = error_of("cert.pem", "other-key.pem")
        assert "other-key.pem is not the key of the certificate" in error.problem

    @pytest.mark.parametrize("content", [b"", b"no certificate", bytes(1000)])
    def test_invalid_certificate_is_rejected(self, error_of, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "none.pem").write_bytes(content)
        assert "cannot be used (" in error_of("none.pem", "key.pem").problem
        assert "cannot be used (" in error_of("cert.pem", "none.pem").problem

    @pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl, which is not installed")
    def test_encrypted_key_is_rejected(self, error_of, tmp_path: Path) -> None:
        command = ["openssl", "pkey", "-aes256", "-passout", "pass:walnut"]
        command += ["-in", str(tmp_path / "key.pem"), "-out", str(tmp_path / "locked.pem")]
        subprocess.run(command, check=True, capture_output=True)
        assert "locked.pem has a password." in error_of("cert.pem", "locked.pem").problem


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A listening local port."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held


@pytest.fixture
def config(configured, tmp_path: Path, listening: socket.socket) -> Any:
    """The certificate files are relative to ``config.yaml``, not to the working folder."""
    certify(tmp_path)
    port = listening.getsockname()[1]
    serve = f"{{port: {port}, host_names: [{NAME}], certificate: cert.pem, key: key.pem}}"
    return read_config(configured(more=f"class: {{name: 7b}}\nserve: {serve}\n"))


@pytest.fixture
def address(config, engine, accounts, listening, monkeypatch, tmp_path_factory) -> Iterator[str]:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    server = uvicorn.Server(uvicorn_config(config, build_app(config, engine)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"https://{NAME}:{config.settings.serve.port}"
    server.should_exit = True
    thread.join()


@needs_chromium
def test_browser_uses_dashboard_over_tls(address: str, engine, monkeypatch) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright for Python")
    fake = FakeDaemon(monkeypatch)
    monkeypatch.setattr(live, "UPDATE_INTERVAL_S", 0.05)
    with Store(engine).unit_of_work() as unit:
        session = unit.start_session(new_session())
        unit.commit()
    fake.recordings = [recording(session_id=session, media_s=300.0)]
    with playwright.sync_playwright() as runner:
        chromium = launch_chromium(runner, [*WITH_A_CAMERA, f"--host-resolver-rules=MAP {NAME} 127.0.0.1"])
        context = chromium.new_context(base_url=address, ignore_https_errors=True, locale="en-GB")
        context.set_default_timeout(PATIENCE_S * 1000)
        page = context.new_page()
        complaints = complaints_of(page)
        page.goto("/login")
        page.fill("input[name=name]", "Ada")
        page.fill("input[name=password]", "three quiet walnuts")
        page.click("button.main")
        page.wait_for_url(f"{address}/")
        cookies = {cookie["name"]: cookie for cookie in context.cookies()}
        assert cookies.keys() == {
            "__Host-classpulse_session",
            "__Host-classpulse_visitor",
        }  # bound to this host
        for cookie in cookies.values():
            assert (cookie["secure"], cookie["httpOnly"], cookie["path"], cookie["domain"]) == (
                True,
                True,
                "/",
                NAME,
            )
        assert page.evaluate("window.isSecureContext")
        assert page.evaluate("document.cookie") == ""

        page.goto(f"/live/{session}")
        with page.expect_response(f"**/live/{session}/events") as stream:
            page.reload()
        assert stream.value.status == 200
        people = page.locator("[data-part=people]")
        assert "Seen now: 2 / 2" not in people.inner_text()
        seen = (
            LiveStudent("Student 1", True, True, False, "happy"),
            LiveStudent("Student 2", True, False, None, None),
        )
        fake.recordings = [recording(session_id=session, media_s=301.0, live_students=seen)]
        people.get_by_text("Seen now: 2 / 2").wait_for()

        fake.recordings = []
        page.goto("/")
        page.get_by_role("button", name="Deutsch").click()
        page.wait_for_function("document.documentElement?.lang === 'de'")

        with context.new_page() as joining:
            joining.goto("/join")
            assert joining.evaluate("window.isSecureContext && 'mediaDevices' in navigator")
        assert complaints == []
        chromium.close()
    assert queries.list_sessions(engine)[0].id == session
