"""The frame of a preview: boxes, tags, and which students it shows."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.config.settings import read_config
from db.engine import open_database
from db.records import AnalysisMode
from monitor.daemon.live_view import WIDTH_PX, draw_boxes
from monitor.imaging import MASK_GREY
from monitor.seating.classroom import read_classroom
from monitor.session.builder import SessionRunner
from monitor.types import FrameResult, ImageBGR, TrackedFace, UnreadableReason, without_students
from reports.text.i18n import Language
from tests.helpers.halls import SEATS, OvalDetector, camera, hall, people_in, seen
from tests.helpers.videos import write_video

BLACK = np.zeros((100, 200, 3), np.uint8)


def sample(*faces: TrackedFace, **fields: object) -> FrameResult:
    return FrameResult(0.0, (), len(faces), (200, 100), faces, **fields)


def test_draw_boxes_outlines_faces_in_a_copy() -> None:
    result = sample(TrackedFace(1, 0, (20, 40, 60, 80)), TrackedFace(2, None, (120, 40, 160, 80)))
    image_bgr = draw_boxes(BLACK, result)
    assert not BLACK.any()
    assert image_bgr.shape == BLACK.shape
    assert image_bgr[60, 20].tolist() == [80, 200, 80], "a confirmed student: green"
    assert image_bgr[60, 120].tolist() == [200, 200, 200], "an unconfirmed face: grey"
    assert image_bgr[25:39, 15:60].any(), "with a number above"
    assert not image_bgr[25:37, 115:160].any()
    assert not image_bgr[45:75, 30:55].any(), "the face itself is unchanged"


def test_draw_boxes_scales_a_large_frame() -> None:
    image_bgr = draw_boxes(
        np.zeros((1000, 2 * WIDTH_PX, 3), np.uint8), sample(TrackedFace(1, 0, (200, 200, 400, 400)))
    )
    assert image_bgr.shape == (500, WIDTH_PX, 3)
    assert image_bgr[150, 100].tolist() == [80, 200, 80]
    assert draw_boxes(BLACK, sample()).shape == BLACK.shape


HAPPY = (0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02)
BACKGROUND = np.full((300, 600, 3), 90, np.uint8)
FACE = (100.0, 120.0, 180.0, 220.0)


def drawn(
    expression: tuple[float, ...] | UnreadableReason, student: int | None = 0, **options: object
) -> ImageBGR:
    """A preview of one face, without its box."""
    image_bgr = draw_boxes(BACKGROUND, sample(TrackedFace(1, student, FACE, expression)), **options)
    image_bgr[116:226, 96:186] = 90
    return image_bgr


def test_tag_shows_the_expression_or_the_reason() -> None:
    number = (drawn(UnreadableReason.NOT_COMPUTED) != 90).any(axis=(0, 2)).sum()
    for expression in (HAPPY, UnreadableReason.HEAD_BOWED):
        assert (drawn(expression) != 90).any(axis=(0, 2)).sum() > 2 * number
    assert not np.array_equal(drawn(HAPPY), drawn((*HAPPY[:3], 0.68, 0.22, *HAPPY[5:]))), "its probability"
    assert not np.array_equal(drawn(UnreadableReason.HEAD_BOWED), drawn(UnreadableReason.BLURRED))


def test_tag_background_colour_differs_for_unreadable_faces() -> None:
    tags = [drawn(HAPPY)[90:114, 100:150], drawn(UnreadableReason.BLURRED)[90:114, 100:150]]
    for tag, colour in zip(tags, ([80, 200, 80], [225, 225, 225]), strict=True):
        assert (tag == colour).all(axis=2).mean() > 0.3, "filled"
        assert (tag.max(axis=2) < 40).mean() > 0.03, "black letters"


def test_tag_of_an_unconfirmed_face_is_grey() -> None:
    image_bgr = drawn(HAPPY, None)
    assert (image_bgr == 200).all(axis=2).any()
    assert not (image_bgr == [80, 200, 80]).all(axis=2).any()


def test_tags_are_in_the_given_language() -> None:
    assert not np.array_equal(drawn(HAPPY), drawn(HAPPY, language=Language.DE))
    assert np.array_equal(drawn(HAPPY), drawn(HAPPY, language=Language.EN))


def test_label_keeps_its_umlauts() -> None:
    assert not np.array_equal(drawn(HAPPY, labels={0: "Jörg"}), drawn(HAPPY, labels={0: "Jrg"}))


def test_result_without_students_has_boxes_only() -> None:
    result = sample(TrackedFace(1, 0, FACE, HAPPY))
    image_bgr = draw_boxes(BACKGROUND, without_students(result))
    assert (image_bgr[120, 100:180] == 200).all()
    image_bgr[116:226, 96:186] = 90
    assert (image_bgr == 90).all()


@pytest.mark.parametrize("consent", ["no", "yes"])
def test_opted_out_student_is_masked_in_the_preview(
    tmp_path: Path, configured, shell, monkeypatch: pytest.MonkeyPatch, consent: str
) -> None:
    path = configured("behaviour", more="class:\n  name: 5b\n")
    (tmp_path / "roster.csv").write_text(
        f"name,pseudonym,group,seat,consent\n,Fox,,A1,yes\n,Owl,,A2,{consent}\n"
    )
    shell.json("students", "import", tmp_path / "roster.csv")
    cv2.imwrite("still.png", seen(camera(0, 0), hall({})))
    boxes = [f"{label},{','.join(f'{edge:g}' for edge in box)}" for label, box in SEATS.items()]
    (tmp_path / "plan.csv").write_text("\n".join(["label,x1,y1,x2,y2", *boxes]))
    shell.json("seats", "apply", tmp_path / "plan.csv", "--still", "still.png")
    video = write_video(
        tmp_path / "video.mkv", (seen(camera(0, 0), hall(SEATS, n)) for n in range(4)), fps=2,
        codec="ffv1", pix_fmt="bgr0",
    )  # fmt: skip
    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: OvalDetector())
    config, shown = read_config(path), []
    engine = open_database(config.database_url)
    runner = SessionRunner(config.settings, engine, AnalysisMode.BEHAVIOUR, read_classroom(engine, "5b"))
    runner.run(str(video), threading.Event(), on_image=lambda image: shown.append(image.copy()))
    engine.dispose()
    head = people_in(hall({"A2": SEATS["A2"]}))
    heads = [image[head] for image in shown]
    assert len(shown) == 4
    assert all((image == MASK_GREY).all() for image in heads) == (consent == "no")
