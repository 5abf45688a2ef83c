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

from db.records import AnalysisMode
from monitor.sources.participant_grid import Participant, ParticipantList, TileFace
from monitor.types import Box

CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without those that are mistaken for one another."""

CODE_LENGTH = 8
"""31 letters to the power of eight are 8.5 * 10^11 codes: at two guesses a minute, nobody finds one of a
lesson of some hours."""

MAX_PSEUDONYM_LENGTH = 40

FRAME_LIFETIME_S = 3.0
"""A picture older than this is not shown any more: what is shown counts as seen."""

PARTICIPANT_TIMEOUT_S = 10.0
"""Who has said nothing for so long is away: the tab was closed, the computer sleeps."""

MIN_FRAME_INTERVAL_S = 0.45
"""At most two pictures a second of each are taken; a little less than half a second, for their way."""

KEPT_FRAME_NUMBERS = 10
"""So many pictures are looked at within seconds; of older ones nobody asks where a face was."""

POLL_TIMEOUT_S = 3.0
"""Who records asks twice a second; after so long without a question, nobody looks (a pause)."""


class RejectionReason(StrEnum):
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


class RequestRejected(Exception):
    """Something was refused; ``reason`` says what."""

    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ParticipantState(StrEnum):
    """How somebody stands. ``ERASING``: nothing may be kept; what was kept is being erased."""

    PRESENT = "present"
    LEFT = "left"
    REMOVED = "removed"
    ERASING = "erasing"


@dataclass
class OnlineParticipant:
    """Somebody who has joined. ``student_id`` as in ``monitor.sources.participant_grid.Participant``."""

    pseudonym: str
    tile: int
    student_id: int | None
    last_heartbeat_s: float
    state: ParticipantState = ParticipantState.PRESENT
    frame_jpeg: bytes | None = field(default=None, repr=False)
    frame_number: int = 0
    last_frame_s: float = float("-inf")
    frame_digest: bytes = b""
    last_new_frame_s: float = float("-inf")
    frames_sent: int = 0
    """How many pictures of theirs were taken; the number of the newest, for their browser."""
    client_frame_numbers: dict[int, int] = field(default_factory=dict)
    """The last pictures' numbers in the lesson, and for their browser."""
    last_face: tuple[int, Box | None] | None = None
    """In which picture (its number for their browser) their face was last looked for, and where it was."""
    erasure_acknowledged: bool = False
    """Whether whoever records has understood that nothing may be kept."""


