"""Create every table of the schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PROBABILITIES = ("p_angry", "p_disgust", "p_fear", "p_happy", "p_sad", "p_surprise", "p_neutral")
_ALL_OR_NONE = " AND ".join(f"(p_angry IS NULL) = ({name} IS NULL)" for name in _PROBABILITIES[1:])


def upgrade() -> None:
    """Create all tables; parents come before the tables that refer to them. No downgrade is offered."""
    _create_accounts()
    _create_audit()
    _create_class_groups()
    _create_account_classes()
    _create_class_sessions()
    _create_logins()
    _create_seat_plans()
    _create_gaps()
    _create_markers()
    _create_opted_out_seats()
    _create_planned_seats()
    _create_session_summaries()
    _create_students()
    _create_corrections()
    _create_flags()
    _create_identity_intervals()
    _create_roster_entries()
    _create_seats()
    _create_student_names()
    _create_student_summaries()
    _create_timeline_bins()
    _create_tracks()


def _probability_columns() -> list[sa.Column[float]]:
    return [sa.Column(name, sa.Float(53), nullable=True) for name in _PROBABILITIES]


def _valid_shares(*names: str) -> str:
    return " AND ".join(f"({name} IS NULL OR {name} BETWEEN 0 AND 1)" for name in names)


def _owner(table: str, column: str, parent: str) -> sa.ForeignKeyConstraint:
    """A reference to the row of ``parent`` with which the row is deleted."""
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete="CASCADE")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_casefolded", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_accounts_name")),
        sa.CheckConstraint(
            "role IN ('teacher', 'counsellor', 'administrator')", name=op.f("ck_accounts_role")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name_casefolded", name=op.f("uq_accounts_name_casefolded")),
        sqlite_autoincrement=True,
    )


def _create_audit() -> None:
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


def _create_class_groups() -> None:
    op.create_table(
        "class_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_class_groups_name")),
    )


def _create_account_classes() -> None:
    op.create_table(
        "account_classes",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        _owner("account_classes", "account_id", "accounts"),
        _owner("account_classes", "class_group_id", "class_groups"),
        sa.PrimaryKeyConstraint("account_id", "class_group_id", name=op.f("pk_account_classes")),
    )
    op.create_index(
        op.f("ix_account_classes_class_group_id"), "account_classes", ["class_group_id"], unique=False
    )


def _create_class_sessions() -> None:
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
        sa.Column("room", sa.String(), nullable=True),
        sa.Column("small_faces", sa.JSON(none_as_null=True), nullable=True),
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
    op.create_index(
        op.f("ix_class_sessions_room_started_at"), "class_sessions", ["room", "started_at"], unique=False
    )
    op.create_index(op.f("ix_class_sessions_started_at"), "class_sessions", ["started_at"], unique=False)
    op.create_index(op.f("ix_class_sessions_status"), "class_sessions", ["status"], unique=False)


def _create_logins() -> None:
    op.create_table(
        "logins",
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        _owner("logins", "account_id", "accounts"),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_logins")),
    )
    op.create_index(op.f("ix_logins_account_id"), "logins", ["account_id"], unique=False)
    op.create_index(op.f("ix_logins_last_used_at"), "logins", ["last_used_at"], unique=False)


def _create_seat_plans() -> None:
    op.create_table(
        "seat_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        sa.Column("frame_width", sa.Integer(), nullable=False),
        sa.Column("frame_height", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reference_view", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("frame_width > 0 AND frame_height > 0", name=op.f("ck_seat_plans_frame")),
        _owner("seat_plans", "class_group_id", "class_groups"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_plans")),
        sa.UniqueConstraint("class_group_id", name=op.f("uq_seat_plans_class_group_id")),
    )


def _create_gaps() -> None:
    op.create_table(
        "gaps",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_gaps_reason")),
        sa.CheckConstraint(
            "start_s BETWEEN 0 AND 1e9 AND end_s BETWEEN 0 AND 1e9 AND end_s >= start_s",
            name=op.f("ck_gaps_interval"),
        ),
        _owner("gaps", "session_id", "class_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sa.UniqueConstraint("session_id", "start_s", name=op.f("uq_gaps_session_id_start_s")),
    )


def _create_markers() -> None:
    op.create_table(
        "markers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.CheckConstraint("at_s BETWEEN 0 AND 1e9", name=op.f("ck_markers_at_s")),
        _owner("markers", "session_id", "class_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_markers")),
    )
    op.create_index(op.f("ix_markers_session_id_at_s"), "markers", ["session_id", "at_s"], unique=False)


def _create_opted_out_seats() -> None:
    op.create_table(
        "opted_out_seats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        _owner("opted_out_seats", "session_id", "class_sessions"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opted_out_seats")),
        sa.UniqueConstraint("session_id", "label", name=op.f("uq_opted_out_seats_session_id_label")),
    )


def _create_planned_seats() -> None:
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
        _owner("planned_seats", "plan_id", "seat_plans"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_planned_seats")),
        sa.UniqueConstraint("plan_id", "label", name=op.f("uq_planned_seats_plan_id_label")),
    )


def _create_session_summaries() -> None:
    op.create_table(
        "session_summaries",
        sa.Column("session_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("student_summary_count", sa.Integer(), nullable=False),
        sa.Column("student_count", sa.Integer(), nullable=False),
        sa.Column("seen_share", sa.Float(53), nullable=True),
        sa.Column("facing_share", sa.Float(53), nullable=True),
        sa.Column("closed_share", sa.Float(53), nullable=True),
        *_probability_columns(),
        sa.CheckConstraint(
            _ALL_OR_NONE,
            name=op.f("ck_session_summaries_all_or_none"),
        ),
        sa.CheckConstraint(
            _valid_shares("seen_share", "facing_share", "closed_share", *_PROBABILITIES),
            name=op.f("ck_session_summaries_shares"),
        ),
        sa.CheckConstraint(
            "student_count >= 0 AND student_summary_count >= 0", name=op.f("ck_session_summaries_counts")
        ),
        _owner("session_summaries", "session_id", "class_sessions"),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_session_summaries")),
    )


def _create_students() -> None:
    op.create_table(
        "students",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("class_group_id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_group_id"], ["class_groups.id"], name=op.f("fk_students_class_group_id")
        ),
        _owner("students", "session_id", "class_sessions"),
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


def _create_corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("at_s", sa.Float(53), nullable=True),
        sa.CheckConstraint(
            "(kind = 'split') = (at_s IS NOT NULL)", name=op.f("ck_corrections_a_split_has_a_time")
        ),
        sa.CheckConstraint("kind IN ('name', 'merge', 'split')", name=op.f("ck_corrections_kind")),
        sa.CheckConstraint("at_s BETWEEN 0 AND 1e9", name=op.f("ck_corrections_at_s")),
        sa.CheckConstraint("student_id <> person_id", name=op.f("ck_corrections_two_people")),
        _owner("corrections", "person_id", "students"),
        _owner("corrections", "session_id", "class_sessions"),
        _owner("corrections", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_corrections_person_id"), "corrections", ["person_id"], unique=False)
    op.create_index(op.f("ix_corrections_session_id"), "corrections", ["session_id"], unique=False)
    op.create_index(op.f("ix_corrections_student_id"), "corrections", ["student_id"], unique=False)


def _create_flags() -> None:
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
        _owner("flags", "session_id", "class_sessions"),
        _owner("flags", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flags")),
        sa.UniqueConstraint(
            "session_id", "student_id", "kind", name=op.f("uq_flags_session_id_student_id_kind")
        ),
    )
    op.create_index(op.f("ix_flags_outcome_session_id"), "flags", ["outcome", "session_id"], unique=False)
    op.create_index(op.f("ix_flags_student_id"), "flags", ["student_id"], unique=False)


def _create_identity_intervals() -> None:
    op.create_table(
        "identity_intervals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("start_s", sa.Float(53), nullable=False),
        sa.Column("end_s", sa.Float(53), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "start_s BETWEEN 0 AND 1e9 AND end_s BETWEEN 0 AND 1e9 AND end_s > start_s",
            name=op.f("ck_identity_intervals_interval"),
        ),
        _owner("identity_intervals", "person_id", "students"),
        _owner("identity_intervals", "session_id", "class_sessions"),
        _owner("identity_intervals", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_intervals")),
        sa.UniqueConstraint(
            "session_id",
            "student_id",
            "start_s",
            name=op.f("uq_identity_intervals_session_id_student_id_start_s"),
        ),
    )
    op.create_index(
        op.f("ix_identity_intervals_person_id"), "identity_intervals", ["person_id"], unique=False
    )
    op.create_index(
        op.f("ix_identity_intervals_student_id"), "identity_intervals", ["student_id"], unique=False
    )


def _create_roster_entries() -> None:
    op.create_table(
        "roster_entries",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("seat_label", sa.String(), nullable=True),
        sa.Column("consent", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _owner("roster_entries", "student_id", "students"),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_roster_entries")),
    )


def _create_seats() -> None:
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
        _owner("seats", "session_id", "class_sessions"),
        _owner("seats", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seats")),
        sa.UniqueConstraint("session_id", "student_id", name=op.f("uq_seats_session_id_student_id")),
    )
    op.create_index(op.f("ix_seats_student_id"), "seats", ["student_id"], unique=False)


def _create_student_names() -> None:
    op.create_table(
        "student_names",
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        _owner("student_names", "student_id", "students"),
        sa.PrimaryKeyConstraint("student_id", name=op.f("pk_student_names")),
    )


def _create_student_summaries() -> None:
    op.create_table(
        "student_summaries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("watched_s", sa.Float(53), nullable=False),
        sa.Column("seen_s", sa.Float(53), nullable=False),
        sa.Column("usable_s", sa.Float(53), nullable=False),
        sa.Column("usable_samples", sa.Integer(), nullable=False),
        sa.Column("head_pose_s", sa.Float(53), nullable=False),
        sa.Column("facing_share", sa.Float(53), nullable=True),
        sa.Column("closed_share", sa.Float(53), nullable=True),
        *_probability_columns(),
        sa.Column("sad_share", sa.Float(53), nullable=True),
        sa.Column("sad_low", sa.Float(53), nullable=True),
        sa.Column("sad_high", sa.Float(53), nullable=True),
        sa.Column("away_share", sa.Float(53), nullable=True),
        sa.Column("away_low", sa.Float(53), nullable=True),
        sa.Column("away_high", sa.Float(53), nullable=True),
        sa.CheckConstraint(
            "(away_low IS NULL) = (away_share IS NULL) AND (away_high IS NULL) = (away_share IS NULL)",
            name=op.f("ck_student_summaries_away_interval"),
        ),
        sa.CheckConstraint(
            _valid_shares("away_share", "away_low", "away_high"),
            name=op.f("ck_student_summaries_away"),
        ),
        sa.CheckConstraint(
            _valid_shares("facing_share", "closed_share", *_PROBABILITIES),
            name=op.f("ck_student_summaries_shares"),
        ),
        sa.CheckConstraint(
            _ALL_OR_NONE,
            name=op.f("ck_student_summaries_all_or_none"),
        ),
        sa.CheckConstraint(
            "(sad_low IS NULL) = (sad_share IS NULL) AND (sad_high IS NULL) = (sad_share IS NULL)",
            name=op.f("ck_student_summaries_sad_interval"),
        ),
        sa.CheckConstraint(
            _valid_shares("sad_share", "sad_low", "sad_high"),
            name=op.f("ck_student_summaries_sad"),
        ),
        sa.CheckConstraint("usable_samples >= 0", name=op.f("ck_student_summaries_usable_samples")),
        sa.CheckConstraint(
            "watched_s BETWEEN 0 AND 1e9 AND seen_s BETWEEN 0 AND 1e9 AND usable_s BETWEEN 0 AND 1e9"
            " AND head_pose_s BETWEEN 0 AND 1e9",
            name=op.f("ck_student_summaries_seconds"),
        ),
        _owner("student_summaries", "session_id", "class_sessions"),
        _owner("student_summaries", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_student_summaries")),
        sa.UniqueConstraint(
            "session_id", "student_id", name=op.f("uq_student_summaries_session_id_student_id")
        ),
    )
    op.create_index(
        op.f("ix_student_summaries_student_id"), "student_summaries", ["student_id"], unique=False
    )


def _create_timeline_bins() -> None:
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
        *_probability_columns(),
        sa.Column("unreadable_reasons", sa.JSON(), nullable=False),
        sa.Column("pose_samples", sa.Integer(), nullable=False),
        sa.Column("facing_samples", sa.Integer(), nullable=False),
        sa.Column("yaw_deg", sa.Float(53), nullable=True),
        sa.Column("pitch_deg", sa.Float(53), nullable=True),
        sa.Column("eye_samples", sa.Integer(), nullable=False),
        sa.Column("closed_samples", sa.Integer(), nullable=False),
        sa.Column("pose_counts", sa.JSON(), nullable=False),
        sa.Column("student_count", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            _ALL_OR_NONE,
            name=op.f("ck_timeline_bins_all_or_none"),
        ),
        sa.CheckConstraint(
            "abs(p_angry + p_disgust + p_fear + p_happy + p_sad + p_surprise + p_neutral - 1.0) < 0.001",
            name=op.f("ck_timeline_bins_sum"),
        ),
        sa.CheckConstraint(
            "closed_samples >= 0 AND closed_samples <= eye_samples", name=op.f("ck_timeline_bins_eye_samples")
        ),
        sa.CheckConstraint(
            "facing_samples >= 0 AND facing_samples <= pose_samples",
            name=op.f("ck_timeline_bins_pose_samples"),
        ),
        *(
            sa.CheckConstraint(f"{name} >= 0 AND {name} <= 1", name=op.f(f"ck_timeline_bins_{name}"))
            for name in _PROBABILITIES
        ),
        sa.CheckConstraint(
            "seen_s BETWEEN 0 AND 1e9 AND watched_s BETWEEN 0 AND 1e9", name=op.f("ck_timeline_bins_seconds")
        ),
        sa.CheckConstraint("start_s BETWEEN 0 AND 1e9", name=op.f("ck_timeline_bins_start_s")),
        sa.CheckConstraint("student_count >= 0", name=op.f("ck_timeline_bins_student_count")),
        sa.CheckConstraint(
            "usable_samples >= 0 AND usable_samples <= seen_samples AND samples >= 0"
            " AND (student_id IS NULL OR seen_samples <= samples)",
            name=op.f("ck_timeline_bins_samples"),
        ),
        _owner("timeline_bins", "session_id", "class_sessions"),
        _owner("timeline_bins", "student_id", "students"),
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


def _create_tracks() -> None:
    op.create_table(
        "tracks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("student_id", sa.Integer(), nullable=False),
        sa.Column("track_number", sa.Integer(), nullable=False),
        sa.Column("first_s", sa.Float(53), nullable=False),
        sa.Column("last_s", sa.Float(53), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("assignment_basis", sa.String(), nullable=True),
        sa.CheckConstraint("last_s >= first_s AND hits >= 0", name=op.f("ck_tracks_interval")),
        _owner("tracks", "session_id", "class_sessions"),
        _owner("tracks", "student_id", "students"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tracks")),
        sa.UniqueConstraint("session_id", "track_number", name=op.f("uq_tracks_session_id_track_number")),
    )
    op.create_index(op.f("ix_tracks_student_id"), "tracks", ["student_id"], unique=False)
