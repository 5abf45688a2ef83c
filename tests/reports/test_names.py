from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.names import clusters, isolated, plain, shortened

FAMILY = "👩\u200d👩\u200d👧"


@pytest.mark.parametrize("name", ["محمد", "שרה כהן", "Klasse فيزياء", "٣"])
def test_what_runs_from_right_to_left_is_isolated(name):
    assert isolated(name) == f"\u2068{name}\u2069"
    assert plain(isolated(name)) == name


@pytest.mark.parametrize("name", ["", "Student 3", "李小龙", "Großmann", "<script>"])
def test_all_other_names_stay_as_they_are(name):
    assert isolated(name) == name


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
def test_single_characters_as_readers_see_them(text, parts):
    assert clusters(text) == parts


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Mia", "Mia"),
        ("Maximilian", "Maximilian"),
        ("Maximilian F", "Maximilia…"),
        ("Anna-Lena Sophie", "Anna-Lena…"),
        ("Anna Lena Sophie", "Anna Lena…"),
        ("欧阳娜娜娜", "欧阳娜娜娜"),
        ("欧阳娜娜娜娜", "欧阳娜娜…"),
        (f"Familie {FAMILY}xyz", "Familie…"),
        ("Zoe\u0301" * 4, "Zoe\u0301" * 3 + "…"),
    ],
)
def test_names_are_cut_to_the_width_of_ten_letters(name, short):
    assert shortened(name, 10) == short


@given(name=st.text(max_size=40), most=st.integers(3, 30))
def test_cutting_never_breaks_a_character(name, most):
    short = shortened(name, most)
    if short != name:
        kept = short.removesuffix("…")
        assert name.startswith(kept)
        whole = clusters(name)
        assert kept in {"".join(whole[:n]).rstrip() for n in range(len(whole) + 1)}
    assert "".join(clusters(name)) == name
