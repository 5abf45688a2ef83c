"""What a person showed in each session, summed over the bins by the database."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    case,
    exists,
    func,
    select,
    union_all,
)

from db.schema import PROBABILITIES, AttributionRow, BinRow


# Made once: putting it together takes longer than the database takes for a lecture.
@cache
def select_sums() -> CompoundSelect[Any]:
    """A row of each session and each person of the parameter ``people``, a list of numbers: ``session_id``,
    ``person_id``, ``watched_s``, ``seen_s``, ``usable_samples`` and the mean probabilities, weighted with the
    usable samples. Who was several recorded students is summed as ``db.combination`` has it."""
    return union_all(_as_recorded(), _as_corrected())


def _people() -> BindParameter[Any]:
    return bindparam("people", expanding=True)


def _mine() -> ColumnElement[bool]:
    return (AttributionRow.session_id == BinRow.session_id) & (AttributionRow.student_id == BinRow.student_id)


def _as_recorded() -> Select[Any]:
    """Of students whom no correction touches: one bin at a time, so that plain sums do."""
    weight = func.sum(BinRow.usable_samples)
    columns: list[Any] = [
        BinRow.session_id,
        BinRow.student_id.label("person_id"),
        func.sum(BinRow.watched_s).label("watched_s"),
        func.sum(BinRow.seen_s).label("seen_s"),
        weight.label("usable_samples"),
        *(
            _mean(func.sum(getattr(BinRow, name) * BinRow.usable_samples), weight).label(name)
            for name in PROBABILITIES
        ),
    ]
    return (
        select(*columns)
        .where(BinRow.student_id.in_(_people()), ~exists().where(_mine()))
        .group_by(BinRow.session_id, BinRow.student_id)
    )


def _as_corrected() -> Select[Any]:
    """Of people in corrected sessions, who may have several bins at a time: those first, then the session."""
    one = _moments().subquery()
    seen_samples = _least(one.c.seen_samples, one.c.samples)
    usable = _least(one.c.usable_samples, seen_samples)
    weight = func.sum(usable)
    columns: list[Any] = [
        one.c.session_id,
        one.c.person_id,
        func.sum(one.c.watched_s).label("watched_s"),
        func.sum(_least(one.c.seen_s, one.c.watched_s)).label("seen_s"),
        weight.label("usable_samples"),
        *(
            _mean(func.sum(_mean(one.c[name], one.c.usable_samples) * usable), weight).label(name)
            for name in PROBABILITIES
        ),
    ]
    return select(*columns).group_by(one.c.session_id, one.c.person_id)


def _moments() -> Select[Any]:
    keys: list[Any] = [BinRow.session_id, AttributionRow.person_id, BinRow.start_s]
    columns: list[Any] = [
        *keys,
        func.max(BinRow.watched_s).label("watched_s"),
        func.max(BinRow.samples).label("samples"),
        *(
            func.sum(getattr(BinRow, name)).label(name)
            for name in ("seen_s", "seen_samples", "usable_samples")
        ),
        *(func.sum(getattr(BinRow, name) * BinRow.usable_samples).label(name) for name in PROBABILITIES),
    ]
    during = (BinRow.start_s >= AttributionRow.from_s) & (BinRow.start_s < AttributionRow.until_s)
    return (
        select(*columns)
        .join(AttributionRow, _mine() & during)
        .where(AttributionRow.person_id.in_(_people()))
        .group_by(*keys)
    )


def _mean(total: ColumnElement[Any], weight: ColumnElement[Any]) -> ColumnElement[Any]:
    """NULL where no sample was usable: nullif keeps PostgreSQL from dividing by zero."""
    return total / func.nullif(weight, 0)


def _least(first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    """The smaller one; SQLite and PostgreSQL have no function for it of one name."""
    return case((first < second, first), else_=second)
