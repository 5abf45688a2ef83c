"""A review stands for what it was given for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from db.corrections.identity import IdentityMap, apply_corrections
from db.corrections.reviews import assign_reviews
from db.records import Correction, CorrectionKind, CorrectionRecord, FlagRecord

DAY = datetime(2026, 3, 2, tzinfo=UTC)
MIA = 101


def at(hour: int) -> datetime:
    return DAY + timedelta(hours=hour)


def made(
    hour: int, kind: str, student: int, person: int, at_s: float | None = None, undone: int | None = None
) -> CorrectionRecord:
    correction = Correction(CorrectionKind(kind), student, person, at_s)
    undone_at = None if undone is None else at(undone)
    return CorrectionRecord(hour, 7, at(hour), undone_at, correction, str(student), str(person))


def flag(student: int, review: str = "open", hour: int | None = None, outcome: str = "flagged") -> FlagRecord:
    reviewed_at = None if hour is None else at(hour)
    who = None if hour is None else "the form teacher"
    return FlagRecord(7, student, "sad", outcome, {}, review, who, reviewed_at)


def now(flags: list[FlagRecord], corrections: list[CorrectionRecord]) -> dict[int, str]:
    """The review of each person's flag."""
    who = apply_corrections([1, 2, 3], [one.correction for one in corrections if one.is_active()])
    return {one.student_id: one.review for one in assign_reviews(flags, who, corrections)}


def test_nothing_corrected_nothing_touched() -> None:
    flags = [flag(1, "dismissed"), flag(2)]
    assert assign_reviews(flags, IdentityMap(), []) == flags


def test_a_review_moves_along_with_a_name() -> None:
    flags = [flag(1, "dismissed", hour=1), flag(2)]
    named = [made(2, "name", 1, MIA)]
    assert now(flags, named) == {2: "open", MIA: "dismissed"}
    # Also once Mia has a verdict of her own, and when she is called something else again.
    assert now([*flags, flag(MIA)], named) == {2: "open", MIA: "dismissed"}
    assert now(flags, [*named, made(3, "name", MIA, 102)]) == {2: "open", 102: "dismissed"}


def test_a_verdict_of_ones_own_is_kept_beside_the_review_that_moved() -> None:
    who = apply_corrections([1], [Correction(CorrectionKind.NAME, 1, MIA)])
    stored = [flag(1, "confirmed", hour=1), flag(MIA, outcome="not_flagged")]
    (found,) = assign_reviews(stored, who, [made(2, "name", 1, MIA)])
    assert found == replace(stored[0], student_id=MIA, outcome="not_flagged")


def test_a_review_of_a_part_is_none_of_the_whole_and_comes_back() -> None:
    flags = [flag(1, "confirmed", hour=1), flag(2, "dismissed", hour=1)]
    assert now(flags, [made(2, "merge", 2, 1)]) == {1: "open"}
    assert now(flags, [made(2, "split", 1, 9, 750.0)]) == {1: "open", 2: "dismissed"}
    assert now(flags, [made(2, "merge", 2, 1, undone=3)]) == {1: "confirmed", 2: "dismissed"}


def test_a_review_of_the_whole_is_none_of_a_part() -> None:
    merged = [flag(1, "dismissed", hour=3), flag(2, "confirmed", hour=1)]
    assert now(merged, [made(2, "merge", 2, 1)]) == {1: "dismissed"}
    assert now(merged, [made(2, "merge", 2, 1, undone=4)]) == {1: "open", 2: "confirmed"}


def test_a_review_under_a_wrong_name_does_not_stay_with_the_name() -> None:
    flags = [flag(1), flag(2), flag(MIA, "dismissed", hour=3)]
    wrong = made(2, "name", 1, MIA, undone=4)
    # It was given for what student 1 had shown, and is found there again.
    assert now(flags, [wrong]) == {1: "dismissed", 2: "open"}
    assert now(flags, [wrong, made(5, "name", 2, MIA)]) == {1: "dismissed", MIA: "open"}


def test_the_newest_review_counts() -> None:
    flags = [flag(1, "dismissed", hour=1), flag(MIA, "open", hour=3)]
    assert now(flags, [made(2, "name", 1, MIA)]) == {MIA: "open"}  # opened again


def test_a_review_without_its_time_is_older_than_any_correction() -> None:
    flags = [flag(1, "dismissed")]
    assert now(flags, [made(2, "name", 1, MIA)]) == {MIA: "dismissed"}
    assert now(flags, [made(2, "merge", 2, 1)]) == {1: "open"}


def test_whoever_is_gone_has_no_flag() -> None:
    flags = [flag(1), flag(2), flag(9, "dismissed", hour=3)]
    split = made(2, "split", 1, 9, 750.0, undone=4)
    assert now(flags, [split]) == {1: "open", 2: "open"}
    # The same split again gives the same person again, and the review is back.
    assert now(flags, [split, made(5, "split", 1, 9, 750.0)]) == {1: "open", 2: "open", 9: "dismissed"}
