"""Numbers and labels for readers, in the current language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from model.emotions import Emotion
from reports.text.i18n import N_, Language, _, current_language, ngettext, translate_word

EMOTION_NOUNS: Mapping[Emotion, str] = {
    Emotion.ANGRY: N_("anger"),
    Emotion.DISGUST: N_("disgust"),
    Emotion.FEAR: N_("fear"),
    Emotion.HAPPY: N_("happiness"),
    Emotion.SAD: N_("sadness"),
    Emotion.SURPRISE: N_("surprise"),
    Emotion.NEUTRAL: N_("neutral"),
}
"""What an expression *resembles*; message IDs for ``emotion_noun``. An adjective would read as a finding
about the student."""

RESEMBLANCE_TEXTS: Mapping[Emotion, str] = {
    Emotion.ANGRY: N_("resembling anger"),
    Emotion.DISGUST: N_("resembling disgust"),
    Emotion.FEAR: N_("resembling fear"),
    Emotion.HAPPY: N_("resembling happiness"),
    Emotion.SAD: N_("resembling sadness"),
    Emotion.SURPRISE: N_("resembling surprise"),
    Emotion.NEUTRAL: N_("resembling neutral"),
}
"""Names of the figures of expressions; message IDs, and names in the JSON."""

EXPRESSION_TAGS: Mapping[Emotion, str] = {
    Emotion.ANGRY: N_("angry-like"),
    Emotion.DISGUST: N_("disgust-like"),
    Emotion.FEAR: N_("fear-like"),
    Emotion.HAPPY: N_("happy"),
    Emotion.SAD: N_("sad-like"),
    Emotion.SURPRISE: N_("surprised"),
    Emotion.NEUTRAL: N_("neutral"),
}
"""Tags beside faces in the live preview. The unpleasant ones are never plain adjectives, which would read
as findings about the student."""

REASON_TAGS: Mapping[str, tuple[str, str]] = {
    "too small": (N_("too small"), N_("too small")),
    "blurred": (N_("blurred"), N_("blurred")),
    "turned away": (N_("turned away"), N_("turned")),
    "occluded": (N_("face covered"), N_("covered")),
    "head bowed": (N_("head bowed"), N_("bowed")),
    "pose unknown": (N_("angle unknown"), N_("angle?")),
}
"""Long and short tag (for small faces) of each ``monitor.types.UnreadableReason`` of a seen face."""

FLAG_KIND_NAMES: Mapping[str, str] = {"sadness": N_("sadness"), "attention": N_("attention")}
"""The subject of a flag by ``FlagRecord.kind``."""

NBSP = "\u00a0"
"""No line break between a number and its unit."""

NO_VALUE = "–"
"""Printed for an unknown number, which is not zero."""


def expression_tag(emotion: Emotion, probability: float, *, short: bool = False) -> str:
    """``sad-like 62 %``, or ``sad-like`` if ``short``; ``probability`` 0..1."""
    tag = translate_word(EXPRESSION_TAGS[emotion])
    return tag if short else f"{tag}{NBSP}{format_percent(probability)}"


def reason_tag(reason: str, *, short: bool = False) -> str:
    """Why a face has no expression; an unlisted reason unchanged."""
    return translate_word(REASON_TAGS[reason][short]) if reason in REASON_TAGS else reason


def flag_kind_name(kind: str) -> str:
    """The subject of a flag, such as ``attention``; an unlisted kind unchanged but for underscores."""
    return translate_word(FLAG_KIND_NAMES[kind]) if kind in FLAG_KIND_NAMES else kind.replace("_", " ")


def emotion_noun(emotion: Emotion) -> str:
    """What an expression resembles, such as ``sadness``."""
    return translate_word(EMOTION_NOUNS[emotion])


def capitalise_first(text: str) -> str:
    """``text`` with a capital first letter; unlike ``str.capitalize``, the rest is unchanged (German
    nouns)."""
    return text[:1].upper() + text[1:]


def format_decimal(number: float) -> str:
    """``2.5``, ``2,5``; no more decimals than needed."""
    text = f"{number:g}"
    return text.replace(".", ",") if current_language() is Language.DE else text


def natural_sort_key(name: str) -> list[tuple[bool, int, str]]:
    """Sort key: case-insensitive, and "Student 9" before "Student 10"."""
    parts = re.findall(r"\d+|\D+", name.casefold())
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def format_media_time(seconds: float) -> str:
    """``75`` as ``1:15``, ``3675`` as ``1:01:15``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_duration(seconds: float) -> str:
    """``75`` as ``1 min 15 s``, ``3675`` as ``1 h 1 min``; without seconds from an hour on."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    texts = [f"{number}{NBSP}{unit}" for number, unit in parts if number]
    return NBSP.join(texts) or f"0{NBSP}s"


def format_percent(share: float | None) -> str:
    """``0.625`` as ``62 %``; only 0 and 1 are printed as 0 and 100 %, None as a dash."""
    if share is None:
        return NO_VALUE
    whole = round(share * 100)
    if whole == 0 and share > 0:
        return f"<1{NBSP}%"
    if whole == 100 and share < 1 - 1e-9:
        return f">99{NBSP}%"
    return f"{whole}{NBSP}%"


def format_percent_range(low: float, high: float) -> str:
    """``0.4`` to ``0.81`` as ``40–81 %``."""
    return f"{low * 100:.0f}–{high * 100:.0f}{NBSP}%"


def format_yaw(yaw_deg: float) -> str:
    """``12.3`` as ``12° left`` (the student's left), ``-0.2`` as ``0°``."""
    return _format_angle(yaw_deg, N_("left"), N_("right"))


def format_pitch(pitch_deg: float) -> str:
    """``-8`` as ``8° down``."""
    return _format_angle(pitch_deg, N_("up"), N_("down"))


def format_change_points(change: float) -> str:
    """A change of a share: ``-0.25`` as ``−25 points``."""
    return ngettext(
        "%(points)s\u00a0points",
        "%(points)s\u00a0points",
        _rounded_points(change),
        points=format_signed_points(change),
    )


def format_points(share: float) -> str:
    """A margin: ``0.25`` as ``25 points``."""
    whole = _rounded_points(share)
    return ngettext("%(points)s\u00a0points", "%(points)s\u00a0points", whole, points=whole)


def format_signed_points(change: float) -> str:
    """Points without the unit: ``-0.25`` as ``−25``."""
    whole = round(change * 100)
    return f"{'−' if whole < 0 else '+' if whole else ''}{abs(whole)}"


def _rounded_points(change: float) -> int:
    return abs(round(change * 100))


def _format_angle(angle_deg: float, positive: str, negative: str) -> str:
    whole = round(angle_deg)
    return f"{abs(whole)}°" + (
        f"{NBSP}{translate_word(positive if whole > 0 else negative)}" if whole else ""
    )


_ZERO_TEXTS: Mapping[str, str] = {
    "student": N_("no students"),
    "lesson": N_("no lessons"),
    "week": N_("no weeks"),
    "session": N_("no sessions"),
    "earlier session": N_("no earlier sessions"),
    "flag": N_("no flags"),
    "suggested check-in": N_("no suggested check-ins"),
}
_COUNT_TEXTS: Mapping[str, Callable[[int], str]] = {
    "student": lambda num: ngettext("%(num)d student", "%(num)d students", num),
    "lesson": lambda num: ngettext("%(num)d lesson", "%(num)d lessons", num),
    "week": lambda num: ngettext("%(num)d week", "%(num)d weeks", num),
    "session": lambda num: ngettext("%(num)d session", "%(num)d sessions", num),
    "earlier session": lambda num: ngettext("%(num)d earlier session", "%(num)d earlier sessions", num),
    "flag": lambda num: ngettext("%(num)d flag", "%(num)d flags", num),
    "suggested check-in": lambda num: ngettext(
        "%(num)d suggested check-in", "%(num)d suggested check-ins", num
    ),
}


def format_count(number: int, noun: str) -> str:
    """``1 student``, ``2 students``, ``no students``; ``noun`` is a key of ``_COUNT_TEXTS``."""
    return _COUNT_TEXTS[noun](number) if number else translate_word(_ZERO_TEXTS[noun])


def join_items(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(items) < 2:
        return "".join(items)
    return _("%(first)s and %(last)s", first=", ".join(items[:-1]), last=items[-1])
