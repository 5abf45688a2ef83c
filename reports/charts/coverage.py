"""A small histogram of the students' coverage, for the top of the page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from reports.charts.style import FAINT, INK
from reports.text.i18n import _

BARS = 20
_BAR, _HEIGHT, _BASELINE_Y, _LABELS_Y = 10, 34, 36, 46


def coverage_histogram(shares: Sequence[float]) -> Markup:
    """``BARS`` bars over the coverage 0..1, with heights by the number of students."""
    bars = np.minimum((np.asarray(shares) * BARS).astype(np.int64), BARS - 1)
    counts = np.bincount(bars, minlength=BARS)
    unit = _HEIGHT / max(int(counts.max(initial=0)), 1)
    path = "".join(
        f"M{bar * _BAR + 1} {_BASELINE_Y - 1}v{-number * unit:.1f}h{_BAR - 2}V{_BASELINE_Y - 1}z"
        for bar, number in enumerate(counts)
        if number
    )
    width = BARS * _BAR
    labels = Markup("").join(
        Markup('<text x="{}" y="{}" text-anchor="{}">{} %</text>').format(
            at * width // 100, _LABELS_Y, side, at
        )
        for at, side in ((0, "start"), (50, "middle"), (100, "end"))
    )
    return Markup(
        '<svg class="coverage" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">'
        '<path fill="{}" d="{}"/><path stroke="{}" d="M0 {}H{}"/>{}</svg>'
    ).format(_alt_text(shares), *(width, _LABELS_Y + 2) * 2, INK, path, FAINT, _BASELINE_Y, width, labels)


def _alt_text(shares: Sequence[float]) -> str:
    lowest, middle, highest = (round(100 * float(np.quantile(shares, q))) for q in (0, 0.5, 1))
    return _(
        "How much of the watched time each of %(students)s students was seen: half of them for %(middle)s %% "
        "or more, the least seen for %(lowest)s %%, the most seen for %(highest)s %%.",
        students=len(shares),
        middle=middle,
        lowest=lowest,
        highest=highest,
    )
