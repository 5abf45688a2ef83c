"""``classpulse init``: create ``config.yaml`` from a few questions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from classpulse.config.policy import AgeGroup, LegalBasis
from classpulse.config.settings import Settings
from classpulse.config.template import render_config, write_config
from classpulse.config.validation import settings_error
from classpulse.console import print_message
from classpulse.errors import FileAlreadyExists, NoTerminal, NotWritable, SettingsError
from db.records import AnalysisMode

Command = TypeVar("Command", bound=Callable[..., Any])

QUESTIONS: tuple[tuple[str, str, Any], ...] = (
    ("class_name", "Name of the class", "Class"),
    ("source", "Camera: a number, or an rtsp:// or http:// address", "0"),
    ("time_zone", "Time zone of reports, such as Europe/Zurich (empty: this computer's)", ""),
    ("keep_days", "Days to keep lessons (empty: until you erase them)", ""),
    ("jurisdiction", "Location of the class: EU, or a country code such as CH, US or US-NY", None),
    ("age_group", "Age of the students", None),
    ("legal_basis", "Legal basis of the recording", None),
    ("recorded_by", "Person responsible for the decision (a role is enough)", None),
    ("recorded_on", "Day of the decision (YYYY-MM-DD)", date.today),
)
"""Option, question, default. A default may be a function; None means that an answer is required."""

EXAMPLE_ANSWERS = {
    "class_name": "Class",
    "source": "0",
    "time_zone": "",
    "keep_days": "",
    "jurisdiction": "CH",
    "age_group": "adults",
    "legal_basis": "consent",
    "recorded_by": "head of studies",
    "recorded_on": "2026-01-01",
}
"""Valid answers, so that one answer can be validated at a time."""

ALLOWED_VALUES = {
    "age_group": [group.value for group in AgeGroup],
    "legal_basis": [basis.value for basis in LegalBasis],
    "mode": [mode.value for mode in AnalysisMode],
}


def _option(name: str, help_text: str) -> Callable[[Command], Command]:
    kind = click.Choice(ALLOWED_VALUES[name]) if name in ALLOWED_VALUES else None
    return click.option(_option_name(name), name, type=kind, help=help_text)


def _option_name(name: str) -> str:
    """The option that answers a question."""
    return "--class" if name == "class_name" else f"--{name.replace('_', '-')}"


@click.command("init")
@_option("class_name", "The name of the class.")
@_option("source", "The camera of 'classpulse start'.")
@_option("time_zone", "The IANA time zone of the reports.")
@_option("keep_days", "Days after which a lesson is erased; empty: never automatically.")
@_option("jurisdiction", "EU, or an ISO 3166 code such as CH, US or US-NY.")
@_option("age_group", "The age of the students.")
@_option("legal_basis", "The legal basis of the recording.")
@_option("recorded_by", "The person responsible for the decision.")
@_option("recorded_on", "The day of the decision, YYYY-MM-DD.")
@_option("mode", "The analysis mode; default: behaviour in the EU, emotion elsewhere.")
@click.option("--force", is_flag=True, help="Replace an existing config.yaml.")
@click.pass_obj
def init_command(config_path: Path, /, *, force: bool, mode: str | None, **answers: str | None) -> int:
    """Ask a few questions and write config.yaml. Each answer can be given as an option."""
    if config_path.exists() and not force:
        raise FileAlreadyExists(config_path, "Edit it, or replace it with --force.")
    given = {name: answers[name] or "" for name, _, _ in QUESTIONS}
    for name, question, default in QUESTIONS:
        if answers[name] is None:
            given[name] = _prompt_answer(name, question, default)
    settings = _settings_from_answers(given, mode)
    try:
        config_path.parent.mkdir(parents=True, exist_ok=True)
        write_config(config_path, render_config(settings))
    except OSError as error:
        raise NotWritable(config_path, error.strerror, "Choose another path with --config.") from None
    print_message(f"wrote {config_path} (mode: {settings.policy.mode.value if settings.policy else 'none'})")
    print_message("next: 'classpulse check', then 'classpulse analyze VIDEO' or 'classpulse start'")
    return 0


def _prompt_answer(name: str, question: str, default: Any) -> str:
    """A valid answer from the terminal, which is asked until it is valid. Raises NoTerminal."""
    if not sys.stdin.isatty():
        if default is not None:
            return str(default() if callable(default) else default)
        option = _option_name(name)
        raise NoTerminal(question, f"Give the answer with {option}.", option)
    kind = click.Choice(ALLOWED_VALUES[name]) if name in ALLOWED_VALUES else None
    while True:
        default = default() if callable(default) else default
        answer = str(click.prompt(question, type=kind, default=default, err=True))
        try:
            _settings_from_answers(EXAMPLE_ANSWERS | {name: answer}, None)
        except SettingsError as error:
            print_message(str(error))
        else:
            return answer


def _settings_from_answers(given: dict[str, str], mode: str | None) -> Settings:
    policy = {k: given[k] for k in ("jurisdiction", "age_group", "legal_basis", "recorded_by", "recorded_on")}
    data = {
        "class": {"name": given["class_name"]},
        "capture": {"source": given["source"]},
        "output": {"time_zone": given["time_zone"] or None},
        "retention": {"keep_days": given["keep_days"] or None},
        "policy": policy | ({"mode": mode} if mode else {}),
    }
    try:
        return Settings.model_validate(data)
    except ValidationError as error:
        raise settings_error(error) from None
