"""What produced the numbers of a report: versions, sampling, corrections, policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from db.records import CorrectionRecord, SessionRecord
from reports.corrections import told

_ROWS = {"model": "model card", "policy": "policy"}


def method(
    session: SessionRecord, corrections: Sequence[CorrectionRecord] = ()
) -> tuple[tuple[str, str], ...]:
    """Rows of (name, value) for the end of the report; what was not recorded has no row."""
    rows = [(_words(name), str(value)) for name, value in session.versions.items()]
    rows += [
        *_of_settings(session, "model"),
        ("session", f"{session.id}, {session.status.value}, from {session.source}"),
        ("mode", session.mode),
        ("pictures looked at", f"{session.frames_sampled}, {session.frames_dropped} dropped"),
        ("length of a bin", f"{session.bin_s:g} s"),
    ]
    if corrections:
        rows.append(("who is who, corrected by hand", "; ".join(told(one) for one in corrections)))
    return (*rows, *_of_settings(session, "policy"))


def _of_settings(session: SessionRecord, key: str) -> list[tuple[str, str]]:
    """One row of what was kept under a key of the settings, if it is a mapping with anything in it."""
    kept = session.settings.get(key)
    if not isinstance(kept, Mapping):
        return []
    parts = [f"{_words(name)} {_value(value)}" for name, value in kept.items() if not _is_table(value)]
    return [(_ROWS[key], "; ".join(parts))] if parts else []


def _is_table(value: object) -> bool:
    """Whether it is nothing, or figures in rows, such as a confusion, which nobody reads here."""
    if isinstance(value, Mapping):
        return any(map(_is_table, value.values()))
    return value is None or (_is_rows(value) and any(map(_is_rows, value)))


def _is_rows(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _value(value: object) -> str:
    """Figures with four digits; what is inside of what, in brackets."""
    if isinstance(value, Mapping):
        return f"({'; '.join(f'{_words(name)} {_value(part)}' for name, part in value.items())})"
    if _is_rows(value):
        return ", ".join(map(_value, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
