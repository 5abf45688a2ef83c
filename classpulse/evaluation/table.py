"""A score as a text to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from classpulse.console import clock
from classpulse.evaluation.heads import HeadScore
from classpulse.evaluation.score import Detection, Following, Identity
from classpulse.evaluation.sizes import size_name
from classpulse.evaluation.things import Things

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
