"""The ``serve:`` of ``config.yaml``: where the dashboard is served, and its limits.

Whether figures are served, and where; apart from them, so that no command loads a web server for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict, model_validator

HTTPS_PORT = 443


class ServeSettings(BaseModel):
    """``host`` and ``port``: where it listens; on another address than this computer's own it needs TLS, by
    ``certificate`` and ``key`` (PEM files), or a proxy before it that has it (``behind_proxy``). ``names``:
    under which names it is reached, beside the host's own. ``session_hours``: after so long without a click
    somebody has to log in again. ``max_upload_gb``: the largest recording that is taken, 10^9 bytes.
    ``preview_in_behaviour_mode``: whether the camera's picture can be watched in ``mode: behaviour`` too."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535)] = 8321
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    host_names: tuple[str, ...] = ()
    session_hours: Annotated[float, Gt(0), Le(24 * 31)] = 12.0
    max_upload_gb: Annotated[float, Gt(0), Le(1000)] = 20.0
    preview_in_behaviour_mode: bool = False

    @model_validator(mode="after")
    def _check_transport_security(self) -> ServeSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together; expected both or neither")
        if not (self.is_local or self.uses_tls or self.behind_proxy):
            raise ValueError(
                f"host {self.host!r} can be reached from other computers, where passwords would cross the "
                "network unprotected; expected certificate and key, or behind_proxy: true"
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this computer reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def uses_tls(self) -> bool:
        """Whether it speaks TLS itself."""
        return self.certificate is not None

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach it over TLS, its own or a proxy's."""
        return self.uses_tls or self.behind_proxy

    @property
    def owns_host_name(self) -> bool:
        """Whether all that its names serve to browsers is its own: then they may be told to insist on TLS,
        which holds for every port of a name."""
        return self.uses_tls and self.port == HTTPS_PORT


@dataclass(frozen=True)
class MetricsSettings:
    """``port``: of 127.0.0.1, where the figures can be read under ``/metrics``; None for not at all."""

    port: Annotated[int, Ge(1), Le(65535)] | None = None
