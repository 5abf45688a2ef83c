"""A class or public function name means one thing in the whole project."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PACKAGES = ("classpulse", "monitor", "reports", "model", "db")


def public_names(source: str) -> Iterator[str]:
    """Yield the names of the public classes and functions that a module defines at its top level."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node.name


def duplicates(sources: dict[str, str]) -> dict[str, list[str]]:
    """Return the names that more than one module defines, with those modules."""
    modules = defaultdict(list)
    for module, source in sources.items():
        for name in set(public_names(source)):
            modules[name].append(module)
    return {name: sorted(found) for name, found in modules.items() if len(found) > 1}


def test_duplicates_same_class_and_function_in_two_modules_are_listed() -> None:
    one, other = (
        "class Camera: ...\ndef run(): ...\ndef _private(): ...\n",
        "def Camera(): ...\nclass Other: ...\n",
    )
    assert duplicates({"a": one, "b": other, "c": "def _private(): ..."}) == {"Camera": ["a", "b"]}


def test_project_each_public_name_is_defined_once() -> None:
    sources = {
        path.relative_to(PROJECT).as_posix(): path.read_text("utf-8")
        for package in PACKAGES
        for path in (PROJECT / package).rglob("*.py")
        if "versions" not in path.parts  # each Alembic revision defines `upgrade`
    }
    assert duplicates(sources) == {}
