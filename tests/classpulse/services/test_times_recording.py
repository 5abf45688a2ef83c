from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from classpulse.errors import UserError
from classpulse.services.times import SOURCE_DATE_VARIABLE, report_creation_time


@pytest.mark.parametrize("given", [None, ""])
def test_it_is_now(monkeypatch, given):
    monkeypatch.delenv(SOURCE_DATE_VARIABLE, raising=False)
    if given is not None:
        monkeypatch.setenv(SOURCE_DATE_VARIABLE, given)
    assert abs(datetime.now(UTC) - report_creation_time()) < timedelta(minutes=5)


def test_it_is_what_the_environment_says(monkeypatch):
    monkeypatch.setenv(SOURCE_DATE_VARIABLE, "1767225600")
    assert report_creation_time() == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("given", ["soon", "1e9", "9" * 30])
def test_what_is_no_time_is_one_line(monkeypatch, given):
    monkeypatch.setenv(SOURCE_DATE_VARIABLE, given)
    with pytest.raises(UserError, match="expected seconds since 1970"):
        report_creation_time()
