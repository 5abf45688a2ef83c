"""The ways in which a source of frames cannot be used, one class each."""

from __future__ import annotations

from pathlib import Path

from monitor.errors import SourceError, SourceLost

SOURCE_HINT = "Give a video file, a folder of images, the number of a camera or a URL."


class NoSourceGiven(SourceError):
    """The specification of the source is empty."""

    def __init__(self) -> None:
        super().__init__("No source is given.", SOURCE_HINT)


class SourceNotFound(SourceError):
    """``path`` does not exist, or is neither a file nor a folder."""

    def __init__(self, path: Path, hint: str = SOURCE_HINT) -> None:
        super().__init__(f"{path} does not exist or is not a file.", hint)
        self.path = path


class RemoteFile(SourceError):
    """A ``file:`` URL names a file of the other computer ``host``."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The file URL names the computer {host}.", "Copy the file to this computer, and give its path."
        )
        self.host = host


class EmptyFile(SourceError):
    """The file at ``path`` has no content."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is empty.", "Check whether the copy was finished.")
        self.path = path


class NotAVideo(SourceError):
    """FFmpeg cannot open the file at ``path``; ``reason`` is its message."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} cannot be opened as a video ({reason}).",
            "Use e.g. an MP4, MOV or MKV file whose recording was finished.",
        )
        self.path = path
        self.reason = reason


class NoTracks(SourceError):
    """A track was chosen, but ``spec`` is no video file."""

    def __init__(self) -> None:
        super().__init__("Only a video file has tracks.", "Leave out --track.")


class NoVideoTrack(SourceError):
    """The file ``name`` has no video track, e.g. because it is an audio recording."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no video track.", "Use a video, not an audio recording.")
        self.name = name


class NoSuchTrack(SourceError):
    """The file ``name`` has ``count`` video tracks, and none with the number ``track``."""

    def __init__(self, name: str, track: int, count: int) -> None:
        has = "1 video track" if count == 1 else f"{count} video tracks"
        hint = "Leave out --track." if count == 1 else f"Give a track from 1 to {count}."
        super().__init__(f"{name} has no video track {track}: it has {has}.", hint)
        self.name, self.track, self.count = name, track, count


class NoFrames(SourceError):
    """Not one frame of the video ``name`` can be decoded."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} has no frame that can be decoded.", "Convert or copy the video again.")
        self.name = name


class NotAFolder(SourceError):
    """``path`` is not a folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a folder.", "Give a folder of images.")
        self.path = path


class NoImages(SourceError):
    """The folder at ``path`` contains no image file; ``suffixes`` are those that are read."""

    def __init__(self, path: Path, suffixes: tuple[str, ...]) -> None:
        kinds = ", ".join(suffixes)
        super().__init__(
            f"{path} contains no image.", f"Give a folder with files that end in one of: {kinds}."
        )
        self.path = path
        self.suffixes = suffixes


class UnreadableImages(SourceError):
    """None of the ``count`` images of the folder ``name`` can be decoded."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"None of the {count} images of {name} can be read.")
        self.name = name
        self.count = count


class ImageSizeMismatch(SourceError):
    """Image ``name`` has ``size``, but the first image, ``first_name``, has ``first_size`` (width,
    height)."""

    def __init__(
        self, name: str, size: tuple[int, int], first_name: str, first_size: tuple[int, int]
    ) -> None:
        super().__init__(
            f"{name} has {size[0]} x {size[1]} pixels, but {first_name} {first_size[0]} x {first_size[1]}.",
            "Use images of one size.",
        )
        self.name, self.size = name, size
        self.first_name, self.first_size = first_name, first_size


class NotAnImage(SourceError):
    """The content called ``name`` cannot be decoded as an image."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a readable image.", "Use e.g. a JPEG or PNG file.")
        self.name = name


