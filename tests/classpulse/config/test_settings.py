from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from pydantic import BaseModel

from classpulse.config.settings import Settings, read_config
from classpulse.config.template import render_config
from classpulse.errors import UserError

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


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read_config(write(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_file_in_the_repository_is_the_defaults(tmp_path: Path) -> None:
    assert (ROOT / "config.yaml").read_text(encoding="utf-8") == render_config(Settings())
    assert read_config(ROOT / "config.yaml").settings == Settings()


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
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


def test_every_setting_is_in_the_file(tmp_path: Path) -> None:
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load(ROOT / "config.yaml")
    assert data.pop("rooms") == []
    written = {f"{section}.{key}" for section, keys in data.items() for key in keys}
    assert written == leaves(Settings()) - {"policy", "rooms"}


@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_keys_are_refused_in_every_section(tmp_path: Path, section: str) -> None:
    message = refused(tmp_path, f"# a comment\n{section}:\n  speling: 1\n")
    assert message.startswith(f"config.yaml, line 3: unknown setting '{section}.speling'; expected one of ")


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("detektion:\n  x: 1\n", 1, "unknown setting 'detektion'; expected one of attention, "),
        ("capture:\n  sample_fps: 0\n", 2, "capture.sample_fps is 0; input should be greater than 0"),
        ("capture:\n  source: '0'\n  sample_fps: 31\n", 3, "less than or equal to 30"),
        ("detection:\n  min_face_px: 4\n", 2, "min_face_px is 4; input should be"),
        ("detection:\n  min_face_px: many\n", 2, "detection.min_face_px is 'many'"),
        ("detection:\n  backend: yolo\n", 2, "'mediapipe' or 'yunet'"),
        ("recording:\n  commit_s: 11\n", 2, "less than or equal to 10"),
        ("flags:\n  sad_share: 1.5\n", 2, "less than 1"),
        ("output:\n  time_zone: Mars/Olympus\n", 2, "expected an IANA name"),
        ("database:\n  url: classpulse.db\n", 2, "database.url"),
        ("class: {name: ''}\n", 1, "class.name"),
        ("class:\n  name: A\nclass:\n  name: B\n", 3, "duplicate key"),
        ("class: [\n", 2, "expected YAML"),
        ("- a\n- b\n", 1, "expected sections"),
        (POLICY + "  mode: vibes\n", 7, "policy.mode"),
        (POLICY.replace("consent", "because"), 4, "policy.legal_basis"),
        (POLICY.replace("  age_group: adults\n", ""), 1, "'policy.age_group' is missing"),
        (POLICY.replace("2026-01-15", "2026-02-30"), 6, "expected a day such as"),
        (POLICY.replace("2026-01-15", "2999-01-01"), 6, "lies in the future"),
        ("rooms:\n  name: A\n", 1, "rooms is a section; input should be a valid tuple"),
        ("schedule:\n  zone: Mars/Olympus\n", 2, "expected an IANA name"),
        ("schedule:\n  lessons: mondays\n", 2, "schedule.lessons is 'mondays'; input should be"),
        ("retention:\n  keep_days: 0\n", 2, "greater than or equal to 1"),
        ("output:\n  layout: cloud\n", 2, "'session' or 'class'"),
        (POLICY.replace("CH", "EU") + "  mode: emotion\n", 1, "the EU AI Act, Art. 5(1)(f), prohibits"),
    ],
)  # fmt: skip
def test_a_bad_setting_is_told_with_its_line(tmp_path: Path, text: str, line: int, part: str) -> None:
    message = refused(tmp_path, text)
    assert message.startswith(f"config.yaml, line {line}: "), message
    assert part in message


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="classpulse init"):
        read_config(tmp_path / "config.yaml")


def test_a_binary_file_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="expected a YAML text file"):
        read_config(tmp_path / "config.yaml")


def test_relative_paths_start_at_the_file(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, "database:\n  url: sqlite:///data/c.db\noutput:\n  folder: out\n"))
    assert config.database_url == f"sqlite:///{tmp_path / 'data' / 'c.db'}"
    assert config.output_folder == tmp_path / "out"
    assert config.data_folder == tmp_path / "data"


def test_no_address_path_or_password_is_kept_with_a_session() -> None:
    settings = Settings.model_validate(
        {
            "capture": {"source": "rtsp://me:secret@camera/1"},
            "database": {"url": "postgresql+psycopg://me:secret@host/db"},
            "output": {"folder": "/home/secret"},
            "expression": {"model": "/home/secret.tflite"},
            "detection": {"yunet_model": "/home/secret.onnx"},
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
    kept = settings.as_session_json()
    assert "secret" not in str(kept)
    assert kept["capture"] == {"sample_fps": 2.0, "stale_s": 10.0, "reconnect_s": 900.0, "kind": "auto"}
    assert kept["flags"]["sad_share"] == settings.flags.sad_share


def test_a_camera_may_be_a_plain_number(tmp_path: Path) -> None:
    assert read_config(write(tmp_path, "capture:\n  source: 1\n")).settings.capture.source == "1"


@pytest.mark.parametrize(
    "name", ["5b: maths", 'Klasse "A"', "物理 101", "yes", "null", "# not a comment", "'"]
)
def test_what_is_written_is_read_back(tmp_path: Path, name: str) -> None:
    settings = Settings.model_validate({"class": {"name": name}, "output": {"time_zone": "Asia/Tokyo"}})
    assert read_config(write(tmp_path, render_config(settings))).settings == settings
