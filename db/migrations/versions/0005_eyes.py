"""Take the schema from 0004 to 0005: shut eyes in each bin; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COUNTS = ("eye_samples", "closed_samples")


def upgrade() -> None:
    """Bins of older sessions have no sample of the eyes: nobody had looked."""
    with op.batch_alter_table("timeline_bins") as batch:
        for name in _COUNTS:
            batch.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
        batch.create_check_constraint(
            op.f("ck_timeline_bins_eye_samples"), "closed_samples >= 0 AND closed_samples <= eye_samples"
        )
    with op.batch_alter_table("timeline_bins") as batch:
        for name in _COUNTS:
            batch.alter_column(name, server_default=None)
