"""What produced the numbers of a report: versions, how right the model is, sampling, corrections, policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.records import CorrectionRecord, SessionRecord
from reports.corrections import told
from reports.words import percent

_CARD = ("accuracy", "sad_recall", "sad_precision", "neutral_called_sad")


def method(
    session: SessionRecord, corrections: Sequence[CorrectionRecord] = ()
) -> tuple[tuple[str, str], ...]:
    """Rows of (name, value) for the end of the report; what was not recorded has no row."""
    rows = [(_words(name), str(value)) for name, value in session.versions.items()]
    rows += [
        ("session", f"{session.id}, {session.status.value}, from {session.source}"),
        ("mode", session.mode),
        ("pictures looked at", f"{session.frames_sampled}, {session.frames_dropped} dropped"),
        ("length of a bin", f"{session.bin_s:g} s"),
    ]
    if corrections:
        rows.append(("who is who, corrected by hand", "; ".join(told(one) for one in corrections)))
    return (*rows, *_policy(session))


def card_told(session: SessionRecord) -> str | None:
    """What the session's record keeps of how right its model is (``model.measured``), in words; None where it
    keeps nothing."""
    try:
        kept = session.settings["model"]
        card = kept["card"]
        accuracy, recall, precision, wrongly = (float(card[name]) for name in _CARD)
        return (
            f"On {int(card['faces'])} faces that it had not learnt from, the model ({kept['name']}) named "
            f"what most of ten people saw in {percent(accuracy)}. Of the faces they call sad it found "
            f"{percent(recall)}, of those that it called sad {percent(precision)} were, and of those they "
            f"call neutral it called {percent(wrongly)} sad."
        )
    except (KeyError, TypeError, ValueError):
        return None


def _policy(session: SessionRecord) -> list[tuple[str, str]]:
    kept = session.settings.get("policy")
    if not isinstance(kept, Mapping):
        return []
    parts = [f"{_words(name)} {value}" for name, value in kept.items() if value is not None]
    return [("policy", "; ".join(parts))] if parts else []


def _words(name: object) -> str:
    return str(name).replace("_", " ")
