"""Messages and commands between supervisor and worker, encoded and decoded; text of markers."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.daemon.protocol import (
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
from monitor.text import MAX_MARKER_CHARS, InvalidMarker, marker_text, replace_unprintable

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
NUMBERS = st.floats(0, 1e6)


def of(kind: type, /, **options: st.SearchStrategy) -> st.SearchStrategy:
    """Any instance of a dataclass, by the types of its fields."""
    by_type = {"str": TEXT, "str | None": TEXT | st.none(), "float": NUMBERS, "datetime": TIMES}
    by_type |= {"float | None": NUMBERS | st.none(), "datetime | None": TIMES | st.none()}
    fields = {f.name: by_type[f.type] for f in dataclasses.fields(kind) if f.type in by_type}
    return st.builds(kind, **(fields | options))


MESSAGES = st.one_of(
    st.builds(StatusUpdate, of(RecordingStatus)),
    of(SessionEnded, kind=st.just("ended")),
    of(StartFailed, kind=st.just("start_failed")),
)


@given(MESSAGES)
def test_message_round_trip_on_one_line(message: Message) -> None:
    line = encode_message(message)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode_message(line) == message


@given(of(Command))
def test_command_round_trip_on_one_line(command: Command) -> None:
    line = encode_command(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize("line", [b"", b"x", b"{}", b'{"kind": "ended"}', b'{"kind": "x"}', b"\xff"])
def test_invalid_line_is_rejected(line: bytes) -> None:
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
def test_marker_text_is_one_printable_line(text: str, kept: str) -> None:
    assert marker_text(text) == kept


@pytest.mark.parametrize("text", ["", " ", "\n", "\x00\x1b", "\udcff", "a" * (MAX_MARKER_CHARS + 1)])
def test_marker_text_rejects_empty_and_long_text(text: str) -> None:
    with pytest.raises(InvalidMarker):
        marker_text(text)


@given(st.text())
def test_replace_unprintable_is_idempotent(text: str) -> None:
    assert replace_unprintable(replace_unprintable(text)) == replace_unprintable(text)
    replace_unprintable(text).encode()
