"""A scripted camera with a simulated connection and clock; no real time passes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from monitor.sources.capture import CaptureAddress, CapturedFrame
from monitor.sources.capture_thread import ConnectionStats, FrameClassifier
from monitor.sources.freshness import EXACT_TOLERANCE, FrozenFrameDetector
from monitor.sources.live import LiveSource, ReconnectSettings
from monitor.types import Frame, Gap

STEP_S = 0.04
SIZE = (64, 48)
SMALL = (32, 24)
BROAD = (64, 24)


@lru_cache(maxsize=64)
def texture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A random image ``(H, W, 3)`` for each number, with a mean of about mid-grey."""
    return np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


@dataclass
class Script:
    """The behaviour of the camera, each with the second from which it holds: ``moving``, ``frozen``,
    ``black``, ``nothing`` (``read`` fails), ``blocked`` (``read`` does not return), ``refused`` (it cannot be
    opened), ``small`` or ``broad`` (moving, of another size)."""

    parts: Sequence[tuple[float, str]]

    def at(self, now_s: float) -> str:
        return next(behaviour for start_s, behaviour in reversed(self.parts) if now_s >= start_s)


class Clock:
    """A simulated clock that starts far from zero. ``later``: callbacks with the second of the test to run
    at."""

    def __init__(self) -> None:
        self.start_s = 5000.0
        self.passed_s = 0.0
        self.later: list[tuple[float, Callable[[], None]]] = []

    def __call__(self) -> float:
        return self.start_s + self.passed_s

    def pass_(self, seconds: float) -> None:
        self.passed_s += seconds
        while self.later and self.later[0][0] <= self.passed_s:
            self.later.pop(0)[1]()


class Stop(threading.Event):
    """A stop event whose ``wait`` advances the simulated clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.clock.pass_(timeout)
        return self.is_set()


class Link:
    """A connection that reads what the script defines while ``take`` waits."""

    def __init__(self, script: Script, clock: Clock, frozen_detector: FrozenFrameDetector) -> None:
        self.opened_s = clock.passed_s
        self.closed_s: float | None = None
        self._script = script
        self._clock = clock
        self._classifier = FrameClassifier(frozen_detector, clock)
        self._blocked = False
        self.hint = None
        self.failure = "it cannot be opened" if script.at(clock.passed_s) == "refused" else None

    @property
    def stats(self) -> ConnectionStats:
        return self._classifier.stats

    @property
    def is_alive(self) -> bool:
        self._blocked = self._blocked and self._script.at(self._clock.passed_s) == "blocked"
        return self.closed_s is None or self._blocked

    def take(self, timeout_s: float) -> CapturedFrame | None:
        assert self.closed_s is None
        for _ in range(round(timeout_s / STEP_S)):
            if self.failure is not None:
                return None
            self._clock.pass_(STEP_S)
            frame = self._read(self._script.at(self._clock.passed_s))
            if frame is not None:
                return frame
            if self._classifier.has_ended:
                self.failure = "no more frames arrive"
        return None

    def _read(self, behaviour: str) -> CapturedFrame | None:
        self._blocked = self._blocked or behaviour == "blocked"
        if self._blocked:
            return None
        now = round(self._clock.passed_s / STEP_S)
        images: dict[str, Any] = {
            "moving": lambda: texture(now),
            "frozen": lambda: texture(0),
            "black": lambda: texture(now % 8) // 50,
            "small": lambda: texture(now, SMALL),
            "broad": lambda: texture(now, BROAD),
        }
        image = images.get(behaviour, lambda: None)()
        return self._classifier.classify(image)

    def close(self) -> None:
        self.closed_s = self._clock.passed_s


@dataclass
class Camera:
    """A scripted camera, its live source and the items of that source. Times count from the start of the
    test."""

    parts: Sequence[tuple[float, str]]
    stale_s: float = 10.0
    reconnect_s: float = 900.0
    sample_fps: float = 2.0
    jitter: float = 1.0
    links: list[Link] = field(default_factory=list)
    items: list[Frame | Gap] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.stop = Stop(self.clock)
        script = Script(self.parts)

        def connect(address: CaptureAddress, frozen_detector: FrozenFrameDetector, sample_fps: float) -> Link:
            self.links.append(Link(script, self.clock, frozen_detector))
            return self.links[-1]

        self.source = LiveSource(
            0,
            "camera 0",
            ReconnectSettings(self.stale_s, self.reconnect_s, EXACT_TOLERANCE),
            connect,
            clock=self.clock,
            jitter=lambda: self.jitter,
        )

    def at(self, at_s: float, action: Callable[[], None]) -> Camera:
        """Schedule ``action`` at a second of the test."""
        self.clock.later.append((at_s, action))
        self.clock.later.sort(key=lambda later: later[0])
        return self

    def watch(self, until_s: float) -> Camera:
        """Collect the items of the source until it is stopped at ``until_s``."""
        self.at(until_s, self.stop.set)
        with self.source:
            for item in self.source.frames(self.sample_fps, self.stop):
                self.items.append(item)
        return self

    @property
    def frames(self) -> list[Frame]:
        return [item for item in self.items if isinstance(item, Frame)]

    @property
    def gaps(self) -> list[Gap]:
        """The last report of each gap."""
        return list({item.start_s: item for item in self.items if isinstance(item, Gap)}.values())
