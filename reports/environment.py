"""How pages are made from templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_environment(filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """Jinja2 over ``templates/``: everything is escaped, and a name that there is not is an error."""
    environment = Environment(
        loader=PackageLoader("templates", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    return environment
