"""Alembic's scripts, carried in the wheel and run by ``db.engine``; there is no alembic.ini."""
