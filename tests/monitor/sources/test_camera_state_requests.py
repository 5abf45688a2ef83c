from __future__ import annotations

from monitor.sources.camera_state import PauseRequest, PauseRequests


def test_requests_stay_pending_in_order_until_complete():
    now = iter([1.0, 2.0])
    requests = PauseRequests(lambda: next(now))
    assert not requests
    requests.add(pause=True)
    requests.add(pause=False)
    assert requests.next == PauseRequest(True, 1.0)
    requests.complete()
    assert requests.next == PauseRequest(False, 2.0)
    requests.complete()
    assert not requests


def test_add_ignores_repeated_request():
    requests = PauseRequests(lambda: 0.0)
    requests.add(pause=False)
    assert not requests
    requests.add(pause=True)
    requests.add(pause=True)
    requests.complete()
    assert not requests


def test_clear_keeps_last_request():
    requests = PauseRequests(lambda: 0.0)
    requests.add(pause=True)
    assert requests.clear() is True
    assert not requests
    requests.add(pause=False)
    assert requests.clear() is False
