"""Run by Alembic with the connection of ``db.migrations.runner``, whose transaction holds the write lock."""

from __future__ import annotations

from alembic import context

from db.schema import Base

# render_as_batch: SQLite cannot alter most of a table in place, so later revisions copy tables.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
