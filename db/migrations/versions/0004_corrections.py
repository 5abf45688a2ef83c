"""Take the schema from 0003 to 0004: who is who after a teacher's corrections; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sessions that nobody corrected have no row in either table."""
    _corrections()
    _attributions()


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=True),
        sa.CheckConstraint("kind IN ('name', 'merge', 'split')", name=op.f("ck_corrections_kind")),
        sa.CheckConstraint(
            "(kind = 'split') = (at_s IS NOT NULL)", name=op.f("ck_corrections_a_split_has_a_time")
        ),
        sa.CheckConstraint("at_s BETWEEN 0 AND 1e9", name=op.f("ck_corrections_at_s")),
        sa.CheckConstraint("student_id <> person_id", name=op.f("ck_corrections_two_people")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_corrections_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_corrections_student_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["students.id"], name=op.f("fk_corrections_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sqlite_autoincrement=True,
    )
    for column in ("session_id", "student_id", "person_id"):
        op.create_index(op.f(f"ix_corrections_{column}"), "corrections", [column], unique=False)


def _attributions() -> None:
    op.create_table(
        "attributions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("from_s", sa.Float(53), nullable=False),
        sa.Column("until_s", sa.Float(53), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "from_s BETWEEN 0 AND 1e9 AND until_s BETWEEN 0 AND 1e9 AND until_s > from_s",
            name=op.f("ck_attributions_stretch"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_attributions_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_attributions_student_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["students.id"], name=op.f("fk_attributions_person_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attributions")),
        sa.UniqueConstraint(
            "session_id",
            "student_id",
            "from_s",
            name=op.f("uq_attributions_session_id_student_id_from_s"),
        ),
    )
    for column in ("student_id", "person_id"):
        op.create_index(op.f(f"ix_attributions_{column}"), "attributions", [column], unique=False)
