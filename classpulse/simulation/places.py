"""What must hold of the places that a truth names. Every fault is a ``ValueError``, one line."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.domain import Box

MOST_SHARED = 0.9
"""Two seats, or two people at one time, whose boxes share more than this, as intersection over union, are one
and the same. Somebody who walks past another covers most of them only for a moment, and seldom so exactly."""


def check_box(name: str, box_xyxy: Box, width: int, height: int) -> None:
    """The box of ``name`` has an inside, and some of it is in a picture of ``width`` by ``height`` pixels."""
    x1, y1, x2, y2 = box_xyxy
    if not (x2 > x1 and y2 > y1):
        raise ValueError(f"the box {box_xyxy} of {name} is empty; expected x2 > x1 and y2 > y1")
    if not (x1 < width and y1 < height and x2 > 0 and y2 > 0):
        raise ValueError(
            f"{name} is at {tuple(round(edge) for edge in box_xyxy)}, outside the picture of "
            f"{width} x {height}"
        )


def check_apart(boxes: Mapping[str, Box], when: str) -> None:
    """No two names have one place; ``when`` ends the message."""
    # From left to right: a box can share much only with those that begin before it ends.
    ordered = sorted(boxes.items(), key=lambda one: one[1][0])
    for index, (name, box) in enumerate(ordered):
        for other, place in ordered[index + 1 :]:
            if place[0] >= box[2]:
                break
            if _shared(box, place) > MOST_SHARED:
                raise ValueError(f"{name} and {other} have the same place {when}")


def _shared(one: Box, other: Box) -> float:
    """Intersection over union."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    both = max(0.0, across) * max(0.0, down)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return both / (sum(areas) - both)
