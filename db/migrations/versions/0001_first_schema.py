"""The first schema: classes, sessions, students, seats, tracks, bins, markers, flags, audit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_CHANCES = ("p_angry", "p_disgust", "p_fear", "p_happy", "p_sad", "p_surprise", "p_neutral")


def upgrade() -> None:
    """Make every table; downgrade is not offered."""
    _audit()
    _class_groups()
    _class_sessions()
    _markers()
    _students()
    _flags()
    _seats()
    _timeline_bins()
    _tracks()


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)


def _class_groups() -> None:
    op.create_table(
        "class_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_class_groups_name")),
    )


def _class_sessions() -> None:
    op.create_table(
        "class_sessions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("status_reason", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("expected_s", sa.Float(53), nullable=True),
        sa.Column("bin_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("watched_s", sa.Float(53), nullable=False),
        sa.Column("frames_sampled", sa.Integer(), nullable=False),
        sa.Column("frames_dropped", sa.Integer(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.Float(53), nullable=False),
        sa.CheckConstraint(
            "(status = 'running') = (ended_at IS NULL)", name=op.f("ck_class_sessions_running_has_no_end")
        ),
        sa.CheckConstraint(
            "status IN ('running', 'finished', 'interrupted')", name=op.f("ck_class_sessions_status")
        ),
        sa.CheckConstraint("bin_s > 0", name=op.f("ck_class_sessions_bin_s")),
        sa.CheckConstraint(
            "end_s BETWEEN 0 AND 1e9 AND watched_s BETWEEN 0 AND 1e9", name=op.f("ck_class_sessions_seconds")
        ),
        sa.CheckConstraint(
            "frames_sampled >= 0 AND frames_dropped >= 0", name=op.f("ck_class_sessions_frames")
        ),
        sa.ForeignKeyConstraint(
            ["class_group_id"], ["class_groups.id"], name=op.f("fk_class_sessions_class_group_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_sessions")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_class_sessions_class_group_id_started_at"),
        "class_sessions",
        ["class_group_id", "started_at"],
        unique=False,
    )
    op.create_index(op.f("ix_class_sessions_started_at"), "class_sessions", ["started_at"], unique=False)
    op.create_index(op.f("ix_class_sessions_status"), "class_sessions", ["status"], unique=False)


def _markers() -> None:
    op.create_table(
        "markers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.CheckConstraint("at_s BETWEEN 0 AND 1e9", name=op.f("ck_markers_at_s")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_markers_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markers")),
    )
    op.create_index(op.f("ix_markers_session_id_at_s"), "markers", ["session_id", "at_s"], unique=False)


def _students() -> None:
    op.create_table(
        "students",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_group_id"], ["class_groups.id"], name=op.f("fk_students_class_group_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_students_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_students")),
        sa.UniqueConstraint("session_id", "pseudonym", name=op.f("uq_students_session_id_pseudonym")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_students_class_group_id"), "students", ["class_group_id"], unique=False)
    op.create_index(op.f("ix_students_pseudonym"), "students", ["pseudonym"], unique=False)
    op.create_index(
        "uq_students_roster",
        "students",
        ["class_group_id", "pseudonym"],
        unique=True,
        sqlite_where=sa.text("session_id IS NULL"),
        postgresql_where=sa.text("session_id IS NULL"),
    )


def _flags() -> None:
    op.create_table(
        "flags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.Column("review", sa.String(), nullable=False),
        sa.Column("reviewed_by", sa.String(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('flagged', 'not_flagged', 'insufficient_data')", name=op.f("ck_flags_outcome")
        ),
        sa.CheckConstraint("review IN ('open', 'confirmed', 'dismissed')", name=op.f("ck_flags_review")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_flags_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_flags_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
        sa.UniqueConstraint(
            "session_id", "student_id", "kind", name=op.f("uq_flags_session_id_student_id_kind")
        ),
    )
    op.create_index(op.f("ix_flags_student_id"), "flags", ["student_id"], unique=False)


def _seats() -> None:
    op.create_table(
        "seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("x1", sa.Float(53), nullable=False),
        sa.Column("y1", sa.Float(53), nullable=False),
        sa.Column("x2", sa.Float(53), nullable=False),
        sa.Column("y2", sa.Float(53), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.CheckConstraint("frame_width > 0 AND frame_height > 0", name=op.f("ck_seats_frame")),
        sa.CheckConstraint("x2 > x1 AND y2 > y1", name=op.f("ck_seats_box")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_seats_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_seats_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
        sa.UniqueConstraint("session_id", "student_id", name=op.f("uq_seats_session_id_student_id")),
    )
    op.create_index(op.f("ix_seats_student_id"), "seats", ["student_id"], unique=False)


def _timeline_bins() -> None:
    op.create_table(
        "timeline_bins",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=True),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("watched_s", sa.Float(53), nullable=False),
        sa.Column("seen_s", sa.Float(53), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=False),
        sa.Column("seen_samples", sa.Integer(), nullable=False),
        sa.Column("usable_samples", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Float(53), nullable=True) for name in _CHANCES),
        sa.Column("unknown", sa.JSON(), nullable=False),
        sa.Column("pose_samples", sa.Integer(), nullable=False),
        sa.Column("facing_samples", sa.Integer(), nullable=False),
        sa.Column("yaw_deg", sa.Float(53), nullable=True),
        sa.Column("pitch_deg", sa.Float(53), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(p_angry IS NULL) = (p_disgust IS NULL) AND (p_angry IS NULL) = (p_fear IS NULL) AND (p_angry IS NULL) = (p_happy IS NULL) AND (p_angry IS NULL) = (p_sad IS NULL) AND (p_angry IS NULL) = (p_surprise IS NULL) AND (p_angry IS NULL) = (p_neutral IS NULL)",
            name=op.f("ck_timeline_bins_all_or_none"),
        ),
        sa.CheckConstraint(
            "abs(p_angry + p_disgust + p_fear + p_happy + p_sad + p_surprise + p_neutral - 1.0) < 0.001",
            name=op.f("ck_timeline_bins_sum"),
        ),
        sa.CheckConstraint(
            "facing_samples >= 0 AND facing_samples <= pose_samples",
            name=op.f("ck_timeline_bins_pose_samples"),
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0 AND {name} <= 1", name=op.f(f"ck_timeline_bins_{name}"))
            for name in _CHANCES
        ),
        sa.CheckConstraint("people >= 0", name=op.f("ck_timeline_bins_people")),
        sa.CheckConstraint(
            "seen_s BETWEEN 0 AND 1e9 AND watched_s BETWEEN 0 AND 1e9", name=op.f("ck_timeline_bins_seconds")
        ),
        sa.CheckConstraint("start_s BETWEEN 0 AND 1e9", name=op.f("ck_timeline_bins_start_s")),
        sa.CheckConstraint(
            "usable_samples >= 0 AND usable_samples <= seen_samples AND samples >= 0 AND (student_id IS NULL OR seen_samples <= samples)",
            name=op.f("ck_timeline_bins_samples"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["class_sessions.id"],
            name=op.f("fk_timeline_bins_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_timeline_bins_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timeline_bins")),
        sa.UniqueConstraint(
            "session_id", "student_id", "start_s", name=op.f("uq_timeline_bins_session_id_student_id_start_s")
        ),
    )
    op.create_index(op.f("ix_timeline_bins_student_id"), "timeline_bins", ["student_id"], unique=False)
    op.create_index(
        "uq_timeline_bins_class",
        "timeline_bins",
        ["session_id", "start_s"],
        unique=True,
        sqlite_where=sa.text("student_id IS NULL"),
        postgresql_where=sa.text("student_id IS NULL"),
    )


def _tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("track_number", sa.Integer(), nullable=False),
        sa.Column("first_s", sa.Float(53), nullable=False),
        sa.Column("last_s", sa.Float(53), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_s >= first_s AND hits >= 0", name=op.f("ck_tracks_stretch")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["class_sessions.id"], name=op.f("fk_tracks_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["student_id"], ["students.id"], name=op.f("fk_tracks_student_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("session_id", "track_number", name=op.f("uq_tracks_session_id_track_number")),
    )
    op.create_index(op.f("ix_tracks_student_id"), "tracks", ["student_id"], unique=False)
