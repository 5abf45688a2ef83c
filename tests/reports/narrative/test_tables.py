from __future__ import annotations

import pytest

from reports.narrative.tables import class_timeline_table, direction_table, sadness_table
from reports.timeline.classroom import class_timeline


def _plain(rows):
    return [tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row) for row in rows]


def test_class_timeline_table(lessons):
    lines = lessons.timelines("b<z" + "." * 9, "bbz" + "." * 9)
    whole = class_timeline(lines, lines[0].grid)
    table = class_timeline_table(whole, expressions=False)
    assert table.headings == (
        "From",
        "to the front",
        "turned away",
        "not readable",
        "not seen",
        "eyes closed",
    )
    first, second, third, fourth, *_ = _plain(table.rows)
    assert first == ("0:00", "100 %", "0 %", "0 %", "0 %", "0 %")
    assert second[1:5] == ("50 %", "50 %", "0 %", "0 %")
    assert third[-1] == "100 %"
    assert fourth == ("0:15", "0 %", "0 %", "0 %", "100 %", "–")


def test_class_timeline_table_has_expression_columns(lessons):
    lines = lessons.timelines("snn")
    table = class_timeline_table(class_timeline(lines, lines[0].grid), expressions=True)
    assert table.headings[6:8] == ("sadness", "fear")
    assert _plain(table.rows)[0][6] == "70 %"


def test_student_tables_show_states_of_unknown_cells(lessons):
    lines = lessons.timelines("ss?.", "n<n ")
    table = sadness_table(lines)
    assert table.headings == ("Student", "0:00", "0:05", "0:10", "0:15")
    assert _plain(table.rows) == [
        ("Student 1", "70 %", "70 %", "–", "not seen"),
        ("Student 2", "5 %", "–", "5 %", "not seen"),
    ]
    assert _plain(direction_table(lines).rows)[1] == ("Student 2", "0 %", "100 %", "0 %", "not seen")


@pytest.mark.parametrize(
    ("bins", "steps", "told"), [(6, 6, "5 s"), (720, 12, "5 min"), (600, 10, "5 min"), (1300, 11, "10 min")]
)
def test_table_steps_are_few_and_round(lessons, bins, steps, told):
    table = direction_table([lessons.timeline("b" * bins)])
    assert len(table.headings) == 1 + steps
    assert told in table.caption.replace("\N{NO-BREAK SPACE}", " ")
