"""Sparklines as hand-written SVG; forty matplotlib figures would take seconds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup, escape

from model.emotions import Emotion
from reports.charts.heatmap import HeatMapRow, direction_row, sadness_row
from reports.charts.resampling import ColumnState, TimeColumns, make_time_columns
from reports.charts.style import EXPRESSION_COLOURS, FAINT
from reports.text.formatting import format_percent
from reports.text.i18n import _
from reports.timeline.student import BinGrid, Floats, Ints, StudentTimeline

MAX_SPARKLINE_COLUMNS = 60
"""Two units of width each; more are invisible at three centimetres."""

_WIDTH, _HEIGHT = 120, 20
_HEADS_COLOUR = "#64449E"
_UNOBSERVED_COLOUR = "#E2E2E2"


def sadness_sparkline(line: StudentTimeline) -> Markup:
    """The mean probability of *sad* over the lesson, 0 to 100 %."""
    cols = make_time_columns(line.grid, MAX_SPARKLINE_COLUMNS)
    row = sadness_row(line, cols)
    return _sparkline(
        row.values, row, cols, line, _("resemblance to sadness"), EXPRESSION_COLOURS[Emotion.SAD]
    )


def facing_sparkline(line: StudentTimeline) -> Markup:
    """The share of facing the front over the lesson, 0 to 100 %."""
    cols = make_time_columns(line.grid, MAX_SPARKLINE_COLUMNS)
    row = direction_row(line, cols)
    return _sparkline(1 - row.values, row, cols, line, _("head to the front"), _HEADS_COLOUR)


def _sparkline(
    values: Floats, row: HeatMapRow, columns: TimeColumns, line: StudentTimeline, what: str, colour: str
) -> Markup:
    known = (row.states == ColumnState.KNOWN) & ~np.isnan(values)
    seen = known | (row.states == ColumnState.UNKNOWN)
    x = np.round(columns.edges_s / columns.edges_s[-1] * _WIDTH, 1)
    y = np.round(_HEIGHT * (1 - np.clip(np.nan_to_num(values), 0, 1)), 1)
    ground = " ".join(f"M{x[run[0]]:g} {_HEIGHT + 1}H{x[run[-1] + 1]:g}" for run in _runs(seen))
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<path fill="{}" d="{}"/><path stroke="{}" d="{}"/>{}</svg>'
    ).format(
        _alt_text(values[known], known, line, what),
        *(_WIDTH, _HEIGHT + 2) * 2,
        colour,
        " ".join(_area(run, x, y) for run in _runs(known)),
        FAINT,
        ground,
        _unobserved_areas(line.grid),
    )


def _unobserved_areas(grid: BinGrid) -> Markup:
    """Grey areas of the gaps, drawn over the coarser columns."""
    unit = _WIDTH / (len(grid.watched_s) * grid.bin_s)
    spans = [
        (start_s * unit, max(end_s * unit, start_s * unit + 0.5)) for start_s, end_s in grid.unobserved_spans
    ]
    path = " ".join(f"M{left:.1f} 0H{right:.1f}V{_HEIGHT}H{left:.1f}z" for left, right in spans)
    return Markup('<path fill="{}" d="{}"/>').format(_UNOBSERVED_COLOUR, path) if path else Markup()


def _runs(mask: np.typing.NDArray[np.bool_]) -> Sequence[Ints]:
    """Column indices of each run in ``mask``."""
    cells = np.flatnonzero(mask)
    return np.split(cells, np.flatnonzero(np.diff(cells) > 1) + 1) if len(cells) else []


def _area(run: Ints, x: Floats, y: Floats) -> str:
    steps = "".join(f"V{y[c]:g}H{x[c + 1]:g}" for c in run)
    return f"M{x[run[0]]:g} {_HEIGHT}{steps}V{_HEIGHT}Z"


def _alt_text(known: Floats, mask: np.typing.NDArray[np.bool_], line: StudentTimeline, what: str) -> Markup:
    name = line.pseudonym
    if not len(known):
        return escape(_("%(name)s, %(what)s over time: unknown throughout", name=name, what=what))
    text = _(
        "%(name)s, %(what)s over time: %(mean)s on average, from %(low)s to %(high)s",
        name=name,
        what=what,
        mean=format_percent(known.mean()),
        low=format_percent(known.min()),
        high=format_percent(known.max()),
    )
    unknown = 1 - mask.mean()
    return escape(
        text + (_("; unknown for %(share)s of the lesson", share=format_percent(unknown)) if unknown else "")
    )
