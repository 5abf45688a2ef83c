"""Bringing a database to the newest schema with Alembic, run from code."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection


def alembic_config() -> Config:
    """Alembic's settings: the scripts of the installed package, wherever that is."""
    settings = Config()
    settings.set_main_option("script_location", "db:migrations")
    return settings


def script_directory() -> ScriptDirectory:
    """The revisions this version knows."""
    return ScriptDirectory.from_config(alembic_config())


def upgrade_to_head(connection: Connection) -> None:
    """To the newest revision, in the transaction that ``connection`` has open: all of it or nothing."""
    settings = alembic_config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
