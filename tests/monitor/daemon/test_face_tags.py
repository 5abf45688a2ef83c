"""Texts and positions of the tags beside faces."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from model.emotions import Emotion
from monitor.daemon.face_tags import (
    MAX_COVERED_SHARE,
    SMALL_FACE_PX,
    TEXT_SIZE_RANGE_PX,
    FaceTag,
    Rectangle,
    place_tags,
    tag_texts,
    text_size,
)
from monitor.types import TrackedFace, UnreadableReason
from reports.text.formatting import NBSP
from reports.text.i18n import use_language

FRAME = (1280, 720)
LABELS = {0: "Student 3", 1: "Größe 7", 2: "A very long label of a seat"}


def expression_of(emotion: Emotion, probability: float = 0.83) -> tuple[float, ...]:
    rest = (1 - probability) / 6
    return tuple(probability if other is emotion else rest for other in Emotion)


def face_of(
    expression: tuple[float, ...] | UnreadableReason,
    student: int | None = 0,
    box: Rectangle = (100, 100, 180, 200),
) -> TrackedFace:
    return TrackedFace(7, student, box, expression)


def forms(face: TrackedFace, labels=LABELS, *, is_small: bool = False) -> list[tuple[str, ...]]:
    return [
        tuple(line.replace(NBSP, " ") for line in form) for form in tag_texts(face, labels, is_small=is_small)
    ]


def width_of(text: str, size_px: int) -> int:
    """Approximately that of DejaVu Sans."""
    return round(0.6 * size_px * len(text))


def place_all(faces: list[TrackedFace], frame: tuple[int, int] = FRAME, labels=None) -> list[FaceTag]:
    boxes = [tuple(round(edge) for edge in face.box_xyxy) for face in faces]
    return place_tags(faces, boxes, labels, frame, width_of)


def overlap(a: Rectangle, b: Rectangle) -> int:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return max(0, width) * max(0, height)


class TestTexts:
    def test_tag_of_an_expression_has_number_label_and_probability(self) -> None:
        assert forms(face_of(expression_of(Emotion.HAPPY)))[0] == ("3  happy 83 %",)
        assert forms(face_of(expression_of(Emotion.SAD, 0.62)))[0] == ("3  sad-like 62 %",)
        assert forms(face_of(expression_of(Emotion.NEUTRAL), 4), None)[0] == ("5  neutral 83 %",)

    @pytest.mark.parametrize(
        ("reason", "text", "short"),
        [
            (UnreadableReason.HEAD_BOWED, "head bowed", "bowed"),
            (UnreadableReason.POSE_UNKNOWN, "angle unknown", "angle?"),
            (UnreadableReason.TURNED_AWAY, "turned away", "turned"),
            (UnreadableReason.TOO_SMALL, "too small", "too small"),
            (UnreadableReason.BLURRED, "blurred", "blurred"),
            (UnreadableReason.OCCLUDED, "face covered", "covered"),
        ],
    )
    def test_unreadable_face_has_its_reason(self, reason: UnreadableReason, text: str, short: str) -> None:
        assert forms(face_of(reason))[0] == (f"3  {text}",)
        assert forms(face_of(reason), is_small=True)[0] == ("3", short)

    def test_tag_in_behaviour_mode_has_only_the_number(self) -> None:
        assert forms(face_of(UnreadableReason.NOT_COMPUTED)) == [("3",)]
        assert forms(face_of(UnreadableReason.NOT_COMPUTED), is_small=True) == [("3",)]

    def test_unconfirmed_face_has_no_number(self) -> None:
        assert forms(face_of(expression_of(Emotion.HAPPY), None))[0] == ("happy 83 %",)
        assert forms(face_of(UnreadableReason.BLURRED, None)) == [("blurred",)]
        assert forms(face_of(UnreadableReason.NOT_COMPUTED, None)) == [], "for example in aggregate mode"

    def test_student_without_a_label_has_only_the_expression(self) -> None:
        assert forms(face_of(expression_of(Emotion.HAPPY), 9))[0] == ("happy 83 %",)
        assert forms(face_of(UnreadableReason.NOT_COMPUTED, 9)) == []

    def test_long_label_is_shortened(self) -> None:
        assert forms(face_of(UnreadableReason.NOT_COMPUTED, 1)) == [("Größe 7",)]
        assert forms(face_of(UnreadableReason.NOT_COMPUTED, 2)) == [("A very long lab…",)]

    def test_texts_are_translated(self) -> None:
        with use_language("de"):
            assert forms(face_of(expression_of(Emotion.SAD)))[0] == ("3  wirkt traurig 83 %",)
            assert forms(face_of(UnreadableReason.HEAD_BOWED))[0] == ("3  Kopf gesenkt",)

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_sad_expression_is_called_sad_like(self, language: str) -> None:
        with use_language(language):
            for form in forms(face_of(expression_of(Emotion.SAD))):
                assert not {"sad", "is", "traurig ist"} & set(" ".join(form).split())


class TestPositions:
    def test_tag_is_above_the_face_or_below_without_space(self) -> None:
        above, below = place_all(
            [
                face_of(expression_of(Emotion.HAPPY), 0),
                face_of(expression_of(Emotion.HAPPY), 1, (400, 4, 480, 100)),
            ]
        )
        assert above.area[0] == 100
        assert above.area[3] < 100
        assert below.area[1] > 100

    @pytest.mark.parametrize(
        "box", [(0, 0, 60, 70), (1220, 0, 1280, 70), (0, 650, 60, 720), (1220, 650, 1280, 720)]
    )
    def test_tag_in_a_corner_is_inside_the_frame(self, box: Rectangle) -> None:
        (tag,) = place_all([face_of(expression_of(Emotion.DISGUST), 0, box)])
        assert tag.lines == (f"1  disgust-like{NBSP}83{NBSP}%",)
        x1, y1, x2, y2 = tag.area
        assert 0 <= x1 < x2 <= 1280
        assert 0 <= y1 < y2 <= 720
        assert overlap(tag.area, box) == 0

    def test_class_of_25_has_full_tags_without_overlap(self) -> None:
        rng = np.random.default_rng(3)
        faces = []
        for number in range(25):
            x, y = 128 + 256 * (number % 5) + rng.normal(0, 10), 80 + 140 * (number // 5) + rng.normal(0, 10)
            expression = expression_of(Emotion(number % 7)) if number % 3 else UnreadableReason.HEAD_BOWED
            faces.append(face_of(expression, number, (x, y, x + 40, y + 48)))
        tags = place_all(faces)
        assert len(tags) == 25
        for tag in tags:
            assert len(tag.lines) == 1, "the long form"
            assert tag.size_px >= 13, "legible at 1280 pixels"
            assert all(overlap(tag.area, face.box_xyxy) == 0 for face in faces)
        assert all(overlap(a.area, b.area) == 0 for a, b in combinations(tags, 2))

    def test_crowd_has_tags_without_overlap(self) -> None:
        rng = np.random.default_rng(4)
        corners = rng.uniform((0, 0), (1250, 680), (150, 2))
        faces = [
            face_of(expression_of(Emotion.SURPRISE), n, (x, y, x + 26, y + 30))
            for n, (x, y) in enumerate(corners)
        ]
        tags = place_all(faces)
        assert 75 < len(tags) < 150
        for tag in tags:
            for face in faces:
                covered = overlap(tag.area, tuple(round(edge) for edge in face.box_xyxy))
                assert covered <= MAX_COVERED_SHARE * 26 * 30 * 1.1
        assert all(overlap(a.area, b.area) == 0 for a, b in combinations(tags, 2))

    def test_position_does_not_depend_on_the_order_of_faces(self) -> None:
        rng = np.random.default_rng(5)
        corners = rng.uniform((0, 0), (1200, 600), (30, 2))
        faces = [
            face_of(expression_of(Emotion.HAPPY), n, (x, y, x + 50, y + 60))
            for n, (x, y) in enumerate(corners)
        ]
        areas = {tag.face.student: tag.area for tag in place_all(faces)}
        assert {tag.face.student: tag.area for tag in place_all(faces[::-1])} == areas

    def test_tag_covers_at_most_a_strip_of_a_large_face(self) -> None:
        box = (0, 0, 640, 480)
        (tag,) = place_all([face_of(expression_of(Emotion.HAPPY), 0, box)], (640, 480))
        assert overlap(tag.area, box) <= MAX_COVERED_SHARE * 640 * 480

    def test_tiny_frame_has_no_tag(self) -> None:
        assert place_all([face_of(expression_of(Emotion.HAPPY), 0, (2, 2, 8, 8))], (12, 10)) == []

    def test_small_face_has_the_short_form(self) -> None:
        small = (100, 100, 100 + SMALL_FACE_PX - 1, 140)
        (tag,) = place_all([face_of(UnreadableReason.HEAD_BOWED, 0, small)])
        assert tag.lines == ("1", "bowed")

    def test_text_size_grows_with_face_and_frame(self) -> None:
        sizes = [text_size((0, 0, width, width), 1280) for width in (24, 40, 80, 120, 400)]
        assert sizes == sorted(sizes)
        assert (sizes[0], sizes[-1]) == (13, TEXT_SIZE_RANGE_PX[1])
        assert text_size((0, 0, 24, 24), 320) == TEXT_SIZE_RANGE_PX[0]
