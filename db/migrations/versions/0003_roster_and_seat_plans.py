"""Take the schema from 0002 to 0003: the roster, names apart from it, seat plans, opted-out seats; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Five new tables; none of the old ones changes."""
    _roster()
    _plans()
    op.create_table(
        "opted_out_seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["class_sessions.id"],
            name=op.f("fk_opted_out_seats_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opted_out_seats")),
        sa.UniqueConstraint("session_id", "label", name=op.f("uq_opted_out_seats_session_id_label")),
    )


def _roster() -> None:
    op.create_table(
        "roster_entries",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("seat", sa.String(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_roster_entries_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_roster_entries")),
    )
    op.create_table(
        "student_names",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_student_names_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_student_names")),
    )


def _plans() -> None:
    op.create_table(
        "seat_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        sa.Column("picture_width", sa.Integer(), nullable=False),
        sa.Column("picture_height", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("landmarks", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("picture_width > 0 AND picture_height > 0", name=op.f("ck_seat_plans_picture")),
        sa.ForeignKeyConstraint(
            ["class_group_id"],
            ["class_groups.id"],
            name=op.f("fk_seat_plans_class_group_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_plans")),
        sa.UniqueConstraint("class_group_id", name=op.f("uq_seat_plans_class_group_id")),
    )
    op.create_table(
        "planned_seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("x1", sa.Float(53), nullable=False),
        sa.Column("y1", sa.Float(53), nullable=False),
        sa.Column("x2", sa.Float(53), nullable=False),
        sa.Column("y2", sa.Float(53), nullable=False),
        sa.CheckConstraint("x2 > x1 AND y2 > y1", name=op.f("ck_planned_seats_box")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["seat_plans.id"], name=op.f("fk_planned_seats_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_seats")),
        sa.UniqueConstraint("plan_id", "label", name=op.f("uq_planned_seats_plan_id_label")),
    )
