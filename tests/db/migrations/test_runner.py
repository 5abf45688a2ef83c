"""Going up from an older schema, and drafting the next one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, inspect

import db.migrations
from db import sessions as queries
from db.engine import open_database
from db.errors import Conflict
from db.migrations import runner as revision
from db.schema import HEAD_REVISION
from db.sql import bin_to_row
from db.unit_of_work import Store

COMING = f"{int(HEAD_REVISION) + 1:04}"

NEXT = f"""
import sqlalchemy as sa
from alembic import op

revision = "{COMING}"
down_revision = "{HEAD_REVISION}"


def upgrade():
    with op.batch_alter_table("markers") as batch:
        batch.add_column(sa.Column("colour", sa.String(), nullable=True))
"""


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the scripts, to change."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(db.migrations.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def next_version(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next Classpulse, which knows one revision more."""
    (copied / "versions" / f"{COMING}_next.py").write_text(NEXT)
    monkeypatch.setattr("db.engine.HEAD", COMING)
    monkeypatch.setattr("db.migrations.runner.alembic_config", lambda: at(copied))


def at(folder: Path) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(folder))
    return settings


def test_an_older_database_goes_up_and_keeps_its_rows(
    empty_file, tmp_path, new_session, a_bin, request
) -> None:
    url = f"sqlite:///{shutil.copy(empty_file, tmp_path / 'class.db')}"
    older = open_database(url)
    with Store(older).unit_of_work() as unit:
        session = unit.start_session(new_session())
        unit.add_marker(session, 1.0, "quiz")
        unit.write_bins(session, [a_bin(None, 0.0)])
        unit.commit()
    older.dispose()
    request.getfixturevalue("next_version")
    newer = open_database(url)
    assert "colour" in {column["name"] for column in inspect(newer).get_columns("markers")}
    assert [marker.text for marker in queries.list_markers(newer, session)] == ["quiz"]
    assert queries.load_bins(newer, session) == [a_bin(None, 0.0)]
    with Store(newer).unit_of_work() as unit, pytest.raises(Conflict):
        unit.add_marker(session, -1.0, "checks outlive the copying of the table")
    newer.dispose()


def test_bins_of_before_eyes_were_looked_at_have_none(tmp_path, new_session, a_bin) -> None:
    url = f"sqlite:///{tmp_path / 'class.db'}"
    older = create_engine(url)
    with older.begin() as connection:
        settings = revision.alembic_config()
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0002")
        tables = MetaData()
        tables.reflect(connection)
        groups, sessions, bins = (
            tables.tables[name] for name in ("class_groups", "class_sessions", "timeline_bins")
        )
        connection.execute(groups.insert().values(id=1, name="Physics 10b"))
        known = {name: value for name, value in vars(new_session()).items() if name in sessions.c}
        known |= {"id": 1, "class_group_id": 1, "last_written_at": known["started_at"]}
        known |= {"status": "running", "status_reason": "", "end_s": 5.0, "watched_s": 5.0}
        known |= {"frames_sampled": 10, "frames_dropped": 0}
        connection.execute(sessions.insert().values(**known))
        row = {name: value for name, value in bin_to_row(1, a_bin(None, 0.0)).items() if name in bins.c}
        connection.execute(bins.insert().values(**row))
    older.dispose()
    newer = open_database(url)
    assert queries.load_bins(newer, 1) == [replace(a_bin(None, 0.0), eye_samples=0, closed_samples=0)]
    newer.dispose()


def test_the_template_makes_a_revision_without_a_way_down(copied) -> None:
    script = command.revision(at(copied), "keep the weather", rev_id=COMING)
    text = Path(script.path).read_text()
    compile(text, script.path, "exec")
    assert f'Take the schema from {HEAD_REVISION} to {COMING}; downgrade is not offered."""' in text
    assert script.down_revision == HEAD_REVISION
    assert "def downgrade" not in text
