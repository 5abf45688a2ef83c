"""German is whole: every text of the pages has one, with the same places for values, and is compiled."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from classpulse.web import dates, reportwords
from classpulse.web.site import LOCALES, words
from reports.history.comparison import MEASURES
from reports.history.pages.trends import DRAWN
from reports.history.weeks import LESSON_HEADINGS, WEEK_HEADINGS

PROJECT = Path(__file__).parents[3]
GERMAN = LOCALES / "de" / "LC_MESSAGES" / "classpulse.po"


def _collected() -> Catalog:
    with (PROJECT / "babel.cfg").open(encoding="utf-8") as file:
        mapping, options = parse_mapping_cfg(file)
    catalog = Catalog(charset="utf-8")
    for _, _, text, _, context in extract_from_dir(PROJECT, mapping, options):
        catalog.add(text, context=context)
    return catalog


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="de")


@pytest.fixture(scope="module")
def collected() -> Catalog:
    return _collected()


@pytest.fixture(scope="module")
def german() -> Catalog:
    return _read(GERMAN)


def _texts(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _answers(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def _places(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\))?[sdif%]|%\(\w+\)\.?\d*\w", text))


def test_every_text_is_collected_and_translated(collected: Catalog, german: Catalog) -> None:
    texts = {one.id for one in collected if one.id}
    assert len(texts) > 80
    assert {one.id for one in _read(LOCALES / "classpulse.pot") if one.id} == texts, "say 'make messages'"
    missing = [one for one in texts if one not in german or not all(_answers(german[one]))]
    assert not missing, "these have no German text: say 'make messages' and write them into classpulse.po"


def test_a_translation_has_the_places_of_its_text(german: Catalog) -> None:
    for message in german:
        if message.id:
            wanted = set().union(*map(_places, _texts(message)))
            # A singular may say "one" where its plural has the number.
            assert all(_places(answer) <= wanted for answer in _answers(message)), message.id
            assert _places(_answers(message)[-1]) == _places(_texts(message)[-1]), message.id
            assert not message.fuzzy, message.id


def test_what_is_compiled_is_what_is_written(german: Catalog) -> None:
    made = io.BytesIO()
    write_mo(made, german)
    assert GERMAN.with_suffix(".mo").read_bytes() == made.getvalue(), "say 'make messages'"


def test_a_reader_is_not_addressed_as_a_pupil(german: Catalog) -> None:
    for message in german:
        for answer in _answers(message):
            assert not re.search(r"\b(du|dein|deine|dir|dich)\b", answer, re.IGNORECASE), answer
            assert not re.search(r"\bist (traurig|wütend|glücklich|verzweifelt)", answer), answer


def test_german_is_spoken_and_english_is_what_is_written() -> None:
    assert words("de")("Log in") == "Anmelden"
    assert words("en")("Log in") == "Log in"
    assert words("fr")("Log in") == "Log in"


def test_a_page_is_german_where_the_browser_is(browser) -> None:
    page = browser().get("/login", headers={"accept-language": "de"}).text
    assert "Anmelden" in page
    assert "Log in" not in page
    refused = browser("Ada").get("/lessons/99", headers={"accept-language": "de"}).text
    assert "Diese Seite gibt es nicht" in refused


@pytest.mark.parametrize(
    ("language", "day", "moment"),
    [("en", "2 Mar 2026", "2 Mar 2026, 09:05"), ("de", "2.3.2026", "2.3.2026, 09:05")],
)
def test_dates_are_those_of_the_language(language: str, day: str, moment: str) -> None:
    at = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
    assert (dates.day(at, language), dates.moment(at, language)) == (day, moment)


def test_what_reports_call_their_figures_is_known() -> None:
    named = {name for name, _, _ in MEASURES} | set(DRAWN)
    assert named <= set(reportwords.FIGURES)
    assert {*LESSON_HEADINGS, *WEEK_HEADINGS} <= {*reportwords.FIGURES, *reportwords.HEADINGS}
