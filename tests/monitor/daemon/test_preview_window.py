"""The preview window, with a fake tkinter, and with Tk itself where a display exists."""

from __future__ import annotations

import gc
import logging
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from monitor.daemon.preview_window import PreviewWindow
from monitor.errors import SetupError
from monitor.imaging import MASK_GREY
from monitor.types import FrameResult, ImageBGR

WHITE = np.full((100, 200, 3), 255, np.uint8)
BLUE_ABOVE_RED = np.concatenate(
    [np.full((50, 200, 3), (255, 0, 0), np.uint8), np.full((50, 200, 3), (0, 0, 255), np.uint8)]
)
BLUE_RGB, RED_RGB, GREY_RGB = [0, 0, 255], [255, 0, 0], [MASK_GREY] * 3


def result(*, analysed: bool = True) -> FrameResult:
    return FrameResult(0.0, (), 0, (200, 100), analysed=analysed)


def show(preview: PreviewWindow, image_bgr: ImageBGR, *, analysed: bool = True) -> None:
    """Show a frame as a session does."""
    preview.set_image(image_bgr)
    preview.show_result(result(analysed=analysed))
    preview.refresh()


class TclError(Exception):
    """Replaces ``tkinter.TclError``."""


class Photo:
    """Replaces ``tkinter.PhotoImage``; ``rgb`` has its pixels."""

    def __init__(self, data: bytes) -> None:
        kind, width, height, maximum = data.split(maxsplit=4)[:4]
        assert (kind, maximum) == (b"P6", b"255")
        size = int(width), int(height)
        pixels = np.frombuffer(data[-3 * size[0] * size[1] :], np.uint8)
        self.rgb = pixels.reshape(size[1], size[0], 3)


class FakeTkinter:
    """Replaces tkinter, its only window and the canvas in it."""

    TclError = TclError

    def __init__(self) -> None:
        self.is_open = False
        self.opened = 0
        self.size = (1, 1)
        self.screen = (1600, 900)
        self.shown: list[Photo | None] = []
        self.photos: weakref.WeakSet[Photo] = weakref.WeakSet()
        self.failure: str | None = None
        self._requested: tuple[int, int] | None = None
        self._close: Callable[[], object] | None = None
        self._exit: Callable[[], object] | None = None
        self._pending: Callable[[], object] | None = None

    @property
    def visible_rgb(self) -> np.ndarray | None:
        """What the user sees; None: the background."""
        return None if self.shown[-1] is None else self.shown[-1].rgb

    def resize(self, width: int, height: int) -> None:
        """The user resizes the window."""
        self._requested = (width, height)

    def click_close(self) -> None:
        """The user clicks the button of the title bar."""
        self._pending = self._close

    def choose_quit(self) -> None:
        """The user chooses Quit in the menu of macOS."""
        self._pending = self._exit

    def _call(self) -> None:
        if self.failure is not None:
            raise TclError(self.failure)
        if not self.is_open:
            raise TclError("application has been destroyed")

    def Tk(self, **_: object) -> FakeTkinter:
        self.is_open = True
        self._call()
        self.opened += 1
        return self

    def Canvas(self, _root: FakeTkinter, *, width: int, height: int, background: str, **_: object) -> Any:
        assert background == "#808080" == "#" + 3 * f"{MASK_GREY:x}"
        self.configure(width=width, height=height)
        return self

    def PhotoImage(self, *, master: FakeTkinter, data: bytes) -> Photo:
        self._call()
        photo = Photo(data)
        self.photos.add(photo)
        return photo

    def title(self, title: str) -> None:
        assert title == "Classpulse: 7b"

    def minsize(self, *_: int) -> None: ...

    def pack(self, **_: object) -> None: ...

    def protocol(self, name: str, function: Callable[[], object]) -> None:
        assert name == "WM_DELETE_WINDOW"
        self._close = function

    def createcommand(self, name: str, function: Callable[[], object]) -> None:
        assert name == "exit"
        self._exit = function

    def create_image(self, *_: int, **__: object) -> int:
        return 1

    def itemconfigure(self, _item: int, *, image: Photo | str) -> None:
        self._call()
        self.shown.append(weakref.proxy(image) if isinstance(image, Photo) else None)

    def configure(self, *, width: int, height: int) -> None:
        self._call()
        self._requested = (width, height)

    def winfo_screenwidth(self) -> int:
        return self.screen[0]

    def winfo_screenheight(self) -> int:
        return self.screen[1]

    def winfo_width(self) -> int:
        self._call()
        return self.size[0]

    def winfo_height(self) -> int:
        self._call()
        return self.size[1]

    def update(self) -> None:
        self._call()
        pending, self._pending = self._pending, None
        if pending is not None:
            pending()
        if self._requested is not None:
            self.size, self._requested = self._requested, None

    def update_idletasks(self) -> None:
        self._call()

    def destroy(self) -> None:
        self._call()
        self.is_open = False
        self._close = self._exit = None


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeTkinter:
    made = FakeTkinter()
    monkeypatch.setitem(sys.modules, "tkinter", made)
    return made


def test_disabled_window_needs_no_tkinter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with PreviewWindow("7b", enabled=False) as preview:
        show(preview, WHITE)


def test_window_shows_analysed_frames_only(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE, analysed=False)
        assert fake.shown == []
        show(preview, WHITE)
        assert len(fake.shown) == 1
        assert fake.visible_rgb is not None
        assert fake.visible_rgb.shape == (100, 200, 3)
        assert (fake.visible_rgb == 255).all()
    assert not fake.is_open


def test_window_shows_red_as_red_and_the_top_at_the_top(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, BLUE_ABOVE_RED)
        assert fake.visible_rgb is not None
        assert (fake.visible_rgb[:50] == BLUE_RGB).all()
        assert (fake.visible_rgb[50:] == RED_RGB).all()


