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


_TAGS: Mapping[Language, str] = {Language.EN: "en-GB", Language.DE: "de"}

_spoken: ContextVar[Language] = ContextVar("spoken", default=Language.EN)


@contextmanager
def speaking(language: Language | str) -> Iterator[None]:
    """All texts that are told inside are in this language."""
    before = _spoken.set(Language(language))
    try:
        yield
    finally:
        _spoken.reset(before)


def spoken() -> Language:
    """The language that is spoken now."""
    return _spoken.get()


def language_tag() -> str:
    """What a page says of its language, as a tag of BCP 47."""
    return _TAGS[spoken()]


def N_(text: str) -> str:
    """A text that is told later by ``word``: it is collected, and stays as it is."""
    return text


def _(text: str, /, **values: object) -> str:
    """A text in the language that is spoken, with a value in each place ``%(name)s``."""
    return word(text) % values


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The same of a number; its place is ``%(num)d``."""
    return plural(one, many, num) % {"num": num, **values}


def word(text: str) -> str:
    """A word as it is in the language that is spoken, without places; what is not known stays."""
    return catalogue(spoken()).gettext(text) if text else text


def plural(one: str, many: str, num: int) -> str:
    """The form of a number, with its places."""
    return catalogue(spoken()).ngettext(one, many, num)


@cache
def catalogue(language: Language) -> gettext.NullTranslations:
    """The texts of a language."""
    if language is Language.EN:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALES, [language])


@dataclass(frozen=True)
class Message:
    """A text that is kept and told later, in the language of who reads it then; ``many`` and ``num`` where it
    has a plural. Values may be messages."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    many: str | None = None
    num: int = 0

    def __str__(self) -> str:
        told = word(self.text) if self.many is None else plural(self.text, self.many, self.num)
        return told % {"num": self.num, **self.values}


def said(text: str, /, **values: object) -> Message:
    """A text to be told later."""
    return Message(text, values)


def nsaid(one: str, many: str, num: int, /, **values: object) -> Message:
    """The same of a number."""
    return Message(one, values, many, num)
