"""Which specifications of a source name a file or folder of this computer."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from monitor.sources.errors import MalformedAddress, RemoteFile

FILE_SCHEME = "file:"


def is_file_url(spec: str) -> bool:
    """Whether ``spec`` is a ``file:`` URL."""
    return spec.lower().startswith(FILE_SCHEME + "//")


def path_of_file_url(url: str) -> Path:
    """The path of a ``file:`` URL, percent-decoded; ``file:///C:/x`` is a path of Windows.

    Raises MalformedAddress, and RemoteFile if the URL names another computer.
    """
    try:
        # The path of a file may contain ? and #, which end the path of other URLs.
        parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    except ValueError as error:
        raise MalformedAddress(str(error)) from error
    if parts.netloc and parts.netloc.lower() != "localhost":
        raise RemoteFile(parts.netloc.rpartition("@")[2])
    path = parts.path
    if len(path) > 2 and path[0] == "/" and path[1].isalpha() and path[2] in ":|":
        return Path(f"{path[1]}:{unquote(path[3:])}")
    return Path(url2pathname(path))


def local_path(spec: str) -> Path | None:
    """The file or folder that ``spec`` names: a ``file:`` URL, or a path that exists. None for anything else,
    e.g. the number of a camera, a URL of a stream, a device, or a path that does not exist.

    What exists takes precedence: a folder of images may be called ``20260302``, like a camera's number.
    """
    if is_file_url(spec):
        return path_of_file_url(spec)
    path = Path(spec)
    try:
        return path if path.is_file() or path.is_dir() else None
    except (OSError, ValueError):  # a name that no file can have
        return None
