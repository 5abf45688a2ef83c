"""A score as a text to read."""

from __future__ import annotations

from collections import Counter

from classpulse.console import clock
from classpulse.evaluation.score import SIZES_PX, Detection, Following, Identity

SWITCHES_SHOWN = 12


def following_table(score: Following) -> str:
    """Some twenty lines: faces by size, identity, presence, every switch with its cause."""
    return "\n".join(
        [
            *_detection_lines(score.detection),
            "",
            *_identity_lines(score.identity),
            "",
            f"presence: {score.presence.believed} of {score.presence.absences} absences reported as "
            f"presence; wrong in {_percent(score.presence.error)} of the samples",
        ]
    )


def _detection_lines(found: Detection) -> list[str]:
    lines = [f"{'face, pixels':16}{'to be seen':>11}{'found':>8}{'share':>8}"]
    for size in found.sizes:
        if size.faces:
            name = (
                f"{size.from_px} and more"
                if size.to_px == SIZES_PX[-1]
                else f"{size.from_px} to {size.to_px - 1}"
            )
            lines.append(f"{name:16}{size.faces:>11}{size.found:>8}{_percent(size.recall):>8}")
    lines.append(
        f"all: recall {_percent(found.recall)}, precision {_percent(found.precision)} "
        f"({found.strays} of {found.boxes} boxes on nobody)"
    )
    return lines


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
