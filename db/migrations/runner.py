"""Migration of a database to the newest schema with Alembic, run from code."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection


def alembic_config() -> Config:
    """The settings of Alembic: the scripts of the installed package."""
    settings = Config()
    settings.set_main_option("script_location", "db:migrations")
    return settings


def script_directory() -> ScriptDirectory:
    """The revisions of this version."""
    return ScriptDirectory.from_config(alembic_config())


def upgrade_to_head(connection: Connection) -> None:
    """Migrate to the newest revision within the open transaction of ``connection``: completely or not at
    all."""
    settings = alembic_config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
