"""The versions in constraints.txt satisfy setup.cfg, and the upper bounds there are reviewed every year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.requirements import (
    COMPARED,
    CONSTRAINTS,
    PYTHONS,
    applies,
    constraints,
    environments,
    maintainer_requirements,
    requirement_lists,
    requirements,
    resolved_on,
    setup_file,
)

DAYS_TO_COMPARE = 365


def pinned(environment: dict[str, str]) -> dict[str, str]:
    """The version of each package in constraints.txt for one environment; more than one is an error."""
    versions: dict[str, str] = {}
    for line in constraints():
        if applies(line, environment):
            (specifier,) = line.specifier
            assert specifier.operator == "=="
            assert versions.setdefault(canonicalize_name(line.name), specifier.version) == specifier.version
    return versions


def capped(requirement: Requirement) -> bool:
    """Whether a requirement excludes future releases."""
    return any(one.operator in ("<", "<=", "==", "~=") for one in requirement.specifier)


def days_compared(text: str) -> Iterator[tuple[str, date | None]]:
    """Yield each requirement with an upper bound in a list of setup.cfg, and the day of the line above it."""
    day = None
    for line in map(str.strip, text.splitlines()):
        if line.startswith(COMPARED):
            day = date.fromisoformat(line.removeprefix(COMPARED))
        elif any(map(capped, requirements(line))):
            yield line, day


@pytest.mark.parametrize(
    "environment",
    [*environments()],
    ids=lambda one: "{python_version} {platform_system} {platform_machine}".format_map(one),
)
def test_constraints_satisfy_every_requirement(environment: dict[str, str]) -> None:
    versions = pinned(environment)
    wanted = [one for text in requirement_lists().values() for one in requirements(text)]
    wanted = [one for one in (*wanted, *maintainer_requirements()) if applies(one, environment)]
    assert len(wanted) > 50
    for requirement in wanted:
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_training_is_required_wherever_tensorflow_has_a_wheel() -> None:
    for environment in environments():
        names = [one.name for one in requirements(requirement_lists()["train"]) if applies(one, environment)]
        assert len(names) == (environment["python_version"] != "3.14"), environment


def test_both_opencv_packages_have_one_version() -> None:
    """They write the same files, so that the extra [mediapipe] must not mix two releases."""
    for environment in environments():
        versions = pinned(environment)
        assert versions["opencv-python-headless"] == versions["opencv-contrib-python"]


def test_only_the_headless_opencv_is_installed_without_an_extra() -> None:
    names = {one.name for one in requirements(requirement_lists()[""])}
    assert {one for one in names if "opencv" in one} == {"opencv-python-headless"}
    assert "mediapipe" not in names


def test_classifiers_name_the_pythons_of_the_matrix() -> None:
    classifiers = setup_file()["metadata"]["classifiers"].split("\n")
    named = {one.split(" :: ")[-1] for one in classifiers if one.startswith("Programming Language")}
    assert named == set(PYTHONS)


def test_upper_bounds_were_compared_with_the_releases_within_a_year() -> None:
    """Within a year before constraints.txt was resolved: a new resolution needs a new comparison."""
    resolved = resolved_on(CONSTRAINTS)
    bounds = [bound for text in requirement_lists().values() for bound in days_compared(text)]
    assert len(bounds) > 30
    assert not [line for line, day in bounds if day is None], f"they need a line '{COMPARED}DAY' above them"
    outdated = [line for line, day in bounds if day and (resolved - day).days > DAYS_TO_COMPARE]
    assert not outdated, "compare them with the releases, raise them where it works, and renew the day above"


def test_days_compared_are_read_from_the_line_above_the_bounds() -> None:
    text = (
        f"a <2\n{COMPARED}2026-01-31\n# why\nb >=1\nc >=1,<2\n{COMPARED}2026-02-01\nd ==1.*; os_name == 'nt'"
    )
    first = [("a <2", None), ("c >=1,<2", date(2026, 1, 31))]
    assert list(days_compared(text)) == [*first, ("d ==1.*; os_name == 'nt'", date(2026, 2, 1))]
