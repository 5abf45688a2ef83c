"""The window of ``classpulse start --preview``: the current frame with face boxes. Nothing is stored.

The window is one of tkinter, which is part of Python, so that OpenCV needs no windows. Some servers have no
tkinter: it is imported only for a window that is enabled.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import cv2

from monitor.daemon.live_view import draw_boxes
from monitor.errors import SetupError
from monitor.imaging import MASK_GREY, image_size, letterbox
from monitor.types import FrameResult, ImageBGR, Size
from reports.text.i18n import Language

if TYPE_CHECKING:
    import tkinter

log = logging.getLogger(__name__)

FIRST_SIZE = (640, 360)
"""Width and height of the window before the first frame, pixels."""

MIN_SIZE = (160, 90)
"""Smallest width and height of the window, pixels."""

MAX_SCREEN_SHARE = 0.9
"""Largest width and height with which the window opens, as a share of the screen's: the rest is for the title
bar and the bars of the desktop. Heuristic."""


class PreviewWindow:
    """A window with the current frame within the block, if ``enabled``; else it does nothing. ``language``:
    of the tags beside the faces.

    Used by one thread, on macOS the main thread. If the user closes the window, or if Tk fails, the window
    stays closed and the recording goes on. Raises SetupError if no window can be opened.
    """

    def __init__(self, title: str, *, enabled: bool, language: Language = Language.EN) -> None:
        self._title = f"Classpulse: {title}"
        self._enabled = enabled
        self._language = language
        self._window: _TkWindow | None = None
        self._image: ImageBGR | None = None
        self._shown: ImageBGR | None = None
        self._is_new = False

    def __enter__(self) -> Self:
        if self._enabled:
            self._window = _open_window(self._title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def set_image(self, image_bgr: ImageBGR) -> None:
        """Set the frame that is analysed next, with opted-out students masked."""
        self._image = image_bgr

    def show_result(self, result: FrameResult) -> None:
        """Show the result of that frame."""
        if self._window is not None and self._image is not None and result.analysed:
            self._shown = draw_boxes(self._image, result, language=self._language)
            self._is_new = True
            self._update()

    def refresh(self) -> None:
        """Keep the window responsive, and grey without a new frame; called about once per second and after
        each frame."""
        if not self._is_new:
            # A paused recording must not show anyone, in the window either.
            self._shown = None
        self._is_new = False
        self._update()

    def _update(self) -> None:
        if self._window is not None and not self._window.update(self._shown):
            self._close()

    def _close(self) -> None:
        if self._window is not None:
            self._window.destroy()
        self._window = self._image = self._shown = None


class _TkWindow:
    """A window that shows an image, scaled to the window with its aspect ratio kept. Raises
    ``tkinter.TclError`` without a display.

    The caller destroys the window and drops the object in the thread that made it: Tcl ends the process if
    another thread frees its interpreter, and the cyclic garbage collector runs in any thread.
    """

    def __init__(self, title: str) -> None:
        import tkinter

        self._root = tkinter.Tk(className="Classpulse")
        self._root.title(title)
        self._root.minsize(*MIN_SIZE)
        self._root.protocol("WM_DELETE_WINDOW", self._handle_close)
        # The menu of macOS calls this command; tkinter's own would end the recording.
        self._root.createcommand("exit", self._handle_close)
        self._canvas = tkinter.Canvas(
            self._root,
            width=FIRST_SIZE[0],
            height=FIRST_SIZE[1],
            background=f"#{MASK_GREY:02x}{MASK_GREY:02x}{MASK_GREY:02x}",
            borderwidth=0,
            highlightthickness=0,
        )
        self._canvas.pack(fill="both", expand=True)
        self._item = self._canvas.create_image(0, 0, anchor="nw")
        self._photo: tkinter.PhotoImage | None = None
        self._drawn: tuple[ImageBGR | None, Size] = (None, FIRST_SIZE)
        self._has_size = False
        self._is_closed = False

    def update(self, image_bgr: ImageBGR | None) -> bool:
        """Handle the window's events and show the image; None: grey. Returns False once the window must be
        destroyed, because the user closed it or Tk failed."""
        import tkinter

        try:
            if image_bgr is not None and not self._has_size:
                self._set_size(image_size(image_bgr))
            self._root.update()
            if not self._is_closed:
                self._draw(image_bgr)
                self._root.update_idletasks()
        except tkinter.TclError as error:
            log.warning("the preview window ended: %s", error)
            return False
        if self._is_closed:
            log.info("the preview window was closed")
        return not self._is_closed

    def destroy(self) -> None:
        """Close the window."""
        import tkinter

        # It may no longer exist; then tkinter keeps the interpreter until the process ends.
        with suppress(tkinter.TclError):
            self._root.destroy()

    def _handle_close(self, *_: object) -> None:
        self._is_closed = True

    def _set_size(self, size: Size) -> None:
        """Give the window the size of the image, or less if the screen is small. Without effect if the user
        has resized it."""
        self._has_size = True
        screen = (self._root.winfo_screenwidth(), self._root.winfo_screenheight())
        scale = min(1.0, *(MAX_SCREEN_SHARE * most / px for most, px in zip(screen, size, strict=True)))
        self._canvas.configure(width=round(scale * size[0]), height=round(scale * size[1]))

    def _draw(self, image_bgr: ImageBGR | None) -> None:
        """Draw the image if it or the size of the window has changed."""
        import tkinter

        size = (self._canvas.winfo_width(), self._canvas.winfo_height())
        drawn, drawn_size = self._drawn
        if image_bgr is drawn and (image_bgr is None or size == drawn_size):
            return
        photo = None
        if image_bgr is not None:
            ppm = cv2.imencode(".ppm", letterbox(image_bgr, size))[1].tobytes()
            photo = tkinter.PhotoImage(master=self._root, data=ppm)
        self._canvas.itemconfigure(self._item, image="" if photo is None else photo)
        # Tk shows an image only as long as its object exists; the previous one is deleted here.
        self._photo = photo
        self._drawn = (image_bgr, size)


def _open_window(title: str) -> _TkWindow:
    """Raises SetupError if that is impossible."""
    try:
        import tkinter
    except ImportError:
        raise SetupError(
            "--preview needs tkinter, which this Python does not have.",
            "Install it (Debian, Ubuntu: apt-get install python3-tk), or omit --preview.",
        ) from None
    try:
        return _TkWindow(title)
    except tkinter.TclError as error:
        raise SetupError(
            f"--preview cannot open a window ({' '.join(str(error).split())}).",
            "Start Classpulse on a desktop, or omit --preview.",
        ) from None
