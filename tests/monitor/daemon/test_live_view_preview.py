"""What the preview shows, and of whom."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from classpulse.config.settings import read_config
from classpulse.errors import UserError
from db.engine import open_database
from db.records import AnalysisMode
from monitor.daemon import live_view as module
from monitor.daemon.live_view import WIDTH_PX, PreviewWindow, draw_boxes
from monitor.imaging import MASK_GREY
from monitor.seating.classroom import read_classroom
from monitor.session.builder import SessionRunner
from monitor.types import FrameResult, ImageBGR, TrackedFace, UnreadableReason, without_students
from reports.text.i18n import Language
from tests.helpers.halls import SEATS, OvalDetector, camera, hall, people_in, seen
from tests.helpers.videos import write_video

BLACK = np.zeros((100, 200, 3), np.uint8)


def sample(*sightings: TrackedFace, **more: object) -> FrameResult:
    return FrameResult(0.0, (), len(sightings), (200, 100), sightings, **more)


def test_faces_are_outlined_in_a_copy() -> None:
    found = sample(TrackedFace(1, 0, (20, 40, 60, 80)), TrackedFace(2, None, (120, 40, 160, 80)))
    picture = draw_boxes(BLACK, found)
    assert not BLACK.any()
    assert picture.shape == BLACK.shape
    assert picture[60, 20].tolist() == [80, 200, 80], "somebody who is followed: green"
    assert picture[60, 120].tolist() == [200, 200, 200], "not yet: grey"
    assert picture[25:39, 15:60].any(), "with a number above"
    assert not picture[25:37, 115:160].any()
    assert not picture[45:75, 30:55].any(), "the face itself is left as it is"


def test_a_large_picture_is_made_smaller_with_its_boxes() -> None:
    picture = draw_boxes(
        np.zeros((1000, 2 * WIDTH_PX, 3), np.uint8), sample(TrackedFace(1, 0, (200, 200, 400, 400)))
    )
    assert picture.shape == (500, WIDTH_PX, 3)
    assert picture[150, 100].tolist() == [80, 200, 80]
    assert draw_boxes(BLACK, sample()).shape == BLACK.shape


HAPPY = (0.02, 0.02, 0.02, 0.88, 0.02, 0.02, 0.02)
GROUND = np.full((300, 600, 3), 90, np.uint8)
FACE = (100.0, 120.0, 180.0, 220.0)


def drawn(
    expression: tuple[float, ...] | UnreadableReason, student: int | None = 0, **options: object
) -> ImageBGR:
    """A picture with one face, without the box of it."""
    picture = draw_boxes(GROUND, sample(TrackedFace(1, student, FACE, expression)), **options)
    picture[116:226, 96:186] = 90
    return picture


def test_a_tag_has_what_was_read_of_the_face() -> None:
    number = (drawn(UnreadableReason.NOT_COMPUTED) != 90).any(axis=(0, 2)).sum()
    for expression in (HAPPY, UnreadableReason.HEAD_BOWED):
        assert (drawn(expression) != 90).any(axis=(0, 2)).sum() > 2 * number
    assert not np.array_equal(drawn(HAPPY), drawn((*HAPPY[:3], 0.68, 0.22, *HAPPY[5:]))), "its probability"
    assert not np.array_equal(drawn(UnreadableReason.HEAD_BOWED), drawn(UnreadableReason.BLURRED))


def test_a_tag_can_be_read_on_any_ground_and_a_reason_has_another_colour() -> None:
    tags = [drawn(HAPPY)[90:114, 100:150], drawn(UnreadableReason.BLURRED)[90:114, 100:150]]
    for tag, colour in zip(tags, ([80, 200, 80], [225, 225, 225]), strict=True):
        assert (tag == colour).all(axis=2).mean() > 0.3, "filled"
        assert (tag.max(axis=2) < 40).mean() > 0.03, "black letters"


def test_an_unconfirmed_face_has_its_reading_in_grey() -> None:
    picture = drawn(HAPPY, None)
    assert (picture == 200).all(axis=2).any()
    assert not (picture == [80, 200, 80]).all(axis=2).any()


def test_tags_are_in_the_language_that_is_asked_for() -> None:
    assert not np.array_equal(drawn(HAPPY), drawn(HAPPY, language=Language.DE))
    assert np.array_equal(drawn(HAPPY), drawn(HAPPY, language=Language.EN))


def test_a_label_keeps_its_umlauts() -> None:
    assert not np.array_equal(drawn(HAPPY, labels={0: "Jörg"}), drawn(HAPPY, labels={0: "Jrg"}))


def test_without_students_there_are_boxes_alone() -> None:
    found = sample(TrackedFace(1, 0, FACE, HAPPY))
    picture = draw_boxes(GROUND, without_students(found))
    assert (picture[120, 100:180] == 200).all()
    picture[116:226, 96:186] = 90
    assert (picture == 90).all()


class Window:
    """Stands in for OpenCV's windows."""

    def __init__(self) -> None:
        self.pictures: list[ImageBGR] = []
        self.visible = 1.0
        self.open = 0

    def namedWindow(self, _title: str, look: int) -> None:
        assert look & cv2.WINDOW_GUI_NORMAL, "no button that saves the picture"
        self.open += 1

    def resizeWindow(self, _title: str, width: int, height: int) -> None:
        assert (width, height) == (200, 100)

    def destroyWindow(self, *_: object) -> None:
        self.open -= 1

    def imshow(self, _title: str, image_bgr: ImageBGR) -> None:
        self.pictures.append(image_bgr.copy())

    def getWindowProperty(self, *_: object) -> float:
        return self.visible

    def waitKey(self, _ms: int) -> int:
        return -1


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Window:
    made = Window()
    for name in ("namedWindow", "resizeWindow", "destroyWindow", "imshow", "getWindowProperty", "waitKey"):
        monkeypatch.setattr(cv2, name, getattr(made, name))
    monkeypatch.setenv("DISPLAY", ":0")
    return made


