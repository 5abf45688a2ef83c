"""Two sequences held against one another, nobody overtaking anybody."""

import numpy as np

from monitor.assignment import align_sequences


def held(cost: list[list[float]], gone: float = 0.4, new: float = 0.4) -> dict[int, int]:
    matrix = np.array(cost, float)
    return align_sequences(matrix, np.full(matrix.shape[0], gone), np.full(matrix.shape[1], new))


def test_the_cheapest_pairs_in_order() -> None:
    assert held([[0.1, 0.9], [0.9, 0.1]]) == {0: 0, 1: 1}


def test_nobody_overtakes_though_it_were_cheaper() -> None:
    assert held([[0.9, 0.1], [0.1, 0.9]]) in ({0: 1}, {1: 0})


def test_somebody_new_in_between_and_somebody_gone() -> None:
    assert held([[0.1, 0.9, 0.9], [0.9, 0.9, 0.1]]) == {0: 0, 1: 2}
    assert held([[0.1, 0.9], [0.9, 0.9], [0.9, 0.1]]) == {0: 0, 2: 1}


def test_a_pair_that_is_dearer_than_leaving_both_alone_is_none() -> None:
    assert held([[0.9]]) == {}
    assert held([[0.7]]) == {0: 0}


def test_nobody() -> None:
    assert align_sequences(np.zeros((0, 3)), np.zeros(0), np.zeros(3)) == {}
    assert align_sequences(np.zeros((2, 0)), np.zeros(2), np.zeros(0)) == {}
