"""German is whole: every text of the dashboard and of the reports has one, with the same places for values,
and is compiled."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from classpulse.web import context as site
from reports.text import i18n as language

PROJECT = Path(__file__).parents[2]
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy": None, "lazy_plural": (1, 2)}
"""As in the Makefile."""


@dataclass(frozen=True)
class Texts:
    """The texts of one part, as its code has them, and its files."""

    collected: Catalog
    folder: Path
    domain: str

    @property
    def po(self) -> Path:
        return self.folder / "de" / "LC_MESSAGES" / f"{self.domain}.po"


@pytest.fixture(
    scope="module",
    params=[
        ("babel.cfg", site.LOCALE_FOLDER, "classpulse"),
        ("babel-reports.cfg", language.LOCALES, language.DOMAIN),
    ],
    ids=["dashboard", "reports"],
)
def texts(request) -> Texts:
    mapping_file, folder, domain = request.param
    with (PROJECT / mapping_file).open(encoding="utf-8") as file:
        mapping, options = parse_mapping_cfg(file)
    catalog = Catalog(charset="utf-8")
    for _, _, text, _, context in extract_from_dir(PROJECT, mapping, options, KEYWORDS):
        catalog.add(text, context=context)
    return Texts(catalog, folder, domain)


@pytest.fixture(scope="module")
def german(texts: Texts) -> Catalog:
    return _read(texts.po)


def _read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="de")


def _texts(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _answers(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def _pairs(catalog: Catalog) -> set[tuple[str | None, tuple[str, ...], tuple[str, ...]]]:
    return {(one.context, _texts(one), _answers(one)) for one in catalog if one.id}


def _places(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\))?[sdif%]|%\(\w+\)\.?\d*\w", text))


def test_every_text_is_collected_and_translated(texts: Texts, german: Catalog) -> None:
    known = {one.id for one in texts.collected if one.id}
    assert len(known) > 80
    written = {one.id for one in _read(texts.folder / f"{texts.domain}.pot") if one.id}
    assert written == known, "say 'make messages'"
    missing = [one for one in known if one not in german or not all(_answers(german[one]))]
    assert not missing, f"these have no German text: say 'make messages' and write them into {texts.po.name}"


def test_a_translation_has_the_places_of_its_text(german: Catalog) -> None:
    for message in german:
        if message.id:
            wanted = set().union(*map(_places, _texts(message)))
            # A singular may say "one" where its plural has the number.
            assert all(_places(answer) <= wanted for answer in _answers(message)), message.id
            assert _places(_answers(message)[-1]) == _places(_texts(message)[-1]), message.id
            assert not message.fuzzy, message.id


def test_a_translation_has_the_marks_of_its_text(german: Catalog) -> None:
    for message in german:
        if message.id:
            for text, answer in zip(_texts(message), _answers(message), strict=True):
                assert sorted(re.findall(r"<[^>]*>", answer)) == sorted(re.findall(r"<[^>]*>", text)), text


def test_what_is_compiled_is_what_is_written(texts: Texts, german: Catalog) -> None:
    with texts.po.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    # Not the head, in which every version of the compiler names itself.
    assert _pairs(compiled) == _pairs(german), "say 'make messages'"


def test_a_reader_is_not_addressed_as_a_pupil_and_nobody_is_sad(german: Catalog) -> None:
    for message in german:
        for answer in _answers(message):
            assert not re.search(r"\b(du|dein|deine|dir|dich)\b", answer, re.IGNORECASE), answer
            assert not re.search(r"\b(ist|war) (traurig|wütend|glücklich|verzweifelt)", answer), answer
            # As in Germany and Austria; Swiss readers read it as their ss.
            assert not re.search(
                r"\b([Ww]eiss|\w*([Gg]r[oö]ss|[Ll]iess|chliess|[Aa]usser|[Hh]eiss))", answer
            ), answer
