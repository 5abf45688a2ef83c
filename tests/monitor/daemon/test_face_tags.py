"""What the tags beside the faces of a picture say, and where they stand."""

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


def reading(emotion: Emotion, probability: float = 0.83) -> tuple[float, ...]:
    rest = (1 - probability) / 6
    return tuple(probability if one is emotion else rest for one in Emotion)


def seen(
    expression: tuple[float, ...] | UnreadableReason,
    student: int | None = 0,
    box: Rectangle = (100, 100, 180, 200),
) -> TrackedFace:
    return TrackedFace(7, student, box, expression)


def forms(sighting: TrackedFace, labels=LABELS, *, is_small: bool = False) -> list[tuple[str, ...]]:
    return [
        tuple(line.replace(NBSP, " ") for line in form)
        for form in tag_texts(sighting, labels, is_small=is_small)
    ]


def width_of(text: str, size_px: int) -> int:
    """About that of DejaVu Sans."""
    return round(0.6 * size_px * len(text))


def place_all(sightings: list[TrackedFace], frame: tuple[int, int] = FRAME, labels=None) -> list[FaceTag]:
    boxes = [tuple(round(edge) for edge in one.box_xyxy) for one in sightings]
    return place_tags(sightings, boxes, labels, frame, width_of)


def overlap(one: Rectangle, other: Rectangle) -> int:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high)


class TestTexts:
    def test_a_reading_is_shown_with_number_label_and_probability(self) -> None:
        assert forms(seen(reading(Emotion.HAPPY)))[0] == ("3  happy 83 %",)
        assert forms(seen(reading(Emotion.SAD, 0.62)))[0] == ("3  sad-like 62 %",)
        assert forms(seen(reading(Emotion.NEUTRAL), 4), None)[0] == ("5  neutral 83 %",)

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
    def test_a_face_that_is_not_read_has_its_reason(
        self, reason: UnreadableReason, text: str, short: str
    ) -> None:
        assert forms(seen(reason))[0] == (f"3  {text}",)
        assert forms(seen(reason), is_small=True)[0] == ("3", short)

    def test_in_behaviour_there_is_only_the_number(self) -> None:
        assert forms(seen(UnreadableReason.NOT_COMPUTED)) == [("3",)]
        assert forms(seen(UnreadableReason.NOT_COMPUTED), is_small=True) == [("3",)]

    def test_an_unconfirmed_face_has_no_number(self) -> None:
        assert forms(seen(reading(Emotion.HAPPY), None))[0] == ("happy 83 %",)
        assert forms(seen(UnreadableReason.BLURRED, None)) == [("blurred",)]
        assert forms(seen(UnreadableReason.NOT_COMPUTED, None)) == [], "in mode aggregate, for instance"

    def test_a_student_without_a_label_has_the_reading_alone(self) -> None:
        assert forms(seen(reading(Emotion.HAPPY), 9))[0] == ("happy 83 %",)
        assert forms(seen(UnreadableReason.NOT_COMPUTED, 9)) == []

    def test_labels_keep_their_letters_and_are_cut_where_they_are_long(self) -> None:
        assert forms(seen(UnreadableReason.NOT_COMPUTED, 1)) == [("Größe 7",)]
        assert forms(seen(UnreadableReason.NOT_COMPUTED, 2)) == [("A very long lab…",)]

    def test_texts_are_german_where_german_is_spoken(self) -> None:
        with use_language("de"):
            assert forms(seen(reading(Emotion.SAD)))[0] == ("3  wirkt traurig 83 %",)
            assert forms(seen(UnreadableReason.HEAD_BOWED))[0] == ("3  Kopf gesenkt",)

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_no_student_is_called_sad(self, language: str) -> None:
        with use_language(language):
            for form in forms(seen(reading(Emotion.SAD))):
                assert not {"sad", "is", "traurig ist"} & set(" ".join(form).split())


