from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from matplotlib import get_data_path

from reports.rendering import pdf
from reports.text import fonts
from reports.text.fonts import BUNDLED_FONT, describe_missing_characters, missing_characters

AT = datetime(2026, 1, 1, tzinfo=UTC)
CMR = BUNDLED_FONT.parent / "cmr10.ttf"


@pytest.mark.parametrize(
    "text",
    ["Jürgen Müßig Żółć Œuvre", "Дмитрий Щукин", "Ελένη Παππά", "محمد العلي", "נועה כהן", "— · – € °"],
)
def test_bundled_font_covers_its_scripts(text):
    assert missing_characters(text, fonts=[]) == ""


@pytest.mark.parametrize(
    ("text", "scripts", "packages"),
    [
        ("王小明", "Chinese", "fonts-noto-cjk;"),
        ("ひろ", "Japanese", "fonts-noto-cjk;"),
        ("김", "Korean", "fonts-noto-cjk;"),
        ("สม", "Thai", "fonts-noto-core;"),
        ("राम 王", "Chinese, Devanagari", "fonts-noto-core fonts-noto-cjk;"),
        ("🦊", "emoji", "fonts-noto-color-emoji"),
        ("\U00012000", "Cuneiform", "fonts-noto-core;"),
        ("\ue000", "Unknown", "fonts-noto-core;"),
    ],
)
def test_missing_characters_are_described_with_script_and_package(text, scripts, packages):
    told = describe_missing_characters(missing_characters(text, fonts=[])) or ""
    assert f"({scripts}; such as U+" in told
    assert packages in told
    assert "\n" not in told
    assert not any(one in told for one in text if one != " "), "no name is told"


def test_no_missing_characters_give_no_description():
    assert describe_missing_characters("") is None


def test_entities_are_decoded_and_invisible_characters_ignored():
    assert missing_characters("&#29579;&nbsp;\u200d\u2068\n", fonts=[]) == "王"


def test_additional_fonts_are_used_and_broken_ones_ignored(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_text("no font")
    assert missing_characters("王", fonts=[broken, tmp_path / "gone.ttf", CMR]) == "王"
    with_own = missing_characters("é", fonts=[CMR])
    assert with_own == ""


def test_system_fonts_are_searched_only_if_needed(monkeypatch):
    asked = []
    monkeypatch.setattr(fonts, "_system_fonts", lambda: asked.append(1) or ())
    assert missing_characters("Müßig") == ""
    assert not asked
    assert missing_characters("王") == "王"
    assert asked


def test_font_with_finds_system_font(monkeypatch):
    monkeypatch.setattr(
        fonts, "_system_fonts", lambda: (BUNDLED_FONT.parent / "DejaVuSansDisplay.ttf", BUNDLED_FONT)
    )
    monkeypatch.setattr(fonts, "BUNDLED_FONT", CMR)
    assert missing_characters("م") == ""


@pytest.mark.parametrize(("text", "lines"), [("Müßig", 0), ("王", 1)])
def test_pdf_with_missing_characters_logs_one_warning(monkeypatch, caplog, text, lines):
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    with caplog.at_level(logging.WARNING):
        assert pdf.render_pdf(f"<html><body><p>{text}</p></body></html>", "t", AT).startswith(b"%PDF")
    assert len(caplog.messages) == lines


def test_bundled_font_exists():
    assert str(BUNDLED_FONT).startswith(get_data_path())
    assert BUNDLED_FONT.is_file()
