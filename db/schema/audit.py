"""The audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from db.schema.base import Base


class AuditRow(Base):
    """An action on stored data: ``action`` is a verb, ``subject`` and ``detail`` are text."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]
