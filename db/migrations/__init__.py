"""Alembic's scripts, carried in the wheel and run by ``db.engine``; there is no alembic.ini.

To draft the next one: ``command.revision(db.migrations.runner.alembic_config(), "what changes", rev_id="0002")``; then change
``db.schema`` and its ``HEAD``, and the tests compare the two.
"""
