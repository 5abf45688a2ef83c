"""The current reviews of flags after corrections. Pure.

A review was given for the recorded intervals of a person, not for a name or an id. It applies to the person
that has exactly those intervals now: it moves when a student is named, does not apply while they are merged
or split, and applies again when that is undone. No review is changed or deleted by a correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter

from db.corrections.identity import IdentityMap, apply_corrections
from db.records import CorrectionRecord, FlagRecord

_Key = tuple[int, str]

_EARLIEST = datetime.min.replace(tzinfo=UTC)  # a review without a time precedes all corrections


def assign_reviews(
    flags: Iterable[FlagRecord], identities: IdentityMap, corrections: Sequence[CorrectionRecord]
) -> list[FlagRecord]:
    """The flags of the persons of one session, by person and kind, with their current reviews.

    ``corrections`` are all of the session, in the order of their creation, including undone ones.
    """
    if not identities.is_corrected:
        return list(flags)
    stored = {(flag.student_id, flag.kind): flag for flag in flags}
    reviews = _reviews_by_person(stored.values(), identities, corrections)
    assigned = []
    for person, kind in sorted(stored.keys() | reviews.keys()):
        if person in identities.intervals_by_person:
            review = reviews.get((person, kind))
            flag = stored.get((person, kind), review)
            assert flag is not None  # one of the two has the key
            assigned.append(_with_review(replace(flag, student_id=person), review))
    return assigned


def _reviews_by_person(
    flags: Iterable[FlagRecord], identities: IdentityMap, corrections: Sequence[CorrectionRecord]
) -> dict[_Key, FlagRecord]:
    """The newest review per person and kind that was given for exactly the person's current intervals."""
    recorded = {interval.student_id for interval in identities.intervals}
    persons = {intervals: person for person, intervals in identities.intervals_by_person.items()}
    reviewed = [
        (flag.reviewed_at or _EARLIEST, flag) for flag in flags if flag.review != "open" or flag.reviewed_at
    ]
    current: dict[_Key, FlagRecord] = {}
    for at, flag in sorted(reviewed, key=itemgetter(0)):
        then = apply_corrections(
            recorded, [record.correction for record in corrections if record.is_active(at)]
        )
        person = persons.get(then.intervals_by_person.get(flag.student_id, frozenset()))
        if person is not None:
            current[person, flag.kind] = flag
    return current


def _with_review(flag: FlagRecord, review: FlagRecord | None) -> FlagRecord:
    if review is None:
        return replace(flag, review="open", reviewed_by=None, reviewed_at=None, note=None)
    return replace(
        flag,
        review=review.review,
        reviewed_by=review.reviewed_by,
        reviewed_at=review.reviewed_at,
        note=review.note,
    )
