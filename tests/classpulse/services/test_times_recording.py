from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classpulse.services.times import SOURCE_DATE_VARIABLE, InvalidTime, report_creation_time


@pytest.mark.parametrize("value", [None, ""])
def test_report_creation_time_without_variable_is_now(monkeypatch, value):
    monkeypatch.delenv(SOURCE_DATE_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(SOURCE_DATE_VARIABLE, value)
    assert abs(datetime.now(UTC) - report_creation_time()) < timedelta(minutes=5)


def test_report_creation_time_uses_the_variable(monkeypatch):
    monkeypatch.setenv(SOURCE_DATE_VARIABLE, "1767225600")
    assert report_creation_time() == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("value", ["soon", "1e9", "9" * 30])
def test_report_creation_time_invalid_variable_raises(monkeypatch, value):
    monkeypatch.setenv(SOURCE_DATE_VARIABLE, value)
    with pytest.raises(InvalidTime):
        report_creation_time()
