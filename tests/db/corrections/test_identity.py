"""The replay of corrections: literals, and what holds for any of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.corrections.identity import MAX_TIME_S, IdentityInterval, IdentityMap, apply_corrections
from db.records import Correction, CorrectionKind
from db.schema import TimelineBinRow

NAME, MERGE, SPLIT = CorrectionKind.NAME, CorrectionKind.MERGE, CorrectionKind.SPLIT
RECORDED = (1, 2, 3, 4)
MIA, NOAH, NEW = 101, 102, 9


def whole(student: int, person: int) -> IdentityInterval:
    return IdentityInterval(student, 0.0, MAX_TIME_S, person)


@pytest.mark.parametrize(
    ("corrections", "wanted"),
    [
        ([], [whole(1, 1), whole(2, 2)]),
        ([Correction(NAME, 1, MIA)], [whole(1, MIA), whole(2, 2)]),
        ([Correction(MERGE, 2, 1)], [whole(1, 1), whole(2, 1)]),
        (
            [Correction(SPLIT, 1, NEW, 750.0)],
            [IdentityInterval(1, 0.0, 750.0, 1), IdentityInterval(1, 750.0, MAX_TIME_S, NEW), whole(2, 2)],
        ),
        # A wrong name is mended by naming again: the person is called by the name that is printed.
        ([Correction(NAME, 1, MIA), Correction(NAME, MIA, NOAH)], [whole(1, NOAH), whole(2, 2)]),
        # Merged and then split: both seats are somebody else's from then on.
        (
            [Correction(MERGE, 2, 1), Correction(SPLIT, 1, NEW, 5.0)],
            [IdentityInterval(s, *part) for s in (1, 2) for part in ((0.0, 5.0, 1), (5.0, MAX_TIME_S, NEW))],
        ),
        # Split and merged again is as it was.
        ([Correction(SPLIT, 1, NEW, 5.0), Correction(MERGE, NEW, 1)], [whole(1, 1), whole(2, 2)]),
        # The two changed places unseen.
        (
            [Correction(SPLIT, 1, NEW, 5.0), Correction(SPLIT, 2, 1, 5.0), Correction(MERGE, NEW, 2)],
            [
                IdentityInterval(1, 0.0, 5.0, 1),
                IdentityInterval(1, 5.0, MAX_TIME_S, 2),
                IdentityInterval(2, 0.0, 5.0, 2),
                IdentityInterval(2, 5.0, MAX_TIME_S, 1),
            ],
        ),
        # Split twice, the second time within the first part.
        (
            [Correction(SPLIT, 1, NEW, 10.0), Correction(SPLIT, 1, MIA, 5.0)],
            [
                IdentityInterval(1, 0.0, 5.0, 1),
                IdentityInterval(1, 5.0, 10.0, MIA),
                IdentityInterval(1, 10.0, MAX_TIME_S, NEW),
                whole(2, 2),
            ],
        ),
        # Split from the beginning is naming; nobody's correction is nothing.
        ([Correction(SPLIT, 1, NEW, 0.0)], [whole(1, NEW), whole(2, 2)]),
        ([Correction(MERGE, 2, 1), Correction(NAME, 2, MIA)], [whole(1, 1), whole(2, 1)]),
    ],
)
def test_a_replay(corrections, wanted) -> None:
    assert apply_corrections([2, 1], corrections) == IdentityMap(tuple(wanted))


CORRECTIONS = st.builds(
    lambda pair, at_s: Correction(NAME if at_s is None else SPLIT, *pair, at_s),
    st.lists(st.sampled_from([*RECORDED, MIA, NEW]), min_size=2, max_size=2, unique=True),
    st.none() | st.integers(0, 12).map(lambda n: n * 5.0),
)
ANY = st.lists(CORRECTIONS, max_size=8)
MOMENTS = st.floats(0, 100)


@given(ANY, MOMENTS)
def test_everybody_is_exactly_one_person_at_all_times(corrections, at_s) -> None:
    who = apply_corrections(RECORDED, corrections)
    for student in RECORDED:
        own = [one for one in who.intervals if one.student_id == student]
        assert (own[0].start_s, own[-1].end_s) == (0.0, MAX_TIME_S)
        assert all(before.end_s == after.start_s for before, after in pairwise(own))
        assert all(before.person_id != after.person_id for before, after in pairwise(own))
        (now,) = [one.person_id for one in own if one.start_s <= at_s < one.end_s]
        assert who.person_at(student, at_s) == who.main_person(student, at_s, at_s) == now
    assert sum(map(len, who.intervals_by_person.values())) == len(who.intervals)


@given(ANY)
def test_a_correction_is_of_the_person_there_was_then(corrections) -> None:
    """Whatever came before: afterwards the one is gone, or ends at the split; nobody else is touched."""
    before = apply_corrections(RECORDED, corrections)
    for person in before.intervals_by_person:
        gone = apply_corrections(RECORDED, [*corrections, Correction(MERGE, person, 999)])
        assert gone.intervals_by_person.keys() == before.intervals_by_person.keys() - {person} | {999}
        assert gone.intervals_by_person[999] == before.intervals_by_person[person]
        cut = apply_corrections(RECORDED, [*corrections, Correction(SPLIT, person, 999, 20.0)])
        assert all(until_s <= 20.0 for _, _, until_s in cut.intervals_by_person.get(person, ()))
        assert all(from_s >= 20.0 for _, from_s, _ in cut.intervals_by_person.get(999, ()))
        back = [*corrections, Correction(SPLIT, person, 999, 20.0), Correction(MERGE, 999, person)]
        assert apply_corrections(RECORDED, back) == before


def test_without_corrections_everybody_is_as_recorded() -> None:
    who = IdentityMap()
    assert not who.is_corrected
    assert apply_corrections(RECORDED, []).is_corrected
    assert (who.person_at(3, 7.0), who.main_person(3, 0.0, 9.0), who.people_of(3)) == (3, 3, (3,))


def test_a_track_is_of_who_has_the_longest_part_of_it() -> None:
    who = apply_corrections([1], [Correction(SPLIT, 1, NEW, 10.0), Correction(SPLIT, NEW, 1, 20.0)])
    assert who.main_person(1, 0.0, 12.0) == 1
    assert who.main_person(1, 7.0, 14.0) == NEW
    # Nine of ten seconds, in two parts.
    assert who.main_person(1, 5.5, 25.0) == NEW
    assert who.main_person(1, 4.5, 25.0) == 1
    assert who.people_of(1) == (1, NEW)


def test_the_end_is_the_schemas_end() -> None:
    checks = {str(getattr(one, "sqltext", "")) for one in TimelineBinRow.__table__.constraints}
    assert f"start_s BETWEEN 0 AND {MAX_TIME_S:.0e}".replace("+0", "") in checks
