"""The versions in constraints.txt satisfy the requirements of setup.cfg."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
EXTRAS = ("train", "evaluate", "docs", "test")


def requirements_of_setup() -> list[Requirement]:
    """The requirements of setup.cfg on this computer, with all extras that 'make test' installs."""
    setup = ConfigParser(interpolation=None)
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    parts = [setup["options"]["install_requires"], *(setup["options.extras_require"][one] for one in EXTRAS)]
    lines = [line.strip() for part in parts for line in part.splitlines()]
    requirements = [Requirement(line) for line in lines if line and not line.startswith(("#", "%"))]
    return [one for one in requirements if one.marker is None or one.marker.evaluate()]


def constrained_versions() -> dict[str, str]:
    """The versions in constraints.txt."""
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_constraints_satisfy_every_requirement() -> None:
    versions, requirements = constrained_versions(), requirements_of_setup()
    assert len(requirements) > 30
    for requirement in requirements:
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement
