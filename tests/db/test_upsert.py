"""Writing over what is there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from db.engine import open_database
from db.schema import ClassGroupRow, MarkerRow
from db.upsert import INSERTS, upsert


@pytest.fixture
def connection(engine):
    with engine.connect() as connection:
        yield connection


def names(connection) -> list[tuple[int, str]]:
    return [tuple(row) for row in connection.execute(select(ClassGroupRow.id, ClassGroupRow.name))]


def test_a_row_of_keys_alone_is_left_as_it_is(connection) -> None:
    for _ in range(2):
        upsert(connection, ClassGroupRow, [{"name": "7b"}], ("name",))
    assert [name for _, name in names(connection)] == ["7b"]


def test_other_columns_are_replaced_and_kept_ones_are_not(store, session_id) -> None:
    with store.unit() as unit:
        number = unit.add_marker(session_id, 1.0, "quiz")
        unit.commit()
    row = {"id": number, "session_id": session_id, "at_s": 2.0, "text": "test"}
    with store.engine.begin() as connection:
        upsert(connection, MarkerRow, [row], ("id",), keep=("text",))
        (left,) = connection.execute(select(MarkerRow.at_s, MarkerRow.text)).all()
    assert tuple(left) == (2.0, "quiz")


def test_no_rows_no_statement(connection) -> None:
    upsert(connection, ClassGroupRow, [], ("name",))
    assert not connection.in_transaction()


def test_there_is_an_insert_for_each_database_that_can_be_opened() -> None:
    engine = open_database("sqlite://")
    assert engine.dialect.name in INSERTS
    assert set(INSERTS) == {"sqlite", "postgresql"}
    engine.dispose()