class OnlineLesson:
    """A lesson that students join by its ``code``. ``frame_number`` is its own, for the teacher's pages; ``room``
    what its sessions call their room. One thread at a time (``classpulse.online.manager`` sees to it)."""

    def __init__(
        self,
        number: int,
        code: str,
        class_name: str,
        capacity: int,
        mode: AnalysisMode,
        opened_at: datetime,
    ) -> None:
        self.number = number
        self.code = code
        self.class_name = class_name
        self.capacity = capacity
        self.mode = mode
        self.opened_at = opened_at
        self.problem = ""
        self.ended_s: float | None = None
        self._participants: dict[str, OnlineParticipant] = {}
        self._next_tile = 0
        self._erased_tiles: set[int] = set()
        self._frame_count = 0
        self._last_poll_s = float("-inf")

    @property
    def room(self) -> str:
        """What the recording's room is called: a class has one online lesson at a time."""
        return f"online {self.class_name}"

    @property
    def ended(self) -> bool:
        """Whether nobody can join or be seen any more."""
        return self.ended_s is not None

    def participant(self, token: str) -> OnlineParticipant | None:
        """Who has this browser's token."""
        return self._participants.get(_hash_token(token))

    def participants(self) -> list[OnlineParticipant]:
        """Everybody who has joined, in the order of their places."""
        return sorted(self._participants.values(), key=lambda one: one.tile)

    def is_visible(self, participant: OnlineParticipant, now_s: float) -> bool:
        """Whether a fresh picture of theirs is shown."""
        return (
            participant.state is ParticipantState.PRESENT
            and now_s - participant.last_new_frame_s <= FRAME_LIFETIME_S
        )

    def is_unresponsive(self, participant: OnlineParticipant, now_s: float) -> bool:
        """Whether nothing was heard of somebody who has not left."""
        return (
            participant.state is ParticipantState.PRESENT
            and now_s - participant.last_heartbeat_s > PARTICIPANT_TIMEOUT_S
        )

    def is_recorder_polling(self, now_s: float) -> bool:
        """Whether somebody looks at the pictures: not in a pause, and not before the recording has begun."""
        return not self.ended and now_s - self._last_poll_s <= POLL_TIMEOUT_S

    def join(
        self, token: str, pseudonym: str, roster: Mapping[str, int | None], now_s: float
    ) -> OnlineParticipant:
        """Somebody joins. ``roster`` has the class's students by their folded pseudonyms: the number of who
        consents, None for who may not be watched. Who has left and comes back is who they were. Raises
        Refused."""
        if self.ended:
            raise RequestRejected(RejectionReason.ENDED)
        before = self.participant(token)
        if before is not None:
            if before.state in (ParticipantState.REMOVED, ParticipantState.ERASING):
                raise RequestRejected(RejectionReason.LEFT)
            before.state, before.last_heartbeat_s = ParticipantState.PRESENT, now_s
            return before
        name = normalise_pseudonym(pseudonym)
        key = fold_pseudonym(name)
        if key in {fold_pseudonym(one.pseudonym) for one in self._participants.values()}:
            raise RequestRejected(RejectionReason.TAKEN)
        student_id = roster.get(key)
        if key in roster and student_id is None:
            raise RequestRejected(RejectionReason.TAKEN)
        if self._next_tile >= self.capacity:
            raise RequestRejected(RejectionReason.FULL)
        made = OnlineParticipant(name, self._next_tile, student_id, now_s)
        # Never used again, also when it is erased: what is known of a place is of one person.
        self._next_tile += 1
        self._participants[_hash_token(token)] = made
        return made

    def heartbeat(self, token: str, now_s: float) -> OnlineParticipant:
        """Somebody is still there. Raises Refused."""
        if self.ended:
            raise RequestRejected(RejectionReason.ENDED)
        member = self.participant(token)
        if member is None:
            raise RequestRejected(RejectionReason.UNKNOWN)
        if member.state is not ParticipantState.PRESENT:
            raise RequestRejected(RejectionReason.LEFT)
        member.last_heartbeat_s = now_s
        return member

    def receive_frame(self, token: str, jpeg: bytes, now_s: float) -> None:
        """A picture of somebody, checked before (``classpulse.online.jpeg``); the one before it goes. Raises
        Refused."""
        member = self.heartbeat(token, now_s)
        if now_s - member.last_frame_s < MIN_FRAME_INTERVAL_S:
            raise RequestRejected(RejectionReason.TOO_FAST)
        member.last_frame_s = now_s
        if not self.is_recorder_polling(now_s):
            member.frame_jpeg = None
            return
        digest = hashlib.sha256(jpeg).digest()
        if digest == member.frame_digest:
            return  # the camera's noise makes every picture another; this one stands still
        self._frame_count += 1
        member.frame_jpeg, member.frame_number, member.frame_digest, member.last_new_frame_s = (
            jpeg,
            self._frame_count,
            digest,
            now_s,
        )
        member.frames_sent += 1
        member.client_frame_numbers = dict(
            [*member.client_frame_numbers.items(), (member.frame_number, member.frames_sent)][
                -KEPT_FRAME_NUMBERS:
            ]
        )

    def leave(self, token: str) -> OnlineParticipant | None:
        """Somebody has left, or their tab was closed; returns who, None where that changes nothing."""
        member = self.participant(token)
        if member is None or member.state is not ParticipantState.PRESENT:
            return None
        self._clear_frame(member, ParticipantState.LEFT)
        return member

    def remove_participant(self, tile: int) -> OnlineParticipant | None:
        """The teacher sends somebody out, who then cannot come back; what was recorded stays."""
        member = next((one for one in self._participants.values() if one.tile == tile), None)
        if member is None or member.state not in (ParticipantState.PRESENT, ParticipantState.LEFT):
            return None
        self._clear_frame(member, ParticipantState.REMOVED)
        return member

    def withdraw_consent(self, token: str) -> OnlineParticipant | None:
        """Somebody wants nothing kept; returns who. The name stays theirs until ``forget_participant``."""
        member = self.participant(token)
        if member is None or member.state is ParticipantState.ERASING:
            return member
        self._clear_frame(member, ParticipantState.ERASING)
        self._erased_tiles.add(member.tile)
        return member

    def forget_participant(self, tile: int) -> None:
        """All that was recorded of the student of that place is erased: forget them here, too."""
        self._participants = {key: one for key, one in self._participants.items() if one.tile != tile}

    def end(self, now_s: float) -> None:
        """Nobody is seen from now on."""
        self.ended_s = now_s if self.ended_s is None else self.ended_s
        for member in self._participants.values():
            member.frame_jpeg, member.frame_digest, member.last_new_frame_s = None, b"", float("-inf")

    def poll(
        self,
        after_frame: int,
        acknowledged_tiles: tuple[int, ...],
        now_s: float,
        faces: Iterable[TileFace] = (),
    ) -> tuple[ParticipantList, list[bytes]]:
        """Whoever records asks: who is there, and the pictures with numbers above ``after_frame``, in that order.
        ``acknowledged_tiles`` are the places of which it has understood that nothing may be kept, ``faces`` where it has
        found faces."""
        self._last_poll_s = now_s
        found = {one.tile: one for one in faces}
        here: list[Participant] = []
        pictures: list[bytes] = []
        for member in self.participants():
            if member.state is ParticipantState.ERASING:
                member.erasure_acknowledged = member.erasure_acknowledged or member.tile in acknowledged_tiles
                continue
            there = found.get(member.tile)
            if there is not None and there.image_number in member.client_frame_numbers:
                member.last_face = member.client_frame_numbers[there.image_number], there.relative_box
            shown = not self.ended and member.frame_jpeg is not None and self.is_visible(member, now_s)
            here.append(
                Participant(member.tile, member.pseudonym, member.student_id, shown, member.frame_number)
            )
            if shown and member.frame_number > after_frame and member.frame_jpeg is not None:
                pictures.append(member.frame_jpeg)
        return ParticipantList(self.capacity, tuple(here), frozenset(self._erased_tiles)), pictures

    def _clear_frame(self, participant: OnlineParticipant, state: ParticipantState) -> None:
        participant.state, participant.frame_jpeg, participant.frame_digest, participant.last_new_frame_s = (
            state,
            None,
            b"",
            float("-inf"),
        )
        participant.client_frame_numbers, participant.last_face = {}, None


def generate_code() -> str:
    """A code for one lesson."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def parse_code(text: str) -> str:
    """A code as somebody may have typed it: in small letters, with a dash or spaces. Empty for no code."""
    plain = "".join(letter for letter in text.upper() if letter not in " -\u2013")
    return plain if len(plain) == CODE_LENGTH and set(plain) <= set(CODE_ALPHABET) else ""


def format_code(code: str) -> str:
    """A code as it is read out: in two halves."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def normalise_pseudonym(pseudonym: str) -> str:
    """A pseudonym without blanks around it, and single ones in it. Raises Refused for what is none."""
    name = " ".join(unicodedata.normalize("NFC", pseudonym).split())
    if (
        not 1 <= len(name) <= MAX_PSEUDONYM_LENGTH
        or not name.isprintable()
        or not any(map(str.isalnum, name))
    ):
        raise RequestRejected(RejectionReason.NAME)
    return name


def fold_pseudonym(pseudonym: str) -> str:
    """By what two pseudonyms are told to be the same: neither case nor form of the letters counts."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", pseudonym).casefold())


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
