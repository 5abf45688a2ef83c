from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.online.lesson import (
    CODE_LENGTH,
    FRAME_LIFETIME_S,
    PARTICIPANT_TIMEOUT_S,
    OnlineLesson,
    ParticipantState,
    RejectionReason,
    RequestRejected,
    fold_pseudonym,
    format_code,
    generate_code,
    normalise_pseudonym,
    parse_code,
)
from db.records import AnalysisMode
from monitor.sources.participant_grid import TileFace

ONE, TWO, THREE = b"picture one", b"picture two", b"picture three"


def lesson(places: int = 4) -> OnlineLesson:
    opened = OnlineLesson(
        1, generate_code(), "7b", places, AnalysisMode.EMOTION, datetime(2026, 3, 2, 9, tzinfo=UTC)
    )
    opened.poll(0, (), 0.0)
    return opened


def refused(why: RejectionReason):
    return pytest.raises(RequestRejected, match=f"^{why.value}$")


class TestPseudonyms:
    @pytest.mark.parametrize(
        ("typed", "name"),
        [("  Robin ", "Robin"), ("a\t\n b", "a b"), ("Ö" * 40, "Ö" * 40), ("7", "7"), ("木 いち", "木 いち")],
    )
    def test_normalise_pseudonym_collapses_spaces(self, typed: str, name: str) -> None:
        assert normalise_pseudonym(typed) == name

    @pytest.mark.parametrize(
        "typed", ["", "   ", "x" * 41, "a\u202eb", "a\0b", "\u200b", "...", "a\u2066b", "\ud800"]
    )
    def test_normalise_pseudonym_rejects_unprintable(self, typed: str) -> None:
        with refused(RejectionReason.NAME):
            normalise_pseudonym(typed)

    @pytest.mark.parametrize(
        ("one", "other"), [("Robin", "rOBIN"), ("Ｒobin", "Robin"), ("straße", "STRASSE")]
    )
    def test_fold_pseudonym_ignores_case_and_width(self, one: str, other: str) -> None:
        assert fold_pseudonym(one) == fold_pseudonym(other)


class TestCodes:
    def test_parse_code_accepts_formatted_and_lower_case(self) -> None:
        code = generate_code()
        assert len(code) == CODE_LENGTH
        assert {parse_code(format_code(code)), parse_code(f" {code.lower()} "), parse_code(code)} == {code}

    @given(st.text(max_size=30))
    def test_parse_code_returns_code_or_empty(self, typed: str) -> None:
        assert len(parse_code(typed)) in (0, CODE_LENGTH)

    def test_generate_code_is_unique(self) -> None:
        assert len({generate_code() for _ in range(200)}) == 200


