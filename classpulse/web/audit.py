"""Throttling of audit entries for live views, which poll: one entry per continuous view."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

VIEW_INTERVAL_S = 600.0
"""A view after a longer pause is recorded as a new one."""


class ViewAuditThrottle:
    """Decides which views are recorded in the audit log. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_s: dict[Hashable, float] = {}

    def should_record(self, key: Hashable) -> bool:
        """Register a view; True if it is the first with this key within ``VIEW_INTERVAL_S``."""
        with self._lock:
            now_s = self._clock()
            self._last_s = {
                known_key: at_s for known_key, at_s in self._last_s.items() if now_s - at_s < VIEW_INTERVAL_S
            }
            is_new = key not in self._last_s
            self._last_s[key] = now_s
            return is_new
