"""Notifications through local SMTP and HTTP servers with generated certificates."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as modern
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from hypothesis import given
from hypothesis import strategies as st

from classpulse.config.settings import Config, Settings, read_config
from classpulse.errors import UserError
from classpulse.services.notifications.delivery import (
    SIGNATURE_HEADER,
    DeliveryFailure,
    compose_email,
    notification_channels,
    send_in_background,
    send_notification,
)
from classpulse.services.notifications.message import Notification, build_notification
from db.unit_of_work import Store
from tests.helpers.waiting import PATIENCE_S

NOTE = Notification(
    session_id=7,
    class_name="Math 7B",
    room="A101",
    started_at=datetime(2026, 3, 2, 8, 15, tzinfo=UTC),
    ended_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    length_s=2700.0,
    watched_s=2640.0,
    status="finished",
    reason="stopped",
    students=24,
    check_ins=2,
    insufficient_data=5,
    report="/srv/reports/session-0007/report.html",
)
EMAIL = {"to": ["teacher@school.example", "head@school.example"], "from": "classpulse@school.example"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Mailbox:
    """An SMTP server that stores mails. ``refuse``: its answer to a recipient, or to "data"."""

    def __init__(self, **options: object) -> None:
        self.mails: list[SimpleNamespace] = []
        self.refuse: dict[str, str] = {}
        self.asked = 0
        self.server = Controller(
            self, hostname="127.0.0.1", port=free_port(), ready_timeout=PATIENCE_S, **options
        )

    async def handle_RCPT(self, _server, _session, envelope, address, _options) -> str:
        self.asked += 1
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        if "data" in self.refuse:
            return self.refuse["data"]
        self.mails.append(
            SimpleNamespace(
                sender=envelope.mail_from,
                to=envelope.rcpt_tos,
                message=message_from_bytes(envelope.content, policy=modern),
                raw=envelope.content,
                uses_tls=server.transport.get_extra_info("sslcontext") is not None,
                user=session.auth_data,
                greeting=session.host_name,
            )
        )
        return "250 OK"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def context(authority: trustme.CA) -> ssl.SSLContext:
    tls_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls_context)
    return tls_context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


@pytest.fixture
def mailbox() -> Iterator[Callable[..., Mailbox]]:
    boxes: list[Mailbox] = []

    def start(**options: object) -> Mailbox:
        boxes.append(Mailbox(**options))
        boxes[-1].server.start()
        return boxes[-1]

    yield start
    for box in boxes:
        box.server.stop()


def login(_server, _session, _envelope, _mechanism, data) -> AuthResult:
    fits = data == LoginPassword(b"classpulse", b"geheim")
    return AuthResult(success=fits, handled=False, auth_data=data)


def by_mail(box: Mailbox, tmp_path: Path, **more: object) -> Config:
    values = EMAIL | {"host": "127.0.0.1", "port": box.server.port, "security": "none"} | more
    return Config(Settings.model_validate({"notify": {"email": values}}), tmp_path)


def once(config: Config, note: Notification = NOTE) -> list[DeliveryFailure]:
    return send_notification(config, note, retry_delays_s=())


class TestEmail:
    def test_email_content(self, mailbox, tmp_path: Path) -> None:
        box = mailbox()
        assert once(by_mail(box, tmp_path)) == []
        (mail,) = box.mails
        assert (mail.sender, mail.to) == (EMAIL["from"], EMAIL["to"])
        assert mail.message["Subject"] == "Classpulse: Math 7B, Monday 2 March 2026, 08:15"
        assert mail.message["To"] == "teacher@school.example, head@school.example"
        text = mail.message.get_content()
        for part in (
            "Math 7B",
            "A101",
            "08:15 to 09:00, 45:00, observed 44:00",
            "finished: stopped",
            NOTE.report,
        ):
            assert part in text
        counted = [
            line.split()[-1] for line in text.splitlines() if line.startswith(("Stud", "Check", "Not"))
        ]
        assert counted == ["24", "2", "5"]

    def test_email_has_no_computer_name(
        self, mailbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for ask in ("gethostname", "getfqdn"):
            monkeypatch.setattr(socket, ask, lambda *_: "the-laptop-of-ms-ono.example")
        box = mailbox()
        once(by_mail(box, tmp_path))
        assert box.mails[0].greeting == "[127.0.0.1]"
        assert b"laptop" not in box.mails[0].raw

    def test_email_without_reason_has_the_status(self, mailbox, tmp_path: Path) -> None:
        box = mailbox()
        once(by_mail(box, tmp_path), replace(NOTE, reason=""))
        assert "Ended               finished" in box.mails[0].message.get_content().splitlines()

    def test_email_of_an_interrupted_session(self, mailbox, tmp_path: Path) -> None:
        box = mailbox()
        note = replace(NOTE, status="interrupted", reason="the camera has gone", report=None, students=None)
        once(by_mail(box, tmp_path), note)
        message = box.mails[0].message
        assert message["Subject"].endswith("08:15, interrupted")
        assert "interrupted: the camera has gone" in message.get_content()
        assert "'classpulse report 7' writes it" in message.get_content()
        assert "Students" not in message.get_content()

    @pytest.mark.usefixtures("trusted")
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_email_tls_with_password(
        self, mailbox, context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
    ) -> None:
        wrapped = {"tls_context": context} if security == "starttls" else {"ssl_context": context}
        # This server takes implicit TLS for an unencrypted connection: it knows only STARTTLS.
        known = security == "starttls"
        box = mailbox(**wrapped, authenticator=login, auth_required=known, auth_require_tls=known)
        config = by_mail(box, tmp_path, security=security, user="classpulse", password_env="MAIL_PASSWORD")
        (failure,) = once(config)
        assert "MAIL_PASSWORD is not set" in failure.reason
        assert not failure.retryable
        monkeypatch.setenv("MAIL_PASSWORD", "wrong")
        (failure,) = once(config)
        assert "(535" in failure.reason
        assert not failure.retryable
        monkeypatch.setenv("MAIL_PASSWORD", "geheim")
        assert once(config) == []
        assert box.mails[0].uses_tls
        assert box.mails[0].user.login == b"classpulse"

    @pytest.mark.usefixtures("trusted")
    def test_email_password_file(self, mailbox, context, tmp_path: Path) -> None:
        box = mailbox(tls_context=context, auth_required=True, authenticator=login)
        config = by_mail(box, tmp_path, security="starttls", user="classpulse", password_file="mail.txt")
        assert "mail.txt" in once(config)[0].reason
        (tmp_path / "mail.txt").write_text("\n")
        assert "is empty" in once(config)[0].reason
        (tmp_path / "mail.txt").write_text("geheim\n")
        assert once(config) == []

    @pytest.mark.parametrize("security", ["starttls", "tls"])
    def test_email_untrusted_certificate_fails_permanently(
        self, mailbox, context, tmp_path: Path, security: str
    ) -> None:
        box = mailbox(**{"tls_context" if security == "starttls" else "ssl_context": context})
        (failure,) = once(by_mail(box, tmp_path, security=security))
        assert "is not trusted" in failure.reason
        assert not failure.retryable
        assert box.mails == []

    def test_email_server_without_tls_fails_permanently(self, mailbox, tmp_path: Path) -> None:
        box = mailbox()
        (failure,) = once(by_mail(box, tmp_path, security="starttls"))
        assert not failure.retryable
        assert box.mails == []

    def test_email_rejected_recipient_is_reported_and_the_other_gets_one_mail(
        self, mailbox, tmp_path: Path
    ) -> None:
        box = mailbox()
        box.refuse["head@school.example"] = "550 no such user"
        (failure,) = send_notification(by_mail(box, tmp_path), NOTE, wait=lambda _s: False)
        assert "1 of 2" in failure.reason
        assert [mail.to for mail in box.mails] == [["teacher@school.example"]]

    @pytest.mark.parametrize(
        ("where", "answer", "tries"),
        [("data", "451 later", 3), ("data", "554 no", 1), ("all", "450 grey", 3), ("all", "550 no", 1)],
    )
    def test_email_retries_transient_failures(
        self, mailbox, tmp_path: Path, where: str, answer: str, tries: int
    ) -> None:
        box = mailbox()
        box.refuse = {"data": answer} if where == "data" else dict.fromkeys(EMAIL["to"], answer)
        waited: list[float] = []
        (failure,) = send_notification(by_mail(box, tmp_path), NOTE, wait=lambda s: waited.append(s) or False)
        assert box.asked == tries * 2
        assert waited == [30.0, 120.0][: tries - 1]
        assert answer[:3] in failure.reason
        assert "\n" not in failure.reason

    def test_email_retries_until_the_server_is_up(self, mailbox, tmp_path: Path) -> None:
        box = Mailbox()
        started: list[float] = []

        def wait(seconds: float) -> bool:
            if not started:
                box.server.start()
            started.append(seconds)
            return False

        try:
            assert send_notification(by_mail(box, tmp_path), NOTE, wait=wait) == []
        finally:
            box.server.stop()
        assert started == [30.0]
        assert len(box.mails) == 1


@given(st.text(max_size=100), st.text(max_size=60))
def test_compose_email_text_never_becomes_a_header(class_name: str, reason: str) -> None:
    email = Settings.model_validate({"notify": {"email": EMAIL | {"host": "h"}}}).notify.email
    nasty = class_name + "\r\nBcc: all@school.example\n\n" + reason
    note = replace(NOTE, class_name=nasty, room=nasty, reason=nasty)
    read = message_from_bytes(compose_email(email, note, NOTE.ended_at).as_bytes(), policy=modern)
    assert set(read.keys()) == {
        "Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding",
    }  # fmt: skip
    assert read["To"] == ", ".join(EMAIL["to"])
    text = read.get_content()
    assert [line.split("  ")[0] for line in text.splitlines()[:4]] == ["Class", "Room", "Lesson", "Ended"]


@dataclass
class Hook:
    """A web server that stores requests and sends one of ``answers`` after another."""

    answers: list[int] = field(default_factory=list)
    got: list[SimpleNamespace] = field(default_factory=list)
    elsewhere: str = "/elsewhere"
    url: str = ""


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    kept = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append(
                SimpleNamespace(path=self.path, headers=self.headers, body=body, data=json.loads(body))
            )
            self.send_response(kept.answers.pop(0) if kept.answers else 204)
            self.send_header("Location", kept.elsewhere)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *arguments: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        kept.url = f"http://127.0.0.1:{server.server_port}/hook?token=geheim"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield kept
        server.shutdown()
        thread.join()


def by_hook(hook: Hook, tmp_path: Path, **more: object) -> Config:
    return Config(Settings.model_validate({"notify": {"webhook": {"url": hook.url} | more}}), tmp_path)


class TestWebhook:
    def test_webhook_content(self, hook: Hook, tmp_path: Path) -> None:
        assert once(by_hook(hook, tmp_path)) == []
        (got,) = hook.got
        assert got.path == "/hook?token=geheim"
        assert got.headers["Content-Type"] == "application/json"
        assert SIGNATURE_HEADER not in got.headers
        assert datetime.fromisoformat(got.data.pop("sent_at")).tzinfo is not None
        assert got.data == {
            "event": "session_ended", "test": False, "session": 7, "class": "Math 7B", "room": "A101",
            "started_at": "2026-03-02T08:15:00+00:00", "ended_at": "2026-03-02T09:00:00+00:00",
            "length_s": 2700.0, "watched_s": 2640.0, "status": "finished", "reason": "stopped",
            "students": 24, "flagged_students": 2,
            "insufficient_data": 5, "report": NOTE.report,
        }  # fmt: skip

    def test_webhook_is_signed(self, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        config = by_hook(hook, tmp_path, secret_env="HOOK_SECRET")
        assert "HOOK_SECRET is not set" in once(config)[0].reason
        assert hook.got == []
        monkeypatch.setenv("HOOK_SECRET", "süss")
        assert once(config) == []
        wanted = hmac.new("süss".encode(), hook.got[0].body, hashlib.sha256).hexdigest()
        assert hook.got[0].headers[SIGNATURE_HEADER] == f"sha256={wanted}"

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("elsewhere", ["/elsewhere", "file:///etc/passwd", "ftp://127.0.0.1/"])
    def test_webhook_redirect_fails_permanently(
        self, hook: Hook, tmp_path: Path, code: int, elsewhere: str
    ) -> None:
        hook.answers, hook.elsewhere = [code], elsewhere
        (failure,) = once(by_hook(hook, tmp_path))
        assert str(code) in failure.reason
        assert not failure.retryable
        assert len(hook.got) == 1

    @pytest.mark.parametrize(
        ("answers", "tries", "left"),
        [
            ([500, 503, 204], 3, False),
            ([429], 2, False),
            ([500, 500, 500], 3, True),
            ([404], 1, True),
            ([400], 1, True),
        ],
    )
    def test_webhook_retries_transient_failures(
        self,
        hook: Hook,
        tmp_path: Path,
        answers: list[int],
        tries: int,
        left: bool,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        hook.answers = answers.copy()
        failures = send_notification(by_hook(hook, tmp_path), NOTE, wait=lambda _s: False)
        assert len(hook.got) == tries
        assert bool(failures) is left
        if left:
            assert str(answers[-1]) in failures[0].reason
            assert "notification of session 7 by webhook failed: 127.0.0.1 answers" in caplog.text
        assert "geheim" not in caplog.text

    def test_webhook_unreachable_is_retryable(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("no_proxy", "*")
        (failure,) = once(by_hook(Hook(url=f"http://127.0.0.1:{free_port()}/"), tmp_path))
        assert failure.reason.startswith("127.0.0.1 cannot be reached (")
        assert failure.retryable


class TestBoth:
    def test_failure_of_one_channel_does_not_affect_the_other(
        self, mailbox, hook: Hook, tmp_path: Path
    ) -> None:
        box = mailbox()
        email, webhook = by_mail(box, tmp_path).settings, by_hook(hook, tmp_path).settings
        both = {"email": email.notify.email, "webhook": webhook.notify.webhook}
        config = Config(Settings.model_validate({"notify": both}), tmp_path)
        hook.answers = [500]
        assert send_notification(config, NOTE, wait=lambda _s: False) == []
        assert (len(box.mails), len(hook.got)) == (1, 2)

    def test_no_channel_sends_nothing(self, tmp_path: Path) -> None:
        config = Config(Settings(), tmp_path)
        assert notification_channels(config) == {}
        assert send_notification(config, NOTE, wait=lambda _s: pytest.fail("nothing to wait for")) == []

    def test_internal_error_is_a_permanent_failure(
        self, hook: Hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("classpulse.services.notifications.delivery.json.dumps", lambda *a, **k: 1 / 0)
        (failure,) = send_notification(by_hook(hook, tmp_path), NOTE, wait=lambda _s: False)
        assert failure == DeliveryFailure("webhook", "internal error (ZeroDivisionError)", False)

    def test_send_in_background_stops_retrying_on_stop(self, hook: Hook, tmp_path: Path) -> None:
        hook.answers = [500] * 9
        stop = threading.Event()
        stop.set()
        thread = send_in_background(by_hook(hook, tmp_path), NOTE, stop)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        assert thread.daemon
        assert len(hook.got) == 1


class TestBuildNotification:
    def test_build_notification_of_a_session(self, store: Store, lesson: int, tmp_path: Path, shell) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + "output: {time_zone: Asia/Tokyo}\n", "utf-8")
        without = build_notification(store.engine, read_config(path), lesson)
        assert without.report is None
        report = shell.json("report", str(lesson), "--format", "html")["report"]["html"]
        note = build_notification(store.engine, read_config(path), lesson)
        assert (note.students, note.check_ins, note.insufficient_data) == (4, 1, 0)
        assert (note.status, note.reason, note.report) == ("finished", "end of the file", report)
        assert f"{note.started_at:%H:%M} {note.ended_at:%H:%M}" == "18:00 18:05"
        assert "Student" not in note.text.replace("Students  ", "") + json.dumps(note.payload)

    @pytest.mark.parametrize(
        ("base", "place"),
        [
            (
                "https://school.example/r/",
                "https://school.example/r/7b/2026-03-02%2018.00%20session-0001/report.html",
            ),
            ("file://server/r", "file://server/r/7b/2026-03-02%2018.00%20session-0001/report.html"),
        ],
    )
    def test_build_notification_report_url(
        self, store: Store, lesson: int, tmp_path: Path, shell, base: str, place: str
    ) -> None:
        path = tmp_path / "config.yaml"
        more = f"output: {{time_zone: Asia/Tokyo, layout: class}}\nnotify: {{base_url: '{base}'}}\n"
        path.write_text(path.read_text("utf-8") + more, "utf-8")
        shell.json("report", str(lesson), "--format", "html")
        assert build_notification(store.engine, read_config(path), lesson).report == place


class TestNotifyCommand:
    def test_notify_test_sends_a_test_mail(self, mailbox, tmp_path: Path, shell) -> None:
        box = mailbox()
        email = json.dumps(EMAIL | {"host": "127.0.0.1", "port": box.server.port, "security": "none"})
        (tmp_path / "config.yaml").write_text(f"class: {{name: 7b}}\nnotify: {{email: {email}}}\n", "utf-8")
        code, out, _ = shell("notify", "--test")
        assert (code, out) == (0, "email: sent\n")
        assert box.mails[0].message["Subject"].startswith("Classpulse: TEST: 7b, ")
        assert "did not take place" in box.mails[0].message.get_content()
        box.refuse["data"] = "554 no"
        code, out, _ = shell("notify", "--test")
        assert (code, out) == (1, "email: NOT sent: The mail server rejected the message (554 no).\n")

    def test_notify_session_sends_again(
        self, store: Store, lesson: int, hook: Hook, tmp_path: Path, shell
    ) -> None:
        path = tmp_path / "config.yaml"
        path.write_text(path.read_text("utf-8") + f"notify: {{webhook: {{url: '{hook.url}'}}}}\n", "utf-8")
        assert shell.json("notify", str(lesson)) == {"sent": ["webhook"], "failed": []}
        assert hook.got[0].data["session"] == lesson

    def test_notify_invalid_arguments_fail(self, store: Store, shell) -> None:
        shell.raises(UserError, "notify")
        shell.raises(UserError, "notify", "1", "--test")
        assert "notify.email" in shell.raises(UserError, "notify", "--test").hint
