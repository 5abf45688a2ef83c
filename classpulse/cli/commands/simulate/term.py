"""``classpulse simulate term``: a term of sessions in a database, without video."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from classpulse.cli.options import json_option
from classpulse.cli.output import create_output_folder, print_path
from classpulse.config.settings import Config, Settings, read_config
from classpulse.config.template import render_config
from classpulse.config.validation import settings_error
from classpulse.console import print_json, print_message, progress_bar
from classpulse.errors import FileAlreadyExists
from classpulse.formatting import english_count
from classpulse.services.assessment import reassess_session
from classpulse.simulation.term.names import PseudonymStyle
from classpulse.simulation.term.writer import SimulatedTerm, TermSettings
from db.engine import open_database
from db.records import AnalysisMode
from reports.rendering.atomic_write import atomic_write

Command = TypeVar("Command", bound=Callable[..., Any])

DATABASE_NAME = "classpulse.db"
DEFAULTS = TermSettings()


def _integer_option(
    name: str, low: int, high: int | None, default: int, help_text: str
) -> Callable[[Command], Command]:
    kind = click.IntRange(low, high)
    return click.option(name, type=kind, default=default, show_default=True, help=help_text)


def _choice_option(
    name: str, kind: type[PseudonymStyle] | type[AnalysisMode], default: str, help_text: str
) -> Callable[[Command], Command]:
    choices = click.Choice([member.value for member in kind])
    return click.option(name, type=choices, default=default, show_default=True, help=help_text)


@click.command("term")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-term"),
    show_default=True,
    help="Folder for settings, database and ground truth.",
)
@click.option(
    "--class", "class_name", default=DEFAULTS.class_name, show_default=True, help="Name of the class."
)
@click.option("--room", help="Room of the class.")
@_integer_option("--students", 1, 200, DEFAULTS.students, "Number of students.")
@_integer_option("--weeks", 1, 60, DEFAULTS.weeks, "Number of weeks.")
@_integer_option("--per-week", 1, 5, DEFAULTS.per_week, "Sessions per week.")
@click.option(
    "--minutes", type=click.FloatRange(2, 300), default=50.0, show_default=True, help="Length of a session."
)
@_integer_option("--seed", 0, None, DEFAULTS.seed, "Random seed.")
@_choice_option("--names", PseudonymStyle, DEFAULTS.names.value, "Pseudonyms of the students.")
@_choice_option("--mode", AnalysisMode, DEFAULTS.mode.value, "Analysis mode.")
@_integer_option(
    "--interrupted", 0, 300, DEFAULTS.interrupted, "Number of interrupted sessions; one of them has a gap."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=f"{DEFAULTS.start}",
    show_default=True,
    help="Monday of the first week.",
)
@json_option
def simulate_term_command(
    out: Path, class_name: str, names: str, mode: str, start: datetime, as_json: bool, **numbers: Any
) -> int:
    """Fill a database with the sessions of a synthetic class, to try reports and history without a camera.

    The same arguments give the same sessions; truth.json has their ground truth.
    """
    settings = _settings(class_name, numbers["room"])
    term = SimulatedTerm(
        TermSettings(
            class_name=class_name,
            names=PseudonymStyle(names),
            mode=AnalysisMode(mode),
            start=start.date(),
            **numbers,
        )
    )
    folder = create_output_folder(out)
    if (folder / DATABASE_NAME).exists():
        raise FileAlreadyExists(folder / DATABASE_NAME, "Choose another folder with --out.")
    config_file = folder / "config.yaml"
    atomic_write(config_file, render_config(settings).encode("utf-8"))
    sessions = _write_term(read_config(config_file), term, folder / "truth.json", quiet=as_json)
    files = {
        "config": config_file,
        "database": folder / DATABASE_NAME,
        "ground_truth": folder / "truth.json",
    }
    if as_json:
        print_json({**files, "class": class_name, "students": len(term.names), "sessions": sessions})
        return 0
    print_message(f"{english_count(len(term.names), 'student')} in {english_count(len(sessions), 'session')}")
    for kind, path in files.items():
        print_path(kind, path)
    print_message(f"next: 'classpulse --config {config_file} report', or 'sessions'")
    return 0


def _settings(class_name: str, room: str | None) -> Settings:
    """The settings of the folder, without a policy, so that they allow no real recording."""
    data = {
        "class": {"name": class_name, "room": room},
        "database": {"url": f"sqlite:///{DATABASE_NAME}"},
        "output": {"folder": "reports", "time_zone": "UTC"},
    }
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise settings_error(error) from None


def _write_term(config: Config, term: SimulatedTerm, ground_truth_file: Path, *, quiet: bool) -> list[int]:
    """Write the sessions with their flags, and the ground truth; returns the session numbers."""
    written: list[int] = []
    engine = open_database(config.database_url)
    try:
        with progress_bar("writing", float(len(term.planned_sessions)), quiet=quiet) as bar:

            def on_session(number: int) -> None:
                # As at the end of a real session.
                reassess_session(engine, number, config)
                written.append(number)
                bar.update(len(written))

            truth = term.write(engine, on_session)
    finally:
        engine.dispose()
    atomic_write(ground_truth_file, (json.dumps(truth, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
    return written
