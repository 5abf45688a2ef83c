"""What the tag beside a face says, and where it fits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.emotions import Emotion
from monitor.types import TrackedFace, UnreadableReason
from reports.text.formatting import expression_tag, reason_tag

SMALL_FACE_PX = 40
"""A face narrower than this in the drawn picture gets the short form at once. Heuristic."""

GAP_PX = 2
"""Between a face's box and its tag."""

MAX_COVERED_SHARE = 0.06
"""Share of a face's box that a tag may cover where it fits nowhere else: a strip of hair above a face that
fills the picture. Heuristic."""

MAX_LABEL_CHARS = 16
"""Characters of a seat's label that are drawn."""

Rectangle = tuple[int, int, int, int]
"""x1, y1, x2, y2 in pixels of the drawn picture; x2 and y2 are outside."""


TEXT_SIZE_RANGE_PX = (11, 26)
"""The smallest and the largest size of the text."""

PADDING_PX = 2
"""Between the text and the edge of the tag."""

LINE_HEIGHT = 1.3
"""Height of a line over the size of its text: ascender and descender of DejaVu Sans (0.93 and 0.24) and what
rounding to whole pixels adds."""


def find_tag_area(
    size: tuple[int, int], box: Rectangle, faces: NDArray[np.int64], tags: NDArray[np.int64], frame: Rectangle
) -> Rectangle | None:
    """Where a tag of ``size`` (width, height) stands: beside its face's ``box``, inside ``frame``, over no
    other tag and no face, or, for want of a better place, over at most ``MAX_COVERED_SHARE`` of a face.

    ``faces`` and ``tags`` are rectangles, ``(F, 4)`` and ``(T, 4)``. Returns None if it fits nowhere."""
    free = [one for one in _candidate_areas(size, box, frame) if not _overlap(one, tags).any()]
    areas = np.maximum(1, (faces[:, 2] - faces[:, 0]) * (faces[:, 3] - faces[:, 1]))
    for most in (0.0, MAX_COVERED_SHARE):
        for one in free:
            if (_overlap(one, faces) <= most * areas).all():
                return one
    return None


@dataclass(frozen=True)
class FaceTag:
    """A tag as it is drawn. ``find_tag_area`` lies inside the picture; ``face`` is the face."""

    lines: tuple[str, ...]
    size_px: int
    area: Rectangle
    face: TrackedFace

    @property
    def shows_reason(self) -> bool:
        """Whether the tag gives the reason why there is no expression."""
        return has_unreadable_reason(self.face.expression)


def has_unreadable_reason(expression: tuple[float, ...] | UnreadableReason) -> bool:
    """Whether an expression should have been read but could not be."""
    return isinstance(expression, UnreadableReason) and expression is not UnreadableReason.NOT_COMPUTED


def place_tags(
    tracked_faces: Sequence[TrackedFace],
    boxes: Sequence[Rectangle],
    labels: Mapping[int, str] | None,
    frame_size: tuple[int, int],
    width_of: Callable[[str, int], int],
) -> list[FaceTag]:
    """The tags of one picture of ``frame_size`` (width, height). ``boxes`` are the faces' boxes in it, and
    ``width_of`` measures a text of a size, in pixels.

    Students come first, in the order of their numbers, then the faces that are not confirmed as students by
    track, so that a tag stays where it is while nothing moves."""
    faces = np.array(boxes, np.int64).reshape(-1, 4)
    frame = (0, 0, *frame_size)
    tags: list[FaceTag] = []
    for sighting, box in sorted(zip(tracked_faces, boxes, strict=True), key=_rank):
        size_px = text_size(box, frame_size[0])
        taken = np.array([tag.area for tag in tags], np.int64).reshape(-1, 4)
        for lines in tag_texts(sighting, labels, is_small=box[2] - box[0] < SMALL_FACE_PX):
            width = max(width_of(line, size_px) for line in lines) + 2 * PADDING_PX
            height = len(lines) * round(LINE_HEIGHT * size_px) + 2 * PADDING_PX
            found = find_tag_area((width, height), box, faces, taken, frame)
            if found is not None:
                tags.append(FaceTag(lines, size_px, found, sighting))
                break
    return tags


def text_size(box: Rectangle, frame_width: int) -> int:
    """The size of the text beside a face, pixels: a fifth of the face's width, and at least a hundredth of
    the picture's, which the page shows smaller than it is. Heuristic."""
    least, most = TEXT_SIZE_RANGE_PX
    return min(most, max(least, frame_width // 98, (box[2] - box[0]) // 5))


def tag_texts(
    face: TrackedFace, labels: Mapping[int, str] | None, *, is_small: bool
) -> list[tuple[str, ...]]:
    """The texts that may stand beside a face, as lines, the most informative first.

    The number is that of "Student 3", the seat's label, or, without ``labels``, the student's number from 1;
    a face that is not confirmed as a student's has none.
    The reading is the most probable expression or the reason why there is none; in ``mode: behaviour``, in
    which no expression is computed, there is no reading."""
    number = "" if face.student is None else _label_text(face.student, labels)
    reading, short = _expression_text(face.expression)
    forms = [
        (f"{number}  {reading}",),
        (number, reading),
        (number, short),
        (f"{number} {short}",),
        (short,),
        (number,),
    ]
    if is_small:
        forms = [(number, short) if has_unreadable_reason(face.expression) else (number, reading), *forms[2:]]
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
    """The text of a reading and its short form."""
    if expression is UnreadableReason.NOT_COMPUTED:
        return "", ""
    if isinstance(expression, UnreadableReason):
        return reason_tag(expression.value), reason_tag(expression.value, short=True)
    probability = max(expression)
    emotion = Emotion(expression.index(probability))
    return expression_tag(emotion, probability), expression_tag(emotion, probability, short=True)


def _candidate_areas(size: tuple[int, int], box: Rectangle, frame: Rectangle) -> Iterator[Rectangle]:
    """The places of a tag that lie inside the frame, the best first: above and below the face, with its
    left edge, its right edge or its middle, then beside it."""
    width, height = size
    left, top, right, bottom = frame
    if width > right - left or height > bottom - top:
        return
    x1, y1, x2, y2 = box
    above, below = y1 - GAP_PX - height, y2 + GAP_PX
    across = (x1, x2 - width, (x1 + x2 - width) // 2)
    places = [(x, y) for x in across for y in (above, below)]
    places += [(x2 + GAP_PX, y1), (x1 - GAP_PX - width, y1)]
    for x, y in places:
        x, y = min(max(x, left), right - width), min(max(y, top), bottom - height)
        yield x, y, x + width, y + height


def _overlap(one: Rectangle, others: NDArray[np.int64]) -> NDArray[np.int64]:
    """The area that each of ``others`` shares with ``one``, pixels, ``(N,)``."""
    wide = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    high = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    area: NDArray[np.int64] = np.maximum(0, wide) * np.maximum(0, high)
    return area
