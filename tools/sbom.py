"""Write the software bill of materials (CycloneDX 1.6, JSON) of what an environment has of Classpulse.

    python tools/sbom.py .venv sbom.cdx.json

It lists Classpulse, the installed packages that it requires, directly or not, and the bundled networks with
their hashes. It is reproducible: its time is the day on which ``constraints.txt`` was resolved, and its
serial number follows from its content. It is validated against the schema before it is written. ``make sbom``
runs this module in the environment of the maintainers' tools.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from model.networks import NETWORKS

PROJECT = Path(__file__).parents[1]
ROOT = "classpulse"
LONGEST_LICENCE_NAME = 60
"""Some packages have the whole text of their licence in the field of its name."""


def installed(venv: Path) -> tuple[str, dict[str, Distribution]]:
    """Return the full Python version of ``venv``, and its packages by canonical name."""
    (version,) = re.findall(r"^version = (\S+)$", (venv / "pyvenv.cfg").read_text("utf-8"), re.MULTILINE)
    (site,) = venv.glob("lib/python3.*/site-packages")
    found: dict[str, Distribution] = {
        canonicalize_name(one.metadata["Name"]): one for one in distributions(path=[str(site)])
    }
    return version, found


def requirements(package: Distribution, extras: Iterable[str], python: str) -> Iterator[Requirement]:
    """Yield what ``package`` requires with ``extras`` on this platform and the given full Python version."""
    environment = {"python_version": python.rpartition(".")[0], "python_full_version": python}
    for line in package.requires or ():
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**environment, "extra": one}) for one in ("", *extras)):
            yield requirement


def dependency_graph(packages: dict[str, Distribution], python: str) -> dict[str, set[str]]:
    """Return the packages that Classpulse requires, directly or not, each with what it requires itself."""
    graph: dict[str, set[str]] = {}
    waiting: list[tuple[str, frozenset[str]]] = [(ROOT, frozenset())]
    visited = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in visited:
            continue
        visited.add((name, extras))
        needed = graph.setdefault(name, set())
        for requirement in requirements(packages[name], extras, python):
            required = canonicalize_name(requirement.name)
            needed.add(required)
            waiting.append((required, frozenset(requirement.extras)))
    return graph


def licences(package: Distribution) -> list[License]:
    """Return the licence in the metadata of ``package``: an SPDX expression, a name, or classifiers."""
    factory = LicenseFactory()
    metadata = package.metadata
    stated = (metadata.get_all("License-Expression") or metadata.get_all("License") or [""])[0]
    if stated and len(stated) <= LONGEST_LICENCE_NAME and "\n" not in stated:
        return [factory.make_from_string(stated)]
    classifiers = metadata.get_all("Classifier") or ()
    names = {one.split(" :: ")[-1] for one in classifiers if one.startswith("License :: ")}
    return [factory.make_with_name(one) for one in sorted(names - {"OSI Approved"})]


def package_component(package: Distribution, kind: ComponentType) -> Component:
    """Return the entry of an installed package."""
    name = canonicalize_name(package.metadata["Name"])
    purl = PackageURL("pypi", name=name, version=package.version)
    return Component(
        type=kind,
        name=name,
        version=package.version,
        bom_ref=str(purl),
        purl=None if name == ROOT else purl,  # Classpulse is not on PyPI
        licenses=licences(package),
    )


def network_components() -> list[Component]:
    """Return the entries of the bundled networks."""
    factory = LicenseFactory()
    return [
        Component(
            type=ComponentType.MACHINE_LEARNING_MODEL,
            name=one.file,
            version=one.version,
            bom_ref=f"network:{one.file}",
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)],
            licenses=[factory.make_from_string(one.licence)],
            external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(one.source))],
        )
        for one in NETWORKS
    ]


def resolved_at(constraints: str) -> datetime:
    """Return the day on which these constraints were resolved, from their header."""
    (day,) = re.findall(r"^# Resolved on (\d{4}-\d\d-\d\d) ", constraints, re.MULTILINE)
    return datetime.fromisoformat(day).replace(tzinfo=UTC)


def bill_of_materials(venv: Path) -> str:
    """Return the bill of materials of ``venv`` as JSON.

    Raises ``ValueError`` if it violates the schema.
    """
    python, packages = installed(venv)
    graph = dependency_graph(packages, python)
    components = {
        name: package_component(
            packages[name], ComponentType.APPLICATION if name == ROOT else ComponentType.LIBRARY
        )
        for name in sorted(graph)
    }
    networks = network_components()
    bom = Bom(components=[*(one for name, one in components.items() if name != ROOT), *networks])
    bom.metadata.component = components[ROOT]
    bom.metadata.timestamp = resolved_at((PROJECT / "constraints.txt").read_text("utf-8"))
    bom.metadata.properties.add(Property(name="classpulse:python", value=python.rpartition(".")[0]))
    for name, needed in graph.items():
        own = networks if name == ROOT else []
        bom.register_dependency(components[name], [*(components[one] for one in needed), *own])
    content = sorted(f"{one.bom_ref} {[str(each) for each in one.hashes]}" for one in bom.components)
    bom.serial_number = uuid5(NAMESPACE_URL, "\n".join(content))
    text: str = JsonV1Dot6(bom).output_as_string(indent=1)
    if error := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"the bill of materials violates the schema: {error}")
    return text + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("venv", type=Path)
    parser.add_argument("file", type=Path)
    arguments = parser.parse_args()
    arguments.file.write_text(bill_of_materials(arguments.venv), encoding="utf-8")
