"""The files by which a computer starts the service are well-formed, and start what there is."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generate import DOCS

GUIDES = DOCS / "guides"
UNIT = (GUIDES / "classpulse.service").read_text(encoding="utf-8")


def verified(unit: str, folder: Path) -> str:
    """What systemd has to say against a user unit."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    path = folder / "classpulse.service"
    path.write_text(unit, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", path],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr + (f"exit code {done.returncode}" if done.returncode else "")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the installation that the unit starts."""
    command = tmp_path / "classpulse" / ".venv" / "bin" / "classpulse"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    return tmp_path


def test_systemd_has_nothing_against_the_unit(home: Path) -> None:
    assert verified(UNIT, home) == ""


@pytest.mark.parametrize(
    ("line", "instead"), [("Restart=on-failure", "Restart=perhaps"), ("OOMPolicy", "OOMPolitics")]
)
def test_a_mistake_would_be_found(home: Path, line: str, instead: str) -> None:
    assert line in UNIT
    assert verified(UNIT.replace(line, instead), home) != ""


def test_the_agent_starts_the_same_as_the_unit() -> None:
    agent = plistlib.loads((GUIDES / "classpulse.plist").read_bytes())
    (command,) = [line for line in UNIT.splitlines() if line.startswith("ExecStart=")]
    there = command.removeprefix("ExecStart=").replace("%h", "/Users/school").split()
    assert agent["ProgramArguments"] == there
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077
