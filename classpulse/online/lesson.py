"""One online lesson: its participants and their latest frames. Pure: the caller passes the time.

Times are monotonic seconds. Everything is in memory only.
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
from model.errors import ProblemError
from monitor.sources.participant_grid import Participant, ParticipantList, TileFace
from monitor.types import Box

CODE_ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
"""Without characters that look alike."""

CODE_LENGTH = 8
"""31^8 = 8.5 * 10^11 codes: at two guesses per minute, the code of a running lesson cannot be guessed."""

MAX_PSEUDONYM_LENGTH = 40

FRAME_LIFETIME_S = 3.0
"""An older frame is not handed to the recorder, which counts every frame as observed."""

PARTICIPANT_TIMEOUT_S = 10.0
"""After this time without a heartbeat a participant is unresponsive (tab closed, computer asleep)."""

MIN_FRAME_INTERVAL_S = 0.45
"""At most two frames per second are accepted per participant; slightly less than 0.5 s because of network
jitter."""

KEPT_FRAME_NUMBERS = 10
"""The recorder reports face boxes within seconds; numbers of older frames are not needed."""

POLL_TIMEOUT_S = 3.0
"""The recorder polls twice per second; after this time without a poll it is paused."""


class RejectionReason(StrEnum):
    """Why a client cannot join, or a frame is rejected. The values are sent to browsers."""

    NAME = "name"
    """The pseudonym is empty, too long or not printable."""
    TAKEN = "taken"
    """The pseudonym is used in this lesson, or belongs to a student who opted out."""
    FULL = "full"
    ENDED = "ended"
    LEFT = "left"
    """The participant has left or was removed."""
    UNKNOWN = "unknown"
    TOO_FAST = "too fast"


class RequestRejected(Exception):
    """A join or a frame was rejected for ``reason``."""

    def __init__(self, reason: RejectionReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class ParticipantState(StrEnum):
    """The state of a participant. ``ERASING``: the consent is withdrawn and the data are being erased."""

    PRESENT = "present"
    LEFT = "left"
    REMOVED = "removed"
    ERASING = "erasing"


@dataclass
class OnlineParticipant:
    """A student who has joined. ``student_id`` as in ``monitor.sources.participant_grid.Participant``."""

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
    """Number of accepted frames, which is also the number of the latest one for the browser."""
    client_frame_numbers: dict[int, int] = field(default_factory=dict)
    """Numbers of the last frames: in the lesson -> for the browser."""
    last_face: tuple[int, Box | None] | None = None
    """The last analysed frame (number for the browser) and its face box, None if no face was found."""
    erasure_acknowledged: bool = False
    """Whether the recorder has confirmed the erasure."""

    def clear_frame(self) -> None:
        """Drop the frame and everything about earlier frames."""
        self.frame_jpeg, self.frame_digest, self.last_new_frame_s = None, b"", float("-inf")
        self.client_frame_numbers, self.last_face = {}, None

    def store_frame(self, jpeg: bytes, digest: bytes, number: int, now_s: float) -> None:
        """Replace the frame; ``number`` is its number in the lesson."""
        self.frame_jpeg, self.frame_digest = jpeg, digest
        self.frame_number, self.last_new_frame_s = number, now_s
        self.frames_sent += 1
        numbers = [*self.client_frame_numbers.items(), (number, self.frames_sent)]
        self.client_frame_numbers = dict(numbers[-KEPT_FRAME_NUMBERS:])


class OnlineLesson:
    """A lesson that students join with its ``code``. ``number`` identifies it on the teacher's pages. Not
    thread-safe: ``classpulse.online.manager`` serialises the calls."""

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
        self.error: ProblemError | None = None
        self.ended_s: float | None = None
        self._participants: dict[str, OnlineParticipant] = {}
        self._next_tile = 0
        self._erased_tiles: set[int] = set()
        self._frame_count = 0
        self._last_poll_s = float("-inf")

    @property
    def room(self) -> str:
        """The room of the lesson's sessions; a class has at most one open online lesson."""
        return f"online {self.class_name}"

    @property
    def ended(self) -> bool:
        """Whether the lesson has ended: no participant can join or send frames."""
        return self.ended_s is not None

    def participant(self, token: str) -> OnlineParticipant | None:
        """The participant with this token."""
        return self._participants.get(_hash_token(token))

    def participants(self) -> list[OnlineParticipant]:
        """All participants by tile."""
        return sorted(self._participants.values(), key=lambda participant: participant.tile)

    def is_visible(self, participant: OnlineParticipant, now_s: float) -> bool:
        """Whether the participant has a fresh frame."""
        return (
            participant.state is ParticipantState.PRESENT
            and now_s - participant.last_new_frame_s <= FRAME_LIFETIME_S
        )

    def is_unresponsive(self, participant: OnlineParticipant, now_s: float) -> bool:
        """Whether a participant who has not left sends no heartbeats."""
        return (
            participant.state is ParticipantState.PRESENT
            and now_s - participant.last_heartbeat_s > PARTICIPANT_TIMEOUT_S
        )

    def is_recorder_polling(self, now_s: float) -> bool:
        """Whether the recorder polls frames: not before it has started, and not while it is paused."""
        return not self.ended and now_s - self._last_poll_s <= POLL_TIMEOUT_S

    def join(
        self, token: str, pseudonym: str, roster: Mapping[str, int | None], now_s: float
    ) -> OnlineParticipant:
        """Add a participant, or readmit one who has left. ``roster``: student ids of the class by folded
        pseudonym, None for a student who opted out. Raises RequestRejected."""
        if self.ended:
            raise RequestRejected(RejectionReason.ENDED)
        previous = self.participant(token)
        if previous is not None:
            if previous.state in (ParticipantState.REMOVED, ParticipantState.ERASING):
                raise RequestRejected(RejectionReason.LEFT)
            previous.state, previous.last_heartbeat_s = ParticipantState.PRESENT, now_s
            return previous
        name = normalise_pseudonym(pseudonym)
        key = fold_pseudonym(name)
        if key in {fold_pseudonym(other.pseudonym) for other in self._participants.values()}:
            raise RequestRejected(RejectionReason.TAKEN)
        student_id = roster.get(key)
        if key in roster and student_id is None:
            raise RequestRejected(RejectionReason.TAKEN)
        if self._next_tile >= self.capacity:
            raise RequestRejected(RejectionReason.FULL)
        participant = OnlineParticipant(name, self._next_tile, student_id, now_s)
        # A tile is never reused, not even after an erasure: its data belong to one person.
        self._next_tile += 1
        self._participants[_hash_token(token)] = participant
        return participant

    def heartbeat(self, token: str, now_s: float) -> OnlineParticipant:
        """Register a heartbeat of a present participant. Raises RequestRejected."""
        if self.ended:
            raise RequestRejected(RejectionReason.ENDED)
        participant = self.participant(token)
        if participant is None:
            raise RequestRejected(RejectionReason.UNKNOWN)
        if participant.state is not ParticipantState.PRESENT:
            raise RequestRejected(RejectionReason.LEFT)
        participant.last_heartbeat_s = now_s
        return participant

    def receive_frame(self, token: str, jpeg: bytes, now_s: float) -> None:
        """Store a frame that ``classpulse.online.jpeg`` has checked. Without a polling recorder it is
        dropped. Raises RequestRejected."""
        participant = self.heartbeat(token, now_s)
        if now_s - participant.last_frame_s < MIN_FRAME_INTERVAL_S:
            raise RequestRejected(RejectionReason.TOO_FAST)
        participant.last_frame_s = now_s
        if not self.is_recorder_polling(now_s):
            participant.frame_jpeg = None
            return
        digest = hashlib.sha256(jpeg).digest()
        if digest == participant.frame_digest:
            return  # frozen: the noise of a working camera makes every frame different
        self._frame_count += 1
        participant.store_frame(jpeg, digest, self._frame_count, now_s)

    def leave(self, token: str) -> OnlineParticipant | None:
        """Mark a participant as left; returns the participant, None if nothing changes."""
        participant = self.participant(token)
        if participant is None or participant.state is not ParticipantState.PRESENT:
            return None
        participant.clear_frame()
        participant.state = ParticipantState.LEFT
        return participant

    def remove_participant(self, tile: int) -> OnlineParticipant | None:
        """Remove a participant, who cannot join again; recorded data are kept. Returns the participant, None
        if nothing changes."""
        participant = next((other for other in self._participants.values() if other.tile == tile), None)
        if participant is None or participant.state not in (ParticipantState.PRESENT, ParticipantState.LEFT):
            return None
        participant.clear_frame()
        participant.state = ParticipantState.REMOVED
        return participant

    def withdraw_consent(self, token: str) -> OnlineParticipant | None:
        """Start the erasure of a participant's data; returns the participant. The pseudonym stays reserved
        until ``forget_participant``."""
        participant = self.participant(token)
        if participant is None or participant.state is ParticipantState.ERASING:
            return participant
        participant.clear_frame()
        participant.state = ParticipantState.ERASING
        self._erased_tiles.add(participant.tile)
        return participant

    def forget_participant(self, tile: int) -> None:
        """Remove the participant of a tile after the erasure."""
        self._participants = {
            key: participant for key, participant in self._participants.items() if participant.tile != tile
        }

    def end(self, now_s: float) -> None:
        """End the lesson and drop all frames."""
        self.ended_s = now_s if self.ended_s is None else self.ended_s
        for participant in self._participants.values():
            participant.clear_frame()

    def poll(
        self,
        after_frame: int,
        acknowledged_tiles: tuple[int, ...],
        now_s: float,
        faces: Iterable[TileFace] = (),
    ) -> tuple[ParticipantList, list[bytes]]:
        """Answer a poll of the recorder.

        Args:
            after_frame: number of the last frame that the recorder has received.
            acknowledged_tiles: tiles of participants whose erasure the recorder has confirmed.
            faces: face boxes that the recorder has found.

        Returns: The participants, and the JPEG frames numbered above ``after_frame`` in the order of the
        participants.
        """
        self._last_poll_s = now_s
        faces_by_tile = {face.tile: face for face in faces}
        participants: list[Participant] = []
        frames: list[bytes] = []
        for participant in self.participants():
            if participant.state is ParticipantState.ERASING:
                participant.erasure_acknowledged |= participant.tile in acknowledged_tiles
                continue
            face = faces_by_tile.get(participant.tile)
            if face is not None and face.image_number in participant.client_frame_numbers:
                participant.last_face = participant.client_frame_numbers[face.image_number], face.relative_box
            jpeg = participant.frame_jpeg
            has_image = not self.ended and jpeg is not None and self.is_visible(participant, now_s)
            participants.append(
                Participant(
                    participant.tile,
                    participant.pseudonym,
                    participant.student_id,
                    has_image,
                    participant.frame_number,
                )
            )
            if has_image and participant.frame_number > after_frame and jpeg is not None:
                frames.append(jpeg)
        return ParticipantList(self.capacity, tuple(participants), frozenset(self._erased_tiles)), frames


def generate_code() -> str:
    """A random code for a lesson."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def parse_code(text: str) -> str:
    """Normalise a typed code (lower-case letters, dashes and spaces are allowed); "" if it is not a code."""
    plain = "".join(letter for letter in text.upper() if letter not in " -\u2013")
    return plain if len(plain) == CODE_LENGTH and set(plain) <= set(CODE_ALPHABET) else ""


def format_code(code: str) -> str:
    """The code in two halves, for reading out."""
    return f"{code[: CODE_LENGTH // 2]}-{code[CODE_LENGTH // 2 :]}"


def normalise_pseudonym(pseudonym: str) -> str:
    """A pseudonym with single spaces. Raises RequestRejected if it is invalid."""
    name = " ".join(unicodedata.normalize("NFC", pseudonym).split())
    if (
        not 1 <= len(name) <= MAX_PSEUDONYM_LENGTH
        or not name.isprintable()
        or not any(map(str.isalnum, name))
    ):
        raise RequestRejected(RejectionReason.NAME)
    return name


def fold_pseudonym(pseudonym: str) -> str:
    """The pseudonym for comparisons, without case and compatibility forms of characters."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", pseudonym).casefold())


def _hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
