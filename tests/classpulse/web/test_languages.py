"""Languages of the dashboard. ``tests/packaging/test_catalogues.py`` checks that the German texts are
complete."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from classpulse.web.context import get_translator
from db import sessions as queries
from db.roster import list_classes
from reports.history.comparison import COMPARED_MEASURES
from reports.history.pages.trends import DRAWN_MEASURES
from reports.history.weeks import CLASS_SESSION_HEADINGS, WEEK_HEADINGS
from reports.text import dates
from reports.text.i18n import use_language

DE, EN = {"accept-language": "de-CH,en;q=0.5"}, {"accept-language": "en"}


def test_translator_translates_german_only() -> None:
    assert get_translator("de")("Log in") == "Anmelden"
    assert get_translator("en")("Log in") == "Log in"
    assert get_translator("fr")("Log in") == "Log in"


def test_page_is_german_for_german_browser(browser) -> None:
    page = browser().get("/login", headers={"accept-language": "de"}).text
    assert "Anmelden" in page
    assert "Log in" not in page
    refused = browser("Ada").get("/lessons/99", headers={"accept-language": "de"}).text
    assert "Diese Seite gibt es nicht" in refused


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [("en", "2 Mar 2026", "2 Mar 2026, 09:05"), ("de", "2.3.2026", "2.3.2026, 09:05")],
)
def test_dates_follow_language(language: str, day: str, moment: str) -> None:
    at = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
    with use_language(language):
        assert (dates.format_short_day(at), dates.format_short_datetime(at)) == (day, moment)


def test_report_measures_are_translated() -> None:
    german = get_translator("de")
    named = {name for name, _, _ in COMPARED_MEASURES} | {
        *DRAWN_MEASURES,
        *CLASS_SESSION_HEADINGS,
        *WEEK_HEADINGS,
    }
    assert not {name for name in named if german(name) == name}


def test_reports_are_cached_per_language(browser, session_7b, monkeypatch) -> None:
    ada = browser("Ada")
    german = ada.get(f"/lessons/{session_7b}/report", headers=DE).text
    english = ada.get(f"/lessons/{session_7b}/report", headers=EN).text
    assert '<html lang="de">' in german
    assert "Was dieser Bericht nicht sagen kann" in german
    assert "What this report cannot tell" not in german
    assert '<html lang="en-GB">' in english
    monkeypatch.setattr(
        "classpulse.web.report_cache.generate_report", lambda *_, **__: pytest.fail("made again")
    )
    assert ada.get(f"/lessons/{session_7b}/report", headers=DE).text == german
    assert ada.get(f"/lessons/{session_7b}/report", headers=EN).text == english


def test_pages_are_german_and_audit_is_english(browser, engine, session_7b) -> None:
    ada = browser("Ada")
    group = queries.get_session(engine, session_7b).class_name
    number = next(class_.id for class_ in list_classes(engine) if class_.name == group)
    student = queries.list_students(engine, session_7b)[0]
    page = ada.get(f"/classes/{number}/students/{student.id}", headers=DE).text
    assert "Es gibt keinen Trend" in page
    assert "There is no trend" not in page
    assert "Ein Trend ist der Median" in page
    assert 'lang="en">' not in page.replace('value="en" lang="en"', "")
    trends = ada.get(f"/classes/{number}", headers=DE).text
    assert "In %: Mittel über die Personen" in trends
    term = ada.get(f"/classes/{number}/term/report", headers=DE).text
    assert '<html lang="de">' in term
    assert "Semesterbericht" in term
    views = [entry for entry in queries.list_audit_entries(engine) if entry.action == "view"]
    assert {view.subject for view in views} >= {f"class {group}, term"}
