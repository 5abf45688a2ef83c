"""Command lines, options and modules that the documentation names exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from docs import generate

PROJECT = Path(generate.__file__).resolve().parents[1]
PAGES = [*sorted((PROJECT / "docs").rglob("*.md")), PROJECT / "README.md", PROJECT / "CONTRIBUTING.md"]
COMMANDS = {
    one.path: {name for each in one.parameters for name in each.name.split(", ")}
    for one in generate.commands()
}
GROUPS = {path.rpartition(" ")[0] for path in COMMANDS}


def command_lines(text: str) -> list[str]:
    """What begins with ``classpulse`` in code, inline or in a block; diagrams (``text``) are left out."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    shell = "\n".join(block for language, block in blocks if language != "text")
    inline = re.findall(r"(?<!`)`(classpulse [^`\n]+)`", text)
    return inline + re.findall(r"^(?:\$ | +)?(classpulse [^\n#]+)", shell, re.MULTILINE)


def problem(line: str) -> str | None:
    """Why the program would reject the command or its options; None if it would not."""
    words = shlex.split(line, comments=True)[1:]
    path, known = "classpulse", {"-h", "--help", *COMMANDS["classpulse"]}
    while words and path in GROUPS:
        if words[0] == "--config":
            words = words[2:]
        elif words[0].startswith("-"):
            words = words[1:]
        elif f"{path} {words[0]}" in COMMANDS:
            path, words = f"{path} {words[0]}", words[1:]
            known |= COMMANDS[path]
        else:
            return f"{line}: there is no such command"
    unknown = [word for word in words if word.startswith("--") and word not in known]
    return f"{line}: there is no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda one: str(one.relative_to(PROJECT)))
def test_command_lines_exist(page: Path) -> None:
    lines = command_lines(page.read_text("utf-8"))
    assert [found for line in lines if (found := problem(line))] == []


@pytest.mark.parametrize("line", ["classpulse sets", "classpulse seats x", "classpulse sessions --clas x"])
def test_a_wrong_command_line_would_be_found(line: str) -> None:
    assert problem(line)


def test_a_right_command_line_is_accepted() -> None:
    assert problem('classpulse --config a.yaml sessions --class "Math 7B"  # newest first') is None
    assert len([line for page in PAGES for line in command_lines(page.read_text("utf-8"))]) > 100


@pytest.mark.parametrize("page", PAGES, ids=lambda one: str(one.relative_to(PROJECT)))
def test_modules_exist(page: Path) -> None:
    named = re.findall(
        r"(?<![\w/.])((?:monitor|db|reports|model|classpulse|benchmarks)(?:\.\w+)+)", page.read_text("utf-8")
    )
    files = {
        "yaml",
        "db",
        "py",
        "md",
        "csv",
        "json",
        "html",
        "pdf",
        "schema",
        "plist",
        "service",
        "exe",
        "example",
        "cfg",
    }
    modules = [one for one in named if one.rpartition(".")[2] not in files]

    def exists(name: str) -> bool:
        path = PROJECT.joinpath(*name.split("."))
        return path.is_dir() or path.with_suffix(".py").exists()

    assert [one for one in modules if not exists(one)] == []


def test_files_that_the_project_names_exist() -> None:
    """Pages of the documentation that code, settings and container files point to."""
    sources = [
        one
        for pattern in ("*.py", "*.j2", "*.json", "*.yaml", "Dockerfile")
        for one in PROJECT.rglob(pattern)
        # Hidden folders are environments and caches: .venv, .nox, .git.
        if not {"build", "docs", "node_modules"} & set(one.relative_to(PROJECT).parts[:-1])
        and not any(part.startswith(".") for part in one.relative_to(PROJECT).parts[:-1])
    ]
    named = {
        found
        for one in sources
        for found in re.findall(r"docs/[\w/-]+\.(?:md|svg)", one.read_text("utf-8", "replace"))
    }
    assert {one for one in named if not (PROJECT / one).exists()} == set()
