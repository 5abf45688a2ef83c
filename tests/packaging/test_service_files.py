"""The files that start the daemon with the system are valid and start the installed command."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from docs.generate import DOCS

GUIDES = DOCS / "guides"
UNIT = (GUIDES / "classpulse.service").read_text(encoding="utf-8")


def verification_output(unit: str, folder: Path) -> str:
    """The output of systemd's verification of a user unit."""
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
    """A home folder with the installation that the unit starts."""
    command = tmp_path / "classpulse" / ".venv" / "bin" / "classpulse"
    command.parent.mkdir(parents=True)
    command.touch(mode=0o755)
    return tmp_path


def test_systemd_unit_is_valid(home: Path) -> None:
    assert verification_output(UNIT, home) == ""


@pytest.mark.parametrize(
    ("line", "instead"), [("Restart=on-failure", "Restart=perhaps"), ("OOMPolicy", "OOMPolitics")]
)
def test_systemd_verification_finds_mistakes(home: Path, line: str, instead: str) -> None:
    assert line in UNIT
    assert verification_output(UNIT.replace(line, instead), home) != ""


def test_launchd_agent_starts_the_same_command_as_the_unit() -> None:
    agent = plistlib.loads((GUIDES / "classpulse.plist").read_bytes())
    (command,) = [line for line in UNIT.splitlines() if line.startswith("ExecStart=")]
    unit_command = command.removeprefix("ExecStart=").replace("%h", "/Users/school").split()
    assert agent["ProgramArguments"] == unit_command
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["Umask"] == 0o077
