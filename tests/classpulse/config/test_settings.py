from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pydantic import BaseModel

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import SettingsError

ROOT = Path(__file__).resolve().parents[3]

POLICY = """policy:
  jurisdiction: CH
  age_group: adults
  legal_basis: consent
  recorded_by: head of studies
  recorded_on: 2026-01-15
"""

SECTIONS = [
    name.alias or key for key, name in Settings.model_fields.items() if key not in {"policy", "rooms"}
]


def write(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def invalid(folder: Path, text: str) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        read_config(write(folder, text))
    assert "\n" not in str(caught.value)
    return caught.value


def test_config_yaml_of_the_repository_equals_the_defaults(tmp_path: Path) -> None:
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == render_config(Settings())
    assert read_config(ROOT / "config.yaml").settings == Settings()


def test_read_config_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, "")).settings == Settings()
    assert read_config(write(tmp_path, "# nothing\n")).settings == Settings()


def leaves(model: object, prefix: str = "") -> set[str]:
    if isinstance(model, BaseModel):
        pairs = [(f.alias or n, getattr(model, n)) for n, f in type(model).model_fields.items()]
    elif dataclasses.is_dataclass(model):
        pairs = [(f.name, getattr(model, f.name)) for f in dataclasses.fields(model)]
    else:
        return {prefix}
    return set().union(*(leaves(value, f"{prefix}.{name}".strip(".")) for name, value in pairs))


def test_config_yaml_has_every_setting(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load(ROOT / "config.yaml")
    assert data.pop("rooms") == []
    written = {f"{section}.{key}" for section, keys in data.items() for key in keys}
    assert written == leaves(Settings()) - {"policy", "rooms"}


@pytest.mark.parametrize("section", SECTIONS)
def test_settings_unknown_key_is_rejected_in_every_section(tmp_path: Path, section: str) -> None:
    error = invalid(tmp_path, f"# a comment\n{section}:\n  speling: 1\n")
    assert (error.file, error.line, error.key) == ("config.yaml", 3, f"{section}.speling")
    assert error.problem == f"config.yaml, line 3: unknown setting '{section}.speling'."
    assert error.hint.startswith("Use one of: ")


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("detektion:\n  x: 1\n", 1, "detektion"),
        ("capture:\n  sample_fps: 0\n", 2, "capture.sample_fps"),
        ("capture:\n  source: '0'\n  sample_fps: 31\n", 3, "capture.sample_fps"),
        ("detection:\n  min_face_px: 4\n", 2, "detection.min_face_px"),
        ("detection:\n  min_face_px: many\n", 2, "detection.min_face_px"),
        ("detection:\n  backend: yolo\n", 2, "detection.backend"),
        ("recording:\n  commit_s: 11\n", 2, "recording.commit_s"),
        ("flags:\n  sad_share: 1.5\n", 2, "flags.sad_share"),
        ("output:\n  time_zone: Mars/Olympus\n", 2, "output.time_zone"),
        ("database:\n  url: classpulse.db\n", 2, "database.url"),
        ("class: {name: ''}\n", 1, "class.name"),
        ("class:\n  name: A\nclass:\n  name: B\n", 3, ""),
        ("class: [\n", 2, ""),
        ("- a\n- b\n", 1, ""),
        (POLICY + "  mode: vibes\n", 7, "policy.mode"),
        (POLICY.replace("consent", "because"), 4, "policy.legal_basis"),
        (POLICY.replace("  age_group: adults\n", ""), 1, "policy.age_group"),
        (POLICY.replace("2026-01-15", "2026-02-30"), 6, ""),
        (POLICY.replace("2026-01-15", "2999-01-01"), 6, "policy.recorded_on"),
        ("rooms:\n  name: A\n", 1, "rooms"),
        ("schedule:\n  zone: Mars/Olympus\n", 2, "schedule.zone"),
        ("schedule:\n  lessons: mondays\n", 2, "schedule.lessons"),
        ("retention:\n  keep_days: 0\n", 2, "retention.keep_days"),
        ("output:\n  layout: cloud\n", 2, "output.layout"),
        (POLICY.replace("CH", "EU") + "  mode: emotion\n", 1, "policy"),
    ],
)  # fmt: skip
def test_settings_invalid_value_error_has_line_and_key(
    tmp_path: Path, text: str, line: int, key: str
) -> None:
    error = invalid(tmp_path, text)
    assert (error.line, error.key) == (line, key)
    assert error.problem.startswith(f"config.yaml, line {line}: ")


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("capture:\n  sample_fps: 0\n", "capture.sample_fps is 0.", "Write a value above 0."),
        (POLICY.replace("  age_group: adults\n", ""), "'policy.age_group' is missing.", ""),
        ("rooms:\n  name: A\n", "rooms is a section.", "Write a list, such as [a, b]."),
        (
            "output:\n  time_zone: Mars/Olympus\n",
            "output.time_zone: 'Mars/Olympus' is not a time zone.",
            "Use an IANA name such as Europe/Zurich.",
        ),
        (
            "capture:\n  sample_fps: 0\n  stale_s: 0\n",
            "capture.sample_fps is 0 (1 more).",
            "Write a value above 0.",
        ),
    ],
)  # fmt: skip
def test_settings_error_wording(tmp_path: Path, text: str, problem: str, hint: str) -> None:
    error = invalid(tmp_path, text)
    assert error.problem.partition(": ")[2] == problem
    assert error.hint == hint


def test_read_config_missing_file_hint_names_init(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_config(tmp_path / "config.yaml")
    assert "classpulse init" in caught.value.hint


def test_read_config_binary_file_raises(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError) as caught:
        read_config(tmp_path / "config.yaml")
    assert (caught.value.file, caught.value.line) == ("config.yaml", None)


def test_config_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, "database:\n  url: sqlite:///data/c.db\noutput:\n  folder: out\n"))
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'c.db'}"
    assert config.output_folder == tmp_path / "out"
    assert config.data_folder == tmp_path / "data"


def test_as_session_json_has_no_address_path_or_password() -> None:
    settings = Settings.model_validate(
        {
            "capture": {"source": "rtsp://me:secret@camera/1"},
            "database": {"url": "postgresql+psycopg://me:secret@host/db"},
            "output": {"folder": "/home/secret"},
            "expression": {"model": "/home/secret.tflite"},
            "rooms": [{"name": "A", "source": "rtsp://me:secret@camera/2"}],
            "schedule": {
                "lessons": [
                    {
                        "class": "7b",
                        "days": "mon",
                        "from": "8:00",
                        "to": "9:00",
                        "source": "rtsp://a:secret@c/3",
                    }
                ]
            },
            "notify": {"webhook": {"url": "https://school.example/secret"}},
        }
    )
    stored = settings.as_session_json()
    assert "secret" not in str(stored)
    assert stored["capture"] == {
        "sample_fps": 2.0,
        "stale_s": 10.0,
        "reconnect_s": 900.0,
        "kind": "auto",
        "rotate": "0",
        "aspect": None,
        "rtsp_transport": "tcp",
    }
    assert stored["flags"]["sad_share"] == settings.flags.sad_share


def test_settings_source_accepts_a_number(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, "capture:\n  source: 1\n")).settings.capture.source == "1"


@pytest.mark.parametrize(
    "name", ["5b: maths", 'Klasse "A"', "物理 101", "yes", "null", "# not a comment", "'"]
)
def test_render_config_round_trip(tmp_path: Path, name: str) -> None:
    settings = Settings.model_validate({"class": {"name": name}, "output": {"time_zone": "Asia/Tokyo"}})
    assert read_config(write(tmp_path, render_config(settings))).settings == settings
