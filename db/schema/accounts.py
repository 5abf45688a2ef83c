"""Accounts of dashboard users and their login sessions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import CASCADE, Base


class AccountRow(Base):
    """A user who may log in. ``name_casefolded`` makes names unique regardless of case."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("role IN ('teacher', 'counsellor', 'administrator')", "role"),
        CheckConstraint("name <> ''", "name"),
        # An id is never reused: the audit log refers to it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_casefolded: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool]
    created_at: Mapped[datetime]


class AccountClassRow(Base):
    """A class that a teacher may see."""

    __tablename__ = "account_classes"
    __table_args__ = (Index(None, "class_group_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=CASCADE), primary_key=True)
    class_group_id: Mapped[int] = mapped_column(
        ForeignKey("class_groups.id", ondelete=CASCADE), primary_key=True
    )


class LoginRow(Base):
    """A login session of a browser. Only a hash of its token is stored, so a copy of the database is no
    login."""

    __tablename__ = "logins"
    __table_args__ = (Index(None, "account_id"), Index(None, "last_used_at"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=CASCADE))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
