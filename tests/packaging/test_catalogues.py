"""The German catalogues: every text of dashboard and reports is translated, with the same placeholders, and
compiled."""

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

from classpulse.web.context import LOCALE_FOLDER
from reports.text import i18n

PROJECT = Path(__file__).parents[2]
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy": None, "lazy_plural": (1, 2)}
"""As in the Makefile."""


@dataclass(frozen=True)
class Texts:
    """The texts of one domain, as extracted from its code, and its files."""

    collected: Catalog
    folder: Path
    domain: str

    @property
    def po(self) -> Path:
        return self.folder / "de" / "LC_MESSAGES" / f"{self.domain}.po"


@pytest.fixture(
    scope="module",
    params=[
        ("babel.cfg", LOCALE_FOLDER, "classpulse"),
        ("babel-reports.cfg", i18n.LOCALES, i18n.DOMAIN),
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


def _translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def _pairs(catalog: Catalog) -> set[tuple[str | None, tuple[str, ...], tuple[str, ...]]]:
    return {(one.context, _texts(one), _translations(one)) for one in catalog if one.id}


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\))?[sdif%]|%\(\w+\)\.?\d*\w", text))


def test_every_text_is_extracted_and_translated(texts: Texts, german: Catalog) -> None:
    known = {one.id for one in texts.collected if one.id}
    assert len(known) > 80
    written = {one.id for one in _read(texts.folder / f"{texts.domain}.pot") if one.id}
    assert written == known, "run 'make messages'"
    missing = [one for one in known if one not in german or not all(_translations(german[one]))]
    assert not missing, f"not translated: run 'make messages' and translate them in {texts.po.name}"


def test_translations_have_the_placeholders_of_their_text(german: Catalog) -> None:
    for message in german:
        if message.id:
            expected = set().union(*map(_placeholders, _texts(message)))
            # A singular may say "one" where the plural has the number.
            assert all(_placeholders(text) <= expected for text in _translations(message)), message.id
            assert _placeholders(_translations(message)[-1]) == _placeholders(_texts(message)[-1]), message.id
            assert not message.fuzzy, message.id


def test_translations_have_the_markup_of_their_text(german: Catalog) -> None:
    for message in german:
        if message.id:
            for text, answer in zip(_texts(message), _translations(message), strict=True):
                assert sorted(re.findall(r"<[^>]*>", answer)) == sorted(re.findall(r"<[^>]*>", text)), text


def test_compiled_catalogue_equals_the_source(texts: Texts, german: Catalog) -> None:
    with texts.po.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    # Without the header, which names the version of the compiler.
    assert _pairs(compiled) == _pairs(german), "run 'make messages'"


def test_translations_are_formal_and_claim_no_emotion(german: Catalog) -> None:
    for message in german:
        for answer in _translations(message):
            assert not re.search(r"\b(du|dein|deine|dir|dich)\b", answer, re.IGNORECASE), answer
            assert not re.search(r"\b(ist|war) (traurig|wütend|glücklich|verzweifelt)", answer), answer
            # Spelling of Germany and Austria, with ß.
            assert not re.search(
                r"\b([Ww]eiss|\w*([Gg]r[oö]ss|[Ll]iess|chliess|[Aa]usser|[Hh]eiss))", answer
            ), answer
