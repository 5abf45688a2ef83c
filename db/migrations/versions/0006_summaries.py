"""Take the schema from 0005 to 0006: rooms, and what each session holds, summed up; downgrade is not offered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CHANCES = ("p_angry", "p_disgust", "p_fear", "p_happy", "p_sad", "p_surprise", "p_neutral")


def upgrade() -> None:
    """Sessions of before have no room and no summary; the next command of the history sums them up."""
    op.add_column("class_sessions", sa.Column("room", sa.String(), nullable=True))
    op.create_index(
        op.f("ix_class_sessions_room_started_at"), "class_sessions", ["room", "started_at"], unique=False
    )
    op.create_index(op.f("ix_flags_outcome_session_id"), "flags", ["outcome", "session_id"], unique=False)
    _student_summaries()
    _session_summaries()


def _student_summaries() -> None:
    shares = ("facing_share", "closed_share", *_CHANCES)
    sad, away = (tuple(f"{kind}_{part}" for part in ("share", "low", "high")) for kind in ("sad", "away"))
    op.create_table(
        "student_summaries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=False) for name in ("watched_s", "seen_s", "usable_s")),
        sa.Column("usable_samples", sa.Integer(), nullable=False),
        sa.Column("posed_s", sa.Float(53), nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=True) for name in (*shares, *sad, *away)),
        sa.CheckConstraint(
            "watched_s BETWEEN 0 AND 1e9 AND seen_s BETWEEN 0 AND 1e9"
            " AND usable_s BETWEEN 0 AND 1e9 AND posed_s BETWEEN 0 AND 1e9",
            name=op.f("ck_student_summaries_seconds"),
        ),
        sa.CheckConstraint("usable_samples >= 0", name=op.f("ck_student_summaries_usable_samples")),
        sa.CheckConstraint(_shares(*shares), name=op.f("ck_student_summaries_shares")),
        sa.CheckConstraint(_shares(*sad), name=op.f("ck_student_summaries_sad")),
        sa.CheckConstraint(_shares(*away), name=op.f("ck_student_summaries_away")),
        sa.CheckConstraint(
            "(sad_low IS NULL) = (sad_share IS NULL) AND (sad_high IS NULL) = (sad_share IS NULL)",
            name=op.f("ck_student_summaries_sad_interval"),
        ),
        sa.CheckConstraint(
            "(away_low IS NULL) = (away_share IS NULL) AND (away_high IS NULL) = (away_share IS NULL)",
            name=op.f("ck_student_summaries_away_interval"),
        ),
        sa.CheckConstraint(_all_or_none(), name=op.f("ck_student_summaries_all_or_none")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["class_sessions.id"],
            name=op.f("fk_student_summaries_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_student_summaries_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student_summaries")),
        sa.UniqueConstraint(
            "session_id", "student_id", name=op.f("uq_student_summaries_session_id_student_id")
        ),
    )
    op.create_index(op.f("ix_student_summaries_student_id"), "student_summaries", ["student_id"], unique=False)


def _session_summaries() -> None:
    shares = ("seen_share", "facing_share", "closed_share", *_CHANCES)
    op.create_table(
        "session_summaries",
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("made_with", "students", "people")),
        *(sa.Column(name, sa.Float(53), nullable=True) for name in shares),
        sa.CheckConstraint("people >= 0 AND students >= 0", name=op.f("ck_session_summaries_people")),
        sa.CheckConstraint(_shares(*shares), name=op.f("ck_session_summaries_shares")),
        sa.CheckConstraint(_all_or_none(), name=op.f("ck_session_summaries_all_or_none")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["class_sessions.id"],
            name=op.f("fk_session_summaries_session_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_summaries")),
    )


def _shares(*names: str) -> str:
    return " AND ".join(f"({name} IS NULL OR {name} BETWEEN 0 AND 1)" for name in names)


def _all_or_none() -> str:
    first, *rest = _CHANCES
    return " AND ".join(f"({first} IS NULL) = ({name} IS NULL)" for name in rest)
