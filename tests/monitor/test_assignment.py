"""Alignment of two sequences in order."""

import numpy as np

from monitor.assignment import align_sequences


def aligned(cost: list[list[float]], row_cost: float = 0.4, column_cost: float = 0.4) -> dict[int, int]:
    matrix = np.array(cost, float)
    return align_sequences(matrix, np.full(matrix.shape[0], row_cost), np.full(matrix.shape[1], column_cost))


def test_align_sequences_finds_the_cheapest_pairs() -> None:
    assert aligned([[0.1, 0.9], [0.9, 0.1]]) == {0: 0, 1: 1}


def test_align_sequences_keeps_order_at_a_higher_cost() -> None:
    assert aligned([[0.9, 0.1], [0.1, 0.9]]) in ({0: 1}, {1: 0})


def test_align_sequences_skips_new_and_missing_items() -> None:
    assert aligned([[0.1, 0.9, 0.9], [0.9, 0.9, 0.1]]) == {0: 0, 1: 2}
    assert aligned([[0.1, 0.9], [0.9, 0.9], [0.9, 0.1]]) == {0: 0, 2: 1}


def test_align_sequences_leaves_expensive_pairs_out() -> None:
    assert aligned([[0.9]]) == {}
    assert aligned([[0.7]]) == {0: 0}


def test_align_sequences_of_empty_sequences_is_empty() -> None:
    assert align_sequences(np.zeros((0, 3)), np.zeros(0), np.zeros(3)) == {}
    assert align_sequences(np.zeros((2, 0)), np.zeros(2), np.zeros(0)) == {}
