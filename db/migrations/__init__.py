"""Alembic scripts, part of the wheel and run by ``db.engine``; there is no alembic.ini.

To draft the next revision: ``command.revision(db.migrations.runner.alembic_config(), "what changes",
rev_id="0002")``; then change ``db.schema`` and its ``HEAD_REVISION``; the tests compare the two.
"""