class TestJoining:
    def test_participants_get_consecutive_tiles_until_full(self) -> None:
        it = lesson()
        members = [it.join(f"token {n}", f"Student {n}", {}, 1.0) for n in range(4)]
        assert [member.tile for member in members] == [0, 1, 2, 3]
        with refused(RejectionReason.FULL):
            it.join("token 5", "Late", {}, 1.0)

    def test_pseudonym_in_use_is_rejected(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        with refused(RejectionReason.TAKEN):
            it.join("two", "ROBIN ", {}, 1.0)
        it.leave("one")
        with refused(RejectionReason.TAKEN):
            it.join("two", "Robin", {}, 1.0)

    def test_roster_pseudonym_gives_student_id(self) -> None:
        it = lesson()
        assert it.join("one", "mia", {"mia": 12}, 1.0).student_id == 12
        assert it.join("two", "Robin", {"mia": 12}, 1.0).student_id is None

    def test_opted_out_pseudonym_is_rejected(self) -> None:
        with refused(RejectionReason.TAKEN):
            lesson().join("one", "Noah", {"noah": None}, 1.0)

    def test_rejoining_participant_keeps_pseudonym(self) -> None:
        it = lesson()
        before = it.join("one", "Robin", {}, 1.0)
        it.leave("one")
        assert it.join("one", "Somebody else", {}, 2.0) is before
        assert (before.pseudonym, before.state) == ("Robin", ParticipantState.PRESENT)

    def test_removed_participant_cannot_rejoin(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        assert it.remove_participant(0).state is ParticipantState.REMOVED
        assert it.remove_participant(3) is None
        with refused(RejectionReason.LEFT):
            it.join("one", "Robin", {}, 2.0)
        with refused(RejectionReason.LEFT):
            it.receive_frame("one", ONE, 3.0)

    def test_ended_lesson_rejects_joins(self) -> None:
        it = lesson()
        it.end(5.0)
        with refused(RejectionReason.ENDED):
            it.join("one", "Robin", {}, 6.0)


class TestFrames:
    def test_poll_returns_newest_frame_once(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        it.receive_frame("one", TWO, 2.0)
        attendance, pictures = it.poll(0, (), 2.1)
        assert pictures == [TWO]
        assert attendance.active_tiles == {0}
        assert it.poll(attendance.participants[0].image_number, (), 2.2)[1] == []

    def test_face_box_is_mapped_to_client_frame_number(self) -> None:
        it = lesson()
        robin, mia = it.join("one", "Robin", {}, 1.0), it.join("two", "Mia", {}, 1.0)
        for at_s, jpeg in enumerate((ONE, TWO, THREE), start=1):
            it.receive_frame("one", jpeg, float(at_s))
            it.receive_frame("two", jpeg, float(at_s))
        assert (robin.frames_sent, robin.frame_number, mia.frame_number) == (3, 5, 6)
        box = (0.1, 0.2, 0.3, 0.4)
        it.poll(0, (), 3.1, [TileFace(1, 4, box), TileFace(0, 5, None), TileFace(3, 1, box)])
        assert (robin.last_face, mia.last_face) == ((3, None), (2, box))
        # A face in another participant's frame, or in an unknown frame, is ignored.
        it.poll(0, (), 3.2, [TileFace(0, 4, box), TileFace(1, 99, box)])
        assert (robin.last_face, mia.last_face) == ((3, None), (2, box))
        it.leave("two")
        assert mia.last_face is None

    def test_frames_above_two_per_second_are_rejected(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        with refused(RejectionReason.TOO_FAST):
            it.receive_frame("one", TWO, 1.3)
        it.receive_frame("one", THREE, 1.5)
        assert it.poll(0, (), 1.5)[1] == [THREE]

    def test_old_frame_is_not_returned(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        assert it.poll(0, (), 1.0 + FRAME_LIFETIME_S)[0].active_tiles == {0}
        attendance, pictures = it.poll(0, (), 1.1 + FRAME_LIFETIME_S)
        assert (attendance.active_tiles, pictures) == (frozenset(), [])

    def test_frozen_frame_expires(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        for second in range(1, 10):
            it.poll(0, (), second)
            it.receive_frame("one", ONE, float(second))
        assert it.poll(0, (), 9.0)[0].active_tiles == frozenset()
        it.receive_frame("one", TWO, 10.0)
        assert it.poll(0, (), 10.0)[0].active_tiles == {0}

    def test_frame_without_polls_is_dropped(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 2.0)
        it.receive_frame("one", TWO, 30.0)
        assert (it.is_recorder_polling(30.0), member.frame_jpeg) == (False, None)

    def test_left_participant_has_no_frame(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        assert it.leave("one") is member
        assert it.leave("one") is None
        attendance, pictures = it.poll(0, (), 1.1)
        assert (attendance.active_tiles, pictures, member.frame_jpeg) == (frozenset(), [], None)
        with refused(RejectionReason.LEFT):
            it.receive_frame("one", TWO, 2.0)

    def test_silent_participant_is_unresponsive_until_heartbeat(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        assert not it.is_unresponsive(member, 1.0 + PARTICIPANT_TIMEOUT_S)
        assert it.is_unresponsive(member, 1.1 + PARTICIPANT_TIMEOUT_S)
        it.heartbeat("one", 20.0)
        assert not it.is_unresponsive(member, 20.0)

    def test_unknown_token_is_rejected(self) -> None:
        with refused(RejectionReason.UNKNOWN):
            lesson().receive_frame("guess", ONE, 1.0)

    def test_ended_lesson_drops_frames(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        it.end(1.5)
        assert member.frame_jpeg is None
        assert it.poll(0, (), 1.6)[0].active_tiles == frozenset()
        with refused(RejectionReason.ENDED):
            it.receive_frame("one", TWO, 2.0)


class TestErasing:
    def test_erased_tile_is_reported_and_never_reused(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.receive_frame("one", ONE, 1.0)
        assert it.withdraw_consent("one") is member
        attendance, _ = it.poll(0, (), 1.1)
        assert (attendance.participants, attendance.erased_tiles, member.erasure_acknowledged) == (
            (),
            {0},
            False,
        )
        it.poll(0, (0,), 1.6)
        assert member.erasure_acknowledged
        it.forget_participant(0)
        assert it.participant("one") is None
        assert it.poll(0, (0,), 2.0)[0].erased_tiles == {0}
        assert it.join("one", "Robin", {}, 3.0).tile == 1

    def test_pseudonym_is_reserved_during_erasure(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.withdraw_consent("one")
        with refused(RejectionReason.TAKEN):
            it.join("two", "Robin", {}, 1.0)
        with refused(RejectionReason.LEFT):
            it.join("one", "Robin", {}, 1.0)

    def test_unknown_token_withdraws_nothing(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        assert it.withdraw_consent("guess") is None
        assert it.poll(0, (), 1.1)[0].erased_tiles == frozenset()
