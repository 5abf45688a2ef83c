"""How the numbers of a report were produced: versions, model metrics, sampling, corrections, policy."""

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
    "head_pose": N_("heads"),
    "eyes": N_("eyes"),
    "jurisdiction": N_("jurisdiction"),
    "age_group": N_("age group"),
    "legal_basis": N_("legal basis"),
    "recorded_by": N_("recorded by"),
    "recorded_on": N_("recorded on"),
    "mode": N_("mode"),
}
"""Names of versions and policy fields; an unlisted name is shown without underscores."""

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
"""Texts of stored values; an unlisted value is shown unchanged."""

_MODEL_METRICS = ("accuracy", "sad_recall", "sad_precision", "neutral_called_sad")


def method_rows(
    session: SessionRecord, corrections: Sequence[CorrectionRecord] = ()
) -> tuple[tuple[str, str], ...]:
    """Rows (name, value) for the end of the report; unrecorded facts have no row."""
    rows = [(_name(name), str(value)) for name, value in session.versions.items()]
    run = _(
        "%(number)s, %(status)s, from %(source)s",
        number=session.id,
        status=_value(session.status.value),
        source=_value(session.source),
    )
    frames = _(
        "%(sampled)s, %(dropped)s dropped", sampled=session.frames_sampled, dropped=session.frames_dropped
    )
    rows += [
        (_("session"), run),
        (_("mode"), session.mode),
        (_("analysed frames"), frames),
        (_("time step"), f"{format_decimal(session.bin_s)} s"),
    ]
    if corrections:
        rows.append((_("manual corrections"), "; ".join(map(describe_correction, corrections))))
    return (*rows, *_policy_rows(session))


def describe_model_metrics(session: SessionRecord) -> str | None:
    """The model metrics stored with the session (``model.export.model_info``), in words; None without
    them."""
    try:
        stored = session.settings["model"]
        scores = stored["scores"]
        accuracy, recall, precision, wrongly = (float(scores[name]) for name in _MODEL_METRICS)
        return _(
            "On %(faces)s faces that it was not trained on, the model (%(name)s) agreed with the majority of "
            "ten people in %(accuracy)s of the cases. It found %(recall)s of the faces that they call sad; "
            "of the faces that it calls sad, they call %(precision)s sad too; it calls %(wrongly)s of the "
            "faces that they call neutral sad.",
            faces=int(scores["faces"]),
            name=stored["name"],
            accuracy=format_percent(accuracy),
            recall=format_percent(recall),
            precision=format_percent(precision),
            wrongly=format_percent(wrongly),
        )
    except (KeyError, TypeError, ValueError):
        return None


def _policy_rows(session: SessionRecord) -> list[tuple[str, str]]:
    policy = session.settings.get("policy")
    if not isinstance(policy, Mapping):
        return []
    parts = [f"{_name(name)} {_value(value)}" for name, value in policy.items() if value is not None]
    return [(_("policy"), "; ".join(parts))] if parts else []


def _name(stored: object) -> str:
    name = str(stored)
    return translate_word(_ROW_NAMES[name]) if name in _ROW_NAMES else name.replace("_", " ")


def _value(stored: object) -> str:
    value = str(stored)
    return translate_word(_VALUE_TEXTS[value]) if value in _VALUE_TEXTS else value
