"""Names from right to left inside lines from left to right.

Without a border the digits, brackets and commas that touch such a name are taken for a part of it, and a name
in two scripts is read in the wrong order. Unicode's own borders (UAX #9, FSI and PDI) hold in browsers, in
SVG and in plutoprint; ``<bdi>`` and ``unicode-bidi`` do not in the last.
"""

from __future__ import annotations

import re
from dataclasses import replace

from db.records import FlagRecord
from reports.names import isolated, plain
from reports.report import Person, Report

_CODE = re.compile(r"<code>.*?</code>", re.DOTALL)


def report_isolated(report: Report) -> Report:
    """The report with borders around what people have named or written: for a page, not for data."""
    return replace(
        report,
        session=replace(
            report.session,
            class_name=isolated(report.session.class_name),
            room=_isolated(report.session.room),
        ),
        people=tuple(_person(person) for person in report.people),
        markers=tuple(replace(marker, text=isolated(marker.text)) for marker in report.markers),
    )


def commands_plain(html: str) -> str:
    """The page without borders in its commands, which are copied into a terminal."""
    return _CODE.sub(lambda code: plain(code[0]), html)


def _person(person: Person) -> Person:
    line = person.timeline
    return replace(
        person,
        timeline=replace(line, pseudonym=isolated(line.pseudonym)),
        flags={kind: _flag(flag) for kind, flag in person.flags.items()},
        seat=_isolated(person.seat),
    )


def _flag(flag: FlagRecord) -> FlagRecord:
    return replace(flag, reviewed_by=_isolated(flag.reviewed_by), note=_isolated(flag.note))


def _isolated(text: str | None) -> str | None:
    return None if text is None else isolated(text)
