from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.online.lesson import (
    CODE_LENGTH,
    SHOWN_S,
    SILENT_S,
    OnlineLesson,
    Refusal,
    Refused,
    State,
    folded,
    new_code,
    read_code,
    shown_code,
    tidied,
)
from db.records import Mode
from monitor.sources.participant_grid import FaceAt

ONE, TWO, THREE = b"picture one", b"picture two", b"picture three"


def lesson(places: int = 4) -> OnlineLesson:
    made = OnlineLesson(1, new_code(), "7b", places, Mode.EMOTION, datetime(2026, 3, 2, 9, tzinfo=UTC))
    made.asked(0, (), 0.0)
    return made


def refused(why: Refusal):
    return pytest.raises(Refused, match=f"^{why.value}$")


class TestNames:
    @pytest.mark.parametrize(
        ("typed", "name"),
        [("  Robin ", "Robin"), ("a\t\n b", "a b"), ("Ö" * 40, "Ö" * 40), ("7", "7"), ("木 いち", "木 いち")],
    )
    def test_a_name_is_trimmed(self, typed: str, name: str) -> None:
        assert tidied(typed) == name

    @pytest.mark.parametrize(
        "typed", ["", "   ", "x" * 41, "a\u202eb", "a\0b", "\u200b", "...", "a\u2066b", "\ud800"]
    )
    def test_what_cannot_be_printed_is_no_name(self, typed: str) -> None:
        with refused(Refusal.NAME):
            tidied(typed)

    @pytest.mark.parametrize(
        ("one", "other"), [("Robin", "rOBIN"), ("Ｒobin", "Robin"), ("straße", "STRASSE")]
    )
    def test_case_and_form_make_no_other_name(self, one: str, other: str) -> None:
        assert folded(one) == folded(other)


class TestCodes:
    def test_codes_are_read_as_they_are_shown_and_typed(self) -> None:
        code = new_code()
        assert len(code) == CODE_LENGTH
        assert {read_code(shown_code(code)), read_code(f" {code.lower()} "), read_code(code)} == {code}

    @given(st.text(max_size=30))
    def test_what_is_no_code_is_none(self, typed: str) -> None:
        assert len(read_code(typed)) in (0, CODE_LENGTH)

    def test_codes_differ(self) -> None:
        assert len({new_code() for _ in range(200)}) == 200


