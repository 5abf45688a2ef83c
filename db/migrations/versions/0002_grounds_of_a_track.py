"""Take the schema from 0001 to 0002: why each track is somebody's; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tracks of older sessions have no grounds: nobody had asked."""
    with op.batch_alter_table("tracks") as batch:
        batch.add_column(sa.Column("grounds", sa.String(), nullable=True))
