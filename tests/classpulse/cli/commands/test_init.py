from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.config.settings import read_config
from classpulse.errors import FileAlreadyExists, NoTerminal, NotWritable, SettingsError

ANSWERS = {
    "--class": "5b", "--source": "1", "--time-zone": "Europe/Zurich", "--jurisdiction": "CH",
    "--age-group": "minors", "--legal-basis": "consent", "--recorded-by": "head of studies",
    "--recorded-on": "2026-01-15", "--keep-days": "200",
}  # fmt: skip


def options(**changes: str | None) -> list[str]:
    answers = {**ANSWERS, **{f"--{k.replace('_', '-')}": v for k, v in changes.items()}}
    return [part for option, value in answers.items() if value is not None for part in (option, value)]


def test_init_accepts_every_answer_as_an_option(tmp_path: Path, shell) -> None:
    code, _, _ = shell("init", *options())
    assert code == 0
    settings = read_config(tmp_path / "config.yaml").settings
    assert (settings.class_.name, settings.capture.source) == ("5b", "1")
    assert settings.output.time_zone == "Europe/Zurich"
    assert settings.retention.keep_days == 200
    assert (settings.policy.jurisdiction, settings.policy.mode.value) == ("CH", "emotion")


def test_init_on_a_terminal_asks_until_answers_are_valid(
    tmp_path: Path, shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = {"Europe", "a term", "soon"}
    answers = iter(
        [
            "Maths",
            "0",
            "",
            "a term",
            "",
            "Europe",
            "EU",
            "adults",
            "public_task",
            "the dean",
            "soon",
            "2026-02-01",
        ]
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.prompt", lambda *a, **k: next(answers))
    code, _, error = shell("init")
    assert code == 0
    assert all(answer in error for answer in wrong), "an invalid answer was not reported at once"
    settings = read_config(tmp_path / "config.yaml").settings
    assert (settings.class_.name, settings.policy.mode.value) == ("Maths", "behaviour")
    assert settings.output.time_zone is None
    assert settings.retention.keep_days is None


def test_init_without_terminal_missing_answer_fails(shell, tmp_path: Path) -> None:
    assert shell.raises(NoTerminal, "init", *options(jurisdiction=None)).option == "--jurisdiction"
    assert not (tmp_path / "config.yaml").exists()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"jurisdiction": "Europe"}, "policy.jurisdiction"),
        ({"time_zone": "Mars"}, "output.time_zone"),
        ({"recorded_on": "soon"}, "policy.recorded_on"),
        ({"keep_days": "0"}, "retention.keep_days"),
        ({"jurisdiction": "DE", "mode": "emotion"}, "policy"),
    ],
)
def test_init_invalid_answer_fails_and_writes_nothing(shell, tmp_path: Path, changes: dict, key: str) -> None:
    assert shell.raises(SettingsError, "init", *options(**changes)).key == key
    assert not (tmp_path / "config.yaml").exists()


def test_init_invalid_choice_fails_and_writes_nothing(shell, tmp_path: Path) -> None:
    assert "--age-group" in shell.fails(2, "init", *options(age_group="toddlers"))
    assert not (tmp_path / "config.yaml").exists()


def test_init_existing_file_needs_force(shell, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("class:\n  name: mine\n")
    assert shell.raises(FileAlreadyExists, "init", *options()).path == Path("config.yaml")
    assert shell("init", "--force", *options())[0] == 0
    assert read_config(tmp_path / "config.yaml").settings.class_.name == "5b"


def test_init_unwritable_path_fails(shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "config.yaml"
    assert shell.raises(NotWritable, "--config", path, "init", *options()).path == path
