"""In which language a report speaks: English as its texts are written, or another by gettext.

Whoever makes a page says the language (``with speaking(Language.DE)``), for that page alone; without a word
it is English. What is stored or exported is always English.
"""

from __future__ import annotations

import gettext
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

DOMAIN = "reports"
LOCALES = Path(__file__).parents[1] / "locale"


class Language(StrEnum):
    """Those that there is a catalogue for; English needs none."""

    EN = "en"
    DE = "de"


_LANGUAGE_TAGS: Mapping[Language, str] = {Language.EN: "en-GB", Language.DE: "de"}

_current: ContextVar[Language] = ContextVar("spoken", default=Language.EN)


@contextmanager
def use_language(language: Language | str) -> Iterator[None]:
    """All texts that are told inside are in this language."""
    before = _current.set(Language(language))
    try:
        yield
    finally:
        _current.reset(before)


def current_language() -> Language:
    """The language that is spoken now."""
    return _current.get()


def language_tag() -> str:
    """What a page says of its language, as a tag of BCP 47."""
    return _LANGUAGE_TAGS[current_language()]


def N_(text: str) -> str:
    """A text that is told later by ``translate_word``: it is collected, and stays as it is."""
    return text


def _(text: str, /, **values: object) -> str:
    """A text in the language that is spoken, with a value in each place ``%(name)s``."""
    return translate_word(text) % values


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The same of a number; its place is ``%(num)d``."""
    return translate_plural(one, many, num) % {"num": num, **values}


def translate_word(text: str) -> str:
    """A word as it is in the language that is spoken, without places; what is not known stays."""
    return load_catalogue(current_language()).gettext(text) if text else text


def translate_plural(one: str, many: str, num: int) -> str:
    """The form of a number, with its places."""
    return load_catalogue(current_language()).ngettext(one, many, num)


@cache
def load_catalogue(language: Language) -> gettext.NullTranslations:
    """The texts of a language."""
    if language is Language.EN:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALES, [language])


@dataclass(frozen=True)
class LazyText:
    """A text that is kept and told later, in the language of who reads it then; ``plural`` and ``count`` where it
    has a plural. Values may be messages."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    plural: str | None = None
    count: int = 0

    def __str__(self) -> str:
        told = (
            translate_word(self.text)
            if self.plural is None
            else translate_plural(self.text, self.plural, self.count)
        )
        return told % {"num": self.count, **self.values}


def lazy(text: str, /, **values: object) -> LazyText:
    """A text to be told later."""
    return LazyText(text, values)


def lazy_plural(one: str, many: str, num: int, /, **values: object) -> LazyText:
    """The same of a number."""
    return LazyText(one, values, many, num)
