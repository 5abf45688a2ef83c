from __future__ import annotations

from monitor.sources.camera_state import PauseRequest, PauseRequests


def test_orders_wait_in_turn_until_they_are_done():
    now = iter([1.0, 2.0])
    orders = PauseRequests(lambda: next(now))
    assert not orders
    orders.add(pause=True)
    orders.add(pause=False)
    assert orders.next == PauseRequest(True, 1.0)
    orders.complete()
    assert orders.next == PauseRequest(False, 2.0)
    orders.complete()
    assert not orders


def test_what_was_asked_for_last_is_not_asked_for_again():
    orders = PauseRequests(lambda: 0.0)
    orders.add(pause=False)
    assert not orders
    orders.add(pause=True)
    orders.add(pause=True)
    orders.complete()
    assert not orders


def test_forgetting_leaves_what_was_asked_for_last():
    orders = PauseRequests(lambda: 0.0)
    orders.add(pause=True)
    assert orders.clear() is True
    assert not orders
    orders.add(pause=False)
    assert orders.clear() is False