ENCODING_HINT = (
    "Write these characters of a user name or a password as # %23, / %2F, ? %3F, [ %5B, ] %5D, @ %40, : %3A, "
    "% %25, and an @ elsewhere as %40."
)
"""The encoding of the characters that are reserved in a URL (RFC 3986, section 2.2)."""


class MalformedAddress(SourceError):
    """The URL of a stream cannot be parsed; ``reason`` says why, without any part of the URL, which may hold
    a password."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The address of the stream is malformed: {reason}.",
            f"Give an address such as rtsp://user:password@host:554/path. {ENCODING_HINT}",
        )
        self.reason = reason


class AmbiguousAddress(SourceError):
    """The URL of a stream has an ``@`` of which it is unclear whether it ends the password. No part of the
    URL is repeated."""

    def __init__(self) -> None:
        super().__init__(
            "The address of the stream is ambiguous: it is unclear which @ ends the password.", ENCODING_HINT
        )


class UnsupportedAddress(SourceError):
    """``scheme``, such as ``ftp://``, does not belong to a kind of stream that can be opened."""

    def __init__(self, scheme: str, schemes: tuple[str, ...]) -> None:
        known = ", ".join(f"{known_scheme}://" for known_scheme in schemes)
        super().__init__(
            f"{scheme} is not a supported kind of address.",
            f"Give an address that starts with one of: {known}.",
        )
        self.scheme = scheme
        self.schemes = schemes


class UnsupportedDevicePath(SourceError):
    """A camera was named by the path of its device, ``name``, which works under Linux only."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is the path of a device, which only Linux has.",
            "Give the index of the camera, such as 0.",
        )
        self.name = name


class InvalidLessonAddress(SourceError):
    """The address of an online lesson is malformed. It holds a key and is therefore not repeated."""

    def __init__(self) -> None:
        super().__init__("The address of the online lesson is invalid.", "Open a lesson in the dashboard.")


class NoDashboardResponse(SourceError):
    """The dashboard has not sent the participants of an online lesson yet."""

    def __init__(self) -> None:
        super().__init__("The dashboard has not responded yet.", "Check whether the dashboard is running.")


NO_SIGNAL_HINT = (
    "Check that the camera is connected or the stream is running, and that no other program uses it."
)


class NoSignal(SourceError):
    """The camera or stream ``name`` has not delivered a first frame; ``reason`` says why, in a few words."""

    def __init__(self, name: str, reason: str, hint: str = NO_SIGNAL_HINT) -> None:
        super().__init__(f"{name} delivers no frames ({reason}).", hint)
        self.name = name
        self.reason = reason


class SignalLost(SourceLost):
    """The camera or stream ``name`` stopped and could not be reached again for ``reconnect_s`` seconds."""

    def __init__(self, name: str, position_s: float, reason: str, reconnect_s: float) -> None:
        retries = f"; reconnecting failed for {reconnect_s:.0f} s" if reconnect_s else ""
        super().__init__(
            f"{name} was lost at {position_s:.1f} s: {reason}{retries}.",
            position_s,
            "Check whether the camera or stream is still connected.",
        )
        self.name = name
        self.reason = reason
        self.reconnect_s = reconnect_s


class RecordingTooLong(SourceLost):
    """The recording ``name`` is longer than ``position_s``, the longest that is analysed."""

    def __init__(self, name: str, position_s: float) -> None:
        super().__init__(
            f"{name} is longer than {position_s / 3600:.0f} hours; the rest was not analysed.",
            position_s,
            "Cut the recording into lessons, and check its length in a player: its clock may be wrong.",
        )
        self.name = name


class VideoTruncated(SourceLost):
    """The video ``name`` ends at ``position_s``, before the ``expected_s`` seconds that it announces."""

    def __init__(self, name: str, position_s: float, expected_s: float) -> None:
        super().__init__(
            f"{name} ends at {position_s:.1f} s, before its stated length of {expected_s:.1f} s. "
            "The file is truncated or damaged.",
            position_s,
        )
        self.name = name
        self.expected_s = expected_s
