"""Translation of reports by gettext; English message IDs.

The caller selects the language of a page with ``with use_language(Language.DE)``; the default is English.
Stored and exported texts are always English.
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
    """Supported languages; English needs no catalogue."""

    EN = "en"
    DE = "de"


_LANGUAGE_TAGS: Mapping[Language, str] = {Language.EN: "en-GB", Language.DE: "de"}

_current: ContextVar[Language] = ContextVar("spoken", default=Language.EN)


@contextmanager
def use_language(language: Language | str) -> Iterator[None]:
    """Set the current language inside the context."""
    before = _current.set(Language(language))
    try:
        yield
    finally:
        _current.reset(before)


def current_language() -> Language:
    """The current language."""
    return _current.get()


def language_tag() -> str:
    """BCP 47 tag of the current language, for ``<html lang>``."""
    return _LANGUAGE_TAGS[current_language()]


def N_(text: str) -> str:
    """Marks a message ID for extraction (gettext_noop); ``translate_word`` translates it later."""
    return text


def _(text: str, /, **values: object) -> str:
    """The translated text with ``values`` in its placeholders ``%(name)s``."""
    return translate_word(text) % values


def ngettext(one: str, many: str, num: int, /, **values: object) -> str:
    """The same with a plural; the placeholder of the number is ``%(num)d``."""
    return translate_plural(one, many, num) % {"num": num, **values}


def translate_word(text: str) -> str:
    """The translation without placeholder substitution; an unknown text unchanged."""
    return load_catalogue(current_language()).gettext(text) if text else text


def translate_plural(one: str, many: str, num: int) -> str:
    """The translated plural form for ``num``, without placeholder substitution."""
    return load_catalogue(current_language()).ngettext(one, many, num)


@cache
def load_catalogue(language: Language) -> gettext.NullTranslations:
    """The gettext catalogue of a language."""
    if language is Language.EN:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, LOCALES, [language])


@dataclass(frozen=True)
class LazyText:
    """A text that is translated when converted to ``str``. ``plural`` and ``count``: of a plural text.
    Values may be lazy texts."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    plural: str | None = None
    count: int = 0

    def __str__(self) -> str:
        text = (
            translate_word(self.text)
            if self.plural is None
            else translate_plural(self.text, self.plural, self.count)
        )
        return text % {"num": self.count, **self.values}


def lazy(text: str, /, **values: object) -> LazyText:
    """A text that is translated later."""
    return LazyText(text, values)


def lazy_plural(one: str, many: str, num: int, /, **values: object) -> LazyText:
    """The same with a plural."""
    return LazyText(one, values, many, num)
