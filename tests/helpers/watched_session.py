"""A program that records, as the dashboard sees it: what it says, and what it was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from monitor.daemon.control import Request
from monitor.daemon.errors import ControlError, DaemonNotRunning
from monitor.daemon.status import DaemonStatus
from monitor.session.status import RecordingStatus
from tests.helpers.status_messages import daemon


class FakeDaemon:
    """Stands where ``ask_daemon`` and ``ask`` would reach the real one. ``looks`` counts how often it was
    asked how it stands; ``then`` is called after each; ``refuses`` is why an order is not taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.recordings: list[RecordingStatus] = []
        self.changes: dict[str, Any] = {}
        self.orders: list[Request] = []
        self.looks = 0
        self.then: Callable[[], None] = lambda: None
        self.refuses: ControlError | None = None
        self.silent: ControlError | None = None
        self.jpeg = ""
        monkeypatch.setattr("classpulse.web.daemon_status.daemon_status", self._look)
        monkeypatch.setattr("classpulse.web.daemon_status.send_request", self._order)
        # Each look is a new one: a test's time does not pass.
        monkeypatch.setattr("classpulse.web.daemon_status.CACHE_LIFETIME_S", 0.0)

    def _look(self, _folder: object) -> DaemonStatus | None:
        self.looks += 1
        try:
            if isinstance(self.silent, DaemonNotRunning):
                return None
            if self.silent is not None:
                raise self.silent
            return daemon(recordings=tuple(self.recordings), **self.changes)
        finally:
            self.then()

    def _order(self, _folder: object, request: Request) -> dict[str, Any]:
        if self.refuses is not None:
            raise self.refuses
        self.orders.append(request)
        return {"jpeg": self.jpeg} if request.verb == "picture" else {"media_s": 60.0}
