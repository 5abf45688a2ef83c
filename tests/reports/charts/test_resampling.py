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
def test_columns_cover_the_session_and_are_few(bins, most):
    cols = make_time_columns(BinGrid(5.0, np.full(bins, 5.0)), most)
    assert len(cols.edges_s) - 1 <= most
    assert cols.edges_s[0] == 0
    assert cols.edges_s[-1] == bins * 5
    assert (np.diff(cols.edges_s) > 0).all()
    assert cols.sums(np.ones(bins)).sum() == bins


def test_sums_and_weighted_means_of_two_bins_each():
    cols = make_time_columns(BinGrid(5.0, np.full(5, 5.0)), max_columns=3)
    values = np.array([1.0, 3.0, np.nan, 5.0, np.nan])
    assert cols.sums(values).tolist() == [4, 5, 0]
    assert cols.means(values, np.array([1.0, 3.0, 9.0, 1.0, 1.0]))[:2].tolist() == [2.5, 5]
    assert np.isnan(cols.means(values, np.ones(5))[2])
    table = np.stack([values, values], axis=1)
    assert cols.means(table, np.ones(5))[0].tolist() == [2, 2]


def test_the_state_that_takes_most_of_a_column(lessons):
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


def test_not_watched_is_its_own_state(lessons):
    line = lessons.timelines("nn  nn", "n.  .n")[1]
    grid = BinGrid(5.0, np.array([5.0, 5, 0, 0, 5, 5]))
    line = type(line)(**(vars(line) | {"grid": grid}))
    states = expression_states(line, make_time_columns(grid))
    gap, absent, known = ColumnState.NOT_WATCHED, ColumnState.ABSENT, ColumnState.KNOWN
    assert states.tolist() == [known, absent, gap, gap, absent, known]


@pytest.mark.parametrize(("script", "state"), [("?", ColumnState.UNKNOWN), (".", ColumnState.ABSENT)])
def test_the_class_where_nothing_can_be_drawn(lessons, script, state):
    lines = lessons.timelines("n" + script)
    whole = class_timeline(lines, lines[0].grid)
    known = ~np.isnan(whole.probabilities[:, 0])
    assert class_states(whole, make_time_columns(whole.grid), known).tolist() == [ColumnState.KNOWN, state]


def test_too_few_is_not_called_unreadable(lessons):
    whole = aggregate_timeline(lessons.session(3), lessons.aggregate([6, 4, 0]))
    states = class_states(whole, make_time_columns(whole.grid), ~np.isnan(whole.probabilities[:, 0]))
    assert states.tolist() == [ColumnState.KNOWN, ColumnState.TOO_FEW, ColumnState.ABSENT]