class TestPlaces:
    def test_a_tag_stands_above_its_face_or_below_where_there_is_no_room(self) -> None:
        above, below = place_all(
            [seen(reading(Emotion.HAPPY), 0), seen(reading(Emotion.HAPPY), 1, (400, 4, 480, 100))]
        )
        assert above.area[0] == 100
        assert above.area[3] < 100
        assert below.area[1] > 100

    @pytest.mark.parametrize(
        "box", [(0, 0, 60, 70), (1220, 0, 1280, 70), (0, 650, 60, 720), (1220, 650, 1280, 720)]
    )
    def test_a_tag_lies_inside_the_picture_also_in_its_corners(self, box: Rectangle) -> None:
        (tag,) = place_all([seen(reading(Emotion.DISGUST), 0, box)])
        assert tag.lines == (f"1  disgust-like{NBSP}83{NBSP}%",)
        x1, y1, x2, y2 = tag.area
        assert 0 <= x1 < x2 <= 1280
        assert 0 <= y1 < y2 <= 720
        assert overlap(tag.area, box) == 0

    def test_a_class_of_25_has_full_tags_that_cover_neither_faces_nor_each_other(self) -> None:
        rng = np.random.default_rng(3)
        sightings = []
        for number in range(25):
            x, y = 128 + 256 * (number % 5) + rng.normal(0, 10), 80 + 140 * (number // 5) + rng.normal(0, 10)
            expression = reading(Emotion(number % 7)) if number % 3 else UnreadableReason.HEAD_BOWED
            sightings.append(seen(expression, number, (x, y, x + 40, y + 48)))
        tags = place_all(sightings)
        assert len(tags) == 25
        for tag in tags:
            assert len(tag.lines) == 1, "the long form"
            assert tag.size_px >= 13, "legible at 1280 pixels"
            assert all(overlap(tag.area, one.box_xyxy) == 0 for one in sightings)
        assert all(overlap(one.area, other.area) == 0 for one, other in combinations(tags, 2))

    def test_in_a_crowd_no_tag_covers_a_face_or_another_tag(self) -> None:
        rng = np.random.default_rng(4)
        corners = rng.uniform((0, 0), (1250, 680), (150, 2))
        sightings = [
            seen(reading(Emotion.SURPRISE), n, (x, y, x + 26, y + 30)) for n, (x, y) in enumerate(corners)
        ]
        tags = place_all(sightings)
        assert 75 < len(tags) < 150
        for tag in tags:
            for one in sightings:
                covered = overlap(tag.area, tuple(round(edge) for edge in one.box_xyxy))
                assert covered <= MAX_COVERED_SHARE * 26 * 30 * 1.1
        assert all(overlap(one.area, other.area) == 0 for one, other in combinations(tags, 2))

    def test_a_tag_stays_where_it_is_whatever_the_order_of_the_faces(self) -> None:
        rng = np.random.default_rng(5)
        corners = rng.uniform((0, 0), (1200, 600), (30, 2))
        faces = [seen(reading(Emotion.HAPPY), n, (x, y, x + 50, y + 60)) for n, (x, y) in enumerate(corners)]
        places = {tag.face.student: tag.area for tag in place_all(faces)}
        assert {tag.face.student: tag.area for tag in place_all(faces[::-1])} == places

    def test_a_face_that_fills_the_picture_loses_a_strip_at_most(self) -> None:
        box = (0, 0, 640, 480)
        (tag,) = place_all([seen(reading(Emotion.HAPPY), 0, box)], (640, 480))
        assert overlap(tag.area, box) <= MAX_COVERED_SHARE * 640 * 480

    def test_a_picture_too_small_for_any_tag_has_none(self) -> None:
        assert place_all([seen(reading(Emotion.HAPPY), 0, (2, 2, 8, 8))], (12, 10)) == []

    def test_small_faces_have_the_short_form(self) -> None:
        small = (100, 100, 100 + SMALL_FACE_PX - 1, 140)
        (tag,) = place_all([seen(UnreadableReason.HEAD_BOWED, 0, small)])
        assert tag.lines == ("1", "bowed")

    def test_text_grows_with_the_face_and_the_picture(self) -> None:
        sizes = [text_size((0, 0, width, width), 1280) for width in (24, 40, 80, 120, 400)]
        assert sizes == sorted(sizes)
        assert (sizes[0], sizes[-1]) == (13, TEXT_SIZE_RANGE_PX[1])
        assert text_size((0, 0, 24, 24), 320) == TEXT_SIZE_RANGE_PX[0]
