"""A score as a text to read.

A score as a text to read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from classpulse.evaluation.expressions import FLAGGED_OUTCOME, DemoStudentScore, ExpressionScore, SegmentScore
from classpulse.evaluation.false_positives import FalsePositives
from classpulse.evaluation.head_pose import HeadPoseScore
from classpulse.evaluation.matching import size_range_text
from classpulse.evaluation.tracking import DetectionScore, IdentityScore, TrackingScore
from classpulse.formatting import media_clock

MAX_LISTED_SWITCHES = 12


def tracking_table(score: TrackingScore) -> str:
    """Some twenty lines: faces by size, identity, presence, every switch with its cause."""
    return "\n".join(
        [
            *_detection_lines(score.detection),
            *([] if score.distractors is None else [_distractor_line(score.distractors)]),
            "",
            *_identity_lines(score.identity),
            "",
            f"presence: {score.presence.reported_present} of {score.presence.absences} absences reported as "
            f"presence; wrong in {_percent(score.presence.error)} of the samples",
            *_head_pose_lines(score.head_poses),
        ]
    )


def _detection_lines(detection: DetectionScore) -> list[str]:
    lines = [f"{'face, pixels':16}{'to be seen':>11}{'found':>8}{'share':>8}"]
    for size in detection.sizes:
        if size.faces:
            name = size_range_text(size.from_px, size.to_px)
            lines.append(f"{name:16}{size.faces:>11}{size.found:>8}{_percent(size.recall):>8}")
    lines.append(
        f"all: recall {_percent(detection.recall)}, precision {_percent(detection.precision)} "
        f"({detection.false_positives} of {detection.boxes} boxes on nobody)"
    )
    return lines


def _distractor_line(distractors: FalsePositives) -> str:
    return (
        f"of these, {distractors.false_positives} on the {distractors.distractors} things that only look like people, in the picture "
        f"{distractors.appearances} times; {distractors.tracked_distractors} of the things became {distractors.students} students"
    )


def _head_pose_lines(heads: Sequence[HeadPoseScore]) -> list[str]:
    """The directions' errors, degrees; nothing where no direction is known."""
    if not heads:
        return []
    columns = ("known", "read", "yaw, facing", "yaw, turned", "pitch")
    lines = ["", f"{'face, pixels':16}" + "".join(f"{column:>13}" for column in columns)]
    for one in heads:
        errors = (one.yaw_facing_deg, one.yaw_turned_deg, one.pitch_deg)
        told = "".join("-".rjust(13) if error is None else f"{f'{error:.1f}°':>13}" for error in errors)
        lines.append(f"{size_range_text(one.from_px, one.to_px):16}{one.faces:>13}{one.measured:>13}{told}")
    return [*lines, "the head's direction is off by so much in the mean"]


def _identity_lines(identity: IdentityScore) -> list[str]:
    causes = Counter(switch.event or "nothing" for switch in identity.switches)
    told = ", ".join(f"{number} after {cause}" for cause, number in causes.most_common())
    lines = [
        f"identity: IDF1 {identity.idf1:.3f} (precision {identity.idp:.3f}, recall {identity.idr:.3f}), "
        f"{identity.fragmentations} times lost and found again",
        f"people in the film: {identity.students}; told apart: {identity.tracked}",
        f"taken for another: {len(identity.switches)} times" + (f" ({told})" if told else ""),
    ]
    lines += [
        f"  {media_clock(switch.media_s)} student {switch.student + 1}, {switch.event or 'nothing had happened'}"
        for switch in identity.switches[:MAX_LISTED_SWITCHES]
    ]
    if len(identity.switches) > MAX_LISTED_SWITCHES:
        lines.append(f"  and {len(identity.switches) - MAX_LISTED_SWITCHES} more; --json has all")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def expression_table(score: ExpressionScore) -> str:
    """The comparison, some twenty lines: a line a student, a line a spell, and the sums."""
    head = f"{'film':8}{'found as':12}{'there':>7}{'seen':>7}{'error':>7}{'facing':>8}  flag"
    lines = [head, *(_student_line(student) for student in score.students), ""]
    lines.append(f"{'film':8}{'from':>6}{'to':>6}  {'drawn to resemble':19}{'leading in the result':22}")
    lines += [_segment_line(student.seat, spell) for student in score.students for spell in student.segments]
    return "\n".join([*lines, "", *_totals(score)])


def _student_line(student: DemoStudentScore) -> str:
    shares = "".join(
        f"{_whole_percent(share):>7}"
        for share in (student.present_share, student.seen_share, student.presence_error)
    )
    facing = "-" if student.facing_accuracy is None else _whole_percent(student.facing_accuracy)
    flag = student.outcome or "none"
    wanted = "" if (flag == FLAGGED_OUTCOME) == student.expected_flag else "  (not as scripted)"
    return f"{student.seat:8}{student.pseudonym or 'not found':12}{shares}{facing:>8}  {flag}{wanted}"


def _segment_line(seat: str, segment: SegmentScore) -> str:
    reading = "no whole bin with a reading"
    if segment.probability is not None:
        mark = "" if segment.is_match else "  (differs)"
        reading = f"{segment.predicted} {segment.probability:.2f}{mark}"
    return f"{seat:8}{segment.start_s:6.1f}{segment.end_s:6.1f}  {segment.expected:19}{reading}"


def _totals(score: ExpressionScore) -> list[str]:
    agreeing, readings = score.matching_segments
    people = len(score.students)
    facing = "no direction read" if score.facing_accuracy is None else _whole_percent(score.facing_accuracy)
    return [
        f"students found: {score.found_students} of {people}; stored people who are nobody: {len(score.unmatched)}",
        f"presence: wrong by {_whole_percent(score.presence_error)} of the time; direction agrees: {facing}",
        f"leading expression as drawn: {agreeing} of {readings} spells with a reading",
        f"flags as scripted: {score.matching_flags} of {people} (precision {_whole_percent(score.flag_precision)}, "
        f"recall {_whole_percent(score.flag_recall)})",
    ]


def _whole_percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
