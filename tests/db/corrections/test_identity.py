"""The replay of corrections: literals, and what holds for any of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.corrections.identity import END_S, Attribution, Stretch, replay
from db.records import Correction, CorrectionKind
from db.schema import BinRow

NAME, MERGE, SPLIT = CorrectionKind.NAME, CorrectionKind.MERGE, CorrectionKind.SPLIT
RECORDED = (1, 2, 3, 4)
MIA, NOAH, NEW = 101, 102, 9


def whole(student: int, person: int) -> Stretch:
    return Stretch(student, 0.0, END_S, person)


@pytest.mark.parametrize(
    ("corrections", "wanted"),
    [
        ([], [whole(1, 1), whole(2, 2)]),
        ([Correction(NAME, 1, MIA)], [whole(1, MIA), whole(2, 2)]),
        ([Correction(MERGE, 2, 1)], [whole(1, 1), whole(2, 1)]),
        (
            [Correction(SPLIT, 1, NEW, 750.0)],
            [Stretch(1, 0.0, 750.0, 1), Stretch(1, 750.0, END_S, NEW), whole(2, 2)],
        ),
        # A wrong name is mended by naming again: the person is called by the name that is printed.
        ([Correction(NAME, 1, MIA), Correction(NAME, MIA, NOAH)], [whole(1, NOAH), whole(2, 2)]),
        # Merged and then split: both seats are somebody else's from then on.
        (
            [Correction(MERGE, 2, 1), Correction(SPLIT, 1, NEW, 5.0)],
            [Stretch(s, *part) for s in (1, 2) for part in ((0.0, 5.0, 1), (5.0, END_S, NEW))],
        ),
        # Split and merged again is as it was.
        ([Correction(SPLIT, 1, NEW, 5.0), Correction(MERGE, NEW, 1)], [whole(1, 1), whole(2, 2)]),
        # The two changed places unseen.
        (
            [Correction(SPLIT, 1, NEW, 5.0), Correction(SPLIT, 2, 1, 5.0), Correction(MERGE, NEW, 2)],
            [
                Stretch(1, 0.0, 5.0, 1),
                Stretch(1, 5.0, END_S, 2),
                Stretch(2, 0.0, 5.0, 2),
                Stretch(2, 5.0, END_S, 1),
            ],
        ),
        # Split twice, the second time within the first part.
        (
            [Correction(SPLIT, 1, NEW, 10.0), Correction(SPLIT, 1, MIA, 5.0)],
            [
                Stretch(1, 0.0, 5.0, 1),
                Stretch(1, 5.0, 10.0, MIA),
                Stretch(1, 10.0, END_S, NEW),
                whole(2, 2),
            ],
        ),
        # Split from the beginning is naming; nobody's correction is nothing.
        ([Correction(SPLIT, 1, NEW, 0.0)], [whole(1, NEW), whole(2, 2)]),
        ([Correction(MERGE, 2, 1), Correction(NAME, 2, MIA)], [whole(1, 1), whole(2, 1)]),
    ],
)
def test_a_replay(corrections, wanted) -> None:
    assert replay([2, 1], corrections) == Attribution(tuple(wanted))


CORRECTIONS = st.builds(
    lambda pair, at_s: Correction(NAME if at_s is None else SPLIT, *pair, at_s),
    st.lists(st.sampled_from([*RECORDED, MIA, NEW]), min_size=2, max_size=2, unique=True),
    st.none() | st.integers(0, 12).map(lambda n: n * 5.0),
)
ANY = st.lists(CORRECTIONS, max_size=8)
MOMENTS = st.floats(0, 100)


@given(ANY, MOMENTS)
def test_everybody_is_exactly_one_person_at_all_times(corrections, at_s) -> None:
    who = replay(RECORDED, corrections)
    for student in RECORDED:
        own = [one for one in who.stretches if one.student_id == student]
        assert (own[0].from_s, own[-1].until_s) == (0.0, END_S)
        assert all(before.until_s == after.from_s for before, after in pairwise(own))
        assert all(before.person_id != after.person_id for before, after in pairwise(own))
        (now,) = [one.person_id for one in own if one.from_s <= at_s < one.until_s]
        assert who.person(student, at_s) == who.mostly(student, at_s, at_s) == now
    assert sum(map(len, who.people.values())) == len(who.stretches)


@given(ANY)
def test_a_correction_is_of_the_person_there_was_then(corrections) -> None:
    """Whatever came before: afterwards the one is gone, or ends at the split; nobody else is touched."""
    before = replay(RECORDED, corrections)
    for person in before.people:
        gone = replay(RECORDED, [*corrections, Correction(MERGE, person, 999)])
        assert gone.people.keys() == before.people.keys() - {person} | {999}
        assert gone.people[999] == before.people[person]
        cut = replay(RECORDED, [*corrections, Correction(SPLIT, person, 999, 20.0)])
        assert all(until_s <= 20.0 for _, _, until_s in cut.people.get(person, ()))
        assert all(from_s >= 20.0 for _, from_s, _ in cut.people.get(999, ()))
        back = [*corrections, Correction(SPLIT, person, 999, 20.0), Correction(MERGE, 999, person)]
        assert replay(RECORDED, back) == before


def test_without_corrections_everybody_is_as_recorded() -> None:
    who = Attribution()
    assert not who.corrected
    assert replay(RECORDED, []).corrected
    assert (who.person(3, 7.0), who.mostly(3, 0.0, 9.0), who.sharers(3)) == (3, 3, (3,))


def test_a_track_is_of_who_has_the_longest_part_of_it() -> None:
    who = replay([1], [Correction(SPLIT, 1, NEW, 10.0), Correction(SPLIT, NEW, 1, 20.0)])
    assert who.mostly(1, 0.0, 12.0) == 1
    assert who.mostly(1, 7.0, 14.0) == NEW
    # Nine of ten seconds, in two parts.
    assert who.mostly(1, 5.5, 25.0) == NEW
    assert who.mostly(1, 4.5, 25.0) == 1
    assert who.sharers(1) == (1, NEW)


def test_the_end_is_the_schemas_end() -> None:
    checks = {str(getattr(one, "sqltext", "")) for one in BinRow.__table__.constraints}
    assert f"start_s BETWEEN 0 AND {END_S:.0e}".replace("+0", "") in checks