def test_without_being_asked_nothing_is_shown(window: Window) -> None:
    with PreviewWindow("7b", enabled=False) as preview:
        preview.set_image(BLACK)
        preview.show_result(sample())
        preview.refresh()
    assert (window.pictures, window.open) == ([], 0)


def test_what_is_looked_at_is_shown_and_what_is_not_is_not(window: Window) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        preview.set_image(BLACK + 255)
        preview.show_result(sample(looked_at=False))
        assert window.pictures == []
        preview.show_result(sample())
        preview.refresh()
        (picture,) = window.pictures
        assert (picture == 255).all()
    assert window.open == 0


def test_a_pause_shows_nobody(window: Window) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        preview.refresh()
        preview.set_image(BLACK + 255)
        preview.show_result(sample())
        preview.refresh()
        preview.refresh()
        assert (window.pictures[-1] == MASK_GREY).all()
        preview.show_result(sample())
        preview.refresh()
        assert (window.pictures[-1] == 255).all()


def test_a_window_that_was_closed_stays_closed(window: Window) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        preview.set_image(BLACK)
        preview.show_result(sample())
        window.visible = 0.0
        preview.show_result(sample())
        preview.refresh()
        window.visible = 1.0
        preview.show_result(sample())
    assert len(window.pictures) == 1


def test_a_computer_without_windows_says_so(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    def headless(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", headless)
    with pytest.raises(UserError, match="leave --preview out"), PreviewWindow("7b", enabled=True):
        pass


def test_a_computer_without_a_screen_says_so(window: Window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UserError, match="has no screen"), PreviewWindow("7b", enabled=True):
        pass
    assert window.open == 0


@pytest.mark.parametrize("consent", ["no", "yes"])
def test_who_opted_out_is_not_shown_either(
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
    shell.json("seats", "use", tmp_path / "plan.csv", "--still", "still.png")
    film = write_video(
        tmp_path / "film.mkv", (seen(camera(0, 0), hall(SEATS, n)) for n in range(4)), fps=2,
        codec="ffv1", pix_fmt="bgr0",
    )  # fmt: skip
    monkeypatch.setattr("monitor.session.builder.load_detector", lambda settings: OvalDetector())
    config, shown = read_config(path), []
    engine = open_database(config.database_url)
    lecture = SessionRunner(config.settings, engine, AnalysisMode.BEHAVIOUR, read_classroom(engine, "5b"))
    lecture.run(str(film), threading.Event(), on_image=lambda image: shown.append(image.copy()))
    engine.dispose()
    head = people_in(hall({"A2": SEATS["A2"]}))
    heads = [image[head] for image in shown]
    assert len(shown) == 4
    assert all((one == MASK_GREY).all() for one in heads) == (consent == "no")
