from __future__ import annotations

from reports.history.tables import drop_common_columns

HEADINGS = ("no.", "class", "room", "seen")


def test_common_columns_become_caption():
    table = drop_common_columns(HEADINGS, [("1", "7b", "–", "9 %"), ("2", "7b", "–", "9 %")])
    assert table.headings == ("no.", "seen")
    assert table.rows == (("1", "9 %"), ("2", "9 %"))
    assert table.common == ("class 7b",)


def test_single_row_keeps_its_columns():
    assert drop_common_columns(HEADINGS, [("1", "7b", "–", "9 %")]).headings == ("no.", "class", "seen")


def test_differing_columns_stay():
    table = drop_common_columns(HEADINGS, [("1", "7b", "B", "9 %"), ("2", "8a", "–", "9 %")])
    assert (table.headings, table.common) == (HEADINGS, ())
    assert drop_common_columns(HEADINGS, []).headings == HEADINGS
