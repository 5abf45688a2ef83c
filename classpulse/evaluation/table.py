"""Scores as text."""

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
    """About twenty lines: detection by face size, identity with the cause of every switch, presence, head
    poses."""
    return "\n".join(
        [
            *_detection_lines(score.detection),
            *([] if score.distractors is None else [_distractor_line(score.distractors)]),
            "",
            *_identity_lines(score.identity),
            "",
            f"presence: {score.presence.reported_present} of {score.presence.absences} absences reported as "
            f"present; wrong in {_percent(score.presence.error)} of the frames",
            *_head_pose_lines(score.head_poses),
        ]
    )


def _detection_lines(detection: DetectionScore) -> list[str]:
    lines = [f"{'face size, px':16}{'visible':>11}{'found':>8}{'recall':>8}"]
    for size in detection.sizes:
        if size.faces:
            name = size_range_text(size.from_px, size.to_px)
            lines.append(f"{name:16}{size.faces:>11}{size.found:>8}{_percent(size.recall):>8}")
    lines.append(
        f"all: recall {_percent(detection.recall)}, precision {_percent(detection.precision)} "
        f"({detection.false_positives} of {detection.boxes} boxes are false positives)"
    )
    return lines


def _distractor_line(distractors: FalsePositives) -> str:
    return (
        f"of these, {distractors.false_positives} on the {distractors.distractors} distractors, visible "
        f"{distractors.appearances} times; {distractors.tracked_distractors} of the distractors were tracked "
        f"as {distractors.students} students"
    )


def _head_pose_lines(heads: Sequence[HeadPoseScore]) -> list[str]:
    """Errors of the head pose in degrees; empty if the truth has no direction."""
    if not heads:
        return []
    columns = ("known", "measured", "yaw, facing", "yaw, turned", "pitch")
    lines = ["", f"{'face size, px':16}" + "".join(f"{column:>13}" for column in columns)]
    for score in heads:
        errors = (score.yaw_facing_deg, score.yaw_turned_deg, score.pitch_deg)
        cells = "".join("-".rjust(13) if error is None else f"{f'{error:.1f}°':>13}" for error in errors)
        size = size_range_text(score.from_px, score.to_px)
        lines.append(f"{size:16}{score.faces:>13}{score.measured:>13}{cells}")
    return [*lines, "mean absolute error of the head pose"]


def _identity_lines(identity: IdentityScore) -> list[str]:
    causes = Counter(switch.event or "no event" for switch in identity.switches)
    causes_text = ", ".join(f"{count} after {cause}" for cause, count in causes.most_common())
    lines = [
        f"identity: IDF1 {identity.idf1:.3f} (precision {identity.idp:.3f}, recall {identity.idr:.3f}), "
        f"{identity.fragmentations} fragmentations",
        f"students in the video: {identity.students}; tracked: {identity.tracked}",
        f"identity switches: {len(identity.switches)}" + (f" ({causes_text})" if causes_text else ""),
    ]
    lines += [
        f"  {media_clock(switch.media_s)} student {switch.student + 1}, {switch.event or 'no event'}"
        for switch in identity.switches[:MAX_LISTED_SWITCHES]
    ]
    if len(identity.switches) > MAX_LISTED_SWITCHES:
        lines.append(f"  and {len(identity.switches) - MAX_LISTED_SWITCHES} more (--json lists all)")
    return lines


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def expression_table(score: ExpressionScore) -> str:
    """About twenty lines: one per student, one per segment, and the totals."""
    head = f"{'seat':8}{'student':12}{'present':>8}{'seen':>7}{'error':>7}{'facing':>8}  flag"
    lines = [head, *(_student_line(student) for student in score.students), ""]
    lines.append(f"{'seat':8}{'from':>6}{'to':>6}  {'expected':19}{'predicted':22}")
    lines += [
        _segment_line(student.seat, segment) for student in score.students for segment in student.segments
    ]
    return "\n".join([*lines, "", *_totals(score)])


def _student_line(student: DemoStudentScore) -> str:
    present, seen, error, facing = (
        _whole_percent(share)
        for share in (
            student.present_share,
            student.seen_share,
            student.presence_error,
            student.facing_accuracy,
        )
    )
    flag = student.outcome or "none"
    note = "" if (flag == FLAGGED_OUTCOME) == student.expected_flag else "  (not as scripted)"
    name = student.pseudonym or "not found"
    return f"{student.seat:8}{name:12}{present:>8}{seen:>7}{error:>7}{facing:>8}  {flag}{note}"


def _segment_line(seat: str, segment: SegmentScore) -> str:
    predicted = "no complete bin with a prediction"
    if segment.probability is not None:
        note = "" if segment.is_match else "  (differs)"
        predicted = f"{segment.predicted} {segment.probability:.2f}{note}"
    return f"{seat:8}{segment.start_s:6.1f}{segment.end_s:6.1f}  {segment.expected:19}{predicted}"


def _totals(score: ExpressionScore) -> list[str]:
    matching, predicted = score.matching_segments
    students = len(score.students)
    return [
        f"students found: {score.found_students} of {students}; unmatched stored students: "
        f"{len(score.unmatched)}",
        f"presence: wrong for {_whole_percent(score.presence_error)} of the time; direction right: "
        f"{_whole_percent(score.facing_accuracy)}",
        f"expression as scripted: {matching} of {predicted} segments with a prediction",
        f"flags as scripted: {score.matching_flags} of {students} "
        f"(precision {_whole_percent(score.flag_precision)}, recall {_whole_percent(score.flag_recall)})",
    ]


def _whole_percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"
