"""The Dockerfile and compose.yaml agree with the rest of the project; no container engine is needed."""

from __future__ import annotations

import re
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from classpulse.cli.main import COMMANDS
from classpulse.config.server import ServeSettings

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def setup() -> ConfigParser:
    read = ConfigParser(interpolation=None)
    read.read(PROJECT / "setup.cfg", encoding="utf-8")
    return read


@pytest.fixture(scope="module")
def compose() -> Any:
    return YAML(typ="safe").load((PROJECT / "compose.yaml").read_text(encoding="utf-8"))


def test_dockerfile_runs_on_a_tested_python(setup: ConfigParser) -> None:
    versions = set(re.findall(r"python:?(3\.\d+)", DOCKERFILE))
    assert len(versions) == 1, "the folders of the commands are those of the base image"
    assert f"Programming Language :: Python :: {versions.pop()}" in setup["metadata"]["classifiers"]


def test_dockerfile_imports_modules_that_exist() -> None:
    (line,) = re.findall(r"-c 'import ([\w., ]+)'", DOCKERFILE)
    modules = [one for one in line.split(", ") if one.split(".")[0] == "classpulse"]
    assert modules
    assert all(find_spec(one) for one in modules)


def test_dockerignore_admits_all_packages(setup: ConfigParser) -> None:
    admitted = set(
        re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    )
    packages = {one.strip().rstrip("*") for one in setup["options.packages.find"]["include"].split(",")}
    assert packages <= admitted
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE"} <= admitted
    assert all((PROJECT / one).exists() for one in admitted)


def test_dockerfile_checks_what_remains_after_removing_files() -> None:
    """``pip check`` reads the versions alone, so the demo shows that no removed file is needed."""
    removal, check = DOCKERFILE.index("RUN find"), DOCKERFILE.index("classpulse demo")
    assert DOCKERFILE.index("install --no-compile") < removal < check < DOCKERFILE.rindex("FROM")
    assert "/bin/python check" in DOCKERFILE
    assert "pip uninstall" not in DOCKERFILE


def test_container_runs_unprivileged_with_existing_commands(compose: Any) -> None:
    last = DOCKERFILE.split("FROM ")[-1]
    assert re.search(r"^USER classpulse$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["classpulse"]' in last
    assert 'CMD ["serve"]' in last
    assert {"serve", "health"} <= set(COMMANDS)
    service = compose["services"]["classpulse"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_container_port_matches_the_settings(compose: Any) -> None:
    port = ServeSettings().port
    assert re.search(rf"^EXPOSE {port}$", DOCKERFILE, re.MULTILINE)
    assert compose["services"]["classpulse"]["ports"] == [f"{port}:{port}"]


def test_container_files_contain_no_password() -> None:
    text = DOCKERFILE + (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"POSTGRES_PASSWORD:|://\w+:(?!PASSWORD)\w+@", text)
