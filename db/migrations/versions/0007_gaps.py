"""Take the schema from 0006 to 0007: when nothing could be seen, and why; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Sessions of before have no gaps: a camera that was lost ended them."""
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint(
            "start_s BETWEEN 0 AND 1e9 AND end_s BETWEEN 0 AND 1e9 AND end_s >= start_s",
            name=op.f("ck_gaps_stretch"),
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_gaps_reason")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_gaps_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sa.UniqueConstraint("session_id", "start_s", name=op.f("uq_gaps_session_id_start_s")),
    )