def test_window_is_grey_during_a_pause(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        preview.refresh()
        show(preview, WHITE)
        preview.refresh()
        assert fake.visible_rgb is None, "the grey background"
        assert not fake.photos
        show(preview, WHITE)
        assert fake.visible_rgb is not None


def test_image_fits_a_resized_window_and_keeps_its_aspect_ratio(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        fake.resize(400, 500)
        show(preview, WHITE)
        rgb = fake.visible_rgb
        assert rgb is not None
        assert rgb.shape == (500, 400, 3)
        assert (rgb[150:350] == 255).all()
        assert (rgb[:150] == MASK_GREY).all()
        assert (rgb[350:] == MASK_GREY).all()


def test_visible_frame_is_scaled_when_the_user_resizes_the_window(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        preview.show_result(result())
        fake.resize(400, 200)
        preview.refresh()
        assert fake.visible_rgb is not None
        assert fake.visible_rgb.shape == (200, 400, 3)


def test_window_opens_smaller_than_the_screen(fake: FakeTkinter) -> None:
    fake.screen = (150, 90)
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        assert fake.size == (135, 68)


def test_size_of_a_resized_window_is_kept(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        fake.resize(300, 150)
        preview.refresh()
        show(preview, WHITE)
        assert fake.size == (300, 150)


def test_only_the_visible_image_is_in_memory(fake: FakeTkinter) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        for level in range(20):
            show(preview, WHITE - level)
        assert len(fake.shown) == 20
        assert len(fake.photos) == 1


@pytest.mark.parametrize("close", [FakeTkinter.click_close, FakeTkinter.choose_quit])
def test_closed_window_stays_closed(fake: FakeTkinter, close: Callable[[FakeTkinter], None]) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        close(fake)
        preview.show_result(result())
        assert not fake.is_open
        show(preview, WHITE)
    assert len(fake.shown) == fake.opened == 1


@pytest.mark.parametrize("is_destroyed", [True, False])
def test_error_of_tk_closes_the_window_and_not_the_recording(
    fake: FakeTkinter, caplog: pytest.LogCaptureFixture, is_destroyed: bool
) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        if is_destroyed:
            fake.is_open = False
        else:
            fake.failure = "not enough free memory for image buffer"
        preview.refresh()
        fake.failure = None
        show(preview, WHITE)
    assert len(fake.shown) == 1
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_missing_tkinter_is_a_setup_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(SetupError) as caught, PreviewWindow("7b", enabled=True):
        pass
    assert "python3-tk" in caught.value.hint


def test_missing_display_is_a_setup_error(fake: FakeTkinter) -> None:
    fake.failure = "no display name and no $DISPLAY environment variable"
    with pytest.raises(SetupError) as caught, PreviewWindow("7b", enabled=True):
        pass
    assert fake.failure in caught.value.problem
    assert "--preview" in caught.value.hint


class RealWindow:
    """The window that Tk has opened."""

    def __init__(self) -> None:
        import tkinter

        self.root: Any = tkinter._default_root
        (self.canvas,) = self.root.winfo_children()

    def rgb(self) -> np.ndarray | None:
        """The pixels of its image ``(H, W, 3)``; None without one."""
        (item,) = self.canvas.find_all()
        name = self.canvas.itemcget(item, "image")
        if not name:
            return None
        rows = self.root.tk.splitlist(self.root.tk.call(name, "data"))
        pixels = bytes.fromhex("".join(rows).replace("#", "").replace(" ", ""))
        return np.frombuffer(pixels, np.uint8).reshape(len(rows), -1, 3)


@pytest.fixture
def real_tk() -> Iterator[None]:
    """Skip the test if Tk cannot open a window here. Garbage is not collected, so that only references keep
    an object."""
    tkinter = pytest.importorskip("tkinter", reason="needs tkinter")
    try:
        tkinter.Tk().destroy()
    except tkinter.TclError as error:
        pytest.skip(f"needs a display ({error})")
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("real_tk")
def test_tk_shows_the_frame_and_grey_during_a_pause() -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, BLUE_ABOVE_RED)
        window = RealWindow()
        rgb = window.rgb()
        assert window.root.title() == "Classpulse: 7b"
        assert rgb is not None
        assert rgb.shape[:2] == (window.canvas.winfo_height(), window.canvas.winfo_width())
        rows, columns = np.nonzero((rgb != GREY_RGB).any(axis=2))
        assert np.ptp(columns) + 1 == pytest.approx(2 * (np.ptp(rows) + 1), abs=2), "the aspect ratio"
        middle, centre = int(rows.mean()), rgb.shape[1] // 2
        assert rgb[middle - 20, centre].tolist() == BLUE_RGB
        assert rgb[middle + 20, centre].tolist() == RED_RGB
        preview.refresh()
        assert window.rgb() is None
        assert window.canvas.winfo_rgb(window.canvas["background"]) == (257 * MASK_GREY,) * 3


@pytest.mark.usefixtures("real_tk")
def test_tk_has_one_image_however_many_frames_were_shown() -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        window = RealWindow()
        before = len(window.root.image_names())
        for level in range(20):
            show(preview, WHITE - level)
        assert len(window.root.image_names()) == before


@pytest.mark.usefixtures("real_tk")
@pytest.mark.parametrize("script", ["exit", "after idle exit", ""])
def test_tk_is_freed_by_the_thread_that_opened_it(script: str) -> None:
    with PreviewWindow("7b", enabled=True) as preview:
        show(preview, WHITE)
        window = RealWindow()
        root = weakref.ref(window.root)
        if script:
            window.root.eval(script)
        del window
        show(preview, WHITE)
        if script:
            assert root() is None, "closed by the user"
    assert root() is None
