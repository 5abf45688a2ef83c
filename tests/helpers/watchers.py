"""Collects the items of a live source in real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import groupby

from monitor.sources.base import Source
from monitor.types import Frame, Gap, GapReason
from tests.helpers.waiting import PATIENCE_S

NONE = GapReason.NO_SIGNAL


class Watcher:
    """Samples a source five times a second into ``items``."""

    def __init__(self, source: Source) -> None:
        self.items: list[Frame | Gap] = []
        self._stop = threading.Event()
        self._items = source.frames(5.0, self._stop)

    def until(self, wanted: Callable[[Frame | Gap], bool]) -> Frame | Gap:
        deadline_s = time.monotonic() + PATIENCE_S
        for item in self._items:
            self.items.append(item)
            if wanted(item):
                return item
            assert time.monotonic() < deadline_s, f"timeout; the last item is {item}"
        raise AssertionError("the source ended")

    def frames(self, count: int) -> None:
        for _ in range(count):
            self.until(lambda item: isinstance(item, Frame))

    def gap(self, reason: GapReason, least_s: float = 0.0) -> None:
        self.until(lambda i: isinstance(i, Gap) and i.reason is reason and i.end_s - i.start_s >= least_s)

    def end(self) -> None:
        self._stop.set()
        self.items += list(self._items)

    @property
    def given(self) -> list[Frame]:
        return [item for item in self.items if isinstance(item, Frame)]

    @property
    def reasons(self) -> list[GapReason]:
        """The reasons of the gaps in order, without NO_SIGNAL, which may occur at any time on a busy
        computer."""
        return [reason for reason, _ in groupby(gap.reason for gap in self.gaps if gap.reason is not NONE)]

    @property
    def longest(self) -> Gap:
        """The longest gap."""
        return max(self.gaps, key=lambda gap: gap.end_s - gap.start_s)

    @property
    def gaps(self) -> list[Gap]:
        """The last report of each gap."""
        return list({item.start_s: item for item in self.items if isinstance(item, Gap)}.values())
