"""What produced the numbers of a report: versions, sampling, corrections, policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.records import CorrectionRecord, SessionRecord
from reports.corrections import told


def method(
    session: SessionRecord, corrections: Sequence[CorrectionRecord] = ()
) -> tuple[tuple[str, str], ...]:
    """Rows of (name, value) for the end of the report; what was not recorded has no row."""
    rows = [(_words(name), str(value)) for name, value in session.versions.items()]
    rows += [
        ("session", f"{session.id}, from {session.source}"),
        ("pictures looked at", f"{session.frames_sampled}, {session.frames_dropped} dropped"),
        ("length of a bin", f"{session.bin_s:g} s"),
    ]
    if corrections:
        rows.append(("who is who, corrected by hand", "; ".join(told(one) for one in corrections)))
    policy = session.settings.get("policy")
    if isinstance(policy, Mapping):
        parts = [f"{_words(name)} {value}" for name, value in policy.items() if value is not None]
        rows.append(("policy", "; ".join(parts)))
    return tuple(rows)


def _words(name: object) -> str:
    return str(name).replace("_", " ")
