"""What a recording and its supervisor say, over a line and back."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.daemon.protocol import (
    MAX_MARKER_CHARS,
    Command,
    Message,
    SessionEnded,
    StartFailed,
    StatusUpdate,
    decode_command,
    decode_message,
    encode_command,
    encode_message,
)
from monitor.session.status import RecordingStatus
from monitor.text import marker_text, replace_unprintable

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NUMBERS = st.floats(0, 1e6)


def of(kind: type, /, **given_: st.SearchStrategy) -> st.SearchStrategy:
    """Any of a kind; the types of its fields say what is in it."""
    by_type = {"str": TEXT, "str | None": TEXT | st.none(), "float": NUMBERS, "datetime": TIMES}
    by_type |= {"float | None": NUMBERS | st.none(), "datetime | None": TIMES | st.none()}
    fields = {one.name: by_type[one.type] for one in dataclasses.fields(kind) if one.type in by_type}
    return st.builds(kind, **(fields | given_))


MESSAGES = st.one_of(
    st.builds(StatusUpdate, of(RecordingStatus)),
    of(SessionEnded, kind=st.just("over")),
    of(StartFailed, kind=st.just("refused")),
)


@given(MESSAGES)
def test_a_message_is_one_line_and_comes_back(message: Message) -> None:
    line = encode_message(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_message(line) == message


@given(of(Command))
def test_a_command_is_one_line_and_comes_back(command: Command) -> None:
    line = encode_command(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize("line", [b"", b"x", b"{}", b'{"kind": "over"}', b'{"kind": "x"}', b"\xff"])
def test_anything_else_is_no_message(line: bytes) -> None:
    with pytest.raises(ValidationError):
        decode_message(line)
    with pytest.raises(ValidationError):
        decode_command(line)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" quiz handed out ", "quiz handed out"),
        ("quiz\r\n\thanded\u2028out", "quiz handed out"),
        ("\x1b[31mred\x00", "[31mred"),
        ("half \udcff a letter", "half a letter"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a" * MAX_MARKER_CHARS, "a" * MAX_MARKER_CHARS),
    ],
)
def test_a_marker_is_one_line_that_can_be_read(text: str, kept: str) -> None:
    assert marker_text(text) == kept


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00\x1b", "\udcff", "a" * (MAX_MARKER_CHARS + 1)])
def test_a_marker_of_nothing_or_too_much_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="the marker has"):
        marker_text(text)


@given(st.text())
def test_what_is_kept_is_kept_again(text: str) -> None:
    assert replace_unprintable(replace_unprintable(text)) == replace_unprintable(text)
    replace_unprintable(text).encode()
