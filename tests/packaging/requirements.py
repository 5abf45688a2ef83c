"""The requirements of setup.cfg and pyproject.toml, and the versions in constraints.txt, for the tests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import date
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[2]
CONSTRAINTS = (PROJECT / "constraints.txt").read_text("utf-8")

COMPARED = "# Compared with the releases: "
"""Begins the line of setup.cfg with the day on which the bounds below it were compared with the releases."""

PYTHONS = {"3.11": "3.11.7", "3.12": "3.12.1", "3.13": "3.13.0", "3.14": "3.14.0"}
PLATFORMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64", "os_name": "posix"},
    {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64", "os_name": "nt"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64", "os_name": "posix"},
)


def environments() -> Iterator[dict[str, str]]:
    """Yield the values of environment markers for each supported Python version on each platform."""
    for version, full in PYTHONS.items():
        for platform in PLATFORMS:
            yield {**platform, "python_version": version, "python_full_version": full, "extra": ""}


def setup_file() -> ConfigParser:
    """Return setup.cfg with the comments inside its lists; a comment elsewhere reads as an option."""
    setup = ConfigParser(interpolation=None, comment_prefixes=("\0",), allow_no_value=True, strict=False)
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    return setup


def requirement_lists() -> dict[str, str]:
    """Return the text of each list of requirements in setup.cfg, by the name of its extra; '' without one."""
    setup = setup_file()
    return {"": setup["options"]["install_requires"], **setup["options.extras_require"]}


def requirements(text: str) -> list[Requirement]:
    """Return the requirements in one list of setup.cfg, without the extras that it includes."""
    lines = [line.strip() for line in text.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "%"))]


def maintainer_requirements() -> list[Requirement]:
    """Return the requirements of the maintainers' tools in pyproject.toml."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))
    return [Requirement(line) for line in project["dependency-groups"]["maintain"]]


def constraints() -> list[Requirement]:
    """Return the lines of constraints.txt."""
    return [Requirement(line) for line in CONSTRAINTS.splitlines() if not line.startswith("#")]


def resolved_on(text: str) -> date:
    """Return the day on which constraints with this text were resolved."""
    (day,) = re.findall(r"^# Resolved on (\d{4}-\d\d-\d\d) ", text, re.MULTILINE)
    return date.fromisoformat(day)


def applies(requirement: Requirement, environment: dict[str, str]) -> bool:
    """Whether the marker of ``requirement``, if any, is true in ``environment``."""
    return requirement.marker is None or requirement.marker.evaluate(environment)
