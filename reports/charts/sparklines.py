"""Small charts inside a line of text, written by hand: forty figures of matplotlib would take seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from model.emotions import Emotion
from reports.charts.heatmap import Row, direction_row, sadness_row
from reports.charts.resampling import Columns, State, columns
from reports.charts.style import COLOURS, FAINT
from reports.text.formatting import percent
from reports.text.i18n import _
from reports.timeline.student import Floats, Grid, Ints, StudentTimeline

MOST_COLUMNS = 60
"""Two units of width each; more would not be seen at three centimetres."""

_WIDTH, _HEIGHT = 120, 20
_HEADS = "#64449E"
_UNSEEN = "#E2E2E2"


def sadness_spark(line: StudentTimeline) -> Markup:
    """The mean probability of *sad* over the lesson, 0 to 100 %."""
    cols = columns(line.grid, MOST_COLUMNS)
    row = sadness_row(line, cols)
    return _spark(row.values, row, cols, line, _("resemblance to sadness"), COLOURS[Emotion.SAD])


def facing_spark(line: StudentTimeline) -> Markup:
    """The share of readable directions that faced the front, 0 to 100 %."""
    cols = columns(line.grid, MOST_COLUMNS)
    row = direction_row(line, cols)
    return _spark(1 - row.values, row, cols, line, _("head to the front"), _HEADS)


def _spark(values: Floats, row: Row, cols: Columns, line: StudentTimeline, what: str, colour: str) -> Markup:
    known = (row.states == State.KNOWN) & ~np.isnan(values)
    seen = known | (row.states == State.UNKNOWN)
    x = np.round(cols.edges_s / cols.edges_s[-1] * _WIDTH, 1)
    y = np.round(_HEIGHT * (1 - np.clip(np.nan_to_num(values), 0, 1)), 1)
    ground = " ".join(f"M{x[run[0]]:g} {_HEIGHT + 1}H{x[run[-1] + 1]:g}" for run in _runs(seen))
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<path fill="{}" d="{}"/><path stroke="{}" d="{}"/>{}</svg>'
    ).format(
        _in_words(values[known], known, line, what),
        *(_WIDTH, _HEIGHT + 2) * 2,
        colour,
        " ".join(_area(run, x, y) for run in _runs(known)),
        FAINT,
        ground,
        _unseen(line.grid),
    )


def _unseen(grid: Grid) -> Markup:
    """Grey where there was nothing to look at, over what coarse columns drew there."""
    unit = _WIDTH / (len(grid.watched_s) * grid.bin_s)
    spans = [(start_s * unit, max(end_s * unit, start_s * unit + 0.5)) for start_s, end_s in grid.unseen_s]
    boxes = " ".join(f"M{left:.1f} 0H{right:.1f}V{_HEIGHT}H{left:.1f}z" for left, right in spans)
    return Markup('<path fill="{}" d="{}"/>').format(_UNSEEN, boxes) if boxes else Markup()


def _runs(mask: np.typing.NDArray[np.bool_]) -> Sequence[Ints]:
    """Indices of the columns in ``mask``, those in a row together."""
    cells = np.flatnonzero(mask)
    return np.split(cells, np.flatnonzero(np.diff(cells) > 1) + 1) if len(cells) else []


def _area(run: Ints, x: Floats, y: Floats) -> str:
    steps = "".join(f"V{y[c]:g}H{x[c + 1]:g}" for c in run)
    return f"M{x[run[0]]:g} {_HEIGHT}{steps}V{_HEIGHT}Z"


def _in_words(known: Floats, mask: np.typing.NDArray[np.bool_], line: StudentTimeline, what: str) -> Markup:
    name = line.pseudonym
    if not len(known):
        return escape(_("%(name)s, %(what)s over time: unknown throughout", name=name, what=what))
    low, high, mean = known.min(), known.max(), known.mean()
    told = _(
        "%(name)s, %(what)s over time: %(mean)s on average, from %(low)s to %(high)s",
        name=name,
        what=what,
        mean=percent(mean),
        low=percent(low),
        high=percent(high),
    )
    unknown = 1 - mask.mean()
    return escape(
        told + (_("; unknown for %(share)s of the lesson", share=percent(unknown)) if unknown else "")
    )
