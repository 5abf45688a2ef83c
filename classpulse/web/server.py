"""The dashboard as a program: its server, and the service beside it."""

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

from classpulse.cli.console import print_message
from classpulse.config.settings import Config
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
"""How often it is looked whether the service still runs."""


def serve_dashboard(config: Config) -> None:
    """Serve the dashboard until Ctrl-C or SIGTERM, with the service beside it where none runs yet.

    Raises DatabaseError, UserError for a certificate that is none, and RunError where the address cannot be
    used.
    """
    settings = config.settings.serve
    check_certificate(config)
    with (
        open_configured_database(config) as engine,
        log_to_file(config.data_folder, "web", config.settings.log, names=stored_student_names(engine)),
    ):
        app = build_app(config, engine)
        app.state.context.jobs.start("warm", preload_modules)
        where = f"{'https' if settings.uses_tls else 'http'}://{settings.host}:{settings.port}"
        print_message(f"Classpulse is at {where}; end it with Ctrl-C")
        if app.state.context.setup_code is not None:
            print_message(f"the first start needs this code, once: {app.state.context.setup_code}")
        server = uvicorn.Server(uvicorn_config(config, app))
        # From before there is a service: whoever ends this must not leave it behind.
        with _stop_on_sigterm(server), _running_daemon(config), app.state.upload_queue:
            try:
                server.run()
            except SystemExit:
                raise RunError(
                    f"{where} cannot be served: is the port in use? Choose another by serve.port"
                ) from None
            finally:
                app.state.context.online_lessons.close()


def uvicorn_config(config: Config, app: Starlette) -> uvicorn.Config:
    """How the application is served. Where a request comes from is believed of a proxy alone that
    ``behind_proxy`` says is there, at an address of the environment's ``FORWARDED_ALLOW_IPS``."""
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
    """Raises UserError, one line, where the certificate and its key are not such."""
    certificate, key = (
        _resolve_path(config, path) for path in (config.settings.serve.certificate, config.settings.serve.key)
    )
    if certificate is None or key is None:
        return
    for name, path in (("certificate", certificate), ("key", key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise UserError(f"serve.{name}: {path} cannot be read ({error.strerror or error})") from None

    def asked() -> str:
        raise UserError(f"serve.key: {key} has a password; expected a key without one, readable to us alone")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, asked)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            why = f"{key} is not the key of the certificate {certificate}"
        else:
            why = f"{certificate} and {key} cannot be used ({error.reason or error})"
        raise UserError(f"serve: {why}; expected a certificate and its key as PEM files") from None


def _resolve_path(config: Config, path: Path | None) -> Path | None:
    """A path of the settings, which is relative to them."""
    return None if path is None else (config.folder / path).resolve()


@contextmanager
def _stop_on_sigterm(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn obeys a SIGTERM while it runs, and when it is done raises it again for whoever was to hear it
    before: by default that would end this process at once, and leave the service and its recordings behind,
    and so would one that comes before it runs."""

    def end(*_: object) -> None:
        server.should_exit = True

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _running_daemon(config: Config) -> Iterator[None]:
    """While the block lasts there is a service: one that runs already, or one of ours that is started again
    when it ends."""
    stop = threading.Event()
    supervisor = threading.Thread(target=_supervise_daemon, args=(config, stop), name="keeper")
    supervisor.start()
    try:
        yield
    finally:
        stop.set()
        supervisor.join()


def _supervise_daemon(config: Config, stop: threading.Event) -> None:
    ours: subprocess.Popen[bytes] | None = None
    while not stop.is_set():
        if (ours is None or ours.poll() is not None) and not _is_daemon_running(config):
            command = [sys.executable, "-m", "classpulse", "--config", str(config.path), "daemon"]
            ours = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        stop.wait(DAEMON_CHECK_INTERVAL_S)
    if ours is not None and ours.poll() is None:
        ours.terminate()
        ours.wait()


def _is_daemon_running(config: Config) -> bool:
    try:
        return daemon_status(config.data_folder) is not None
    except ControlError as error:
        log.warning("the service does not answer: %s", error)
        return True
