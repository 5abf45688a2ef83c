"""Settings of ``monitor``: how one session is captured and analysed, and what the daemon needs to run.

``classpulse.config.settings.Settings`` extends :class:`MonitorSettings` with the settings of the other
packages and reads both from ``config.yaml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, Field, field_validator

from monitor.detection.base import DetectionSettings
from monitor.faces.head_pose import AttentionSettings
from monitor.faces.quality import QualitySettings
from monitor.seating.assigner import SeatingSettings
from monitor.seating.call_grid import FrameKind
from monitor.sources.adjustment import Adjustment, Rotation, parse_aspect
from monitor.timeline.recorder import RecordingSettings
from monitor.tracking.tracker import TrackingSettings


class SettingsSection(BaseModel):
    """A section of ``config.yaml``: immutable, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


MAX_NAME_CHARS = 100
"""Characters of the name of a class or a room."""

Name = Annotated[str, Field(min_length=1, max_length=MAX_NAME_CHARS)]


class ClassSettings(SettingsSection):
    """``name``: the class in the database and in reports; ``room``: its room, None if that does not
    matter."""

    name: Name = "Class"
    room: Name | None = None


def source_as_text(value: object) -> object:
    """``value``, with an integer (the index of a camera) as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class CaptureSettings(SettingsSection):
    """Where frames come from and how many are analysed.

    ``source``: the index of a camera, an RTSP or HTTP address, or a path. ``sample_fps``: frames analysed
    per second. ``stale_s``: seconds without a fresh frame after which a live source is reopened.
    ``reconnect_s``: seconds of failed reconnecting after which the session ends. ``kind``: whether frames
    show a room or the tiles of a video call, which may be rearranged; ``auto`` assumes a call once a grid of
    tiles was visible for several seconds (``monitor.seating.call_grid``). ``rotate``: degrees clockwise by
    which the image is turned, e.g. of a camera that is mounted upside down; ``mirrored`` and e.g. ``mirrored
    90`` mirror it left to right before. ``aspect``: the aspect ratio at which the image of the camera is
    displayed, e.g. ``16:9``, for a stream that is squeezed without a mark. ``rtsp_transport``: ``tcp``, or
    ``udp`` for cameras that have no other.
    """

    source: Annotated[str, Field(min_length=1)] = "0"
    sample_fps: Annotated[float, Gt(0), Le(30)] = 2.0
    stale_s: Annotated[float, Gt(0), Le(600)] = 10.0
    reconnect_s: Annotated[float, Ge(0), Le(86400)] = 900.0
    kind: FrameKind = FrameKind.AUTO
    rotate: Rotation = "0"
    aspect: str | None = None
    rtsp_transport: Literal["tcp", "udp"] = "tcp"

    @field_validator("source", mode="before")
    @classmethod
    def _source_as_text(cls, value: object) -> object:
        return source_as_text(value)

    @field_validator("rotate", "aspect", mode="before")
    @classmethod
    def _number_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

    @field_validator("aspect")
    @classmethod
    def _check_aspect(cls, value: str | None) -> str | None:
        if value is not None:
            parse_aspect(value)
        return value

    @property
    def adjustment(self) -> Adjustment:
        """``rotate`` and ``aspect``."""
        return Adjustment(self.rotate, None if self.aspect is None else parse_aspect(self.aspect))


class ExpressionSettings(SettingsSection):
    """``model``: an exported model that replaces the shipped one; ``threads``: its CPU threads."""

    model: Path | None = None
    threads: Annotated[int, Field(ge=1, le=64)] = 2


class MonitorSettings(SettingsSection):
    """The sections that capture and analysis of a session read."""

    class_: ClassSettings = Field(default_factory=ClassSettings, alias="class")
    capture: CaptureSettings = Field(default_factory=CaptureSettings)
    detection: DetectionSettings = Field(default_factory=DetectionSettings)
    quality: QualitySettings = Field(default_factory=QualitySettings)
    tracking: TrackingSettings = Field(default_factory=TrackingSettings)
    seating: SeatingSettings = Field(default_factory=SeatingSettings)
    attention: AttentionSettings = Field(default_factory=AttentionSettings)
    expression: ExpressionSettings = Field(default_factory=ExpressionSettings)
    recording: RecordingSettings = Field(default_factory=RecordingSettings)

    def as_session_json(self) -> dict[str, Any]:
        """The settings that affect the result of a session, as JSON-ready values, to be stored with it.

        Addresses and paths are omitted: an address may contain a password, a path the user's name.
        """
        return self.model_dump(mode="json", by_alias=True, exclude=PRIVATE_KEYS)


PRIVATE_KEYS: dict[str, Any] = {
    "capture": {"source"},
    "expression": {"model"},
}
"""Settings that are not stored with a session, in the form of pydantic's ``exclude``."""


@dataclass(frozen=True)
class DaemonSettings:
    """The part of the configuration that the daemon uses.

    ``data_folder`` holds the lock and the control socket, ``log_folder`` the standard error of the workers.
    ``program``: arguments of the Python interpreter that run ``classpulse`` with this configuration.
    ``class_name``, ``room`` and ``source`` are the defaults of a request; ``room_sources`` gives the source
    of each configured room.
    """

    data_folder: Path
    log_folder: Path
    database_url: str
    program: tuple[str, ...]
    class_name: str
    room: str | None
    source: str
    sample_fps: float
    room_sources: Mapping[str, str] = field(default_factory=dict)
