"""The service: whatever is asked for or planned is recorded, reported and told, until it is ended."""

from __future__ import annotations

import logging

from classpulse.aftermath import Aftermath, ReportProcess
from classpulse.failures import EXPECTED
from classpulse.interrupt import stop_on_signals
from classpulse.logs import log_to_file
from classpulse.metrics import metrics_server
from classpulse.service import Service
from classpulse.settings import Config
from classpulse.unreported import unreported
from classpulse.watching import open_record
from monitor.control import Claim, ControlServer

log = logging.getLogger(__name__)


def serve(config: Config, *, verbose: bool = False) -> None:
    """Serve ``config`` until SIGTERM or Ctrl-C; then everything is written and gone within five seconds.

    What a crash had cut off is closed and reported first. Raises ControlError where another program holds the
    data folder, DatabaseError where the record cannot be opened.
    """
    with Claim(config.data_folder):
        with open_record(config) as engine:
            left = unreported(engine)
        aftermath = Aftermath(ReportProcess(config))
        service = Service(config, aftermath, service=True, verbose=verbose)
        try:
            with (
                log_to_file(config.data_folder, "daemon", config.settings.log, expected=_expected),
                stop_on_signals() as stop,
                ControlServer(config.data_folder, service.answer),
                metrics_server(config.settings.metrics, service.ask),
            ):
                log.info("serving; %d sessions have no report yet", len(left))
                aftermath.catch_up(left)
                service.run(stop)
                log.info("ended")
        finally:
            aftermath.hold()
            aftermath.close()


def _expected(error: BaseException) -> bool:
    return isinstance(error, EXPECTED)
