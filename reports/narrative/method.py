"""What produced the numbers of a report: versions, how right the model is, sampling, corrections, policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from db.records import CorrectionRecord, SessionRecord
from reports.narrative.corrections import describe_correction
from reports.text.formatting import format_decimal, format_percent
from reports.text.i18n import N_, _, translate_word

_ROW_NAMES = {
    "classpulse": "classpulse",
    "model": N_("model"),
    "detector": N_("detector"),
    "heads": N_("heads"),
    "eyes": N_("eyes"),
    "jurisdiction": N_("jurisdiction"),
    "age_group": N_("age group"),
    "legal_basis": N_("legal basis"),
    "recorded_by": N_("recorded by"),
    "recorded_on": N_("recorded on"),
    "mode": N_("mode"),
}
"""Names of versions and of a policy's parts; another is told as it is, without its underscores."""

_VALUE_TEXTS = {
    "adults": N_("adults"),
    "minors": N_("minors"),
    "mixed": N_("mixed"),
    "consent": N_("consent"),
    "public_task": N_("public_task"),
    "legitimate_interest": N_("legitimate_interest"),
    "research": N_("research"),
    "medical": N_("medical"),
    "safety": N_("safety"),
    "finished": N_("finished"),
    "interrupted": N_("interrupted"),
    "running": N_("running"),
    "online lesson": N_("online lesson"),
}
"""Stored words that a reader is told in their language."""

_MODEL_METRICS = ("accuracy", "sad_recall", "sad_precision", "neutral_called_sad")


def method_rows(
    session: SessionRecord, corrections: Sequence[CorrectionRecord] = ()
) -> tuple[tuple[str, str], ...]:
    """Rows of (name, value) for the end of the report; what was not recorded has no row."""
    rows = [(_name(name), str(value)) for name, value in session.versions.items()]
    ran = _(
        "%(number)s, %(status)s, from %(source)s",
        number=session.id,
        status=_value(session.status.value),
        source=_value(session.source),
    )
    pictures = _(
        "%(sampled)s, %(dropped)s dropped", sampled=session.frames_sampled, dropped=session.frames_dropped
    )
    rows += [
        (_("session"), ran),
        (_("mode"), session.mode),
        (_("pictures looked at"), pictures),
        (_("length of a bin"), f"{format_decimal(session.bin_s)} s"),
    ]
    if corrections:
        rows.append(
            (_("who is who, corrected by hand"), "; ".join(describe_correction(one) for one in corrections))
        )
    return (*rows, *_policy_rows(session))


def describe_model_metrics(session: SessionRecord) -> str | None:
    """What the session's record keeps of how right its model is (``model.export.model_info``), in words; None where it
    keeps nothing."""
    try:
        kept = session.settings["model"]
        card = kept["scores"]
        accuracy, recall, precision, wrongly = (float(card[name]) for name in _MODEL_METRICS)
        return _(
            "On %(faces)s faces that it had not learnt from, the model (%(name)s) named what most of ten "
            "people saw in %(accuracy)s. Of the faces they call sad it found %(recall)s, of those that it "
            "called sad %(precision)s were, and of those they call neutral it called %(wrongly)s sad.",
            faces=int(card["faces"]),
            name=kept["name"],
            accuracy=format_percent(accuracy),
            recall=format_percent(recall),
            precision=format_percent(precision),
            wrongly=format_percent(wrongly),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _policy_rows(session: SessionRecord) -> list[tuple[str, str]]:
    kept = session.settings.get("policy")
    if not isinstance(kept, Mapping):
        return []
    parts = [f"{_name(name)} {_value(value)}" for name, value in kept.items() if value is not None]
    return [(_("policy"), "; ".join(parts))] if parts else []


def _name(stored: object) -> str:
    name = str(stored)
    return translate_word(_ROW_NAMES[name]) if name in _ROW_NAMES else name.replace("_", " ")


def _value(stored: object) -> str:
    value = str(stored)
    return translate_word(_VALUE_TEXTS[value]) if value in _VALUE_TEXTS else value
