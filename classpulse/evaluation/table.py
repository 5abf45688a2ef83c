"""A score as a text to read.

A score as a text to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from classpulse.evaluation.expressions import FLAGGED, Score, SpellScore, StudentScore
from classpulse.evaluation.false_positives import Things
from classpulse.evaluation.head_pose import HeadScore
from classpulse.evaluation.matching import size_name
from classpulse.evaluation.tracking import Detection, Following, Identity
from classpulse.formatting import clock

SWITCHES_SHOWN = 12


def following_table(score: Following) -> str:
    """Some twenty lines: faces by size, identity, presence, every switch with its cause."""
    return "\n".join(
        [
            *_detection_lines(score.detection),
            *([] if score.things is None else [_things_line(score.things)]),
            "",
            *_identity_lines(score.identity),
            "",
            f"presence: {score.presence.believed} of {score.presence.absences} absences reported as "
            f"presence; wrong in {_percent(score.presence.error)} of the samples",
            *_head_lines(score.heads),
        ]
    )


def _detection_lines(found: Detection) -> list[str]:
    lines = [f"{'face, pixels':16}{'to be seen':>11}{'found':>8}{'share':>8}"]
    for size in found.sizes:
        if size.faces:
            name = size_name(size.from_px, size.to_px)
            lines.append(f"{name:16}{size.faces:>11}{size.found:>8}{_percent(size.recall):>8}")
    lines.append(
        f"all: recall {_percent(found.recall)}, precision {_percent(found.precision)} "
        f"({found.strays} of {found.boxes} boxes on nobody)"
    )
    return lines


def _things_line(things: Things) -> str:
    return (
        f"of these, {things.boxes} on the {things.things} things that only look like people, in the picture "
        f"{things.shown} times; {things.mistaken} of the things became {things.students} students"
    )


def _head_lines(heads: Sequence[HeadScore]) -> list[str]:
    """The directions' errors, degrees; nothing where no direction is known."""
    if not heads:
        return []
    columns = ("known", "read", "yaw, facing", "yaw, turned", "pitch")
    lines = ["", f"{'face, pixels':16}" + "".join(f"{column:>13}" for column in columns)]
    for one in heads:
        errors = (one.yaw_facing_deg, one.yaw_turned_deg, one.pitch_deg)
        told = "".join("-".rjust(13) if error is None else f"{f'{error:.1f}°':>13}" for error in errors)
        lines.append(f"{size_name(one.from_px, one.to_px):16}{one.faces:>13}{one.read:>13}{told}")
    return [*lines, "the head's direction is off by so much in the mean"]


def _identity_lines(identity: Identity) -> list[str]:
    causes = Counter(switch.event or "nothing" for switch in identity.switches)
    told = ", ".join(f"{number} after {cause}" for cause, number in causes.most_common())
    lines = [
        f"identity: IDF1 {identity.idf1:.3f} (precision {identity.idp:.3f}, recall {identity.idr:.3f}), "
        f"{identity.fragmentations} times lost and found again",
        f"people in the film: {identity.students}; told apart: {identity.followed}",
        f"taken for another: {len(identity.switches)} times" + (f" ({told})" if told else ""),
    ]
    lines += [
        f"  {clock(switch.media_s)} student {switch.student + 1}, {switch.event or 'nothing had happened'}"
        for switch in identity.switches[:SWITCHES_SHOWN]
    ]
    if len(identity.switches) > SWITCHES_SHOWN:
        lines.append(f"  and {len(identity.switches) - SWITCHES_SHOWN} more; --json has all")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def score_table(score: Score) -> str:
    """The comparison, some twenty lines: a line a student, a line a spell, and the sums."""
    head = f"{'film':8}{'found as':12}{'there':>7}{'seen':>7}{'error':>7}{'facing':>8}  flag"
    lines = [head, *(_student_line(student) for student in score.students), ""]
    lines.append(f"{'film':8}{'from':>6}{'to':>6}  {'drawn to resemble':19}{'leading in the result':22}")
    lines += [_spell_line(student.seat, spell) for student in score.students for spell in student.spells]
    return "\n".join([*lines, "", *_sums(score)])


def _student_line(student: StudentScore) -> str:
    shares = "".join(
        f"{_rounded(share):>7}"
        for share in (student.present_share, student.seen_share, student.presence_error)
    )
    facing = "-" if student.facing_agreement is None else _rounded(student.facing_agreement)
    flag = student.outcome or "none"
    wanted = "" if (flag == FLAGGED) == student.should_be_flagged else "  (not as scripted)"
    return f"{student.seat:8}{student.pseudonym or 'not found':12}{shares}{facing:>8}  {flag}{wanted}"


def _spell_line(seat: str, spell: SpellScore) -> str:
    reading = "no whole bin with a reading"
    if spell.probability is not None:
        mark = "" if spell.agrees else "  (differs)"
        reading = f"{spell.leading} {spell.probability:.2f}{mark}"
    return f"{seat:8}{spell.start_s:6.1f}{spell.end_s:6.1f}  {spell.expected:19}{reading}"


def _sums(score: Score) -> list[str]:
    agreeing, readings = score.spells_agreeing
    people = len(score.students)
    facing = "no direction read" if score.facing_agreement is None else _rounded(score.facing_agreement)
    return [
        f"students found: {score.found} of {people}; stored people who are nobody: {len(score.strays)}",
        f"presence: wrong by {_rounded(score.presence_error)} of the time; direction agrees: {facing}",
        f"leading expression as drawn: {agreeing} of {readings} spells with a reading",
        f"flags as scripted: {score.flags_agreeing} of {people} (precision {_rounded(score.flag_precision)}, "
        f"recall {_rounded(score.flag_recall)})",
    ]


def _rounded(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
