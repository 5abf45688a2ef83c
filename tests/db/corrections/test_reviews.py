"""The current reviews of flags after corrections."""

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


def correction_at(
    hour: int, kind: str, student: int, person: int, at_s: float | None = None, undone: int | None = None
) -> CorrectionRecord:
    correction = Correction(CorrectionKind(kind), student, person, at_s)
    undone_at = None if undone is None else at(undone)
    return CorrectionRecord(hour, 7, at(hour), undone_at, correction, str(student), str(person))


def flag(student: int, review: str = "open", hour: int | None = None, outcome: str = "flagged") -> FlagRecord:
    reviewed_at = None if hour is None else at(hour)
    reviewer = None if hour is None else "the form teacher"
    return FlagRecord(7, student, "sadness", outcome, {}, review, reviewer, reviewed_at)


def current_reviews(flags: list[FlagRecord], corrections: list[CorrectionRecord]) -> dict[int, str]:
    """The review of each person's flag."""
    identities = apply_corrections(
        [1, 2, 3], [record.correction for record in corrections if record.is_active()]
    )
    return {flag.student_id: flag.review for flag in assign_reviews(flags, identities, corrections)}


def test_assign_reviews_without_corrections_returns_flags_unchanged() -> None:
    flags = [flag(1, "dismissed"), flag(2)]
    assert assign_reviews(flags, IdentityMap(), []) == flags


def test_review_moves_with_a_name_correction() -> None:
    flags = [flag(1, "dismissed", hour=1), flag(2)]
    named = [correction_at(2, "name", 1, MIA)]
    assert current_reviews(flags, named) == {2: "open", MIA: "dismissed"}
    # Also when Mia has a decision of her own, and when she is renamed.
    assert current_reviews([*flags, flag(MIA)], named) == {2: "open", MIA: "dismissed"}
    assert current_reviews(flags, [*named, correction_at(3, "name", MIA, 102)]) == {
        2: "open",
        102: "dismissed",
    }


def test_decision_of_the_person_is_kept_with_the_moved_review() -> None:
    identities = apply_corrections([1], [Correction(CorrectionKind.NAME, 1, MIA)])
    stored = [flag(1, "confirmed", hour=1), flag(MIA, outcome="not_flagged")]
    (assigned,) = assign_reviews(stored, identities, [correction_at(2, "name", 1, MIA)])
    assert assigned == replace(stored[0], student_id=MIA, outcome="not_flagged")


def test_review_of_a_part_does_not_apply_to_the_whole() -> None:
    flags = [flag(1, "confirmed", hour=1), flag(2, "dismissed", hour=1)]
    assert current_reviews(flags, [correction_at(2, "merge", 2, 1)]) == {1: "open"}
    assert current_reviews(flags, [correction_at(2, "split", 1, 9, 750.0)]) == {1: "open", 2: "dismissed"}
    assert current_reviews(flags, [correction_at(2, "merge", 2, 1, undone=3)]) == {
        1: "confirmed",
        2: "dismissed",
    }


def test_review_of_merged_intervals_does_not_apply_to_a_part() -> None:
    merged = [flag(1, "dismissed", hour=3), flag(2, "confirmed", hour=1)]
    assert current_reviews(merged, [correction_at(2, "merge", 2, 1)]) == {1: "dismissed"}
    assert current_reviews(merged, [correction_at(2, "merge", 2, 1, undone=4)]) == {1: "open", 2: "confirmed"}


def test_review_given_during_a_wrong_name_correction_stays_with_the_student() -> None:
    flags = [flag(1), flag(2), flag(MIA, "dismissed", hour=3)]
    wrong = correction_at(2, "name", 1, MIA, undone=4)
    # It was given for the intervals of student 1 and applies to them again.
    assert current_reviews(flags, [wrong]) == {1: "dismissed", 2: "open"}
    assert current_reviews(flags, [wrong, correction_at(5, "name", 2, MIA)]) == {1: "dismissed", MIA: "open"}


def test_newest_review_applies() -> None:
    flags = [flag(1, "dismissed", hour=1), flag(MIA, "open", hour=3)]
    assert current_reviews(flags, [correction_at(2, "name", 1, MIA)]) == {MIA: "open"}  # reopened


def test_review_without_time_precedes_corrections() -> None:
    flags = [flag(1, "dismissed")]
    assert current_reviews(flags, [correction_at(2, "name", 1, MIA)]) == {MIA: "dismissed"}
    assert current_reviews(flags, [correction_at(2, "merge", 2, 1)]) == {1: "open"}


def test_removed_person_has_no_flag() -> None:
    flags = [flag(1), flag(2), flag(9, "dismissed", hour=3)]
    split = correction_at(2, "split", 1, 9, 750.0, undone=4)
    assert current_reviews(flags, [split]) == {1: "open", 2: "open"}
    # The same split again yields the same person, and the review applies again.
    assert current_reviews(flags, [split, correction_at(5, "split", 1, 9, 750.0)]) == {
        1: "open",
        2: "open",
        9: "dismissed",
    }
