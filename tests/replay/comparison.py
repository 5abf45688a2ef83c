"""Comparison of two trees of values, and their text form. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ABSENT = "(missing)"

LINE_CHARS = 300
"""Longest line: enough for the counts of a window or the figures of a lesson."""

Tolerances = Mapping[str, float]
"""Largest accepted difference of a number by the last word of its name: ``share`` applies to ``share`` and
``seen_share``. All other values must be equal."""

EXACT: Tolerances = {}


def differences(reference: Any, now: Any, tolerances: Tolerances, path: str = "") -> list[str]:
    """One line ``path: reference -> now`` per leaf that differs, is missing or is new.

    Numbers may differ by the tolerance of their name. List elements, and values whose keys are not quantities
    (``{"happy": 0.2}`` under ``expression_share``), use the tolerance of the parent.
    """
    return _differences(reference, now, tolerances, path, 0.0)


def _differences(reference: Any, now: Any, tolerances: Tolerances, path: str, tolerance: float) -> list[str]:
    if isinstance(reference, Mapping) and isinstance(now, Mapping):
        keys = sorted(reference.keys() | now.keys())
        pairs = [(str(key), reference.get(key, ABSENT), now.get(key, ABSENT)) for key in keys]
    elif isinstance(reference, list) and isinstance(now, list):
        longer = max(len(reference), len(now))
        padded = [values + [ABSENT] * (longer - len(values)) for values in (reference, now)]
        pairs = [(str(place), *both) for place, both in enumerate(zip(*padded, strict=True))]
    else:
        return [] if _equal(reference, now, tolerance) else [f"{path}: {_text(reference)} -> {_text(now)}"]
    return [
        line
        for key, before, after in pairs
        for line in _differences(
            before,
            after,
            tolerances,
            f"{path}/{key}" if path else key,
            tolerances.get(key.rpartition("_")[2], tolerance),
        )
    ]


def _equal(reference: Any, now: Any, tolerance: float) -> bool:
    if _is_number(reference) and _is_number(now):
        # A thousandth more: 0.95 - 0.90 is slightly more than 0.05 in binary.
        return abs(reference - now) <= 1.001 * tolerance
    return type(reference) is type(now) and bool(reference == now)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return ABSENT if value == ABSENT else json.dumps(value, ensure_ascii=False, sort_keys=True)


def to_text(tree: Any, indent: int = 0) -> str:
    """The tree as JSON with sorted keys; a value that fits on one line is not broken."""
    flat = json.dumps(tree, ensure_ascii=False, sort_keys=True)
    if not isinstance(tree, Mapping | list) or indent + len(flat) <= LINE_CHARS:
        return flat
    pad = "\n" + " " * (indent + 1)
    if isinstance(tree, list):
        return "[" + ",".join(pad + to_text(value, indent + 1) for value in tree) + pad[:-1] + "]"
    lines = [f"{pad}{json.dumps(key)}: {to_text(tree[key], indent + 1)}" for key in sorted(tree)]
    return "{" + ",".join(lines) + pad[:-1] + "}"
