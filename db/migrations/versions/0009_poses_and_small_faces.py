"""Take the schema from 0008 to 0009: head poses of the expressions read, and faces too small to be found;
downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Older bins have no pose counts, and older sessions were not checked for small faces."""
    op.add_column("class_sessions", sa.Column("small_faces", sa.JSON(), nullable=True))
    with op.batch_alter_table("timeline_bins") as batch:
        batch.add_column(sa.Column("poses", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("timeline_bins") as batch:
        batch.alter_column("poses", server_default=None)
