"""``classpulse record``: the recorder worker, started by the daemon for one room."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from classpulse.config.daemon import daemon_settings
from classpulse.config.policy import require_policy
from classpulse.config.settings import Config, read_config
from classpulse.database import open_configured_database
from classpulse.log_setup import log_to_file
from classpulse.services.roster import stored_student_names
from model.errors import ProblemError
from monitor.daemon.protocol import RecordingRequest
from monitor.daemon.worker_process import WorkerJob, make_job
from monitor.errors import SetupError
from monitor.text import room_log_name

if TYPE_CHECKING:
    from monitor.daemon.worker import SessionResources, WorkerSetup


@click.command("record", hidden=True)
@click.pass_obj
def record_command(config_path: Path) -> NoReturn:
    """Record the job given on standard input; write messages to standard output."""
    # It loads the face detector and the classifier.
    from monitor.daemon.worker import RecorderWorker

    code = RecorderWorker(partial(load_worker_setup, config_path)).run()
    # All data are written. Some libraries take seconds to shut down, and a read of the camera may never
    # return, while the next lesson waits for the end of this process.
    logging.shutdown()
    os._exit(code)


def load_worker_setup(config_path: Path, job: WorkerJob) -> WorkerSetup:
    """The setup of the worker for ``job``. Raises UserError for invalid settings, and SetupError if they name
    another database than the daemon's: its session would not be found there."""
    from monitor.daemon.worker import WorkerSetup

    config = read_config(config_path)
    if make_job(daemon_settings(config), job.request) != job:
        raise SetupError(
            f"The database in {config.file_name} has changed since Classpulse was started.",
            "Restart Classpulse.",
        )
    return WorkerSetup(
        settings=config.settings,
        language=config.settings.output.language,
        preview_in_behaviour_mode=config.settings.serve.preview_in_behaviour_mode,
        open_resources=partial(_open_resources, config),
    )


@contextmanager
def _open_resources(config: Config, request: RecordingRequest) -> Iterator[SessionResources]:
    from monitor.daemon.worker import SessionResources

    policy = require_policy(config.settings.policy, config.file_name)
    with (
        open_configured_database(config) as engine,
        log_to_file(
            config.data_folder,
            room_log_name(request.room),
            config.settings.log,
            names=stored_student_names(engine, request.class_name),
            expected=lambda error: isinstance(error, ProblemError),
        ) as log_file,
    ):
        yield SessionResources(engine, policy.mode, log_file.add_context)
