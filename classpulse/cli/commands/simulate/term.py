"""``classpulse simulate term``: a database full of lectures, without a film."""

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
    choices = click.Choice([one.value for one in kind])
    return click.option(name, type=choices, default=default, show_default=True, help=help_text)


@click.command("term")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("classpulse-term"),
    show_default=True,
    help="Folder for settings, database and truth.",
)
@click.option(
    "--class", "class_name", default=DEFAULTS.class_name, show_default=True, help="What it is called."
)
@click.option("--room", help="Where it is.")
@_integer_option("--students", 1, 200, DEFAULTS.students, "How many are in it.")
@_integer_option("--weeks", 1, 60, DEFAULTS.weeks, "How many the term has.")
@_integer_option("--per-week", 1, 5, DEFAULTS.per_week, "Lectures a week.")
@click.option(
    "--minutes", type=click.FloatRange(2, 300), default=50.0, show_default=True, help="Each one's length."
)
@_integer_option("--seed", 0, None, DEFAULTS.seed, "Of everything drawn.")
@_choice_option("--names", PseudonymStyle, DEFAULTS.names.value, "What the students are called.")
@_choice_option("--mode", AnalysisMode, DEFAULTS.mode.value, "What was computed.")
@_integer_option(
    "--interrupted", 0, 300, DEFAULTS.interrupted, "How many lectures broke off; one of them has a gap."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=f"{DEFAULTS.start}",
    show_default=True,
    help="The Monday of the first week.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def simulate_term_command(
    out: Path, class_name: str, names: str, mode: str, start: datetime, as_json: bool, **numbers: Any
) -> int:
    """Fill a database with the lectures of a class, to try reports and history without a camera.

    Nobody in it is real. The same arguments give the same lectures; what was true of them is in truth.json.
    """
    settings = _settings(class_name, numbers["room"])
    drawn = SimulatedTerm(
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
        raise UserError(f"{folder} holds a term already; choose another folder with --out")
    config_file = folder / "config.yaml"
    atomic_write(config_file, render_config(settings).encode("utf-8"))
    sessions = _write_term(read_config(config_file), drawn, folder / "truth.json", quiet=as_json)
    made = {"config": config_file, "database": folder / DATABASE_NAME, "truth": folder / "truth.json"}
    if as_json:
        print_json({**made, "class": class_name, "students": len(drawn.names), "sessions": sessions})
        return 0
    print_message(
        f"{english_count(len(drawn.names), 'student')} in {english_count(len(sessions), 'lecture')}"
    )
    for kind, path in made.items():
        print_path(kind, path)
    print_message(f"next: 'classpulse --config {config_file} report', or 'sessions'")
    return 0


def _settings(class_name: str, room: str | None) -> Settings:
    """Those of the folder. There is no policy among them, so nobody real may be watched with them."""
    data = {
        "class": {"name": class_name, "room": room},
        "database": {"url": f"sqlite:///{DATABASE_NAME}"},
        "output": {"folder": "reports", "time_zone": "UTC"},
    }
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise UserError(describe_validation_error(error)) from None


def _write_term(config: Config, drawn: SimulatedTerm, ground_truth_file: Path, *, quiet: bool) -> list[int]:
    """Write the lectures, their verdicts and the truth; returns the sessions' numbers."""
    done: list[int] = []
    engine = open_database(config.database_url)
    try:
        with progress_bar("drawing", float(len(drawn.planned_sessions)), quiet=quiet) as bar:

            def on_lecture(number: int) -> None:
                # As at the end of a real lecture: verdicts are part of the record.
                reassess_session(engine, number, config)
                done.append(number)
                bar.update(len(done))

            truth = drawn.write(engine, on_lecture)
    finally:
        engine.dispose()
    atomic_write(ground_truth_file, (json.dumps(truth, ensure_ascii=False, indent=1) + "\n").encode("utf-8"))
    return done
