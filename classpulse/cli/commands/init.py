"""``classpulse init``: the few questions that ``config.yaml`` needs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from classpulse.cli.console import print_message
from classpulse.config.policy import AgeGroup, LegalBasis
from classpulse.config.settings import Settings, describe_validation_error
from classpulse.config.template import render_config
from classpulse.errors import RunError, UserError
from db.records import AnalysisMode

Command = TypeVar("Command", bound=Callable[..., Any])

QUESTIONS: tuple[tuple[str, str, Any], ...] = (
    ("class_name", "What is the class called?", "Class"),
    ("source", "Camera: its number, or an rtsp:// or http:// address", "0"),
    ("time_zone", "Time zone for reports, such as Europe/Zurich (empty: this computer's)", ""),
    ("keep_days", "For how many days are lessons kept (empty: until you erase them)?", ""),
    ("jurisdiction", "Where is the class? EU, or a country code such as CH, US or US-NY", None),
    ("age_group", "Who sits in it?", None),
    ("legal_basis", "On what legal basis is it recorded?", None),
    ("recorded_by", "Who decided that (a role will do)?", None),
    ("recorded_on", "When was that recorded (YYYY-MM-DD)?", date.today),
)
"""Option, question, default. A default may be called for; None means that there must be an answer."""

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
"""Valid answers, to check one answer at a time beside them."""

ALLOWED_VALUES = {
    "age_group": [a.value for a in AgeGroup],
    "legal_basis": [b.value for b in LegalBasis],
    "mode": [m.value for m in AnalysisMode],
}


def _option(name: str, help_text: str) -> Callable[[Command], Command]:
    kind = click.Choice(ALLOWED_VALUES[name]) if name in ALLOWED_VALUES else None
    return click.option("--" + name.replace("_", "-"), name, type=kind, help=help_text)


@click.command("init")
@_option("class_name", "The name of the class.")
@_option("source", "The camera that 'classpulse start' watches.")
@_option("time_zone", "An IANA time zone for the reports.")
@_option("keep_days", "How many days after its end a lesson is erased; empty: never by itself.")
@_option("jurisdiction", "EU, or an ISO 3166 code such as CH, US or US-NY.")
@_option("age_group", "Who sits in the class.")
@_option("legal_basis", "On what the recording rests.")
@_option("recorded_by", "Who decided it.")
@_option("recorded_on", "When the decision was recorded, YYYY-MM-DD.")
@_option("mode", "What is computed; default: behaviour in the EU, emotion elsewhere.")
@click.option("--force", is_flag=True, help="Replace a config.yaml that is there.")
@click.pass_obj
def init_command(config_path: Path, /, *, force: bool, mode: str | None, **answers: str | None) -> int:
    """Ask a few questions and write config.yaml. Every answer can be given as an option."""
    if config_path.exists() and not force:
        raise UserError(f"{config_path} exists already; edit it, or replace it with --force")
    given = {name: answers[name] or "" for name, _, _ in QUESTIONS}
    for name, question, default in QUESTIONS:
        if answers[name] is None:
            given[name] = _prompt_answer(name, question, default)
    settings = _settings_from_answers(given, mode)
    try:
        config_path.parent.mkdir(parents=True, exist_ok=True)
        config_path.write_text(render_config(settings), encoding="utf-8")
    except OSError as error:
        raise RunError(
            f"{config_path} cannot be written ({error.strerror}); choose another place with --config"
        ) from None
    print_message(f"wrote {config_path} (mode: {settings.policy.mode.value if settings.policy else 'none'})")
    print_message("next: 'classpulse check', then 'classpulse analyze VIDEO' or 'classpulse start'")
    return 0


def _prompt_answer(name: str, question: str, default: Any) -> str:
    """A valid answer from the terminal, asked again until it is one; UserError where there is no terminal."""
    if not sys.stdin.isatty():
        if default is not None:
            return str(default() if callable(default) else default)
        raise UserError(f"no answer for --{name.replace('_', '-')}, and no terminal to ask on: {question}")
    kind = click.Choice(ALLOWED_VALUES[name]) if name in ALLOWED_VALUES else None
    while True:
        default = default() if callable(default) else default
        answer = str(click.prompt(question, type=kind, default=default, err=True))
        try:
            _settings_from_answers(EXAMPLE_ANSWERS | {name: answer}, None)
        except UserError as error:
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
        raise UserError(describe_validation_error(error)) from None
