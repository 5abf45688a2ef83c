"""The style sheet: contrast in all colour schemes; templates without inline resources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from classpulse.web.app import STATIC

CSS = (STATIC / "classpulse.css").read_text(encoding="utf-8")
TEMPLATES = Path(__file__).parents[3] / "templates" / "web"

SCHEMES = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
LIGHT, DARK, PRINT = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", one)) for one in SCHEMES[:3])

TEXT = [
    *((ink, ground) for ink in ("ink", "soft", "main", "good", "warn", "bad") for ground in ("page", "tint")),
    ("on-main", "main"),
    ("ink", "warn-tint"),
    ("warn", "warn-tint"),
    ("ink", "bad-tint"),
    ("bad", "bad-tint"),
]
"""Pairs of text and background colours."""


def _light(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    dark, light = sorted((_light(one), _light(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_follows_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [LIGHT, DARK, PRINT], ids=["light", "dark", "print"])
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_has_enough_contrast(scheme: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_focus_and_fields_have_enough_contrast(scheme: dict[str, str]) -> None:
    assert contrast(scheme["main"], scheme["page"]) >= 3
    assert contrast(scheme["soft"], scheme["page"]) >= 3, "the border of a field"
    assert ":focus-visible { outline: 3px solid var(--main)" in CSS


def test_css_sections_are_closed() -> None:
    """An unclosed section would put the next one into its media query. A section starts with a comment."""
    parts = re.split(r"^/\* ", CSS, flags=re.MULTILINE)
    assert len(parts) > 3
    assert [part[:40] for part in parts if part.count("{") != part.count("}")] == []


def test_every_colour_exists_in_all_schemes() -> None:
    assert set(LIGHT) == set(DARK) == set(PRINT)
    used = set(re.findall(r"var\(--([\w-]+)\)", CSS))
    assert used <= set(re.findall(r"--([\w-]+):", CSS))


def test_templates_have_no_inline_or_external_resources() -> None:
    for path in TEMPLATES.glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\son\w+=|\sstyle=|<style|javascript:", text), path.name
        assert not re.search(r"<script(?![^>]*\ssrc=\")", text), path.name
        assert not re.search(r"(src|href|action)=\"(https?:)?//", text), path.name
        assert "| safe" not in text.replace("|safe", "| safe"), path.name
    assert not re.search(r"url\((?!\"[\w-]+\.svg\"\))|@import", CSS)
