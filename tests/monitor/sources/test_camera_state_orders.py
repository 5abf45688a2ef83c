from __future__ import annotations

from monitor.sources.camera_state import Order, Orders


def test_orders_wait_in_turn_until_they_are_done():
    now = iter([1.0, 2.0])
    orders = Orders(lambda: next(now))
    assert not orders
    orders.give(pause=True)
    orders.give(pause=False)
    assert orders.next == Order(True, 1.0)
    orders.done()
    assert orders.next == Order(False, 2.0)
    orders.done()
    assert not orders


def test_what_was_asked_for_last_is_not_asked_for_again():
    orders = Orders(lambda: 0.0)
    orders.give(pause=False)
    assert not orders
    orders.give(pause=True)
    orders.give(pause=True)
    orders.done()
    assert not orders


def test_forgetting_leaves_what_was_asked_for_last():
    orders = Orders(lambda: 0.0)
    orders.give(pause=True)
    assert orders.forget() is True
    assert not orders
    orders.give(pause=False)
    assert orders.forget() is False
