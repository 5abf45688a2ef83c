"""The few plain sentences at the top of a report. They say only what the numbers carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from db.records import SessionStatus
from model.emotions import Emotion
from reports.attention_flags import KIND as ATTENTION
from reports.changes import LEAST_STUDENTS, WINDOW_S, Change, Measure
from reports.class_timeline import LEAST_CLASS_PEOPLE
from reports.flags import KIND as SADNESS
from reports.flags import Outcome
from reports.gaps import gaps_told
from reports.names import isolated
from reports.report import Mode, Person, Report
from reports.words import NOUNS, clock, count, length, listing, percent

_ASKED = {
    SADNESS: "mostly showed an expression resembling sadness",
    ATTENTION: "was away for much longer than the class",
}
"""What nobody did who was not flagged; "away" is not seen, turned away or with shut eyes."""

MOST_NAMES = 8
"""More names than this in one sentence are not read; the table has them all."""

SELDOM = 0.5
"""Whoever was seen for less of the watched time than this is named. A way of telling, not a limit."""

_MEASURES: Mapping[Measure | Emotion, str] = {
    Measure.SEEN: "the share of students seen",
    Measure.FACING: "heads facing the front",
    Measure.SHUT: "shut eyes",
    **{emotion: f"expressions resembling {NOUNS[emotion]}" for emotion in Emotion},
    Emotion.NEUTRAL: "neutral expressions",
}


def summary(report: Report) -> tuple[str, ...]:
    """Two or three sentences, the most important first."""
    if report.watched_s == 0:
        why = "" if report.gaps else ": no picture arrived"
        return (f"Nothing was watched{why}, so there is nothing to report.",)
    if not report.whole.people_seen.any():
        return (f"No student was seen in the {length(report.watched_s)} watched.",)
    by_mode = {Mode.EMOTION: _emotion, Mode.BEHAVIOUR: _behaviour, Mode.AGGREGATE: _aggregate}
    return tuple(sentence for sentence in by_mode[report.mode](report) if sentence)


def banner(report: Report) -> str | None:
    """What is missing and why; None if the session ran to its end."""
    parts = []
    if report.session.status is SessionStatus.INTERRUPTED:
        why = f": {report.session.status_reason.rstrip('.')}" if report.session.status_reason else ""
        parts.append(f"This session was interrupted{why}. All that was recorded before is in this report.")
    elif report.session.status is SessionStatus.RUNNING:
        parts.append("This session is still marked as running; this is what is recorded so far.")
    gone = gaps_told(report.gaps, report.session.end_s)
    parts += [part for part in (_missing_end(report), gone, _missing_middle(report)) if part]
    return " ".join(parts) or None


def no_curve(report: Report) -> str | None:
    """Why there is no class curve; None if there is one."""
    whole = report.whole
    if not whole.people_seen.any():
        return "There is no curve, because no student was seen."
    if report.mode is Mode.AGGREGATE and whole.people < LEAST_CLASS_PEOPLE:
        return (
            f"There is no curve: at most {count(whole.people, 'student')} could be seen at a time, and a "
            f"figure of the class needs {LEAST_CLASS_PEOPLE} or more, so that it gives away nobody."
        )
    if report.mode is Mode.BEHAVIOUR:
        return (
            None
            if whole.mean_facing_share is not None
            else "There is no curve: no head direction could be read."
        )
    if whole.people_usable.any() or whole.mean_facing_share is not None:
        return None
    return "There is no curve: no expression could be read, nor where heads pointed."


def unreadable(report: Report) -> str | None:
    """Why seen faces gave no expression, in percent of the cases; None if all did."""
    reasons: Counter[str] = Counter()
    for person in report.people:
        reasons.update(person.timeline.unknown)
    for not_a_face in ("absent", "not computed"):
        reasons.pop(not_a_face, None)
    total = reasons.total()
    if not total or report.mode is not Mode.EMOTION:
        return None
    shares = [f"{reason} ({percent(number / total)})" for reason, number in reasons.most_common()]
    return f"Where a face was seen but not readable, it was {listing(shares)}."


def masked(report: Report) -> str | None:
    """That seats were masked; None if none was."""
    if not report.masked_seats:
        return None
    was = "is opted out and was" if report.masked_seats == 1 else "are opted out and were"
    return (
        f"{count(report.masked_seats, 'seat')} {was} masked in every picture before anything was looked for "
        "in it. Nothing is known of who sits there."
    )


def change_told(change: Change) -> str:
    """``At 23:10 heads facing the front fell from 87 % to 44 %.``"""
    return f"At {clock(change.at_s)} {_went(change)}"


def _went(change: Change) -> str:
    went = "rose" if change.after > change.before else "fell"
    return f"{_MEASURES[change.measure]} {went} from {percent(change.before)} to {percent(change.after)}."


def no_change(report: Report) -> str | None:
    """Why no moment is named at which the class changed; None if one is, or if it could not be looked for."""
    compared = len(report.people) >= LEAST_STUDENTS and report.session.end_s >= 2 * WINDOW_S
    if report.changes or not compared:
        return None
    return "At no moment did the class change by more than chance allows."


def names(people: tuple[Person, ...]) -> str:
    """``Student 1, Student 2 and 7 more``."""
    shown = [isolated(person.name) for person in people[:MOST_NAMES]]
    more = len(people) - len(shown)
    return listing([*shown, f"{more} more"] if more else shown)


def _emotion(report: Report) -> list[str]:
    told = _largest_change(report) or _class_expressions(report)
    return [
        _check_ins(report),
        _seen(report),
        told or "Nobody's face could be read, so nothing can be said about expressions.",
    ]


def _behaviour(report: Report) -> list[str]:
    facing = report.whole.mean_facing_share
    told = (
        ""
        if facing is None
        else f"Heads faced the front in {percent(facing)} of the moments that could be read."
    )
    change = _largest_change(report)
    return [
        _check_ins(report),
        _seen(report),
        f"{told} {change}".strip(),
        f"{_eyes(report)} No expression was computed in this mode.",
    ]


def _largest_change(report: Report) -> str:
    if not report.changes:
        return ""
    largest = max(report.changes, key=lambda change: change.size)
    return f"The class changed most at {clock(largest.at_s)}: {_went(largest)}"


def _eyes(report: Report) -> str:
    judged = [person for person in report.people if person.attention.most_closed is not None]
    if not judged:
        return "Nobody's eyes could be judged for a minute: they were too small, turned away or bowed down."
    of = "all" if len(judged) == len(report.seen) else f"{len(judged)} of {len(report.seen)}"
    return f"Whether eyes were open or shut could be judged for {of} of the students seen."


def _aggregate(report: Report) -> list[str]:
    return [
        f"Up to {count(report.whole.people, 'student')} were seen at a time.",
        _class_expressions(report),
        "In this mode nothing is kept about a single student.",
    ]


def _check_ins(report: Report) -> str:
    """Who is to be checked in with; the page says for what."""
    waiting = tuple(person for person in report.check_ins if "open" in person.reviews)
    if waiting:
        many = "s" if len(waiting) > 1 else ""
        of = f" ({len(waiting)} of {count(len(report.seen), 'student')})" if many else ""
        told = f"Suggested check-in{many}: {names(waiting)}{of}."
    else:
        told = "No check-in is open." if report.check_ins else _nobody(report)
    for review in ("confirmed", "dismissed"):
        reviewed = tuple(person for person in report.check_ins if review in person.reviews)
        told += f" {review.capitalize()} on review: {names(reviewed)}." if reviewed else ""
    usual = tuple(person for person in report.people if person.as_usual)
    return told + (f" As usual for themselves, and so not flagged: {names(usual)}." if usual else "")


def _nobody(report: Report) -> str:
    """That nobody was flagged, for what, and whom that leaves out."""
    kinds = [SADNESS, ATTENTION] if report.mode is Mode.EMOTION else [ATTENTION]
    judged = {kind: [p for p in report.seen if not p.is_(Outcome.INSUFFICIENT_DATA, kind)] for kind in kinds}
    asked = [_ASKED[kind] for kind in kinds if judged[kind]]
    if not asked:
        return "No check-in is suggested: there was not enough to tell about anyone."
    if any(person.as_usual for person in report.people):
        return "No check-in is suggested."
    few = any(len(found) < len(report.seen) for found in judged.values())
    whom = "of those with enough to tell, nobody" if few else "nobody"
    return f"No check-in is suggested: {whom} {' or '.join(asked)}."


def _seen(report: Report) -> str:
    share, few = report.whole.mean_seen_share, report.insufficient
    were = "was" if len(report.seen) == 1 else "were"
    sentence = (
        f"{count(len(report.seen), 'student')} {were} seen, on average for {percent(share)} of the "
        f"{length(report.watched_s)} watched."
    )
    seldom = tuple(p for p in report.seen if p.timeline.coverage < SELDOM)
    if 0 < len(seldom) < len(report.seen):
        sentence = f"{sentence[:-1]}; less than half of it: {names(seldom)}."
    some = 0 < len(few) < len(report.seen)
    return sentence + (f" There was not enough to tell for {names(few)}." if some else "")


def _class_expressions(report: Report) -> str:
    shares = report.whole.expression_shares
    if not shares:
        return ""
    ranked = sorted(shares, key=lambda emotion: -shares[emotion])[:3]
    if Emotion.SAD not in ranked:
        ranked = [*ranked[:2], Emotion.SAD]
    told = listing([f"{NOUNS[emotion]} {percent(shares[emotion])}" for emotion in ranked])
    return f"Averaged over the class, the readable faces resembled: {told}."


def _missing_end(report: Report) -> str | None:
    expected_s, end_s = report.session.expected_s, report.session.end_s
    if expected_s is None:
        live = report.session.status is SessionStatus.INTERRUPTED
        return "How much is missing is not known, as a live session announces no length." if live else None
    missing_s = expected_s - end_s
    # The last bin, and the rounding of a container's length, are not worth a warning.
    if missing_s <= max(report.session.bin_s, expected_s / 100):
        return None
    return f"The last {length(missing_s)} of {length(expected_s)} are missing."


def _missing_middle(report: Report) -> str | None:
    missing_s = report.unexplained_s
    # Beside gaps, what is left of the bins at their ends is not worth a word.
    if missing_s < report.session.bin_s or report.watched_s == 0:
        return None
    besides = "Besides, nothing" if report.gaps else "Nothing"
    return f"{besides} was watched for {length(missing_s)} in between; the charts show where."
