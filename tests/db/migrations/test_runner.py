"""Migrating an older database to the newest schema, and drafting the next revision."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

import db.migrations
from db import sessions as queries
from db.engine import open_database
from db.errors import Conflict
from db.records import GapRecord
from db.schema import HEAD_REVISION
from db.unit_of_work import Store

NEXT_REVISION = f"{int(HEAD_REVISION) + 1:04}"

NEXT_SCRIPT = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT_REVISION}"
down_revision = "{HEAD_REVISION}"


def upgrade():
    with op.batch_alter_table("markers") as batch:
        batch.add_column(sa.Column("colour", sa.String(), nullable=True))
    with op.batch_alter_table("timeline_bins") as batch:
        batch.add_column(sa.Column("blinks", sa.Integer(), nullable=False, server_default="0"))
    op.create_table("weather", sa.Column("session_id", sa.Integer(), primary_key=True))
"""


@pytest.fixture
def scripts_copy(tmp_path: Path) -> Path:
    """A writable copy of the migration scripts."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(db.migrations.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def next_version(scripts_copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A later Classpulse that has one more revision."""
    (scripts_copy / "versions" / f"{NEXT_REVISION}_next.py").write_text(NEXT_SCRIPT)
    monkeypatch.setattr("db.engine.HEAD_REVISION", NEXT_REVISION)
    monkeypatch.setattr("db.migrations.runner.alembic_config", lambda: config_for(scripts_copy))


def config_for(folder: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(folder))
    return config


def test_upgrade_of_an_older_database_keeps_its_rows(
    empty_file, tmp_path, new_session, make_bin, request
) -> None:
    url = f"sqlite:///{shutil.copy(empty_file, tmp_path / 'class.db')}"
    older = open_database(url)
    with Store(older).unit_of_work() as unit:
        session = unit.start_session(new_session())
        student = unit.add_student(session, "Student 1")
        unit.add_marker(session, 1.0, "quiz")
        unit.save_gaps(session, [GapRecord(1.0, 2.0, "paused")])
        unit.write_bins(session, [make_bin(None, 0.0), make_bin(student, 0.0)])
        unit.commit()
    older.dispose()
    request.getfixturevalue("next_version")
    newer = open_database(url)
    with newer.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == NEXT_REVISION
        assert connection.scalars(text("SELECT blinks FROM timeline_bins")).all() == [0, 0]
        assert connection.execute(text("SELECT * FROM weather")).all() == []
    assert "colour" in {column["name"] for column in inspect(newer).get_columns("markers")}
    assert [marker.text for marker in queries.list_markers(newer, session)] == ["quiz"]
    assert queries.list_gaps(newer, session) == [GapRecord(1.0, 2.0, "paused")]
    assert queries.load_bins(newer, session) == [make_bin(None, 0.0), make_bin(student, 0.0)]
    newer.dispose()


@pytest.mark.parametrize(
    "write",
    [
        lambda unit, session, make_bin: unit.add_marker(session, -1.0, "before the start"),
        lambda unit, session, make_bin: unit.write_bins(session, [make_bin(None, -5.0)]),
    ],
    ids=["markers", "timeline_bins"],
)
def test_checks_of_a_copied_table_still_reject_rows(
    empty_file, tmp_path, new_session, make_bin, next_version, write
) -> None:
    engine = open_database(f"sqlite:///{shutil.copy(empty_file, tmp_path / 'class.db')}")
    with Store(engine).unit_of_work() as unit:
        session = unit.start_session(new_session())
        with pytest.raises(Conflict):
            write(unit, session, make_bin)
    engine.dispose()


def test_script_template_drafts_a_revision_without_downgrade(scripts_copy) -> None:
    script = command.revision(config_for(scripts_copy), "store the weather", rev_id=NEXT_REVISION)
    source = Path(script.path).read_text()
    compile(source, script.path, "exec")
    assert f'Take the schema from {HEAD_REVISION} to {NEXT_REVISION}; downgrade is not offered."""' in source
    assert script.down_revision == HEAD_REVISION
    assert "def downgrade" not in source
