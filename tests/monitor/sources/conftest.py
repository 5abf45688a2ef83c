"""Fixtures of the tests of sources."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.stream_server import StreamServer, serve_streams
from tests.helpers.waiting import PATIENCE_S


@pytest.fixture
def server(loopback_streams: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[StreamServer]:
    # A busy computer is no silent server.
    monkeypatch.setattr("monitor.sources.http_capture.TIMEOUT_S", PATIENCE_S)
    monkeypatch.setattr("monitor.sources.stream_capture.TIMEOUT_S", PATIENCE_S)
    with serve_streams() as server:
        yield server
