"""Delivery of notifications by e-mail and webhook.

A failed delivery is retried twice within three minutes and then logged; it never fails a recording or a
report.
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
from classpulse.services.notifications.message import Notification
from classpulse.text import one_line

log = logging.getLogger(__name__)

CONNECTION_TIMEOUT_S = 20.0
"""Timeout of each step of a connection."""

RETRY_DELAYS_S = (30.0, 120.0)
"""Delays before the second and third attempt, for a network that comes back and for greylisting."""

SIGNATURE_HEADER = "X-Classpulse-Signature"
"""``sha256=`` and the hexadecimal HMAC of the body under the secret."""

_RETRYABLE_STATUSES = frozenset({408, 425, 429})
"""HTTP client errors that may succeed later: timeout, too early, too many requests."""


@dataclass(frozen=True)
class DeliveryFailure:
    """A failed delivery by ``channel`` (email or webhook) with a one-line reason; ``retryable``: whether
    another attempt may succeed."""

    channel: str
    reason: str
    retryable: bool


class PermanentFailure(UserError):
    """A delivery failed, and another attempt would fail, too."""


def notification_channels(config: Config) -> dict[str, Callable[[Notification], None]]:
    """The configured channels: name -> function that sends a notification."""
    email, webhook = config.settings.notify.email, config.settings.notify.webhook
    channels: dict[str, Callable[[Notification], None]] = {}
    if email is not None:
        channels["email"] = lambda notification: _send_email(config, email, notification)
    if webhook is not None:
        channels["webhook"] = lambda notification: _post_webhook(webhook, notification)
    return channels


def require_notification_secrets(config: Config) -> None:
    """Raises PermanentFailure if a configured password or secret cannot be read."""
    email, webhook = config.settings.notify.email, config.settings.notify.webhook
    if email is not None:
        _smtp_password(config, email)
    if webhook is not None and webhook.secret_env is not None:
        _environment_secret(webhook.secret_env)


def send_notification(
    config: Config,
    notification: Notification,
    *,
    retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
    wait: Callable[[float], bool] | None = None,
) -> list[DeliveryFailure]:
    """Send by all channels; returns and logs the failures. Never raises, but may take minutes.

    ``wait`` sleeps for the given seconds, one of ``retry_delays_s``; it returns True to stop the retries.
    """
    pending, failed = notification_channels(config), dict[str, DeliveryFailure]()
    wait = wait or threading.Event().wait
    for pause_s in (*retry_delays_s, None):
        for name, send in list(pending.items()):
            failure = _try_channel(name, send, notification)
            if failure is None:
                failed.pop(name, None)
            else:
                failed[name] = failure
            if failure is None or not failure.retryable:
                del pending[name]
        if not pending or pause_s is None or wait(pause_s):
            break
    for failure in failed.values():
        log.warning(
            "notification of session %s by %s failed: %s",
            notification.session_id,
            failure.channel,
            failure.reason,
        )
    return list(failed.values())


def send_in_background(config: Config, notification: Notification, stop: threading.Event) -> threading.Thread:
    """``send_notification`` in a daemon thread, which stops retrying once ``stop`` is set."""
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
    except PermanentFailure as error:
        return DeliveryFailure(name, one_line(str(error)), retryable=False)
    except (OSError, smtplib.SMTPException) as error:
        return DeliveryFailure(name, one_line(f"{error}") or type(error).__name__, retryable=True)
    except Exception as error:  # boundary: a bug here must not reach the recording
        log.debug("internal error while sending by %s", name, exc_info=True)
        return DeliveryFailure(name, f"internal error ({type(error).__name__})", retryable=False)
    return None


def compose_email(email: EmailSettings, notification: Notification, now: datetime) -> EmailMessage:
    """The e-mail; ``now`` is aware."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = f"Classpulse: {notification.subject}"
    message["From"] = email.from_
    message["To"] = ", ".join(email.to)
    message["Date"] = format_datetime(now)
    # The sender's domain: by default it would disclose the name of this computer.
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
        text = f"The mail server rejects all recipients ({', '.join(map(str, sorted(codes)))})."
        # 4yz is a transient failure (RFC 5321, 4.2.1), which greylisting gives to unknown senders.
        raise (
            OSError(text) if all(400 <= code < 500 for code in codes) else PermanentFailure(text)
        ) from None
    except smtplib.SMTPNotSupportedError as error:
        raise PermanentFailure(
            f"The mail server lacks a required feature ({error}).",
            "Change notify.email.security, or remove notify.email.user.",
        ) from None
    except smtplib.SMTPResponseException as error:
        answer = (
            error.smtp_error.decode(errors="replace")
            if isinstance(error.smtp_error, bytes)
            else error.smtp_error
        )
        text = f"The mail server rejected the message ({error.smtp_code} {answer})."
        raise (OSError(text) if 400 <= error.smtp_code < 500 else PermanentFailure(text)) from None
    except ssl.SSLCertVerificationError as error:
        raise PermanentFailure(
            f"The certificate of the mail server is not trusted ({error.verify_message})."
        ) from None
    if refused:
        raise PermanentFailure(f"The mail server rejects {len(refused)} of {len(email.to)} recipients.")


def _connect(email: EmailSettings) -> smtplib.SMTP:
    port = email.port or DEFAULT_SMTP_PORTS[email.security]
    # The fallback of smtplib; looking up the name of this computer may take seconds.
    local_name = "[127.0.0.1]"
    if email.security is ConnectionSecurity.TLS:
        return smtplib.SMTP_SSL(
            email.host, port, local_name, timeout=CONNECTION_TIMEOUT_S, context=ssl.create_default_context()
        )
    server = smtplib.SMTP(email.host, port, local_name, timeout=CONNECTION_TIMEOUT_S)
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
        reason = getattr(error, "strerror", None) or "not a text file"
        raise PermanentFailure(f"The password cannot be read from {path} ({reason}).") from None
    if not lines or not lines[0].strip():
        raise PermanentFailure(f"{path} is empty.", "Write the password on its first line.")
    return lines[0].strip()


def _environment_secret(variable: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise PermanentFailure(f"The environment variable {variable} is not set.", "Set it to the secret.")
    return value


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as an error: data of a class goes only to the configured URL."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        """Follow no redirect."""


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
    # Not the whole URL, which often contains a token.
    host = urlsplit(webhook.url).hostname
    request = urllib.request.Request(webhook.url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=CONNECTION_TIMEOUT_S):
            pass
    except urllib.error.HTTPError as error:
        error.close()
        if 300 <= error.code < 400:
            raise PermanentFailure(
                f"{host} redirects to another address ({error.code}).",
                "Set that address as notify.webhook.url.",
            ) from None
        text = f"{host} answers {error.code} ({error.reason})."
        raise (
            OSError(text)
            if error.code >= 500 or error.code in _RETRYABLE_STATUSES
            else PermanentFailure(text)
        ) from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise PermanentFailure(
                f"The certificate of {host} is not trusted ({error.reason.verify_message})."
            ) from None
        raise OSError(f"{host} cannot be reached ({error.reason}).") from None
