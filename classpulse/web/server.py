"""The dashboard's server process and the daemon that it starts if none is running."""

from __future__ import annotations

import logging
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from classpulse.config.settings import Config
from classpulse.console import print_message
from classpulse.database import open_configured_database
from classpulse.errors import RunError, UserError
from classpulse.log_setup import log_to_file
from classpulse.services.roster import stored_student_names
from classpulse.web.app import build_app
from classpulse.web.background_jobs import preload_modules
from monitor.daemon.control import daemon_status
from monitor.daemon.errors import ControlError

log = logging.getLogger(__name__)

DAEMON_CHECK_INTERVAL_S = 5.0
"""How often the dashboard checks that a daemon is running."""


class AddressNotAvailable(RunError):
    """The server cannot listen on its address."""

    def __init__(self, url: str) -> None:
        super().__init__(
            f"The dashboard cannot listen on {url}.",
            "The port may be in use: choose another with serve.port.",
        )


class InvalidCertificate(UserError):
    """The certificate or the key of ``serve`` cannot be used."""


def serve_dashboard(config: Config) -> None:
    """Serve the dashboard until Ctrl-C or SIGTERM, with a daemon if none is running.

    Raises DatabaseError, InvalidCertificate, and AddressNotAvailable if the address cannot be listened on.
    """
    settings = config.settings.serve
    check_certificate(config)
    with (
        open_configured_database(config) as engine,
        log_to_file(config.data_folder, "web", config.settings.log, names=stored_student_names(engine)),
    ):
        app = build_app(config, engine)
        app.state.context.jobs.start("warm", preload_modules)
        url = f"{'https' if settings.uses_tls else 'http'}://{settings.host}:{settings.port}"
        print_message(f"Classpulse is running at {url}. Press Ctrl-C to stop it.")
        if app.state.context.setup_code is not None:
            print_message(f"Code for the first start: {app.state.context.setup_code}")
        server = uvicorn.Server(uvicorn_config(config, app))
        # The signal handler is installed before the daemon starts, so that no signal leaves the daemon
        # behind.
        with _stop_on_sigterm(server), _running_daemon(config), app.state.upload_queue:
            try:
                server.run()
            except SystemExit:
                raise AddressNotAvailable(url) from None
            finally:
                app.state.context.online_lessons.close()


def uvicorn_config(config: Config, app: Starlette) -> uvicorn.Config:
    """The configuration of the server. Forwarded client addresses are trusted only with ``behind_proxy`` and
    from the addresses in ``FORWARDED_ALLOW_IPS``."""
    settings = config.settings.serve
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ssl_certfile=_resolve_path(config, settings.certificate),
        ssl_keyfile=_resolve_path(config, settings.key),
        proxy_headers=settings.behind_proxy,
        server_header=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
    )


def check_certificate(config: Config) -> None:
    """Raises InvalidCertificate if the certificate or its key cannot be used."""
    certificate, key = (
        _resolve_path(config, path) for path in (config.settings.serve.certificate, config.settings.serve.key)
    )
    if certificate is None or key is None:
        return
    for name, path in (("certificate", certificate), ("key", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise InvalidCertificate(
                f"serve.{name}: {path} cannot be read ({error.strerror or error})."
            ) from None

    def reject_password() -> str:
        raise InvalidCertificate(
            f"serve.key: {key} has a password.", "Use a key without one that only this account can read."
        )

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, reject_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            problem = f"serve: {key} is not the key of the certificate {certificate}."
        else:
            problem = f"serve: {certificate} and {key} cannot be used ({error.reason or error})."
        raise InvalidCertificate(problem, "Use a certificate and its key as PEM files.") from None


def _resolve_path(config: Config, path: Path | None) -> Path | None:
    """A path of the settings, which is relative to ``config.yaml``."""
    return None if path is None else (config.folder / path).resolve()


@contextmanager
def _stop_on_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """Stop the server on SIGTERM, also before it runs.

    uvicorn re-raises the signal for the previous handler after its shutdown; the default handler would end
    the process without stopping the daemon.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


@contextmanager
def _running_daemon(config: Config) -> Iterator[None]:
    """Keep a daemon running: an existing one, or a child process that is restarted if it ends."""
    stop = threading.Event()
    supervisor = threading.Thread(target=_supervise_daemon, args=(config, stop), name="daemon supervisor")
    supervisor.start()
    try:
        yield
    finally:
        stop.set()
        supervisor.join()


def _supervise_daemon(config: Config, stop: threading.Event) -> None:
    child: subprocess.Popen[bytes] | None = None
    while not stop.is_set():
        if (child is None or child.poll() is not None) and not _is_daemon_running(config):
            command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "daemon"]
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        stop.wait(DAEMON_CHECK_INTERVAL_S)
    if child is not None and child.poll() is None:
        child.terminate()
        child.wait()


def _is_daemon_running(config: Config) -> bool:
    try:
        return daemon_status(config.data_folder) is not None
    except ControlError as error:
        log.warning("the daemon does not answer: %s", error)
        return True
