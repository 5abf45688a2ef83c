"""One online lesson: who has joined, and each one's newest picture. Pure: the clock is given.

Times are steady seconds. Nothing here is stored; what is dropped here is gone.
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from db.records import Mode
from monitor.sources.participant_grid import Attendance, FaceAt, Place
from monitor.types import Box

LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that are mistaken for one another."""

CODE_LENGTH = 8
"""31 letters to the power of eight are 8.5 * 10^11 codes: at two guesses a minute, nobody finds one of a
lesson of some hours."""

LONGEST_NAME = 40

SHOWN_S = 3.0
"""A picture older than this is not shown any more: what is shown counts as seen."""

SILENT_S = 10.0
"""Who has said nothing for so long is away: the tab was closed, the computer sleeps."""

LEAST_APART_S = 0.45
"""At most two pictures a second of each are taken; a little less than half a second, for their way."""

REMEMBERED = 10
"""So many pictures are looked at within seconds; of older ones nobody asks where a face was."""

WATCHING_S = 3.0
"""Who records asks twice a second; after so long without a question, nobody looks (a pause)."""


class Refusal(StrEnum):
    """Why somebody cannot join, or a picture is not taken."""

    NAME = "name"
    """Empty, too long, or not printable."""
    TAKEN = "taken"
    """Somebody else has the name in this lesson, or may not be watched at all."""
    FULL = "full"
    ENDED = "ended"
    LEFT = "left"
    """They have left, or were sent out."""
    UNKNOWN = "unknown"
    TOO_FAST = "too fast"


class Refused(Exception):
    """Something was refused; ``why`` says what."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.value)
        self.why = why


class State(StrEnum):
    """How somebody stands. ``ERASING``: nothing may be kept; what was kept is being erased."""

    HERE = "here"
    LEFT = "left"
    OUT = "out"
    ERASING = "erasing"


@dataclass
class Member:
    """Somebody who has joined. ``student_id`` as in ``monitor.sources.participant_grid.Place``."""

    pseudonym: str
    tile: int
    student_id: int | None
    heard_s: float
    state: State = State.HERE
    picture: bytes | None = field(default=None, repr=False)
    number: int = 0
    taken_s: float = float("-inf")
    digest: bytes = b""
    fresh_s: float = float("-inf")
    sent: int = 0
    """How many pictures of theirs were taken; the number of the newest, for their browser."""
    sent_as: dict[int, int] = field(default_factory=dict)
    """The last pictures' numbers in the lesson, and for their browser."""
    face: tuple[int, Box | None] | None = None
    """In which picture (its number for their browser) their face was last looked for, and where it was."""
    known: bool = False
    """Whether whoever records has understood that nothing may be kept."""


