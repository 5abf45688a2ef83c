"""Addresses of streams: reading one as a person types it, and texts without its credentials. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from monitor.sources.errors import AmbiguousAddress, MalformedAddress, UnsupportedAddress

URL_SCHEMES = ("rtsp", "rtsps", "http", "https")

HIDDEN = "***"
"""Stands for a secret in a text."""

MAX_PORT = 65535

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AUTHORITY = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.~-]+)?\]|[^\s/?#@:\[\]\\]+)(?::(?P<port>\d+))?")
_LITERAL_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SECRET_IN_PATH = re.compile(
    r"((?:pass(?:word|wd|phrase)?|pwd|pw|secret|token|key|auth|sig(?:nature)?)\s*[=:])[^/]*", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"""(?P<scheme>\b[a-z][a-z0-9+.-]*:/{1,2})(?P<credentials>[^\n]*@)?(?P<place>[^\s"'<>?#]*)(?:[?#][^\s"'<>]*)?""",
    re.IGNORECASE,
)
# Left of the "@" of credentials without a scheme: "user:password@host". An e-mail address has no colon.
_BARE_CREDENTIALS = re.compile(r"(?![A-Za-z]:[\\/])[^\s/:]+:.+@.+")


@dataclass(frozen=True)
class StreamAddress:
    """The parts of a stream's address. ``host`` has its brackets if it is an IPv6 address; ``port`` is None
    for the default of the scheme; ``user`` and ``password`` are decoded, None without credentials;
    ``target`` is path and query, as it was written. Not to be printed: use ``name``."""

    scheme: str
    host: str
    port: int | None
    user: str | None
    password: str | None
    target: str

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def name(self) -> str:
        """The address without user, password, query, and values in its path that look like secrets."""
        path = re.split(r"[?#]", self.target, maxsplit=1)[0]
        return self.origin + _SECRET_IN_PATH.sub(rf"\1{HIDDEN}", path)

    @property
    def url(self) -> str:
        """The whole address with credentials, in the encoding that FFmpeg expects."""
        credentials = ""
        if self.user is not None:
            password = "" if self.password is None else ":" + quote(self.password, safe="")
            credentials = quote(self.user, safe="") + password + "@"
        return f"{self.scheme}://{credentials}{self.origin.split('://', 1)[1]}{self.encoded_target}"

    @property
    def encoded_target(self) -> str:
        """``target`` with spaces and characters beyond ASCII encoded."""
        return quote(self.target, safe="%/:=&?~#+!$,;'@()*[]")

    def __repr__(self) -> str:
        return f"StreamAddress({self.name!r})"


def parse_stream_address(text: str) -> StreamAddress:
    """The address that ``text`` states; a user name and a password may hold any character as typed.

    A ``%`` before two hexadecimal digits is an encoded character, as in any URL; every other ``%`` is itself.

    Raises:
        UnsupportedAddress: the scheme is not one of ``URL_SCHEMES``.
        MalformedAddress: there is no host, or it or the port is invalid.
        AmbiguousAddress: two readings are possible: ``rtsp://a:1/2@b/c`` is the password ``1/2`` or the path
            ``/2@b/c``. A guess could print a part of a password.
    """
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in URL_SCHEMES:
        raise UnsupportedAddress(f"{scheme}://" if scheme else "The source", URL_SCHEMES)
    if not text.isprintable():
        raise MalformedAddress("it contains a control character")
    rest = text[match.end() :]
    credentials, place = _split_credentials(rest)
    end = re.search(r"[/?#]", place)
    authority, target = (place[: end.start()], place[end.start() :]) if end else (place, "")
    parsed = _host_and_port(authority)
    if parsed is None:
        raise MalformedAddress("its host or its port is invalid" if authority else "it has no host")
    user = password = None
    if credentials is not None:
        user, colon, given = credentials.partition(":")
        user, password = _decoded(user), _decoded(given) if colon else None
    return StreamAddress(scheme, *parsed, user, password, target)


def _split_credentials(rest: str) -> tuple[str | None, str]:
    """The credentials (None without) and what follows them, of an address after its scheme."""
    signs = [index for index, character in enumerate(rest) if character == "@"]
    end = re.search(r"[/?#]", rest)
    authority_end = end.start() if end else len(rest)
    inside = [index for index in signs if index < authority_end]
    if inside and _host_and_port(rest[inside[-1] + 1 : authority_end]) is not None:
        standard = inside[-1]
    elif not inside and _host_and_port(rest[:authority_end]) is not None:
        standard = -1
    else:
        standard = None
    later = [index for index in signs if index >= authority_end]
    if standard is None:
        # A character that is reserved in a URL belongs to the credentials if only that gives an address.
        candidates = [index for index in signs if _begins_with_host(rest[index + 1 :])]
        if len(candidates) == 1:
            return rest[: candidates[0]], rest[candidates[0] + 1 :]
        if candidates:
            raise AmbiguousAddress
        return None, rest.rpartition("@")[2]
    # "http://host/clip@2x" is a path; "rtsp://user:1/2@10.0.0.7" and "https://to/ken@10.0.0.7" may be secrets
    if any(":" in rest[:index] or re.match(r"\[|[^/?#]*\.", rest[index + 1 :]) for index in later):
        raise AmbiguousAddress
    return (None, rest) if standard < 0 else (rest[:standard], rest[standard + 1 :])


def _begins_with_host(text: str) -> bool:
    return _host_and_port(re.split(r"[/?#]", text, maxsplit=1)[0]) is not None


def _host_and_port(authority: str) -> tuple[str, int | None] | None:
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    return None if port is not None and not 0 < port <= MAX_PORT else (match["host"].lower(), port)


def _decoded(text: str) -> str:
    return unquote(_LITERAL_PERCENT.sub("%25", text))


def looks_like_an_address(text: str) -> bool:
    """Whether ``text`` is the address of a stream in which the scheme or one of its slashes is missing, so
    that it must not be repeated in a message: ``rtsp:/user:password@host``, ``user:password@host/path``."""
    mistyped = re.match(rf"(?:{'|'.join(URL_SCHEMES)}):", text, re.IGNORECASE)
    return bool(mistyped) or _BARE_CREDENTIALS.match(text) is not None


def without_secrets(text: str) -> str:
    """``text`` without the user names, passwords and queries of its URLs; for texts of unknown origin.

    A password may contain any character, so of each line everything up to its last ``@`` is removed. If that
    includes a query, the ``@`` may belong to it, and the host is hidden too.
    """
    return _ADDRESS.sub(_hide, text)


def _hide(match: re.Match[str]) -> str:
    is_unclear = "?" in (match["credentials"] or "")
    return f"{match['scheme']}{HIDDEN if is_unclear else match['place']}"
