"""Take the schema from 0007 to 0008: who may use the dashboard; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has an account at first: the dashboard's first start makes one."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("folded", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('teacher', 'counsellor', 'administrator')", name=op.f("ck_accounts_role")
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_accounts_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("folded", name=op.f("uq_accounts_folded")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "account_classes",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        _cascading("account_classes", "account_id", "accounts"),
        _cascading("account_classes", "class_group_id", "class_groups"),
        sa.PrimaryKeyConstraint("account_id", "class_group_id", name=op.f("pk_account_classes")),
    )
    op.create_index(op.f("ix_account_classes_class_group_id"), "account_classes", ["class_group_id"])
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        _cascading("logins", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_account_id"), "logins", ["account_id"])
    op.create_index(op.f("ix_logins_seen_at"), "logins", ["seen_at"])


def _cascading(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )
