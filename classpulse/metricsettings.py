"""Whether figures are served, and where; apart from them, so that no command loads a web server for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le


@dataclass(frozen=True)
class MetricsSettings:
    """``port``: of 127.0.0.1, where the figures can be read under ``/metrics``; None for not at all."""

    port: Annotated[int, Ge(1), Le(65535)] | None = None
