"""Prometheus metrics of the daemon, served on loopback.

The only label is the room. An unknown value is absent, never 0.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from monitor.daemon.status import DaemonStatus
from monitor.errors import RunError
from monitor.session.state import SessionState
from monitor.session.status import RecordingStatus
from monitor.sources.camera_state import CameraState

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

_Getter = Callable[[RecordingStatus], float | None]


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _once_started(getter: Callable[[RecordingStatus], float]) -> _Getter:
    """The value only of a started session: one that is starting has no rate, rather than 0."""
    return lambda status: None if status.session_id is None else getter(status)


GAUGES: dict[str, tuple[str, _Getter]] = {
    "recording": ("1 while frames are analysed", lambda s: s.state is SessionState.RECORDING),
    "paused": ("1 while paused", lambda s: s.state is SessionState.PAUSED),
    "camera_fresh": ("1 while fresh frames arrive", lambda s: s.camera is CameraState.FRESH),
    "camera_age_seconds": ("Age of the last fresh frame", lambda s: s.camera_age_s),
    "session_seconds": ("Length of the session so far", _once_started(lambda s: s.media_s)),
    "watched_seconds": ("Part of it covered by frames", _once_started(lambda s: s.watched_s)),
    "faces": ("Faces in the last frame", _once_started(lambda s: s.face_count)),
    "students": ("Students tracked so far", _once_started(lambda s: s.student_count)),
    "sample_rate_hertz": ("Frames analysed per second, over 30 s", _once_started(lambda s: s.sample_fps)),
    "sample_rate_target_hertz": ("Target frames per second", lambda s: s.target_fps),
    "unwritten_bins": ("Bins not yet written", _once_started(lambda s: s.unwritten_bins)),
    "last_write_timestamp_seconds": ("Time of the last commit", lambda s: _at(s.last_written_at)),
}  # fmt: skip
"""Metrics of each room, by name without ``classpulse_``: help text and value."""

COUNTERS: dict[str, tuple[str, _Getter]] = {
    "frames_sampled": ("Frames analysed in this session", _once_started(lambda s: s.frames_sampled)),
    "frames_dropped": (
        "Frames that were due and not analysed",
        _once_started(lambda s: s.frames_dropped),
    ),
}
"""Counters of each room; the suffix ``_total`` is added."""


def collect_metrics(status: DaemonStatus) -> Iterator[Metric]:
    """All metrics of a status. Pure."""
    yield from _daemon_metrics(status)
    # One per room: its last recording.
    rooms = {recording.room or "": recording for recording in status.recordings}
    for name, (text, getter) in GAUGES.items():
        gauge = GaugeMetricFamily(f"classpulse_{name}", text, labels=["room"])
        yield from _with_samples(gauge, rooms, getter)
    for name, (text, getter) in COUNTERS.items():
        counter = CounterMetricFamily(f"classpulse_{name}", text, labels=["room"])
        yield from _with_samples(counter, rooms, getter)
    ages = zip(status.recordings, status.heartbeat_age_s, strict=False)
    heartbeat = GaugeMetricFamily(
        "classpulse_heartbeat_age_seconds", "Seconds since the room's last heartbeat", labels=["room"]
    )
    for room, age_s in {recording.room or "": age_s for recording, age_s in ages}.items():
        heartbeat.add_metric([room], age_s)
    if heartbeat.samples:
        yield heartbeat


def _daemon_metrics(status: DaemonStatus) -> Iterator[Metric]:
    lesson = status.next_lesson
    metrics: dict[str, tuple[str, float | None]] = {
        "start_timestamp_seconds": ("Time the daemon started", _at(status.started_at)),
        "disk_free_bytes": ("Free bytes on the disk of the data folder", status.disk_free_bytes),
        "reports_pending": ("Reports not made yet", status.reports_pending),
        "problems": ("Open problems", len(status.problems)),
        "recordings": ("Rooms that are being recorded", len(status.recordings)),
        "next_lesson_timestamp_seconds": ("Time of next lesson", _at(lesson.starts_at if lesson else None)),
    }  # fmt: skip
    for name, (text, value) in metrics.items():
        if value is not None:
            yield GaugeMetricFamily(f"classpulse_{name}", text, value=value)
    if status.lessons_missed is not None:
        text = "Lessons of the timetable that were not recorded"
        yield CounterMetricFamily("classpulse_lessons_missed", text, value=status.lessons_missed)


def _with_samples(
    family: GaugeMetricFamily | CounterMetricFamily, rooms: dict[str, RecordingStatus], getter: _Getter
) -> Iterator[Metric]:
    """The family with a sample per room that has the value; nothing if none has."""
    for room, recording in rooms.items():
        value = getter(recording)
        if value is not None:
            family.add_metric([room], value)
    if family.samples:
        yield family


class StatusCollector(Collector):
    """Collects the metrics from a status at each scrape; none if the status cannot be read, which an alert
    can detect."""

    def __init__(self, get_status: Callable[[], DaemonStatus]) -> None:
        self._get_status = get_status

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not read the status."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The current metrics."""
        try:
            return list(collect_metrics(self._get_status()))
        except Exception as error:  # noqa: BLE001 - a scrape must not bring a thread down
            log.warning("no metrics: %s", error)
            return ()


@contextmanager
def metrics_server(port: int | None, get_status: Callable[[], DaemonStatus]) -> Iterator[int | None]:
    """Serve the metrics of the daemon and of this process on a loopback port within the block; yields the
    port. None: do not serve them. ``get_status`` is called in threads of the server. Raises RunError for a
    port in use."""
    if port is None:
        yield None
        return
    registry = CollectorRegistry()
    registry.register(StatusCollector(get_status))
    ProcessCollector(registry=registry)
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
    except OSError as error:
        raise RunError(
            f"The metrics cannot be served on port {port} ({error.strerror}).",
            "Set another port in metrics.port.",
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
