"""Telling that a lesson has ended: by e-mail, by a webhook, by both or by nothing, as ``send_notification`` says.

For the daemon, after the report was made::

    notify_in_background(config, note_of(engine, config, session_id), stop)

Nothing here fails a recording or a report: what cannot be sent is tried again twice within three minutes,
then it is one line in the log. ``stop`` ends the waiting.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import smtplib
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from classpulse.config.notifications import (
    DEFAULT_SMTP_PORTS,
    ConnectionSecurity,
    EmailSettings,
    WebhookSettings,
)
from classpulse.config.settings import Config
from classpulse.errors import UserError
from classpulse.services.notifications.message import Notification, one_line

log = logging.getLogger(__name__)

CONNECTION_TIMEOUT_S = 20.0
"""For each step of a connection. A mail server that takes longer to answer is not well."""

RETRY_DELAYS_S = (30.0, 120.0)
"""Before the second and the third try: a network that comes back, and a server that wants to be asked
again."""

SIGNATURE_HEADER = "X-Classpulse-Signature"
"""``sha256=`` and the HMAC of the body under the secret, in hexadecimal."""

_RETRYABLE_STATUSES = frozenset({408, 425, 429})
"""HTTP answers below 500 that say "later"."""


@dataclass(frozen=True)
class DeliveryFailure:
    """What could not be told by ``channel`` (email or webhook) and why, in one line; ``retryable``: whether
    another try may help."""

    channel: str
    reason: str
    retryable: bool


class _PermanentError(Exception):
    """Asking again would not help."""


def notification_channels(config: Config) -> dict[str, Callable[[Notification], None]]:
    """How people are told, by name; empty where nobody is."""
    email, webhook = config.settings.notify.email, config.settings.notify.webhook
    found: dict[str, Callable[[Notification], None]] = {}
    if email is not None:
        found["email"] = lambda note: _send_email(config, email, note)
    if webhook is not None:
        found["webhook"] = lambda note: _post_webhook(webhook, note)
    return found


def require_notification_secrets(config: Config) -> None:
    """Whether the passwords that telling needs are where the settings say; raises UserError."""
    email, webhook = config.settings.notify.email, config.settings.notify.webhook
    try:
        if email is not None:
            _smtp_password(config, email)
        if webhook is not None and webhook.secret_env is not None:
            _environment_secret(webhook.secret_env)
    except _PermanentError as error:
        raise UserError(str(error)) from None


def send_notification(
    config: Config,
    notification: Notification,
    *,
    retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    wait: Callable[[float], bool] | None = None,
) -> list[DeliveryFailure]:
    """Tell it; returns what could not be told, which is in the log then. It never raises, but may take
    minutes.

    ``retry_delays_s`` are slept by ``wait``, which returns True when there is no time for more.
    """
    waiting, failed = notification_channels(config), dict[str, DeliveryFailure]()
    wait = wait or threading.Event().wait
    for pause_s in (*retry_delays_s, None):
        for name, tell in list(waiting.items()):
            failure = _try_channel(name, tell, notification)
            if failure is None:
                failed.pop(name, None)
            else:
                failed[name] = failure
            if failure is None or not failure.retryable:
                del waiting[name]
        if not waiting or pause_s is None or wait(pause_s):
            break
    for failure in failed.values():
        log.warning(
            "session %s could not be told by %s: %s", notification.session_id, failure.channel, failure.reason
        )
    return list(failed.values())


def send_in_background(config: Config, notification: Notification, stop: threading.Event) -> threading.Thread:
    """The same in a thread of its own, which gives up soon after ``stop`` is set and holds up no exit."""
    thread = threading.Thread(
        target=send_notification,
        args=(config, notification),
        kwargs={"wait": stop.wait},
        name="classpulse-notify",
        daemon=True,
    )
    thread.start()
    return thread


def _try_channel(
    name: str, send: Callable[[Notification], None], notification: Notification
) -> DeliveryFailure | None:
    try:
        send(notification)
    except _PermanentError as error:
        return DeliveryFailure(name, one_line(str(error)), retryable=False)
    except (OSError, smtplib.SMTPException) as error:
        return DeliveryFailure(name, one_line(f"{error}") or type(error).__name__, retryable=True)
    except Exception as error:  # the border: a fault here must not reach the recording
        log.debug("a fault while telling by %s", name, exc_info=True)
        return DeliveryFailure(name, f"a fault of Classpulse ({type(error).__name__})", retryable=False)
    return None


def compose_email(email: EmailSettings, notification: Notification, now: datetime) -> EmailMessage:
    """The mail; ``now`` is aware."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Classpulse: {notification.subject}"
    message["From"] = email.from_
    message["To"] = ", ".join(email.to)
    message["Date"] = format_datetime(now)
    # Of the sender's domain: the computer's own name is nobody's business.
    message["Message-ID"] = make_msgid(domain=email.from_.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notification.text, cte="quoted-printable")
    return message


