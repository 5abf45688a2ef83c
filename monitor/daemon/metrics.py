"""Figures for Prometheus: what the program that records tells of itself, on loopback, when it is asked.

The only label is the room. What is not known is absent, never 0.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from classpulse.config.server import MetricsSettings
from classpulse.errors import RunError
from monitor.daemon.status import DaemonStatus
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

_Getter = Callable[[RecordingStatus], float | None]


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _once_started(getter: Callable[[RecordingStatus], float]) -> _Getter:
    """Not before there is a session: the rate of one that is starting is not 0, there is none."""
    return lambda one: None if one.session_id is None else getter(one)


GAUGES: dict[str, tuple[str, _Getter]] = {
    "recording": ("1 while pictures are looked at", lambda one: one.state is SessionState.RECORDING),
    "paused": ("1 while the teacher wants nothing seen", lambda one: one.state is SessionState.PAUSED),
    "camera_fresh": ("1 while fresh pictures come", lambda one: one.camera is CameraState.FRESH),
    "camera_age_seconds": ("Since the last fresh picture", lambda one: one.camera_age_s),
    "lecture_seconds": ("Length of the session so far", _once_started(lambda one: one.media_s)),
    "watched_seconds": ("Of it, covered by pictures", _once_started(lambda one: one.watched_s)),
    "faces": ("Faces in the last picture", _once_started(lambda one: one.face_count)),
    "students": ("People followed so far", _once_started(lambda one: one.student_count)),
    "sample_rate_hertz": ("Pictures looked at a second, lately", _once_started(lambda one: one.sample_fps)),
    "sample_rate_wanted_hertz": ("Pictures to be looked at a second", lambda one: one.target_fps),
    "unwritten_bins": ("Bins that wait for the database", _once_started(lambda one: one.unwritten_bins)),
    "last_write_timestamp_seconds": ("When it was last written", lambda one: _at(one.last_written_at)),
}  # fmt: skip
"""What is told of each room, by name without ``classpulse_``."""

COUNTERS: dict[str, tuple[str, _Getter]] = {
    "frames_sampled": ("Pictures looked at in this session", _once_started(lambda one: one.frames_sampled)),
    "frames_dropped": (
        "Pictures that were due and not looked at",
        _once_started(lambda one: one.frames_dropped),
    ),
}
"""The same for what only grows; ``_total`` is added."""


def collect_metrics(status: DaemonStatus) -> Iterator[Metric]:
    """All figures of one answer. Pure."""
    yield from _daemon_metrics(status)
    # One a room: the last of a room's recordings is the one that matters.
    rooms = {one.room or "": one for one in status.recordings}
    for name, (told, reading) in GAUGES.items():
        gauge = GaugeMetricFamily(f"classpulse_{name}", told, labels=["room"])
        yield from _with_samples(gauge, rooms, reading)
    for name, (told, reading) in COUNTERS.items():
        counter = CounterMetricFamily(f"classpulse_{name}", told, labels=["room"])
        yield from _with_samples(counter, rooms, reading)
    ages = zip(status.recordings, status.heartbeat_age_s, strict=False)
    heard = GaugeMetricFamily(
        "classpulse_status_age_seconds", "Since a room told its status", labels=["room"]
    )
    for room, silent_s in {one.room or "": silent_s for one, silent_s in ages}.items():
        heard.add_metric([room], silent_s)
    if heard.samples:
        yield heard


def _daemon_metrics(status: DaemonStatus) -> Iterator[Metric]:
    lesson = status.next_lesson
    facts: dict[str, tuple[str, float | None]] = {
        "start_timestamp_seconds": ("When the program started", _at(status.started_at)),
        "disk_free_bytes": ("Left on the disk of the data folder", status.disk_free_bytes),
        "reports_waiting": ("Reports that are to be made", status.reports_pending),
        "problems": ("Problems that a person should read", len(status.problems)),
        "recordings": ("Rooms that are being recorded", len(status.recordings)),
        "next_lesson_timestamp_seconds": ("When it is", _at(lesson.starts_at if lesson else None)),
    }  # fmt: skip
    for name, (told, value) in facts.items():
        if value is not None:
            yield GaugeMetricFamily(f"classpulse_{name}", told, value=value)
    if status.lessons_missed is not None:
        told = "Lessons of the timetable that were not recorded"
        yield CounterMetricFamily("classpulse_lessons_missed", told, value=status.lessons_missed)


def _with_samples(
    family: GaugeMetricFamily | CounterMetricFamily, rooms: dict[str, RecordingStatus], getter: _Getter
) -> Iterator[Metric]:
    """The family with a sample for each room that tells; nothing if none does."""
    for room, one in rooms.items():
        value = getter(one)
        if value is not None:
            family.add_metric([room], value)
    if family.samples:
        yield family


class StatusCollector(Collector):
    """Asks when it is asked. Where there is no answer there are no figures, which an alert can see."""

    def __init__(self, get_status: Callable[[], DaemonStatus]) -> None:
        self._get_status = get_status

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: to register must not ask."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The figures as they are now."""
        try:
            return list(collect_metrics(self._get_status()))
        except Exception as error:  # noqa: BLE001 - a scrape must not bring a thread down
            log.warning("no metrics: %s", error)
            return ()


@contextmanager
def metrics_server(settings: MetricsSettings, get_status: Callable[[], DaemonStatus]) -> Iterator[int | None]:
    """Within the block the figures, and those of this process, are served on loopback; gives the port, None
    where none is set. ``get_status`` is called in threads of the server. Raises ``RunError`` for a port in use."""
    if settings.port is None:
        yield None
        return
    registry = CollectorRegistry()
    registry.register(StatusCollector(get_status))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(settings.port, addr=LOOPBACK, registry=registry)
    except OSError as error:
        raise RunError(
            f"the metrics cannot be served on port {settings.port} ({error.strerror}); "
            "set another one in metrics.port"
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
