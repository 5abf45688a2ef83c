"""The Dockerfile and compose.yaml agree with the rest of the project; no container engine is needed."""

from __future__ import annotations

import re
from configparser import ConfigParser
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


def test_dockerfile_opencv_version_matches_setup(setup: ConfigParser) -> None:
    (version,) = re.findall(r"^opencv-python ==(\S+)", setup["options"]["install_requires"], re.MULTILINE)
    assert f"opencv-contrib-python-headless=={version}" in DOCKERFILE


def test_dockerignore_admits_all_packages(setup: ConfigParser) -> None:
    admitted = set(
        re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    )
    packages = {one.strip().rstrip("*") for one in setup["options.packages.find"]["include"].split(",")}
    assert packages <= admitted
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE"} <= admitted
    assert all((PROJECT / one).exists() for one in admitted)


def test_dockerfile_removes_no_required_package(setup: ConfigParser) -> None:
    required = {
        re.split(r"[ ;=<>]", line)[0].lower().replace("_", "-")
        for line in setup["options"]["install_requires"].splitlines()
        if line and not line.startswith("#")
    }
    lines = re.findall(r"pip uninstall --yes ([\w -]+?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    removed = {name for line in lines for name in line.split()}
    assert {"jax", "jaxlib"} <= removed
    assert removed & required == {"opencv-python", "opencv-contrib-python"}, (
        "they are replaced by the headless package"
    )


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
