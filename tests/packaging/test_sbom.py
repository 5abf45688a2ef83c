"""sbom.cdx.json lists what the demo installs: it agrees with setup.cfg, constraints.txt and the networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from model.networks import NETWORKS
from tests.packaging.requirements import (
    CONSTRAINTS,
    PROJECT,
    applies,
    constraints,
    environments,
    requirement_lists,
    requirements,
    resolved_on,
)

STALE = "run 'make sbom'"


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    read: dict[str, Any] = json.loads((PROJECT / "sbom.cdx.json").read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def environment(sbom: dict[str, Any]) -> dict[str, str]:
    """Markers of the environment of which it was made: Linux, and the Python version that it names."""
    (python,) = [one["value"] for one in sbom["metadata"]["properties"] if one["name"] == "classpulse:python"]
    return next(one for one in environments() if one["python_version"] == python)


def components(sbom: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in sbom["components"] if one["type"] == kind}


def test_sbom_packages_have_the_versions_in_constraints(sbom: dict[str, Any]) -> None:
    pinned = {(canonicalize_name(one.name), str(one.specifier)) for one in constraints()}
    listed = {(name, f"=={one['version']}") for name, one in components(sbom, "library").items()}
    assert not listed - pinned, STALE
    assert sbom["metadata"]["timestamp"].startswith(resolved_on(CONSTRAINTS).isoformat()), STALE


def test_sbom_lists_every_requirement_and_no_extra(sbom: dict[str, Any], environment: dict[str, str]) -> None:
    required = {
        canonicalize_name(one.name)
        for one in requirements(requirement_lists()[""])
        if applies(one, environment)
    }
    listed = set(components(sbom, "library"))
    assert not required - listed, STALE
    assert not {"tensorflow", "pytest", "mediapipe", "uv", "pip"} & listed
    assert all(one["purl"].startswith("pkg:pypi/") for one in components(sbom, "library").values())


def test_sbom_lists_the_bundled_networks(sbom: dict[str, Any]) -> None:
    listed = components(sbom, "machine-learning-model")
    assert set(listed) == {one.file for one in NETWORKS}, STALE
    for network in NETWORKS:
        entry = listed[network.file]
        assert entry["hashes"] == [{"alg": "SHA-256", "content": network.sha256}], STALE
        assert entry["licenses"] == [{"license": {"id": network.licence}}], STALE
        assert entry["version"] == network.version, STALE


def test_sbom_names_no_path_and_no_host_of_its_maker(sbom: dict[str, Any]) -> None:
    text = json.dumps({**sbom, "$schema": ""})
    assert "file://" not in text
    assert str(Path.home()) not in text
