"""Which review is whose after corrections. Pure.

A review was given for what somebody had shown, not for a name or a number. So it stands for whoever has
exactly those stretches now: it moves along when a student is named, waits when they are merged or split, and
is back when that is taken back. Nothing of it is changed or deleted for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from operator import itemgetter

from db.corrections.identity import IdentityMap, apply_corrections
from db.records import CorrectionRecord, FlagRecord

_Key = tuple[int, str]

_EARLIEST = datetime.min.replace(tzinfo=UTC)  # a review without its time is older than every correction


def assign_reviews(
    flags: Iterable[FlagRecord], identities: IdentityMap, corrections: Sequence[CorrectionRecord]
) -> list[FlagRecord]:
    """The flags of the people of one session now, by person and kind, with the reviews that stand.

    ``corrections`` are all of the session, those taken back too, in the order they were made.
    """
    if not identities.is_corrected:
        return list(flags)
    stored = {(flag.student_id, flag.kind): flag for flag in flags}
    reviews = _reviews_by_person(stored.values(), identities, corrections)
    found = []
    for person, kind in sorted(stored.keys() | reviews.keys()):
        if person in identities.intervals_by_person:
            review = reviews.get((person, kind))
            verdict = stored.get((person, kind), review)
            assert verdict is not None  # one of the two has the key
            found.append(_with_review(replace(verdict, student_id=person), review))
    return found


def _reviews_by_person(
    flags: Iterable[FlagRecord], identities: IdentityMap, corrections: Sequence[CorrectionRecord]
) -> dict[_Key, FlagRecord]:
    """The newest review of each person and kind that was given for just what is theirs now."""
    recorded = {one.student_id for one in identities.intervals}
    owners = {stretches: person for person, stretches in identities.intervals_by_person.items()}
    given = [
        (flag.reviewed_at or _EARLIEST, flag) for flag in flags if flag.review != "open" or flag.reviewed_at
    ]
    standing: dict[_Key, FlagRecord] = {}
    for at, flag in sorted(given, key=itemgetter(0)):
        then = apply_corrections(recorded, [one.correction for one in corrections if one.is_active(at)])
        person = owners.get(then.intervals_by_person.get(flag.student_id, frozenset()))
        if person is not None:
            standing[person, flag.kind] = flag
    return standing


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
