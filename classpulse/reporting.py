"""From a stored session to its report's files, and the verdicts back into the database."""

from __future__ import annotations
