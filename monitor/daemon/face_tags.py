"""Text and position of the tags beside faces in a preview. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.emotions import Emotion
from monitor.types import TrackedFace, UnreadableReason
from reports.text.formatting import expression_tag, reason_tag

SMALL_FACE_PX = 40
"""A face narrower than this in the preview gets the short form. Heuristic."""

GAP_PX = 2
"""Distance between the box of a face and its tag."""

MAX_COVERED_SHARE = 0.06
"""Share of a face's box that a tag may cover if it fits nowhere else: a strip of hair above a face that fills
the frame. Heuristic."""

MAX_LABEL_CHARS = 16
"""Characters of a student's label that are drawn."""

Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels of the preview; x2 and y2 are exclusive."""


TEXT_SIZE_RANGE_PX = (11, 26)
"""The smallest and the largest size of the text."""

PADDING_PX = 2
"""Distance between the text and the edge of the tag."""

LINE_HEIGHT = 1.3
"""Height of a line over the size of its text: ascender and descender of DejaVu Sans (0.93 and 0.24) plus
rounding to whole pixels."""


def find_tag_area(
    size: tuple[int, int], box: Rectangle, faces: NDArray[np.int64], tags: NDArray[np.int64], frame: Rectangle
) -> Rectangle | None:
    """The position of a tag of ``size`` (width, height): beside the ``box`` of its face, inside ``frame``,
    over no other tag and no face, else over at most ``MAX_COVERED_SHARE`` of a face; None if it fits nowhere.

    ``faces`` and ``tags`` are rectangles, ``(F, 4)`` and ``(T, 4)``."""
    free = [area for area in _candidate_areas(size, box, frame) if not _overlap(area, tags).any()]
    face_areas = np.maximum(1, (faces[:, 2] - faces[:, 0]) * (faces[:, 3] - faces[:, 1]))
    for max_share in (0.0, MAX_COVERED_SHARE):
        for area in free:
            if (_overlap(area, faces) <= max_share * face_areas).all():
                return area
    return None


@dataclass(frozen=True)
class FaceTag:
    """A tag to be drawn at ``area`` beside ``face``."""

    lines: tuple[str, ...]
    size_px: int
    area: Rectangle
    face: TrackedFace

    @property
    def shows_reason(self) -> bool:
        """Whether the tag shows why there is no expression."""
        return has_unreadable_reason(self.face.expression)


def has_unreadable_reason(expression: tuple[float, ...] | UnreadableReason) -> bool:
    """Whether an expression was attempted but is unreadable."""
    return isinstance(expression, UnreadableReason) and expression is not UnreadableReason.NOT_COMPUTED


def place_tags(
    tracked_faces: Sequence[TrackedFace],
    boxes: Sequence[Rectangle],
    labels: Mapping[int, str] | None,
    frame_size: tuple[int, int],
    width_of: Callable[[str, int], int],
) -> list[FaceTag]:
    """The tags of a preview of ``frame_size`` (width, height). ``boxes``: of the faces, in its pixels.
    ``width_of`` returns the width of a text at a size, pixels.

    Students are placed first, by number, then unconfirmed faces, by track, so that a tag keeps its position
    while nothing moves."""
    faces = np.array(boxes, np.int64).reshape(-1, 4)
    frame = (0, 0, *frame_size)
    tags: list[FaceTag] = []
    for face, box in sorted(zip(tracked_faces, boxes, strict=True), key=_rank):
        size_px = text_size(box, frame_size[0])
        taken = np.array([tag.area for tag in tags], np.int64).reshape(-1, 4)
        for lines in tag_texts(face, labels, is_small=box[2] - box[0] < SMALL_FACE_PX):
            width = max(width_of(line, size_px) for line in lines) + 2 * PADDING_PX
            height = len(lines) * round(LINE_HEIGHT * size_px) + 2 * PADDING_PX
            area = find_tag_area((width, height), box, faces, taken, frame)
            if area is not None:
                tags.append(FaceTag(lines, size_px, area, face))
                break
    return tags


def text_size(box: Rectangle, frame_width: int) -> int:
    """The text size beside a face, pixels: a fifth of the face's width, and at least a hundredth of the
    frame's, because the page shows it scaled down. Heuristic."""
    smallest, largest = TEXT_SIZE_RANGE_PX
    return min(largest, max(smallest, frame_width // 98, (box[2] - box[0]) // 5))


def tag_texts(
    face: TrackedFace, labels: Mapping[int, str] | None, *, is_small: bool
) -> list[tuple[str, ...]]:
    """The candidate texts of a tag, as lines, the most informative first.

    The number is that of "Student 3", the seat label, or, without ``labels``, the student's number from 1; an
    unconfirmed face has none. The expression text is the most probable expression or the reason for none;
    ``mode: behaviour`` computes no expression and has no such text."""
    number = "" if face.student is None else _label_text(face.student, labels)
    expression, short = _expression_text(face.expression)
    forms = [
        (f"{number}  {expression}",),
        (number, expression),
        (number, short),
        (f"{number} {short}",),
        (short,),
        (number,),
    ]
    if is_small:
        forms = [
            (number, short) if has_unreadable_reason(face.expression) else (number, expression),
            *forms[2:],
        ]
    cleaned = [tuple(line.strip() for line in form if line.strip()) for form in forms]
    return list(dict.fromkeys(form for form in cleaned if form))


def _rank(face: tuple[TrackedFace, Rectangle]) -> tuple[bool, int]:
    student = face[0].student
    return (student is None, face[0].track_id if student is None else student)


def _label_text(student: int, labels: Mapping[int, str] | None) -> str:
    if labels is None:
        return str(student + 1)
    label = labels.get(student, "").removeprefix("Student ")
    return label if len(label) <= MAX_LABEL_CHARS else label[: MAX_LABEL_CHARS - 1] + "…"


def _expression_text(expression: tuple[float, ...] | UnreadableReason) -> tuple[str, str]:
    """The text of an expression and its short form."""
    if expression is UnreadableReason.NOT_COMPUTED:
        return "", ""
    if isinstance(expression, UnreadableReason):
        return reason_tag(expression.value), reason_tag(expression.value, short=True)
    probability = max(expression)
    emotion = Emotion(expression.index(probability))
    return expression_tag(emotion, probability), expression_tag(emotion, probability, short=True)


def _candidate_areas(size: tuple[int, int], box: Rectangle, frame: Rectangle) -> Iterator[Rectangle]:
    """The positions of a tag inside the frame, the best first: above and below the face, aligned with its
    left edge, right edge or middle, then beside it."""
    width, height = size
    left, top, right, bottom = frame
    if width > right - left or height > bottom - top:
        return
    x1, y1, x2, y2 = box
    above, below = y1 - GAP_PX - height, y2 + GAP_PX
    across = (x1, x2 - width, (x1 + x2 - width) // 2)
    positions = [(x, y) for x in across for y in (above, below)]
    positions += [(x2 + GAP_PX, y1), (x1 - GAP_PX - width, y1)]
    for x, y in positions:
        x, y = min(max(x, left), right - width), min(max(y, top), bottom - height)
        yield x, y, x + width, y + height


def _overlap(area: Rectangle, others: NDArray[np.int64]) -> NDArray[np.int64]:
    """The intersection of ``area`` with each of ``others``, pixels, ``(N,)``."""
    width = np.minimum(area[2], others[:, 2]) - np.maximum(area[0], others[:, 0])
    height = np.minimum(area[3], others[:, 3]) - np.maximum(area[1], others[:, 1])
    shared: NDArray[np.int64] = np.maximum(0, width) * np.maximum(0, height)
    return shared
