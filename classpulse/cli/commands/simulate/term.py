"""``classpulse simulate term``: a database with the sessions of a term, without a video."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from classpulse.cli.console import print_json, print_message, progress_bar
from classpulse.cli.output import create_output_folder, print_path
from classpulse.config.settings import Config, Settings, describe_validation_error, read_config
from classpulse.config.template import render_config
from classpulse.errors import UserError
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
@click.option("--room", help="Name of the room.")
@_integer_option("--students", 1, 200, DEFAULTS.students, "Number of students.")
@_integer_option("--weeks", 1, 60, DEFAULTS.weeks, "Number of weeks.")
@_integer_option("--per-week", 1, 5, DEFAULTS.per_week, "Lectures per week.")
@click.option(
    "--minutes", type=click.FloatRange(2, 300), default=50.0, show_default=True, help="Length of a lecture."
)
@_integer_option("--seed", 0, None, DEFAULTS.seed, "Random seed.")
@_choice_option("--names", PseudonymStyle, DEFAULTS.names.value, "Style of the pseudonyms.")
@_choice_option("--mode", AnalysisMode, DEFAULTS.mode.value, "Analysis mode.")
@_integer_option(
    "--interrupted", 0, 300, DEFAULTS.interrupted, "Number of interrupted lectures; one of them has a gap."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=f"{DEFAULTS.start}",
    show_default=True,
    help="The Monday of the first week.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def simulate_term_command(
    out: Path, class_name: str, names: str, mode: str, start: datetime, as_json: bool, **numbers: Any
) -> int:
    """Fill a database with the sessions of a synthetic class, to try reports and history without a camera.

    The same arguments give the same sessions; their ground truth is in truth.json.
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
        raise UserError(f"{folder} already contains a term.", "Choose another folder with --out.")
    config_file = folder / "config.yaml"
    atomic_write(config_file, render_config(settings).encode("utf-8"))
    ground_truth_file = folder / "truth.json"
    sessions = _write_term(read_config(config_file), term, ground_truth_file, quiet=as_json)
    files = {"config": config_file, "database": folder / DATABASE_NAME, "ground_truth": ground_truth_file}
    if as_json:
        print_json({**files, "class": class_name, "students": len(term.names), "sessions": sessions})
        return 0
    print_message(f"{english_count(len(term.names), 'student')} in {english_count(len(sessions), 'session')}")
    for name, path in files.items():
        print_path(name.replace("_", " "), path)
    print_message(f"next: 'classpulse --config {config_file} report', or 'sessions'")
    return 0


def _settings(class_name: str, room: str | None) -> Settings:
    """The settings of the folder: without a policy, so that they cannot be used to record real students."""
    data = {
        "class": {"name": class_name, "room": room},
        "database": {"url": f"sqlite:///{DATABASE_NAME}"},
        "output": {"folder": "reports", "time_zone": "UTC"},
    }
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise UserError(describe_validation_error(error)) from None


def _write_term(config: Config, term: SimulatedTerm, ground_truth_file: Path, *, quiet: bool) -> list[int]:
    """Write the sessions, their flags and the ground truth; returns the sessions' numbers."""
    written: list[int] = []
    engine = open_database(config.database_url)
    try:
        with progress_bar("drawing", float(len(term.planned_sessions)), quiet=quiet) as bar:

            def on_lecture(number: int) -> None:
                # As at the end of a real session: flags are stored.
                reassess_session(engine, number, config)
                written.append(number)
                bar.update(len(written))

            ground_truth = term.write(engine, on_lecture)
    finally:
        engine.dispose()
    atomic_write(
        ground_truth_file, (json.dumps(ground_truth, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
    )
    return written
