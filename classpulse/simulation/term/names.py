"""Pseudonyms for simulated students: plain, long, and in many scripts."""

from __future__ import annotations

from enum import StrEnum


class PseudonymStyle(StrEnum):
    """Style of a class's pseudonyms."""

    PLAIN = "plain"
    LONG = "long"
    SCRIPTS = "scripts"


_LONG = (
    ("Maximiliane-Alexandra", "von Hohenberg-Ratibor"),
    ("Konstantinos-Aristides", "Papadimitropoulos"),
    ("Wilhelmina Theodora", "van der Nieuwenhuizen-Brouwer"),
    ("Bartholomäus", "Schwarzenberg-Oettingen zu Wallerstein"),
    ("Guadalupe Esperanza", "Fernández de Córdoba y Villavicencio"),
)

_SCRIPTS = (
    "Jürgen Müßig",
    "王小明",
    "محمد العلي",
    "נועה כהן",
    "Élodie Œuvrard",
    "<script>alert(1)</script>",
    "李雪梅 (Li)",
    "יעל 7b",
    "Łukasz Żółć",
    "فاطمة Zahra",
    "Дмитрий Щукин",
    "Ελένη Παππά",
    'O\'Brien & "Söhne"',
    "$x_1$ {{ name }}",
)
"""Umlauts, Chinese, Arabic, Hebrew, right-to-left mixed with left-to-right, and text that HTML or a chart
could interpret. Seven names contain the first six kinds and one more of each."""


def make_pseudonyms(count: int, kind: PseudonymStyle) -> tuple[str, ...]:
    """``count`` different pseudonyms; if the list is too short, it is repeated with numbers."""
    if kind is PseudonymStyle.PLAIN:
        return tuple(f"Student {number}" for number in range(1, count + 1))
    if kind is PseudonymStyle.LONG:
        whole = (_LONG[n % len(_LONG)] for n in range(count))
        return tuple(f"{first} {last} {n}" for n, (first, last) in enumerate(whole, 1))
    return tuple(
        _SCRIPTS[n % len(_SCRIPTS)] + (f" {n // len(_SCRIPTS) + 1}" if n >= len(_SCRIPTS) else "")
        for n in range(count)
    )
