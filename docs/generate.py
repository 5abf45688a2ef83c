"""Reference pages from the code: settings, commands, exit codes, metrics, JSON, database tables and states.

MkDocs calls ``on_page_markdown`` for each page and replaces each line ``<!-- generate: NAME -->`` by the
Markdown that ``GENERATORS[NAME]`` returns. What the code does not describe is described in
``docs/reference/descriptions.yml``; ``tests/docs`` fails if something has no description at all.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from classpulse.cli.examples import EXAMPLES
from classpulse.cli.exit_codes import INTERRUPTED
from classpulse.cli.exit_codes import exit_codes as all_exit_codes
from classpulse.cli.main import cli
from classpulse.config.settings import Settings
from classpulse.config.template import render_config
from db.schema import Base
from monitor.daemon.metrics import collect_metrics
from monitor.daemon.status import DaemonStatus
from monitor.session.state import TRANSITIONS as SESSION_TRANSITIONS
from monitor.sources.camera_state import TRANSITIONS as CAMERA_TRANSITIONS

DOCS = Path(__file__).resolve().parent
SCHEMA = DOCS.parent / "reports" / "report.schema.json"

_MARKER = re.compile(r"^<!-- generate: ([\w-]+) -->$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """One documented thing. ``name`` is what a user writes or reads, ``kind`` its type, default and bounds
    in words, ``text`` its description, empty where there is none."""

    name: str
    kind: str
    text: str


@cache
def descriptions() -> dict[str, dict[str, str]]:
    """``descriptions.yml``: section -> name -> description."""
    text = (DOCS / "reference" / "descriptions.yml").read_text("utf-8")
    return dict(YAML(typ="safe").load(text))


def _described(section: str, name: str, text: str | None = None) -> str:
    """The description of ``descriptions.yml``, else ``text``."""
    return descriptions().get(section, {}).get(name) or " ".join((text or "").split())


# Settings


def settings() -> list[Entry]:
    """Every setting of ``config.yaml``, in its order. ``rooms[].name`` is that of an entry of a list."""
    schema = Settings.model_json_schema(by_alias=True)
    comments = _comments(render_config(Settings()))
    return [
        Entry(name, kind, _described("settings", name, text or comments.get(name)))
        for name, kind, text in _leaves(schema, schema, "")
    ]


def _leaves(node: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """Name, type and description of each setting below a section of the JSON schema."""
    for key, value in node["properties"].items():
        name = f"{prefix}{key}"
        parts = [_resolved(part, root) for part in value.get("anyOf", [value])]
        section = next((part for part in parts if "properties" in part), None)
        item = _resolved(parts[0].get("items", {}), root)
        if name in {"schedule.holidays"}:
            yield name, "list of days and ranges; default `[]`", value.get("description", "")
        elif section is not None:
            yield from _leaves(section, root, f"{name}.")
        elif "properties" in item:
            yield name, "list; default `[]`", value.get("description", "")
            yield from _leaves(item, root, f"{name}[].")
        else:
            required = key in node.get("required", [])
            yield name, _kind(value, parts, root, required=required), value.get("description", "")


def _resolved(part: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The definition behind a ``$ref``, with what stands beside it."""
    if "$ref" not in part:
        return part
    target: Any = root
    for step in part["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return {**target, **{key: value for key, value in part.items() if key != "$ref"}}


_BOUNDS = {
    "minimum": "≥ {:g}",
    "exclusiveMinimum": "> {:g}",
    "maximum": "≤ {:g}",
    "exclusiveMaximum": "< {:g}",
    "maxLength": "at most {} characters",
}


def _kind(
    value: Mapping[str, Any], parts: list[Mapping[str, Any]], root: Mapping[str, Any], *, required: bool
) -> str:
    """A type with its bounds and its default, in words."""
    words = ", ".join(dict.fromkeys(filter(None, (_type(part, root) for part in parts))))
    if required:
        return f"{words}; required"
    return f"{words}; default `{json.dumps(value['default'])}`" if "default" in value else words


def _type(part: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    if part.get("type") == "null":
        return ""
    if "enum" in part:
        return " or ".join(f"`{one}`" for one in part["enum"])
    if part.get("type") == "array":
        return f"list of {_type(_resolved(part.get('items', {}), root), root)}"
    names = {"number": "number", "integer": "integer", "boolean": "`true` or `false`", "string": "text"}
    formats = {"path": "path", "date": "day", "time": "time of day"}
    words = formats.get(part.get("format", ""), names.get(part.get("type", ""), "value"))
    bounds = " and ".join(text.format(part[key]) for key, text in _BOUNDS.items() if key in part)
    return f"{words} {bounds}" if bounds else words


def _comments(text: str) -> dict[str, str]:
    """The comments of ``config.yaml`` by setting: behind a value, or named in the block above a section."""
    found: dict[str, str] = {}
    section, block = "", list[str]()
    for line in text.splitlines():
        if head := re.match(r"(?:# )?(\w+):", line):
            section = head[1]
            found.update(_named(section, block))
            if not line.startswith("#") and line.partition(":")[2].strip():
                found[section] = block[0].lstrip("# ") if block else ""
            block = []
        elif line.startswith("#"):
            block.append(line)
        elif value := re.match(r"  (\w+): .*?\s+# (.+)$", line):
            found[f"{section}.{value[1]}"] = value[2]
    return found


def _named(section: str, block: list[str]) -> dict[str, str]:
    """The entries of a block such as ``#   jurisdiction  EU, or a country code``."""
    found: dict[str, str] = {}
    last = ""
    for line in block:
        if entry := re.match(r"#   (\w+)\s{2,}(.+)", line):
            last = f"{section}.{entry[1]}"
            found[last] = entry[2]
        elif last and (more := re.match(r"#\s{6,}(.+)", line)):
            found[last] += f" {more[1]}"
    return found


# Commands


@dataclass(frozen=True)
class Command:
    """A command with its path ("classpulse seats create"), usage line, help and parameters."""

    path: str
    usage: str
    text: str
    parameters: list[Entry]


def commands() -> list[Command]:
    """Every command that the help lists, groups before their commands."""
    return list(_commands(cli, ["classpulse"]))


def _commands(command: click.Command, path: list[str]) -> Iterator[Command]:
    context = click.Context(command, info_name=" ".join(path))
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    text = (command.help or "").replace("\b", "").strip()
    name = " ".join(path)
    yield Command(
        name,
        usage,
        _described("commands", name, text),
        [_parameter(one, context, name) for one in command.params if not getattr(one, "hidden", False)],
    )
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            child = command.get_command(context, sub)
            if child is not None and not child.hidden:
                yield from _commands(child, [*path, sub])


def _parameter(parameter: click.Parameter, context: click.Context, command: str) -> Entry:
    """An option with its help; an argument with what ``descriptions.yml`` has for its name, because click
    keeps no help of arguments. ``parameters`` there is for one command alone."""
    if isinstance(parameter, click.Option):
        name, text = ", ".join(parameter.opts), parameter.help
    else:
        name = parameter.make_metavar(context).strip("[]")
        text = _described("arguments", name)
    return Entry(name, _option_kind(parameter), _described("parameters", f"{command} {name}", text))


def _option_kind(parameter: click.Parameter) -> str:
    kind = parameter.type
    if getattr(parameter, "is_flag", False):
        return "flag"
    if isinstance(kind, click.Choice):
        words = " or ".join(f"`{getattr(one, 'value', one)}`" for one in kind.choices)
    elif isinstance(kind, click.IntRange | click.FloatRange):
        words = f"{kind.name.removesuffix(' range')} {_range(kind)}"
    elif isinstance(kind, click.Tuple):
        words = " and ".join(f"{one.name.removesuffix(' range')}" for one in kind.types)
    else:
        words = {"text": "text", "path": "path", "datetime": "day"}.get(kind.name, kind.name)
    if parameter.multiple if isinstance(parameter, click.Option) else False:
        words += "; repeatable"
    default = parameter.default
    if parameter.required and isinstance(parameter, click.Option):
        return f"{words}; required"
    shown = default.value if isinstance(default, Enum) else default
    if isinstance(shown, str | int | float | Path) and not isinstance(shown, bool) and str(shown):
        return f"{words}; default `{shown}`"
    return words


def _range(kind: click.IntRange | click.FloatRange) -> str:
    low = "" if kind.min is None else f"{'>' if kind.min_open else '≥'} {kind.min:g}"
    high = "" if kind.max is None else f"{'<' if kind.max_open else '≤'} {kind.max:g}"
    return ", ".join(filter(None, (low, high)))


# Exit codes


def exit_codes() -> list[Entry]:
    """Every exit code of the command line; ``kind`` names the errors that lead to it."""
    by_code: dict[int, list[str]] = {0: [], 1: [], 2: [], 3: [], INTERRUPTED: []}
    for error, code in all_exit_codes():
        by_code.setdefault(code, []).append(f"`{error.__name__}`")
    return [
        Entry(str(code), ", ".join(errors), _described("exit_codes", str(code)))
        for code, errors in sorted(by_code.items())
    ]


# Metrics


def metric_entries() -> list[Entry]:
    """Every metric of ``/metrics``; ``kind`` is gauge or counter, with its labels."""
    found = []
    for family in collect_metrics(_example(DaemonStatus)):
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = sorted({label for sample in family.samples for label in sample.labels})
        kind = family.type + (f", label `{'`, `'.join(labels)}`" if labels else "")
        found.append(Entry(name, kind, _described("metrics", name, family.documentation)))
    return found


_VALUES: dict[Any, Any] = {
    int: 1,
    float: 1.0,
    str: "text",
    bool: True,
    datetime: datetime(2026, 3, 2, 9, tzinfo=UTC),
}


def _example(kind: Any) -> Any:
    """A value of a type in which nothing is missing."""
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _example(parts[0])
    if origin is tuple:
        return (_example(parts[0]),)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        values = {one.name: _example(hints[one.name]) for one in dataclasses.fields(kind)}
        return typing.cast(Any, kind)(**values)
    return next(iter(kind)) if issubclass(kind, Enum) else _VALUES[kind]


# JSON


def status_keys() -> list[Entry]:
    """Every key of ``classpulse status --json``; ``recordings[].room`` is that of an entry of a list."""
    schema = TypeAdapter(DaemonStatus).json_schema(mode="serialization")
    return [Entry(name, kind, _described("status", name)) for name, kind in _keys(schema, schema, "")]


def _keys(node: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in node["properties"].items():
        parts = [_resolved(part, root) for part in value.get("anyOf", [value])]
        null = " or null" if any(part.get("type") == "null" for part in parts) else ""
        part = parts[0]
        item = _resolved(part.get("items", {}), root)
        if "properties" in part:
            yield f"{prefix}{key}", f"object{null}"
            yield from _keys(part, root, f"{prefix}{key}.")
        elif "properties" in item:
            yield f"{prefix}{key}", f"list of objects{null}"
            yield from _keys(item, root, f"{prefix}{key}[].")
        else:
            moment = part.get("format") == "date-time"
            yield f"{prefix}{key}", ("time, ISO 8601" if moment else _type(part, root)) + null


def report_keys() -> list[Entry]:
    """Every member of a report as JSON, from ``reports/report.schema.json``."""
    root = json.loads(SCHEMA.read_text("utf-8"))
    return list(_members(root, root, ""))


def _members(node: Mapping[str, Any], root: Mapping[str, Any], prefix: str) -> Iterator[Entry]:
    for key, value in node.get("properties", {}).items():
        part = _resolved(value, root)
        name = f"{prefix}{key}"
        yield Entry(name, _json_type(part), " ".join(part.get("description", "").split()))
        inner = [_resolved(one, root) for one in part.get("anyOf", part.get("oneOf", [part]))]
        for one in inner:
            yield from _members(one, root, f"{name}.")
            yield from _members(_resolved(one.get("items", {}), root), root, f"{name}[].")


def _json_type(part: Mapping[str, Any]) -> str:
    if "anyOf" in part or "oneOf" in part:
        return " or ".join(dict.fromkeys(map(_json_type, part.get("anyOf", part.get("oneOf")))))
    if "enum" in part:
        return " or ".join(f"`{json.dumps(one)}`" for one in part["enum"])
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    kind = part.get("type", "object")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


# Database


def tables() -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Every table with its description and its columns (name, type)."""
    classes = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    found = []
    for table in sorted(Base.metadata.tables.values(), key=lambda one: one.name):
        text = _described("tables", table.name, classes[table].__doc__)
        columns = []
        for column in table.columns:
            targets = "".join(f", → `{key.target_fullname}`" for key in column.foreign_keys)
            null = ", null" if column.nullable else ""
            columns.append((column.name, f"{_sql_type(column.type)}{null}{targets}"))
        found.append((table.name, text, columns))
    return found


def _sql_type(kind: Any) -> str:
    return type(getattr(kind, "impl_instance", kind)).__name__.lower()


# State machines


def transitions(table: Mapping[Any, Enum]) -> list[tuple[str, list[str], str]]:
    """State, the events that lead to the same next state, and that state."""
    found: dict[tuple[str, str], list[str]] = {}
    for (state, event), after in table.items():
        found.setdefault((str(state.value), str(after.value)), []).append(str(event.value))
    order = list(dict.fromkeys(str(state.value) for state, _ in table))
    rows = sorted(found.items(), key=lambda row: order.index(row[0][0]))
    return [(state, events, after) for (state, after), events in rows]


# Markdown


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", text.replace("``", "`"))


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in lines)


def _entries(entries: list[Entry], name: str, kind: str, prefix: str = "") -> str:
    rows: list[tuple[str, ...]] = [
        (f"`{one.name.removeprefix(prefix)}`", one.kind, one.text) for one in entries
    ]
    return _table((name, kind, "Description"), rows)


def _settings_page() -> str:
    """One table a section."""
    parts = []
    entries = settings()
    for section in dict.fromkeys(re.split(r"[.\[]", one.name)[0] for one in entries):
        own = [one for one in entries if re.split(r"[.\[]", one.name)[0] == section]
        parts += [f"## {section}", "", _entries(own, "Setting", "Type and default", f"{section}."), ""]
    return "\n".join(parts)


def _commands_page() -> str:
    parts = []
    for one in commands():
        parts += [f"## {one.path}", "", one.text, "", "```", one.usage, "```", ""]
        if one.parameters:
            parts += [_entries(one.parameters, "Parameter", "Value"), ""]
        if examples := EXAMPLES.get(one.path.removeprefix("classpulse ")):
            parts += ["Examples:", "", "```bash", *examples, "```", ""]
    return "\n".join(parts)


def _database_page() -> str:
    parts = []
    for name, text, columns in tables():
        rows: list[tuple[str, ...]] = [(f"`{column}`", kind) for column, kind in columns]
        parts += [f"## {name}", "", text.replace("``", "`"), "", _table(("Column", "Type"), rows), ""]
    return "\n".join(parts)


def _exit_code_page() -> str:
    rows: list[tuple[str, ...]] = [(one.name, one.text, one.kind) for one in exit_codes()]
    return _table(("Code", "Meaning", "Errors"), rows)


def _state_page(table: Mapping[Any, Enum]) -> str:
    rows: list[tuple[str, ...]] = [
        (state, ", ".join(events), after) for state, events, after in transitions(table)
    ]
    return _table(("State", "Event", "Next state"), rows)


GENERATORS: dict[str, Callable[[], str]] = {
    "settings": _settings_page,
    "commands": _commands_page,
    "exit-codes": _exit_code_page,
    "metrics": lambda: _entries(metric_entries(), "Metric", "Type"),
    "status": lambda: _entries(status_keys(), "Key", "Type"),
    "report": lambda: _entries(report_keys(), "Member", "Type"),
    "database": _database_page,
    "camera-states": lambda: _state_page(CAMERA_TRANSITIONS),
    "session-states": lambda: _state_page(SESSION_TRANSITIONS),
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs hook: the page with each marker replaced. Raises KeyError for an unknown name."""
    return _MARKER.sub(lambda found: GENERATORS[found[1]](), markdown)
