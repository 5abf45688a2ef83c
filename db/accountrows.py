"""The tables of who may use the dashboard; apart from ``db.schema``, which holds what is known of classes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.schema import Base

_CASCADE = "CASCADE"


class AccountRow(Base):
    """Somebody who may log in. ``folded`` is the name without case, by which it is unique."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("role IN ('teacher', 'counsellor', 'administrator')", "role"),
        CheckConstraint("name <> ''", "name"),
        # A number is never given twice: the audit names it.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    folded: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str]
    disabled: Mapped[bool]
    created_at: Mapped[datetime]


class AccountClassRow(Base):
    """A teacher's own class."""

    __tablename__ = "account_classes"
    __table_args__ = (Index(None, "class_group_id"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=_CASCADE), primary_key=True)
    class_group_id: Mapped[int] = mapped_column(
        ForeignKey("class_groups.id", ondelete=_CASCADE), primary_key=True
    )


class LoginRow(Base):
    """A browser that is logged in, by the hash of what it keeps: who reads the database cannot log in with
    it."""

    __tablename__ = "logins"
    __table_args__ = (Index(None, "account_id"), Index(None, "seen_at"))

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete=_CASCADE))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
