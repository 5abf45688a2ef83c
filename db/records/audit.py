"""The audit log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class AuditRecord:
    """An action on stored data: ``action`` is a verb, ``subject`` text ("session 3")."""

    at: datetime
    action: str
    subject: str
    detail: str