def _send_email(config: Config, email: EmailSettings, notification: Notification) -> None:
    password = _smtp_password(config, email)
    message = compose_email(email, notification, datetime.now(UTC))
    try:
        with _connect(email) as server:
            if email.user is not None and password is not None:
                server.login(email.user, password)
            refused = server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        text = f"the mail server takes mail for none of the addresses ({', '.join(map(str, sorted(codes)))})"
        # 4yz is "not now" (RFC 5321, 4.2.1); greylisting says so to every stranger.
        raise (OSError(text) if all(400 <= code < 500 for code in codes) else _PermanentError(text)) from None
    except smtplib.SMTPNotSupportedError as error:
        raise _PermanentError(
            f"the mail server cannot do it ({error}); expected another 'security' or no 'user'"
        ) from None
    except smtplib.SMTPResponseException as error:
        answer = (
            error.smtp_error.decode(errors="replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        text = f"the mail server refused it ({error.smtp_code} {answer})"
        raise (OSError(text) if 400 <= error.smtp_code < 500 else _PermanentError(text)) from None
    except ssl.SSLCertVerificationError as error:
        raise _PermanentError(
            f"the mail server's certificate is not trusted ({error.verify_message})"
        ) from None
    if refused:
        raise _PermanentError(
            f"the mail server takes no mail for {len(refused)} of {len(email.to)} addresses"
        )


def _connect(email: EmailSettings) -> smtplib.SMTP:
    port = email.port or DEFAULT_SMTP_PORTS[email.security]
    # The name that smtplib itself takes where a computer has none; asking for ours may take seconds.
    own = "[127.0.0.1]"
    if email.security is ConnectionSecurity.TLS:
        return smtplib.SMTP_SSL(
            email.host, port, own, timeout=CONNECTION_TIMEOUT_S, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(email.host, port, own, timeout=CONNECTION_TIMEOUT_S)
    try:
        if email.security is ConnectionSecurity.STARTTLS:
            server.starttls(context=ssl.create_default_context())
    except BaseException:
        server.close()
        raise
    return server


def _smtp_password(config: Config, email: EmailSettings) -> str | None:
    if email.password_env is not None:
        return _environment_secret(email.password_env)
    if email.password_file is None:
        return None
    path = config.folder / email.password_file
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise _PermanentError(f"the password cannot be read from {path} ({reason})") from None
    if not lines or not lines[0].strip():
        raise _PermanentError(f"{path} is empty; expected the password in its first line")
    return lines[0].strip()


def _environment_secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise _PermanentError(f"the environment variable {variable} is not set; expected the secret in it")
    return value


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """An answer that leads elsewhere is an error: what is told of a class goes where the settings say."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        """Never another request."""


def _post_webhook(webhook: WebhookSettings, notification: Notification) -> None:
    body = json.dumps(
        notification.payload | {"sent_at": datetime.now(UTC).isoformat()}, ensure_ascii=False
    ).encode("utf-8")
    headers = {"Content-Type": "application/json", "User-Agent": f"classpulse/{version('classpulse')}"}
    if webhook.secret_env is not None:
        signature = hmac.new(
            _environment_secret(webhook.secret_env).encode("utf-8"), body, hashlib.sha256
        ).hexdigest()
        headers[SIGNATURE_HEADER] = f"sha256={signature}"
    # Not the whole address: it often holds a token.
    host = urlsplit(webhook.url).hostname
    request = urllib.request.Request(webhook.url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=CONNECTION_TIMEOUT_S):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            raise _PermanentError(f"{host} answers {error.code} and another address; give that one") from None
        text = f"{host} answers {error.code} ({error.reason})"
        raise (
            OSError(text) if error.code >= 500 or error.code in _RETRYABLE_STATUSES else _PermanentError(text)
        ) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise _PermanentError(
                f"the certificate of {host} is not trusted ({error.reason.verify_message})"
            ) from None
        raise OSError(f"{host} cannot be reached ({error.reason})") from None
