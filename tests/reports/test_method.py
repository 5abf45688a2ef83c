from __future__ import annotations

from reports.method import method


def test_versions_sampling_and_policy(lessons):
    session = lessons.session(settings={"policy": {"legal_basis": "demo", "recorded_by": None}})
    rows = dict(method(session))
    assert rows["detector"] == "blaze 1"
    assert rows["pictures looked at"] == "150, 0 dropped"
    assert rows["length of a bin"] == "5 s"
    assert rows["policy"] == "legal basis demo"


def test_without_a_policy_there_is_no_row(lessons):
    for settings in ({}, {"policy": None}):
        assert "policy" not in dict(method(lessons.session(settings=settings)))