class OnlineLesson:
    """A lesson that students join by its ``code``. ``number`` is its own, for the teacher's pages; ``room``
    what its sessions call their room. One thread at a time (``classpulse.online.manager`` sees to it)."""

    def __init__(
        self,
        number: int,
        code: str,
        class_name: str,
        places: int,
        mode: Mode,
        opened_at: datetime,
    ) -> None:
        self.number = number
        self.code = code
        self.class_name = class_name
        self.places = places
        self.mode = mode
        self.opened_at = opened_at
        self.problem = ""
        self.ended_s: float | None = None
        self._members: dict[str, Member] = {}
        self._tiles = 0
        self._erased: set[int] = set()
        self._pictures = 0
        self._asked_s = float("-inf")

    @property
    def room(self) -> str:
        """What the recording's room is called: a class has one online lesson at a time."""
        return f"online {self.class_name}"

    @property
    def ended(self) -> bool:
        """Whether nobody can join or be seen any more."""
        return self.ended_s is not None

    def member(self, token: str) -> Member | None:
        """Who has this browser's token."""
        return self._members.get(_hash(token))

    def members(self) -> list[Member]:
        """Everybody who has joined, in the order of their places."""
        return sorted(self._members.values(), key=lambda one: one.tile)

    def is_seen(self, member: Member, now_s: float) -> bool:
        """Whether a fresh picture of theirs is shown."""
        return member.state is State.HERE and now_s - member.fresh_s <= SHOWN_S

    def is_silent(self, member: Member, now_s: float) -> bool:
        """Whether nothing was heard of somebody who has not left."""
        return member.state is State.HERE and now_s - member.heard_s > SILENT_S

    def is_watching(self, now_s: float) -> bool:
        """Whether somebody looks at the pictures: not in a pause, and not before the recording has begun."""
        return not self.ended and now_s - self._asked_s <= WATCHING_S

    def join(self, token: str, pseudonym: str, roster: Mapping[str, int | None], now_s: float) -> Member:
        """Somebody joins. ``roster`` has the class's students by their folded pseudonyms: the number of who
        consents, None for who may not be watched. Who has left and comes back is who they were. Raises
        Refused."""
        if self.ended:
            raise Refused(Refusal.ENDED)
        before = self.member(token)
        if before is not None:
            if before.state in (State.OUT, State.ERASING):
                raise Refused(Refusal.LEFT)
            before.state, before.heard_s = State.HERE, now_s
            return before
        name = tidied(pseudonym)
        key = folded(name)
        if key in {folded(one.pseudonym) for one in self._members.values()}:
            raise Refused(Refusal.TAKEN)
        student_id = roster.get(key)
        if key in roster and student_id is None:
            raise Refused(Refusal.TAKEN)
        if self._tiles >= self.places:
            raise Refused(Refusal.FULL)
        made = Member(name, self._tiles, student_id, now_s)
        # Never used again, also when it is erased: what is known of a place is of one person.
        self._tiles += 1
        self._members[_hash(token)] = made
        return made

    def heard(self, token: str, now_s: float) -> Member:
        """Somebody is still there. Raises Refused."""
        if self.ended:
            raise Refused(Refusal.ENDED)
        member = self.member(token)
        if member is None:
            raise Refused(Refusal.UNKNOWN)
        if member.state is not State.HERE:
            raise Refused(Refusal.LEFT)
        member.heard_s = now_s
        return member

    def take(self, token: str, jpeg: bytes, now_s: float) -> None:
        """A picture of somebody, checked before (``classpulse.online.jpeg``); the one before it goes. Raises
        Refused."""
        member = self.heard(token, now_s)
        if now_s - member.taken_s < LEAST_APART_S:
            raise Refused(Refusal.TOO_FAST)
        member.taken_s = now_s
        if not self.is_watching(now_s):
            member.picture = None
            return
        digest = hashlib.sha256(jpeg).digest()
        if digest == member.digest:
            return  # the camera's noise makes every picture another; this one stands still
        self._pictures += 1
        member.picture, member.number, member.digest, member.fresh_s = jpeg, self._pictures, digest, now_s
        member.sent += 1
        member.sent_as = dict([*member.sent_as.items(), (member.number, member.sent)][-REMEMBERED:])

    def leave(self, token: str) -> Member | None:
        """Somebody has left, or their tab was closed; returns who, None where that changes nothing."""
        member = self.member(token)
        if member is None or member.state is not State.HERE:
            return None
        self._drop(member, State.LEFT)
        return member

    def send_out(self, tile: int) -> Member | None:
        """The teacher sends somebody out, who then cannot come back; what was recorded stays."""
        member = next((one for one in self._members.values() if one.tile == tile), None)
        if member is None or member.state not in (State.HERE, State.LEFT):
            return None
        self._drop(member, State.OUT)
        return member

    def erase(self, token: str) -> Member | None:
        """Somebody wants nothing kept; returns who. The name stays theirs until ``forget``."""
        member = self.member(token)
        if member is None or member.state is State.ERASING:
            return member
        self._drop(member, State.ERASING)
        self._erased.add(member.tile)
        return member

    def forget(self, tile: int) -> None:
        """All that was recorded of the student of that place is erased: forget them here, too."""
        self._members = {key: one for key, one in self._members.items() if one.tile != tile}

    def end(self, now_s: float) -> None:
        """Nobody is seen from now on."""
        self.ended_s = now_s if self.ended_s is None else self.ended_s
        for member in self._members.values():
            member.picture, member.digest, member.fresh_s = None, b"", float("-inf")

    def asked(
        self, after: int, erased: tuple[int, ...], now_s: float, faces: Iterable[FaceAt] = ()
    ) -> tuple[Attendance, list[bytes]]:
        """Whoever records asks: who is there, and the pictures with numbers above ``after``, in that order.
        ``erased`` are the places of which it has understood that nothing may be kept, ``faces`` where it has
        found faces."""
        self._asked_s = now_s
        found = {one.tile: one for one in faces}
        here: list[Place] = []
        pictures: list[bytes] = []
        for member in self.members():
            if member.state is State.ERASING:
                member.known = member.known or member.tile in erased
                continue
            there = found.get(member.tile)
            if there is not None and there.picture in member.sent_as:
                member.face = member.sent_as[there.picture], there.box
            shown = not self.ended and member.picture is not None and self.is_seen(member, now_s)
            here.append(Place(member.tile, member.pseudonym, member.student_id, shown, member.number))
            if shown and member.number > after and member.picture is not None:
                pictures.append(member.picture)
        return Attendance(self.places, tuple(here), frozenset(self._erased)), pictures

    def _drop(self, member: Member, state: State) -> None:
        member.state, member.picture, member.digest, member.fresh_s = state, None, b"", float("-inf")
        member.sent_as, member.face = {}, None


def new_code() -> str:
    """A code for one lesson."""
    return "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))


def read_code(text: str) -> str:
    """A code as somebody may have typed it: in small letters, with a dash or spaces. Empty for no code."""
    plain = "".join(letter for letter in text.upper() if letter not in " -\u2013")
    return plain if len(plain) == CODE_LENGTH and set(plain) <= set(LETTERS) else ""


def shown_code(code: str) -> str:
    """A code as it is read out: in two halves."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def tidied(pseudonym: str) -> str:
    """A pseudonym without blanks around it, and single ones in it. Raises Refused for what is none."""
    name = " ".join(unicodedata.normalize("NFC", pseudonym).split())
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or not any(map(str.isalnum, name)):
        raise Refused(Refusal.NAME)
    return name


def folded(pseudonym: str) -> str:
    """By what two pseudonyms are told to be the same: neither case nor form of the letters counts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", pseudonym).casefold())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
