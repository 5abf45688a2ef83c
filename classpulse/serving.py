"""The service: whatever is asked for or planned is recorded, reported and told, until it is ended."""

from __future__ import annotations

from classpulse.aftermath import Aftermath, ReportProcess
from classpulse.interrupt import stop_on_signals
from classpulse.service import Service
from classpulse.settings import Config
from classpulse.unreported import unreported
from classpulse.watching import open_record
from monitor.control import Claim, ControlServer


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
            with stop_on_signals() as stop, ControlServer(config.data_folder, service.answer):
                aftermath.catch_up(left)
                service.run(stop)
        finally:
            aftermath.hold()
            aftermath.close()
