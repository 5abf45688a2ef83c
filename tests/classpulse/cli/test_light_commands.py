"""The commands to a running recording, help and completion load no heavy library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import classpulse

HEAVY = {
    "PIL", "ai_edge_litert", "alembic", "av", "cv2", "jinja2", "keras", "matplotlib", "numpy", "pydantic",
    "rich", "scipy", "sqlalchemy", "starlette", "tensorflow",
}  # fmt: skip

SCRIPT = """
import json, sys
from classpulse.cli.main import run_command_line
code = run_command_line(sys.argv[1:])
sys.stderr.write("\\n" + json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def run_and_list(folder: Path, *arguments: str) -> tuple[int, set[str]]:
    """The exit code of a command in a process of its own, and the top-level modules that it loaded."""
    root = str(Path(classpulse.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        cwd=folder, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    code, modules = json.loads(done.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--version",), 0),
        (("--help",), 0),
        ((), 2),
        (("nonsense",), 2),
        (("pause",), 2),
        (("resume",), 2),
        (("mark", "quiz"), 2),
        (("stop",), 2),
        (("status",), 0),
        (("status", "--json"), 0),
        (("pause", "--help"), 0),
        (("completion", "bash"), 0),
    ],
)
def test_light_command_loads_no_heavy_module(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    (tmp_path / "config.yaml").write_text("database: {url: 'sqlite:///elsewhere/classpulse.db'}\n")
    actual, modules = run_and_list(tmp_path, *arguments)
    assert actual == code
    assert modules & HEAVY == set()


def test_heavy_command_is_detected(tmp_path: Path) -> None:
    """The list is not empty by mistake: a command that reads all settings loads pydantic."""
    (tmp_path / "config.yaml").write_text("class: {name: 7b}\n")
    assert "pydantic" in run_and_list(tmp_path, "schedule")[1]


def test_completion_of_a_command_loads_no_heavy_module(tmp_path: Path) -> None:
    root = str(Path(classpulse.__file__).parents[1])
    script = (
        "import sys\ntry:\n    from classpulse.cli.main import main; main()\n"
        "except SystemExit:\n    print({n.partition('.')[0] for n in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=True,
        env=os.environ
        | {"PYTHONPATH": root, "_CLASSPULSE_COMPLETE": "bash_complete"}
        | {"COMP_WORDS": "classpulse re", "COMP_CWORD": "1"},
    )  # fmt: skip
    assert done.stdout.split() == ["plain,resume", "plain,report", "plain,review"]
    assert not [name for name in HEAVY if f"'{name}'" in done.stderr]
