"""What produced the numbers of a report: versions, sampling, policy."""

from __future__ import annotations

from collections.abc import Mapping

from db.records import SessionRecord


def method(session: SessionRecord) -> tuple[tuple[str, str], ...]:
    """Rows of (name, value) for the end of the report; what was not recorded has no row."""
    rows = [(_words(name), str(value)) for name, value in session.versions.items()]
    rows += [
        ("session", f"{session.id}, from {session.source}"),
        ("pictures looked at", f"{session.frames_sampled}, {session.frames_dropped} dropped"),
        ("length of a bin", f"{session.bin_s:g} s"),
    ]
    policy = session.settings.get("policy")
    if isinstance(policy, Mapping):
        told = [f"{_words(name)} {value}" for name, value in policy.items() if value is not None]
        rows.append(("policy", "; ".join(told)))
    return tuple(rows)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
