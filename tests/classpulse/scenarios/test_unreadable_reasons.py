"""Every UnreadableReason has a text wherever it is displayed."""

from __future__ import annotations

import pytest

from classpulse.web.context import _environment
from monitor.types import UnreadableReason
from reports.narrative import summary as sentences
from reports.text import formatting as words
from reports.text.i18n import Language, use_language

OF_A_SEEN_FACE = [
    one for one in UnreadableReason if one not in (UnreadableReason.ABSENT, UnreadableReason.NOT_COMPUTED)
]
"""Absent students have no face, and in ``mode: behaviour`` expressions are not mentioned at all. A new reason
is in this list by itself."""


@pytest.mark.parametrize("reason", OF_A_SEEN_FACE)
def test_unreadable_reason_has_a_text(reason: UnreadableReason) -> None:
    assert reason.value in sentences._UNREADABLE_TEXTS
    assert reason.value in words.REASON_TAGS
    page = _environment(Language.EN).get_template("web/live_texts.html.j2").make_module()
    assert page.reason(f"{reason.value} unlisted") == f"{reason.value} unlisted"
    source = _environment(Language.EN).loader.get_source(_environment(Language.EN), "web/live_texts.html.j2")
    listed = source[0].partition("macro reason")[2].partition("endmacro")[0]
    assert f'"{reason.value}": _(' in listed


@pytest.mark.parametrize("reason", OF_A_SEEN_FACE)
def test_unreadable_reason_has_a_german_text(reason: UnreadableReason) -> None:
    def texts(language: Language) -> list[str]:
        page = _environment(language).get_template("web/live_texts.html.j2").make_module()
        with use_language(language):
            return [
                sentences._reason(reason.value),
                words.reason_tag(reason.value),
                words.reason_tag(reason.value, short=True),
                str(page.reason(reason.value)),
            ]

    english, german = texts(Language.EN), texts(Language.DE)
    assert all(de and de != en for en, de in zip(english, german, strict=True))
