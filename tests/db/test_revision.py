"""Going up from an older schema, and drafting the next one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

import db.migrations
from db import queries
from db.engine import open_database
from db.errors import Conflict
from db.store import Store

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


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
    (copied / "versions" / "0004_next.py").write_text(NEXT)
    monkeypatch.setattr("db.engine.HEAD", "0004")
    monkeypatch.setattr("db.revision.config", lambda: at(copied))


def at(folder: Path) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(folder))
    return settings


def test_an_older_database_goes_up_and_keeps_its_rows(
    empty_file, tmp_path, new_session, a_bin, request
) -> None:
    url = f"sqlite:///{shutil.copy(empty_file, tmp_path / 'class.db')}"
    older = open_database(url)
    with Store(older).unit() as unit:
        session = unit.start_session(new_session())
        unit.add_marker(session, 1.0, "quiz")
        unit.write_bins(session, [a_bin(None, 0.0)])
        unit.commit()
    older.dispose()
    request.getfixturevalue("next_version")
    newer = open_database(url)
    assert "colour" in {column["name"] for column in inspect(newer).get_columns("markers")}
    assert [marker.text for marker in queries.markers(newer, session)] == ["quiz"]
    assert queries.bins(newer, session) == [a_bin(None, 0.0)]
    with Store(newer).unit() as unit, pytest.raises(Conflict):
        unit.add_marker(session, -1.0, "checks outlive the copying of the table")
    newer.dispose()


def test_the_template_makes_a_revision_without_a_way_down(copied) -> None:
    script = command.revision(at(copied), "keep the weather", rev_id="0004")
    text = Path(script.path).read_text()
    compile(text, script.path, "exec")
    assert 'Take the schema from 0003 to 0004; downgrade is not offered."""' in text
    assert script.down_revision == "0003"
    assert "def downgrade" not in text
