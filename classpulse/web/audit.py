"""Who looks at what goes on right now: one look goes on for as long as a page is open, and is noted once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

VIEW_INTERVAL_S = 600.0
"""After so long without looking it is another look."""


class ViewAuditThrottle:
    """Remembers looks. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last_s: dict[Hashable, float] = {}

    def should_record(self, key: Hashable) -> bool:
        """Whether this look is another one than the last of the same key; it is remembered."""
        with self._lock:
            now_s = self._clock()
            self._last_s = {known_key: at_s for known_key, at_s in self._last_s.items() if now_s - at_s < VIEW_INTERVAL_S}
            is_new = key not in self._last_s
            self._last_s[key] = now_s
            return is_new
