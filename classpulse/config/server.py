"""The sections ``serve:`` (dashboard) and ``metrics:`` (Prometheus) of ``config.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from classpulse.config.invalid import InvalidSetting
from monitor.settings import SettingsSection

HTTPS_PORT = 443


class ServeSettings(SettingsSection):
    """``host`` and ``port``: address of the dashboard. Any address but a loopback one needs TLS:
    ``certificate`` and ``key`` (PEM files), or a proxy that terminates it (``behind_proxy``). ``host_names``:
    further host names that browsers use. ``session_hours``: a login ends after this many hours without a
    request. ``max_upload_gb``: largest accepted recording, in 10^9 bytes. ``preview_in_behaviour_mode``:
    whether ``mode: behaviour`` shows the camera preview, too."""

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
            raise InvalidSetting("certificate and key belong together", "Set both or neither.")
        if not (self.is_local or self.uses_tls or self.behind_proxy):
            raise InvalidSetting(
                f"host {self.host!r} can be reached from other computers, so passwords would cross the "
                "network unencrypted",
                "Set certificate and key, or behind_proxy: true.",
            )
        return self

    @property
    def is_local(self) -> bool:
        """Whether only this computer can reach the dashboard."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def uses_tls(self) -> bool:
        """Whether the dashboard terminates TLS itself."""
        return self.certificate is not None

    @property
    def is_secure(self) -> bool:
        """Whether browsers use TLS, terminated by the dashboard or a proxy."""
        return self.uses_tls or self.behind_proxy

    @property
    def owns_host_name(self) -> bool:
        """Whether the dashboard is all that its host names serve, so that HSTS, which covers every port of a
        host name, is safe."""
        return self.uses_tls and self.port == HTTPS_PORT


@dataclass(frozen=True)
class MetricsSettings:
    """``port``: port on 127.0.0.1 that serves ``/metrics``; None disables it."""

    port: Annotated[int, Ge(1), Le(65535)] | None = None
