"""Applying corrections: examples and properties."""

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
    ("corrections", "intervals"),
    [
        ([], [whole(1, 1), whole(2, 2)]),
        ([Correction(NAME, 1, MIA)], [whole(1, MIA), whole(2, 2)]),
        ([Correction(MERGE, 2, 1)], [whole(1, 1), whole(2, 1)]),
        (
            [Correction(SPLIT, 1, NEW, 750.0)],
            [IdentityInterval(1, 0.0, 750.0, 1), IdentityInterval(1, 750.0, MAX_TIME_S, NEW), whole(2, 2)],
        ),
        # Naming again corrects a wrong name.
        ([Correction(NAME, 1, MIA), Correction(NAME, MIA, NOAH)], [whole(1, NOAH), whole(2, 2)]),
        # Merged, then split: both students are the new person from then on.
        (
            [Correction(MERGE, 2, 1), Correction(SPLIT, 1, NEW, 5.0)],
            [IdentityInterval(s, *part) for s in (1, 2) for part in ((0.0, 5.0, 1), (5.0, MAX_TIME_S, NEW))],
        ),
        # A split that is merged again has no effect.
        ([Correction(SPLIT, 1, NEW, 5.0), Correction(MERGE, NEW, 1)], [whole(1, 1), whole(2, 2)]),
        # The two swapped seats.
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
        # A split from the start is naming; a correction of a person that no student is has no effect.
        ([Correction(SPLIT, 1, NEW, 0.0)], [whole(1, NEW), whole(2, 2)]),
        ([Correction(MERGE, 2, 1), Correction(NAME, 2, MIA)], [whole(1, 1), whole(2, 1)]),
    ],
)
def test_apply_corrections(corrections, intervals) -> None:
    assert apply_corrections([2, 1], corrections) == IdentityMap(tuple(intervals))


CORRECTIONS = st.builds(
    lambda pair, at_s: Correction(NAME if at_s is None else SPLIT, *pair, at_s),
    st.lists(st.sampled_from([*RECORDED, MIA, NEW]), min_size=2, max_size=2, unique=True),
    st.none() | st.integers(0, 12).map(lambda n: n * 5.0),
)
ANY = st.lists(CORRECTIONS, max_size=8)
TIMES = st.floats(0, 100)


@given(ANY, TIMES)
def test_student_is_exactly_one_person_at_any_time(corrections, at_s) -> None:
    identities = apply_corrections(RECORDED, corrections)
    for student in RECORDED:
        own = [interval for interval in identities.intervals if interval.student_id == student]
        assert (own[0].start_s, own[-1].end_s) == (0.0, MAX_TIME_S)
        assert all(before.end_s == after.start_s for before, after in pairwise(own))
        assert all(before.person_id != after.person_id for before, after in pairwise(own))
        (now,) = [interval.person_id for interval in own if interval.start_s <= at_s < interval.end_s]
        assert identities.person_at(student, at_s) == identities.main_person(student, at_s, at_s) == now
    assert sum(map(len, identities.intervals_by_person.values())) == len(identities.intervals)


@given(ANY)
def test_correction_affects_only_its_person(corrections) -> None:
    """Afterwards the person is gone or ends at the split; no other person changes."""
    before = apply_corrections(RECORDED, corrections)
    for person in before.intervals_by_person:
        merged = apply_corrections(RECORDED, [*corrections, Correction(MERGE, person, 999)])
        assert merged.intervals_by_person.keys() == before.intervals_by_person.keys() - {person} | {999}
        assert merged.intervals_by_person[999] == before.intervals_by_person[person]
        split = apply_corrections(RECORDED, [*corrections, Correction(SPLIT, person, 999, 20.0)])
        assert all(end_s <= 20.0 for _, _, end_s in split.intervals_by_person.get(person, ()))
        assert all(start_s >= 20.0 for _, start_s, _ in split.intervals_by_person.get(999, ()))
        undone = [*corrections, Correction(SPLIT, person, 999, 20.0), Correction(MERGE, 999, person)]
        assert apply_corrections(RECORDED, undone) == before


def test_empty_identity_map_is_the_identity() -> None:
    identities = IdentityMap()
    assert not identities.is_corrected
    assert apply_corrections(RECORDED, []).is_corrected
    assert (identities.person_at(3, 7.0), identities.main_person(3, 0.0, 9.0), identities.people_of(3)) == (
        3,
        3,
        (3,),
    )


def test_main_person_is_the_person_with_the_longest_part() -> None:
    identities = apply_corrections([1], [Correction(SPLIT, 1, NEW, 10.0), Correction(SPLIT, NEW, 1, 20.0)])
    assert identities.main_person(1, 0.0, 12.0) == 1
    assert identities.main_person(1, 7.0, 14.0) == NEW
    # Nine of ten seconds, in two parts.
    assert identities.main_person(1, 5.5, 25.0) == NEW
    assert identities.main_person(1, 4.5, 25.0) == 1
    assert identities.people_of(1) == (1, NEW)


def test_max_time_is_the_bound_of_the_schema() -> None:
    checks = {str(getattr(constraint, "sqltext", "")) for constraint in TimelineBinRow.__table__.constraints}
    assert f"start_s BETWEEN 0 AND {MAX_TIME_S:.0e}".replace("+0", "") in checks
