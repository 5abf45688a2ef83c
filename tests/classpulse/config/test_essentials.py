"""The settings that a light command reads are those of the whole file."""

from __future__ import annotations

from pathlib import Path

import pytest

from classpulse.config.daemon import lesson_zone
from classpulse.config.essentials import read_essentials
from classpulse.config.settings import read_config
from classpulse.errors import SettingsError


@pytest.mark.parametrize(
    "text",
    [
        "",
        "class: {name: 7b}\n",
        "database: {url: 'sqlite:///data/class.db'}\n",
        "database:\n  url: sqlite:////var/lib/classpulse/class.db\n",
        "database: {url: 'postgresql://u:p@host/db'}\n",
        "schedule: {zone: Asia/Tokyo}\n",
        "output: {time_zone: Europe/Zurich}\n",
        "output: {time_zone: Europe/Zurich}\nschedule: {zone: Asia/Tokyo}\n",
    ],
)
def test_essentials_are_those_of_the_whole_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    config, essentials = read_config(path), read_essentials(path)
    assert essentials.data_folder == config.data_folder
    assert str(essentials.zone) == str(lesson_zone(config))


def test_invalid_setting_elsewhere_does_not_prevent_a_command(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("capture: {sample_fps: fast}\n", encoding="utf-8")
    assert read_essentials(path).data_folder == tmp_path / "classpulse-data"


@pytest.mark.parametrize("text", ["a: [", "database: {url: 7}\n", "- a list\n", "database: {url: ''}\n"])
def test_invalid_file_has_the_error_of_the_whole_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as expected:
        read_config(path)
    with pytest.raises(SettingsError) as actual:
        read_essentials(path)
    assert str(actual.value) == str(expected.value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        (
            'class: {name: 7b}\noutput:\n  folder: "D:\\new\\reports"\n',
            3,
            "output.folder contains a line break",
        ),
        ('output:\n  folder: "C:\\Users\\ada"\n', 2, "reads a backslash"),
        ('output:\n  folder: "D:\\daten"\n', 2, "reads a backslash"),
        ('rooms:\n  - {name: A 1, source: "\\tcam"}\n', 2, "rooms[1].source contains"),
    ],
)
def test_backslash_in_double_quotes_has_a_remedy(tmp_path: Path, text: str, line: int, problem: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        read_config(path)
    assert raised.value.line == line
    assert problem in raised.value.problem
    assert "single quotes" in raised.value.hint
    path.write_text(text.replace('"', "'"), encoding="utf-8")
    read_config(path)


def test_invalid_address_is_shown_without_its_password(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("database: {url: 'Postgresql://ada:s3cret@host/db'}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as raised:
        read_config(path)
    assert "s3cret" not in str(raised.value)
