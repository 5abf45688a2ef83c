"""The remedy for an invalid value, by the kind of pydantic's validation error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HINTS = {
    "bool": "Write true or false.",
    "dataclass": "Write a section: indented lines of the form 'key: value'.",
    "date": "Write a day as YYYY-MM-DD, such as 2026-01-31.",
    "datetime": "Write a day and a time, such as 2026-01-31 09:00.",
    "dict": "Write a section: indented lines of the form 'key: value'.",
    "float": "Write a number.",
    "frozen": "Write a list, such as [a, b].",
    "finite": "Write a finite number.",
    "int": "Write a whole number.",
    "list": "Write a list, such as [a, b].",
    "mapping": "Write a section: indented lines of the form 'key: value'.",
    "model": "Write a section: indented lines of the form 'key: value'.",
    "path": "Write a path in single quotes, such as 'D:\\reports', or with /.",
    "set": "Write a list, such as [a, b].",
    "time": 'Write a time of day in quotes, such as "09:15".',
    "tuple": "Write a list, such as [a, b].",
}
"""By the first word of the kind, such as ``int`` of ``int_parsing``; the kinds are listed in pydantic's
documentation ("Validation Errors")."""


def value_hint(error: Mapping[str, Any]) -> str:
    """What to write instead, one sentence. ``error`` is an entry of ``ValidationError.errors()``."""
    kind, context = str(error["type"]), error.get("ctx", {})
    match kind:
        case "greater_than":
            return f"Write a value above {context['gt']:g}."
        case "greater_than_equal":
            return f"Write {context['ge']:g} or more."
        case "less_than":
            return f"Write a value below {context['lt']:g}."
        case "less_than_equal":
            return f"Write {context['le']:g} or less."
        case "enum" | "literal_error":
            return f"Use one of: {context['expected']}."
        case "string_pattern_mismatch":
            return (
                "Write an address with its scheme, such as sqlite:///classpulse.db or https://school.example."
            )
        case "string_too_long":
            return f"Write at most {context['max_length']} characters."
        case "string_too_short":
            return f"Write at least {context['min_length']} characters."
        case "string_type":
            return 'Write text in quotes, such as "7".'
        case "too_long":
            return f"Write at most {context['max_length']} entries."
        case "too_short":
            return f"Write at least {context['min_length']} entries."
    first = kind.partition("_")[0]
    return _HINTS.get(first, f"{error['msg']}.")
