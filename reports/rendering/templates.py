"""The Jinja environment and the style sheets of all report pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.text.i18n import N_, language_tag, translate_plural, translate_word

PRINTED_TEXTS = (N_("Classpulse · personal data, not for the notice board"), N_("page "), N_(" of "))
"""Texts of the page footer in ``report.css``."""


def template_environment(filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """A Jinja environment for ``templates/``: autoescaping, undefined names are errors, gettext in the
    current language."""
    environment = Environment(
        loader=PackageLoader("templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_callables(translate_word, translate_plural, newstyle=True)  # type: ignore[attr-defined]
    environment.filters |= filters
    environment.globals["language_tag"] = language_tag
    return environment


def style_sheet(*names: str) -> str:
    """Style sheets of ``templates/``, concatenated, with their printed texts translated."""
    text = "\n".join((files("templates") / name).read_text("utf-8") for name in names)
    for printed in PRINTED_TEXTS:
        text = text.replace(f'"{printed}"', f'"{translate_word(printed)}"')
    return text
