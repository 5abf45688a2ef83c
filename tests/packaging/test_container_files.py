"""The files of the container say what the rest of the project says; no engine is needed to see that."""

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


def test_opencv_is_of_the_version_that_is_asked_for(setup: ConfigParser) -> None:
    (wanted,) = re.findall(r"^opencv-python ==(\S+)", setup["options"]["install_requires"], re.MULTILINE)
    assert f"opencv-contrib-python-headless=={wanted}" in DOCKERFILE


def test_all_that_is_installed_reaches_the_builder(setup: ConfigParser) -> None:
    let_in = set(
        re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    )
    packages = {one.strip().rstrip("*") for one in setup["options.packages.find"]["include"].split(",")}
    assert packages <= let_in
    assert {"pyproject.toml", "setup.cfg", "README.md", "LICENSE"} <= let_in
    assert all((PROJECT / one).exists() for one in let_in)


def test_what_is_left_out_is_nothing_that_we_ask_for(setup: ConfigParser) -> None:
    asked = {
        re.split(r"[ ;=<>]", line)[0].lower().replace("_", "-")
        for line in setup["options"]["install_requires"].splitlines()
        if line and not line.startswith("#")
    }
    lines = re.findall(r"pip uninstall --yes ([\w -]+?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    left_out = {name for line in lines for name in line.split()}
    assert {"jax", "jaxlib"} <= left_out
    assert left_out & asked == {"opencv-python", "opencv-contrib-python"}, (
        "the headless one is in their place"
    )


def test_it_runs_without_rights_and_by_commands_that_there_are(compose: Any) -> None:
    last = DOCKERFILE.split("FROM ")[-1]
    assert re.search(r"^USER classpulse$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["classpulse"]' in last
    assert 'CMD ["serve"]' in last
    assert {"serve", "health"} <= set(COMMANDS)
    service = compose["services"]["classpulse"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


def test_the_port_is_the_settings(compose: Any) -> None:
    port = ServeSettings().port
    assert re.search(rf"^EXPOSE {port}$", DOCKERFILE, re.MULTILINE)
    assert compose["services"]["classpulse"]["ports"] == [f"{port}:{port}"]


def test_no_password_is_in_the_files() -> None:
    text = DOCKERFILE + (PROJECT / "compose.yaml").read_text(encoding="utf-8")
    assert not re.search(r"POSTGRES_PASSWORD:|://\w+:(?!PASSWORD)\w+@", text)
