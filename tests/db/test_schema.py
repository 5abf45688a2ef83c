"""The schema: equal to the migrations, portable, with cascading keys and used indexes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, delete, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

import db.engine
import db.schema
from db import sessions as queries
from db.errors import Conflict
from db.migrations.runner import script_directory
from db.records import (
    Correction,
    CorrectionKind,
    FlagRecord,
    GapRecord,
    SeatRecord,
    SessionStatus,
    TrackRecord,
)
from db.schema import (
    HEAD_REVISION,
    PROBABILITIES,
    Base,
    CorrectionRow,
    IdentityIntervalRow,
    SessionRow,
    StudentRow,
    TimelineBinRow,
)
from db.sessions import select_gaps
from model.emotions import EMOTIONS

TABLES = Base.metadata.sorted_tables


def checks(connection: Connection) -> set[tuple[str, str, str]]:
    """Every CHECK as (table, name, text without spaces, quotes and parentheses)."""
    inspector = inspect(connection)
    constraints = set()
    for table in TABLES:
        for check in inspector.get_check_constraints(table.name):
            constraints.add((table.name, str(check["name"]), re.sub(r"[\s\"()]", "", check["sqltext"])))
    return constraints


def test_migrations_create_the_schema(engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrations_create_checks_and_partial_indexes(empty_file: Path) -> None:
    """Alembic does not compare these."""
    from sqlalchemy import create_engine

    direct, migrated = create_engine("sqlite://"), create_engine(f"sqlite:///{empty_file}")
    Base.metadata.create_all(direct)
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name"
    with direct.connect() as expected, migrated.connect() as actual:
        assert checks(actual) == checks(expected)
        assert len(checks(expected)) > 20
        assert actual.exec_driver_sql(query).all() == expected.exec_driver_sql(query).all()
    direct.dispose()
    migrated.dispose()


def test_head_revision_is_that_of_the_scripts() -> None:
    assert script_directory().get_current_head() == HEAD_REVISION


def test_revisions_have_upgrade_only() -> None:
    for script in script_directory().walk_revisions():
        assert hasattr(script.module, "upgrade")
        assert not hasattr(script.module, "downgrade")


def test_probability_columns_match_emotions() -> None:
    assert tuple(f"p_{label}" for label in EMOTIONS) == PROBABILITIES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_table_compiles_for_postgresql(table) -> None:
    dialect = postgresql.dialect()
    statement = str(CreateTable(table).compile(dialect=dialect))
    assert "DATETIME" not in statement
    for column in table.columns:
        if column.name.endswith("_at"):
            assert f"{column.name} TIMESTAMP WITH TIME ZONE" in statement
    for index in table.indexes:
        text = str(CreateIndex(index).compile(dialect=dialect))
        partial = index.dialect_options["sqlite"]["where"] is not None
        assert (" WHERE " in text) == partial


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=["sqlite", "postgresql"])
def test_constraint_names_are_unique_and_fit_postgresql(dialect) -> None:
    names = [c.name for table in TABLES for c in table.constraints]
    names += [index.name for table in TABLES for index in table.indexes]
    assert all(names)
    assert max(len(str(name)) for name in names) <= 63
    assert len(set(names)) == len(names)


def test_backend_specific_sql_is_in_engine_module_only() -> None:
    folder = Path(db.engine.__file__).parent
    words = re.compile(r"PRAGMA|sqlite_master|exec_driver_sql|pg_")
    modules = {path.name for path in folder.rglob("*.py") if words.search(path.read_text("utf-8"))}
    assert modules == {"engine.py"}


def query_plan(engine: Engine, statement) -> str:
    sql = str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        return "; ".join(row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}"))


@pytest.mark.parametrize(
    "statement",
    [
        queries.select_bins(1),
        select(TimelineBinRow.id).where(TimelineBinRow.student_id == 1),
        select(SessionRow.id).where(SessionRow.class_group_id == 1).order_by(SessionRow.started_at.desc()),
        select(SessionRow.id).order_by(SessionRow.started_at.desc()),
        select(SessionRow.id).where(SessionRow.status == "running"),
        select(StudentRow.id).where(StudentRow.pseudonym == "Student 1"),
        select_gaps(1),
        select(CorrectionRow.id).where(CorrectionRow.session_id == 1).order_by(CorrectionRow.id),
        select(IdentityIntervalRow.id).where(IdentityIntervalRow.person_id == 1),
        select(IdentityIntervalRow.id).where(
            IdentityIntervalRow.session_id == 1, IdentityIntervalRow.student_id == 1
        ),
    ],
    ids=[
        "bins",
        "bins of a student",
        "sessions of a class",
        "sessions",
        "running",
        "pseudonym",
        "gaps",
        "corrections",
        "intervals of a person",
        "intervals of a student",
    ],
)
def test_reads_use_an_index_without_sorting(empty_file, statement) -> None:
    from sqlalchemy import create_engine

    engine = create_engine(f"sqlite:///{empty_file}")
    steps = query_plan(engine, statement)
    engine.dispose()
    assert "USING INDEX" in steps or "USING COVERING INDEX" in steps
    assert "TEMP B-TREE" not in steps


@pytest.fixture
def ended_session(store, session_id, student_ids, make_bin) -> int:
    """An ended session with a row in each of its tables."""
    first, second, _ = student_ids
    with store.unit_of_work() as unit:
        unit.write_bins(session_id, [make_bin(first, 0.0), make_bin(None, 0.0)])
        unit.save_seats(session_id, [SeatRecord(first, "row 1", (0, 0, 9, 9), 1280, 720)])
        unit.save_tracks(session_id, [TrackRecord(first, 1, 0.0, 5.0, 9)])
        unit.save_flags([FlagRecord(session_id, first, "sadness", "flagged", {})])
        unit.add_marker(session_id, 1.0, "quiz")
        unit.save_gaps(session_id, [GapRecord(1.0, 2.0, "no signal")])
        unit.add_audit_entry("note", f"session {session_id}", unit._clock())
        unit.end_session(session_id, SessionStatus.FINISHED, unit._clock(), "end of the file")
        unit.add_correction(session_id, Correction(CorrectionKind.MERGE, first, second), unit._clock())
        unit.commit()
    return session_id


def rows_in(engine: Engine) -> dict[str, int]:
    with engine.connect() as connection:
        return {table.name: len(connection.execute(select(table)).all()) for table in TABLES}


def test_deleted_session_loses_all_its_rows(engine, ended_session) -> None:
    with engine.begin() as connection:
        connection.execute(delete(SessionRow).where(SessionRow.id == ended_session))
    remaining = {name: count for name, count in rows_in(engine).items() if count}
    assert remaining == {"class_groups": 1, "audit": 1}


def test_deleted_student_loses_all_their_rows(engine, ended_session, student_ids) -> None:
    with engine.begin() as connection:
        connection.execute(delete(StudentRow).where(StudentRow.id == student_ids[0]))
    remaining = rows_in(engine)
    assert (remaining["timeline_bins"], remaining["seats"], remaining["tracks"], remaining["flags"]) == (
        1,
        0,
        0,
        0,
    )
    assert (remaining["students"], remaining["class_sessions"]) == (2, 1)
    assert (remaining["corrections"], remaining["identity_intervals"]) == (0, 2)


def test_session_ids_are_not_reused(store, ended_session, new_session) -> None:
    with store.engine.begin() as connection:
        connection.execute(delete(SessionRow))
    with store.unit_of_work() as unit:
        again = unit.start_session(new_session())
        unit.commit()
    assert again > ended_session


def test_class_with_sessions_cannot_be_deleted(engine, ended_session) -> None:
    with engine.connect() as connection, pytest.raises(Conflict):
        connection.execute(delete(Base.metadata.tables["class_groups"]))


def test_roster_pseudonyms_are_unique(engine, session_id) -> None:
    row = {"class_group_id": 1, "session_id": None, "pseudonym": "Student 1"}
    with engine.connect() as connection:
        (group,) = connection.execute(select(Base.metadata.tables["class_groups"].c.id)).one()
        row["class_group_id"] = group
        insert = Base.metadata.tables["students"].insert()
        connection.execute(insert, [row])
        with pytest.raises(Conflict):
            connection.execute(insert, [row])


def test_ended_session_requires_an_end_time(engine, session_id) -> None:
    table = Base.metadata.tables["class_sessions"]
    with engine.connect() as connection, pytest.raises(Conflict):
        connection.execute(table.update().values(status="finished"))
