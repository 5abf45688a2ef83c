from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.config.settings import read_config

ANSWERS = {
    "--class-name": "5b", "--source": "1", "--time-zone": "Europe/Zurich", "--jurisdiction": "CH",
    "--age-group": "minors", "--legal-basis": "consent", "--recorded-by": "head of studies",
    "--recorded-on": "2026-01-15", "--keep-days": "200",
}  # fmt: skip


def options(**changes: str | None) -> list[str]:
    answers = {**ANSWERS, **{f"--{k.replace('_', '-')}": v for k, v in changes.items()}}
    return [part for option, value in answers.items() if value is not None for part in (option, value)]


def test_every_answer_can_be_an_option(tmp_path: Path, shell) -> None:
    code, _, _ = shell("init", *options())
    assert code == 0
    settings = read_config(tmp_path / "config.yaml").settings
    assert (settings.class_.name, settings.capture.source) == ("5b", "1")
    assert settings.output.time_zone == "Europe/Zurich"
    assert settings.retention.keep_days == 200
    assert (settings.policy.jurisdiction, settings.policy.mode.value) == ("CH", "emotion")


def test_questions_are_asked_on_a_terminal(tmp_path: Path, shell, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert all(answer in error for answer in wrong), "a wrong answer was not explained at once"
    settings = read_config(tmp_path / "config.yaml").settings
    assert (settings.class_.name, settings.policy.mode.value) == ("Maths", "behaviour")
    assert settings.output.time_zone is None
    assert settings.retention.keep_days is None


def test_without_a_terminal_a_missing_answer_is_named(shell, tmp_path: Path) -> None:
    assert "no answer for --jurisdiction" in shell.fails(2, "init", *options(jurisdiction=None))
    assert not (tmp_path / "config.yaml").exists()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"jurisdiction": "Europe"}, "policy.jurisdiction"),
        ({"age_group": "toddlers"}, "--age-group"),
        ({"time_zone": "Mars"}, "no time zone"),
        ({"recorded_on": "soon"}, "policy.recorded_on"),
        ({"keep_days": "0"}, "retention.keep_days"),
        ({"jurisdiction": "DE", "mode": "emotion"}, "AI Act"),
    ],
)
def test_a_bad_answer_is_one_line_and_writes_nothing(shell, tmp_path: Path, changes: dict, part: str) -> None:
    assert part in shell.fails(2, "init", *options(**changes))
    assert not (tmp_path / "config.yaml").exists()


def test_an_existing_file_is_not_replaced_unasked(shell, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("class:\n  name: mine\n")
    assert "--force" in shell.fails(2, "init", *options())
    assert shell("init", "--force", *options())[0] == 0
    assert read_config(tmp_path / "config.yaml").settings.class_.name == "5b"


def test_a_place_that_cannot_be_written(shell, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in shell.fails(
        1, "--config", tmp_path / "file" / "config.yaml", "init", *options()
    )
