"""The few plain sentences at the top of a report. They say only what the numbers carry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from db.records import Mode, SessionStatus
from model.emotions import Emotion
from reports.flags.base import ATTENTION_KIND as ATTENTION
from reports.flags.base import SADNESS_KIND as SADNESS
from reports.flags.base import Outcome
from reports.narrative.small_faces import in_report
from reports.report import Person, Report
from reports.text.formatting import clock, count, length, listing, noun, percent
from reports.text.i18n import N_, _, ngettext, word
from reports.text.names import isolated
from reports.timeline.change_points import LEAST_STUDENTS, WINDOW_S, Change, Measure
from reports.timeline.classroom import LEAST_CLASS_PEOPLE
from reports.timeline.gaps import gaps_told

_NOBODY: Mapping[tuple[str, ...], tuple[str, str]] = {
    (SADNESS,): (
        N_("No check-in is suggested: nobody mostly showed an expression resembling sadness."),
        N_(
            "No check-in is suggested: of those with enough to tell, nobody mostly showed an expression "
            "resembling sadness."
        ),
    ),
    (ATTENTION,): (
        N_("No check-in is suggested: nobody was away for much longer than the class."),
        N_(
            "No check-in is suggested: of those with enough to tell, nobody was away for much longer than "
            "the class."
        ),
    ),
    (SADNESS, ATTENTION): (
        N_(
            "No check-in is suggested: nobody mostly showed an expression resembling sadness or was away for "
            "much longer than the class."
        ),
        N_(
            "No check-in is suggested: of those with enough to tell, nobody mostly showed an expression "
            "resembling sadness or was away for much longer than the class."
        ),
    ),
}
"""That nobody was flagged for any of these kinds: with enough to tell of all, or only of some. "Away" is not
seen, turned away or with shut eyes."""

_ON_REVIEW = {
    "confirmed": N_("Confirmed on review: %(names)s."),
    "dismissed": N_("Dismissed on review: %(names)s."),
}

_REASONS = {
    "too small": N_("too small"),
    "blurred": N_("blurred"),
    "turned away": N_("turned away"),
    "occluded": N_("occluded"),
    "head bowed": N_("bowed"),
    "pose unknown": N_("at an unknown angle"),
}
"""Values of ``monitor.types.Unknown`` that a seen face can have, as predicates of "the face was". An
unlisted value is shown unchanged."""

MOST_NAMES = 8
"""More names than this in one sentence are not read; the table has them all."""

SELDOM = 0.5
"""Whoever was seen for less of the watched time than this is named. A way of telling, not a limit."""

_MEASURES: Mapping[Measure | Emotion, str] = {
    Measure.SEEN: N_("the share of students seen"),
    Measure.FACING: N_("heads facing the front"),
    Measure.SHUT: N_("shut eyes"),
    Emotion.ANGRY: N_("expressions resembling anger"),
    Emotion.DISGUST: N_("expressions resembling disgust"),
    Emotion.FEAR: N_("expressions resembling fear"),
    Emotion.HAPPY: N_("expressions resembling happiness"),
    Emotion.SAD: N_("expressions resembling sadness"),
    Emotion.SURPRISE: N_("expressions resembling surprise"),
    Emotion.NEUTRAL: N_("neutral expressions"),
}


def summary(report: Report) -> tuple[str, ...]:
    """Two or three sentences, the most important first."""
    if report.watched_s == 0:
        if report.gaps:
            return (_("Nothing was watched, so there is nothing to report."),)
        return (_("Nothing was watched: no picture arrived, so there is nothing to report."),)
    if not report.whole.people_seen.any():
        nobody = _("No student was seen in the %(length)s watched.", length=length(report.watched_s))
        return tuple(sentence for sentence in (nobody, in_report(report.session)) if sentence)
    by_mode = {Mode.EMOTION: _emotion, Mode.BEHAVIOUR: _behaviour, Mode.AGGREGATE: _aggregate}
    return tuple(sentence for sentence in by_mode[report.mode](report) if sentence)


def banner(report: Report) -> str | None:
    """What is missing and why; None if the session ran to its end."""
    parts = []
    if report.session.status is SessionStatus.INTERRUPTED:
        parts.append(_interrupted(report.session.status_reason.rstrip(".")))
    elif report.session.status is SessionStatus.RUNNING:
        parts.append(_("This session is still marked as running; this is what is recorded so far."))
    gone = gaps_told(report.gaps, report.session.end_s)
    parts += [part for part in (_missing_end(report), gone, _missing_middle(report)) if part]
    return " ".join(parts) or None


def _interrupted(why: str) -> str:
    """``why`` in the words of the record, which are English."""
    if not why:
        return _("This session was interrupted. All that was recorded before is in this report.")
    return _(
        "This session was interrupted: %(why)s. All that was recorded before is in this report.", why=why
    )


def no_curve(report: Report) -> str | None:
    """Why there is no class curve; None if there is one."""
    whole = report.whole
    if not whole.people_seen.any():
        return _("There is no curve, because no student was seen.")
    if report.mode is Mode.AGGREGATE and whole.people < LEAST_CLASS_PEOPLE:
        return _(
            "There is no curve: at most %(students)s could be seen at a time, and a figure of the class "
            "needs %(least)s or more, so that it gives away nobody.",
            students=count(whole.people, "student"),
            least=LEAST_CLASS_PEOPLE,
        )
    if report.mode is Mode.BEHAVIOUR:
        return (
            None
            if whole.mean_facing_share is not None
            else _("There is no curve: no head direction could be read.")
        )
    if whole.people_usable.any() or whole.mean_facing_share is not None:
        return None
    return _("There is no curve: no expression could be read, nor where heads pointed.")


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
    shares = [f"{_reason(reason)} ({percent(number / total)})" for reason, number in reasons.most_common()]
    return _("Where a face was seen but not readable, it was %(reasons)s.", reasons=listing(shares))


def _reason(stored: str) -> str:
    return word(_REASONS[stored]) if stored in _REASONS else stored


def masked(report: Report) -> str | None:
    """That seats were masked; None if none was."""
    if not report.masked_seats:
        return None
    return ngettext(
        "%(num)d seat is opted out and was masked in every picture before anything was looked for in it. "
        "Nothing is known of who sits there.",
        "%(num)d seats are opted out and were masked in every picture before anything was looked for in it. "
        "Nothing is known of who sits there.",
        report.masked_seats,
    )


def change_told(change: Change) -> str:
    """``At 23:10 heads facing the front fell from 87 % to 44 %.``"""
    return _("At %(at)s %(change)s", at=clock(change.at_s), change=_went(change))


def _went(change: Change) -> str:
    told = (
        N_("%(what)s rose from %(before)s to %(after)s.")
        if change.after > change.before
        else N_("%(what)s fell from %(before)s to %(after)s.")
    )
    what, before, after = word(_MEASURES[change.measure]), percent(change.before), percent(change.after)
    return _(told, what=what, before=before, after=after)


def no_change(report: Report) -> str | None:
    """Why no moment is named at which the class changed; None if one is, or if it could not be looked for."""
    compared = len(report.people) >= LEAST_STUDENTS and report.session.end_s >= 2 * WINDOW_S
    if report.changes or not compared:
        return None
    return _("At no moment did the class change by more than chance allows.")


def names(people: tuple[Person, ...]) -> str:
    """``Student 1, Student 2 and 7 more``."""
    shown = [isolated(person.name) for person in people[:MOST_NAMES]]
    more = len(people) - len(shown)
    return listing([*shown, ngettext("%(num)d more", "%(num)d more", more)] if more else shown)


def _emotion(report: Report) -> list[str]:
    told = _largest_change(report) or _class_expressions(report)
    return [
        _check_ins(report),
        _seen(report),
        in_report(report.session) or "",
        told or _("Nobody's face could be read, so nothing can be said about expressions."),
    ]


def _behaviour(report: Report) -> list[str]:
    facing = report.whole.mean_facing_share
    told = (
        ""
        if facing is None
        else _("Heads faced the front in %(share)s of the moments that could be read.", share=percent(facing))
    )
    change = _largest_change(report)
    return [
        _check_ins(report),
        _seen(report),
        in_report(report.session) or "",
        f"{told} {change}".strip(),
        _eyes(report) + " " + _("No expression was computed in this mode."),
    ]


def _largest_change(report: Report) -> str:
    if not report.changes:
        return ""
    largest = max(report.changes, key=lambda change: change.size)
    return _("The class changed most at %(at)s: %(change)s", at=clock(largest.at_s), change=_went(largest))


def _eyes(report: Report) -> str:
    judged = [person for person in report.people if person.attention.most_closed is not None]
    if not judged:
        return _(
            "Nobody's eyes could be judged for a minute: they were too small, turned away or bowed down."
        )
    if len(judged) == len(report.seen):
        return _("Whether eyes were open or shut could be judged for all of the students seen.")
    return _(
        "Whether eyes were open or shut could be judged for %(judged)s of %(seen)s of the students seen.",
        judged=len(judged),
        seen=len(report.seen),
    )


def _aggregate(report: Report) -> list[str]:
    return [
        _("Up to %(students)s were seen at a time.", students=count(report.whole.people, "student")),
        in_report(report.session) or "",
        _class_expressions(report),
        _("In this mode nothing is kept about a single student."),
    ]


def _check_ins(report: Report) -> str:
    """Who is to be checked in with; the page says for what."""
    waiting = tuple(person for person in report.check_ins if "open" in person.reviews)
    if waiting:
        told = ngettext(
            "Suggested check-in: %(names)s.",
            "Suggested check-ins: %(names)s (%(num)d of %(students)s).",
            len(waiting),
            names=names(waiting),
            students=count(len(report.seen), "student"),
        )
    else:
        told = _("No check-in is open.") if report.check_ins else _nobody(report)
    parts = [told]
    for review, text in _ON_REVIEW.items():
        reviewed = tuple(person for person in report.check_ins if review in person.reviews)
        parts += [_(text, names=names(reviewed))] if reviewed else []
    usual = tuple(person for person in report.people if person.as_usual)
    if usual:
        parts.append(_("As usual for themselves, and so not flagged: %(names)s.", names=names(usual)))
    return " ".join(parts)


def _nobody(report: Report) -> str:
    """That nobody was flagged, for what, and whom that leaves out."""
    kinds = [SADNESS, ATTENTION] if report.mode is Mode.EMOTION else [ATTENTION]
    judged = {kind: [p for p in report.seen if not p.is_(Outcome.INSUFFICIENT_DATA, kind)] for kind in kinds}
    asked = tuple(kind for kind in kinds if judged[kind])
    if not asked:
        return _("No check-in is suggested: there was not enough to tell about anyone.")
    if any(person.as_usual for person in report.people):
        return _("No check-in is suggested.")
    few = any(len(found) < len(report.seen) for found in judged.values())
    return word(_NOBODY[asked][few])


def _seen(report: Report) -> str:
    share, few = report.whole.mean_seen_share, report.insufficient
    sentence = ngettext(
        "%(num)d student was seen, on average for %(share)s of the %(length)s watched",
        "%(num)d students were seen, on average for %(share)s of the %(length)s watched",
        len(report.seen),
        share=percent(share),
        length=length(report.watched_s),
    )
    seldom = tuple(p for p in report.seen if p.timeline.coverage < SELDOM)
    if 0 < len(seldom) < len(report.seen):
        sentence += _("; less than half of it: %(names)s", names=names(seldom))
    some = 0 < len(few) < len(report.seen)
    unclear = " " + _("There was not enough to tell for %(names)s.", names=names(few)) if some else ""
    return f"{sentence}.{unclear}"


def _class_expressions(report: Report) -> str:
    shares = report.whole.expression_shares
    if not shares:
        return ""
    ranked = sorted(shares, key=lambda emotion: -shares[emotion])[:3]
    if Emotion.SAD not in ranked:
        ranked = [*ranked[:2], Emotion.SAD]
    told = listing([f"{noun(emotion)} {percent(shares[emotion])}" for emotion in ranked])
    return _("Averaged over the class, the readable faces resembled: %(told)s.", told=told)


def _missing_end(report: Report) -> str | None:
    expected_s, end_s = report.session.expected_s, report.session.end_s
    if expected_s is None:
        live = report.session.status is SessionStatus.INTERRUPTED
        return _("How much is missing is not known, as a live session announces no length.") if live else None
    missing_s = expected_s - end_s
    # The last bin, and the rounding of a container's length, are not worth a warning.
    if missing_s <= max(report.session.bin_s, expected_s / 100):
        return None
    missing, whole = length(missing_s), length(expected_s)
    return _("The last %(missing)s of %(whole)s are missing.", missing=missing, whole=whole)


def _missing_middle(report: Report) -> str | None:
    missing_s = report.unexplained_s
    # Beside gaps, what is left of the bins at their ends is not worth a word.
    if missing_s < report.session.bin_s or report.watched_s == 0:
        return None
    told = (
        N_("Besides, nothing was watched for %(length)s in between; the charts show where.")
        if report.gaps
        else N_("Nothing was watched for %(length)s in between; the charts show where.")
    )
    return _(told, length=length(missing_s))