class TestJoining:
    def test_everybody_has_a_place_of_their_own(self) -> None:
        it = lesson()
        members = [it.join(f"token {n}", f"Student {n}", {}, 1.0) for n in range(4)]
        assert [one.tile for one in members] == [0, 1, 2, 3]
        with refused(Refusal.FULL):
            it.join("token 5", "Late", {}, 1.0)

    def test_a_name_is_somebodys_alone(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        with refused(Refusal.TAKEN):
            it.join("two", "ROBIN ", {}, 1.0)
        it.leave("one")
        with refused(Refusal.TAKEN):
            it.join("two", "Robin", {}, 1.0)

    def test_who_is_on_the_roster_is_that_student(self) -> None:
        it = lesson()
        assert it.join("one", "mia", {"mia": 12}, 1.0).student_id == 12
        assert it.join("two", "Robin", {"mia": 12}, 1.0).student_id is None

    def test_who_may_not_be_watched_cannot_join(self) -> None:
        with refused(Refusal.TAKEN):
            lesson().join("one", "Noah", {"noah": None}, 1.0)

    def test_who_comes_back_is_who_they_were(self) -> None:
        it = lesson()
        before = it.join("one", "Robin", {}, 1.0)
        it.leave("one")
        assert it.join("one", "Somebody else", {}, 2.0) is before
        assert (before.pseudonym, before.state) == ("Robin", State.HERE)

    def test_who_was_sent_out_stays_out(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        assert it.send_out(0).state is State.OUT
        assert it.send_out(3) is None
        with refused(Refusal.LEFT):
            it.join("one", "Robin", {}, 2.0)
        with refused(Refusal.LEFT):
            it.take("one", ONE, 3.0)

    def test_nobody_joins_what_is_over(self) -> None:
        it = lesson()
        it.end(5.0)
        with refused(Refusal.ENDED):
            it.join("one", "Robin", {}, 6.0)


class TestPictures:
    def test_the_newest_wins(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        it.take("one", TWO, 2.0)
        attendance, pictures = it.asked(0, (), 2.1)
        assert pictures == [TWO]
        assert attendance.shown == {0}
        assert it.asked(attendance.here[0].picture, (), 2.2)[1] == []

    def test_where_a_face_was_is_known_by_the_browsers_own_numbers(self) -> None:
        it = lesson()
        robin, mia = it.join("one", "Robin", {}, 1.0), it.join("two", "Mia", {}, 1.0)
        for at_s, jpeg in enumerate((ONE, TWO, THREE), start=1):
            it.take("one", jpeg, float(at_s))
            it.take("two", jpeg, float(at_s))
        assert (robin.sent, robin.number, mia.number) == (3, 5, 6)
        box = (0.1, 0.2, 0.3, 0.4)
        it.asked(0, (), 3.1, [FaceAt(1, 4, box), FaceAt(0, 5, None), FaceAt(3, 1, box)])
        assert (robin.face, mia.face) == ((3, None), (2, box))
        # Another's picture, or one that never was, is not theirs.
        it.asked(0, (), 3.2, [FaceAt(0, 4, box), FaceAt(1, 99, box)])
        assert (robin.face, mia.face) == ((3, None), (2, box))
        it.leave("two")
        assert mia.face is None

    def test_no_more_than_two_a_second_are_taken(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        with refused(Refusal.TOO_FAST):
            it.take("one", TWO, 1.3)
        it.take("one", THREE, 1.5)
        assert it.asked(0, (), 1.5)[1] == [THREE]

    def test_what_is_old_is_not_shown(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        assert it.asked(0, (), 1.0 + SHOWN_S)[0].shown == {0}
        attendance, pictures = it.asked(0, (), 1.1 + SHOWN_S)
        assert (attendance.shown, pictures) == (frozenset(), [])

    def test_a_picture_that_stands_still_is_soon_not_shown(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        for second in range(1, 10):
            it.asked(0, (), second)
            it.take("one", ONE, float(second))
        assert it.asked(0, (), 9.0)[0].shown == frozenset()
        it.take("one", TWO, 10.0)
        assert it.asked(0, (), 10.0)[0].shown == {0}

    def test_while_nobody_looks_nothing_is_kept(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 2.0)
        it.take("one", TWO, 30.0)
        assert (it.is_watching(30.0), member.picture) == (False, None)

    def test_who_leaves_is_seen_no_more_and_no_picture_of_theirs_is_taken(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        assert it.leave("one") is member
        assert it.leave("one") is None
        attendance, pictures = it.asked(0, (), 1.1)
        assert (attendance.shown, pictures, member.picture) == (frozenset(), [], None)
        with refused(Refusal.LEFT):
            it.take("one", TWO, 2.0)

    def test_who_is_silent_is_away_and_back_with_the_next_word(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        assert not it.is_silent(member, 1.0 + SILENT_S)
        assert it.is_silent(member, 1.1 + SILENT_S)
        it.heard("one", 20.0)
        assert not it.is_silent(member, 20.0)

    def test_a_stranger_sends_nothing(self) -> None:
        with refused(Refusal.UNKNOWN):
            lesson().take("guess", ONE, 1.0)

    def test_when_it_ends_all_pictures_are_gone(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        it.end(1.5)
        assert member.picture is None
        assert it.asked(0, (), 1.6)[0].shown == frozenset()
        with refused(Refusal.ENDED):
            it.take("one", TWO, 2.0)


class TestErasing:
    def test_the_place_is_told_until_it_is_understood_and_never_used_again(self) -> None:
        it = lesson()
        member = it.join("one", "Robin", {}, 1.0)
        it.take("one", ONE, 1.0)
        assert it.erase("one") is member
        attendance, _ = it.asked(0, (), 1.1)
        assert (attendance.here, attendance.erased, member.known) == ((), {0}, False)
        it.asked(0, (0,), 1.6)
        assert member.known
        it.forget(0)
        assert it.member("one") is None
        assert it.asked(0, (0,), 2.0)[0].erased == {0}
        assert it.join("one", "Robin", {}, 3.0).tile == 1

    def test_until_then_the_name_is_taken(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        it.erase("one")
        with refused(Refusal.TAKEN):
            it.join("two", "Robin", {}, 1.0)
        with refused(Refusal.LEFT):
            it.join("one", "Robin", {}, 1.0)

    def test_a_stranger_erases_nothing(self) -> None:
        it = lesson()
        it.join("one", "Robin", {}, 1.0)
        assert it.erase("guess") is None
        assert it.asked(0, (), 1.1)[0].erased == frozenset()
