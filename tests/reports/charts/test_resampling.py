from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.charts.resampling import (
    ColumnState,
    class_states,
    direction_states,
    expression_states,
    make_time_columns,
)
from reports.timeline.classroom import aggregate_timeline, class_timeline
from reports.timeline.student import BinGrid


@given(bins=st.integers(1, 500), most=st.integers(1, 130))
def test_time_columns_cover_the_session(bins, most):
    cols = make_time_columns(BinGrid(5.0, np.full(bins, 5.0)), most)
    assert len(cols.edges_s) - 1 <= most
    assert cols.edges_s[0] == 0
    assert cols.edges_s[-1] == bins * 5
    assert (np.diff(cols.edges_s) > 0).all()
    assert cols.sums(np.ones(bins)).sum() == bins


def test_time_columns_sum_and_average_bins():
    cols = make_time_columns(BinGrid(5.0, np.full(5, 5.0)), max_columns=3)
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    assert cols.sums(values).tolist() == [4, 5, 0]
    assert cols.means(values, np.array([1.0, 3.0, 9.0, 1.0, 1.0]))[:2].tolist() == [2.5, 5]
    assert np.isnan(cols.means(values, np.ones(5))[2])
    table = np.stack([values, values], axis=1)
    assert cols.means(table, np.ones(5))[0].tolist() == [2, 2]


def test_states_are_those_of_most_of_a_column(lessons):
    line = lessons.timeline("nn?.??..n.<n")
    cols = make_time_columns(line.grid, max_columns=3)
    assert expression_states(line, cols).tolist() == [
        ColumnState.KNOWN,
        ColumnState.UNKNOWN,
        ColumnState.KNOWN,
    ]
    single = make_time_columns(line.grid)
    known, unknown, absent = ColumnState.KNOWN, ColumnState.UNKNOWN, ColumnState.ABSENT
    assert expression_states(line, single)[:4].tolist() == [known, known, unknown, absent]
    assert direction_states(line, single)[-2:].tolist() == [known, known]


def test_unwatched_column_has_its_own_state(lessons):
    line = lessons.timelines("nn  nn", "n.  .n")[1]
    grid = BinGrid(5.0, np.array([5.0, 5, 0, 0, 5, 5]))
    line = type(line)(**(vars(line) | {"grid": grid}))
    states = expression_states(line, make_time_columns(grid))
    gap, absent, known = ColumnState.NOT_WATCHED, ColumnState.ABSENT, ColumnState.KNOWN
    assert states.tolist() == [known, absent, gap, gap, absent, known]


@pytest.mark.parametrize(("script", "state"), [("?", ColumnState.UNKNOWN), (".", ColumnState.ABSENT)])
def test_class_states_without_values(lessons, script, state):
    lines = lessons.timelines("n" + script)
    whole = class_timeline(lines, lines[0].grid)
    known = ~np.isnan(whole.probabilities[:, 0])
    assert class_states(whole, make_time_columns(whole.grid), known).tolist() == [ColumnState.KNOWN, state]


def test_class_states_with_few_students_are_too_few(lessons):
    whole = aggregate_timeline(lessons.session(3), lessons.aggregate([6, 4, 0]))
    states = class_states(whole, make_time_columns(whole.grid), ~np.isnan(whole.probabilities[:, 0]))
    assert states.tolist() == [ColumnState.KNOWN, ColumnState.TOO_FEW, ColumnState.ABSENT]
