from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.text.names import grapheme_clusters, isolate, shorten_name, strip_isolates

FAMILY = "👩\u200d👩\u200d👧"


@pytest.mark.parametrize("name", ["محمد", "שרה כהן", "Klasse فيزياء", "٣"])
def test_isolate_wraps_right_to_left_text(name):
    assert isolate(name) == f"\u2068{name}\u2069"
    assert strip_isolates(isolate(name)) == name


@pytest.mark.parametrize("name", ["", "Student 3", "李小龙", "Großmann", "<script>"])
def test_isolate_keeps_other_text(name):
    assert isolate(name) == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Jo", ["J", "o"]),
        ("e\u0301a", ["e\u0301", "a"]),  # an accent of its own
        (f"{FAMILY}!", [FAMILY, "!"]),
        ("👍🏽🇩🇪🇫🇷", ["👍🏽", "🇩🇪", "🇫🇷"]),
        ("श्री", ["श्", "री"]),
        ("❤\ufe0fx", ["❤\ufe0f", "x"]),
        ("\u0301", ["\u0301"]),
    ],
)
def test_grapheme_clusters(text, parts):
    assert grapheme_clusters(text) == parts


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mia", "Mia"),
        ("Maximilian", "Maximilian"),
        ("Maximilian F", "Maximil…F"),
        ("Anna-Lena Sophie", "Anna-Le…ie"),
        ("Anna Lena Sophie", "Anna Le…ie"),
        ("欧阳娜娜娜", "欧阳娜娜娜"),
        ("欧阳娜娜娜娜", "欧阳娜…娜"),
        (f"Familie {FAMILY}xyz", "Familie…yz"),
        ("Student of the second row 12", "Student…12"),
        ("Zoe\u0301" * 4, "Zoe\u0301" * 2 + "Z…oe\u0301"),
    ],
)
def test_shorten_name_to_ten_letters(name, short):
    assert shorten_name(name, 10) == short


@given(name=st.text(max_size=40), most=st.integers(3, 30))
def test_shorten_name_keeps_grapheme_clusters(name, most):
    short = shorten_name(name, most)
    if short != name:
        whole = grapheme_clusters(name)
        begins = {"".join(whole[:n]).rstrip() for n in range(len(whole) + 1)}
        ends = {"".join(whole[n:]).lstrip() for n in range(len(whole) + 1)}
        # A name may have an ellipsis of its own.
        cuts = [n for n, character in enumerate(short) if character == "…"]
        assert any(short[:n] in begins and short[n + 1 :] in ends for n in cuts)
    assert "".join(grapheme_clusters(name)) == name
