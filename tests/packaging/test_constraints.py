"""The versions that the tests run with are ones that an installation may have."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
EXTRAS = ("train", "evaluate", "docs", "test")


def asked() -> list[Requirement]:
    """What setup.cfg asks for on this computer, with everything that 'make test' installs."""
    setup = ConfigParser(interpolation=None)
    setup.read(PROJECT / "setup.cfg", encoding="utf-8")
    parts = [setup["options"]["install_requires"], *(setup["options.extras_require"][one] for one in EXTRAS)]
    lines = [line.strip() for part in parts for line in part.splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith(("#", "%"))]
    return [one for one in found if one.marker is None or one.marker.evaluate()]


def settled() -> dict[str, str]:
    """The version of each library that constraints.txt names."""
    lines = (PROJECT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in pairs}


def test_each_library_that_is_asked_for_has_one_version_that_is_allowed() -> None:
    versions, wanted = settled(), asked()
    assert len(wanted) > 30
    for one in wanted:
        assert one.specifier.contains(versions[canonicalize_name(one.name)]), one
