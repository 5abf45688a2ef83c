"""The class over time: expressions where they were computed, heads, and shut eyes, with what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reports.charts.annotations import Mark, draw_labels, draw_lines
from reports.charts.bands import Looks, band_handles, draw_bands, expression_looks, head_looks
from reports.charts.resampling import Columns, class_states, columns
from reports.charts.style import (
    COLOURS,
    FAINT,
    SHUT,
    WIDTH_IN,
    Chart,
    draw_states,
    draw_unseen,
    house_style,
    percent_axis,
    shown_states,
    state_handles,
    time_axis,
)
from reports.text.formatting import count, length, noun, percent
from reports.text.i18n import _
from reports.timeline.classroom import ClassTimeline
from reports.timeline.student import Floats

_LEFT, _RIGHT = 0.09, 0.79
_PLOT_IN = WIDTH_IN * (_RIGHT - _LEFT)
_LANE_IN, _GAP_IN, _AXIS_IN = 0.17, 0.1, 0.4
_HEIGHTS_IN = {"expressions": 1.55, "heads": 1.1, "eyes": 0.32}


@dataclass(frozen=True)
class Marks:
    """``noted`` are markers, numbered; ``changed`` the moments of ``reports.timeline.change_points``, lettered."""

    noted: Sequence[Mark] = ()
    changed: Sequence[Mark] = ()

    @property
    def lanes(self) -> int:
        """How many rows of labels they need."""
        return bool(self.noted) + bool(self.changed)


def class_chart(whole: ClassTimeline, *, expressions: bool, marks: Marks | None = None) -> Chart:
    """The class over the lesson, with a panel for expressions if they were computed; each panel's shares
    make a whole. Eyes have one where any could be judged."""
    marks, cols = marks or Marks(), columns(whole.grid)
    names = _panel_names(whole, expressions)
    with house_style():
        figure, axes = _panels(names, marks.lanes)
        for name in names:
            _DRAW[name](axes[name], whole, cols)
        _finish(figure, [axes[name] for name in names], cols)
        _draw_marks([axes[name] for name in names], axes.get("marks"), marks, float(cols.edges_s[-1]))
    return Chart(figure, _in_words(whole, expressions))


def _panel_names(whole: ClassTimeline, expressions: bool) -> list[str]:
    shown = {
        "expressions": expressions and bool(whole.people_usable.any()),
        "heads": True,
        "eyes": not np.isnan(whole.closed_share).all(),
    }
    return [name for name, has in shown.items() if has]


def _panels(names: Sequence[str], lanes: int) -> tuple[Figure, dict[str, Axes]]:
    heights_in = [_HEIGHTS_IN[name] for name in names]
    lanes_in = lanes * _LANE_IN
    whole_in = 0.06 + lanes_in + sum(heights_in) + _GAP_IN * (len(names) - 1) + _AXIS_IN
    figure = Figure(figsize=(WIDTH_IN, whole_in))
    axes: dict[str, Axes] = {}
    top_in = whole_in - 0.06 - lanes_in
    for name, height_in in zip(names, heights_in, strict=True):
        box = (_LEFT, (top_in - height_in) / whole_in, _RIGHT - _LEFT, height_in / whole_in)
        axes[name] = figure.add_axes(box, sharex=axes[names[0]] if axes else None)
        top_in -= height_in + _GAP_IN
    if lanes:
        box = (_LEFT, 1 - (0.06 + lanes_in) / whole_in, _RIGHT - _LEFT, lanes_in / whole_in)
        axes["marks"] = figure.add_axes(box, sharex=axes[names[0]])
        axes["marks"].set_axis_off()
        axes["marks"].set_ylim(0, lanes)
    return figure, axes


def _expressions(ax: Axes, whole: ClassTimeline, cols: Columns) -> None:
    means = cols.means(whole.probabilities, whole.people_usable)
    _draw_panel(ax, whole, cols, means[:, list(COLOURS)], expression_looks())
    ax.set_ylabel(_("resembling"))


def _heads(ax: Axes, whole: ClassTimeline, cols: Columns) -> None:
    _draw_panel(ax, whole, cols, cols.means(whole.head_shares, whole.grid.watched_s), head_looks())
    ax.set_ylabel(_("heads"))


def _eyes(ax: Axes, whole: ClassTimeline, cols: Columns) -> None:
    shut = cols.means(whole.closed_share, np.maximum(whole.people_seen, 1))
    ax.stairs(shut, cols.edges_s, fill=True, color=SHUT, linewidth=0)
    draw_states(ax, cols.edges_s, class_states(whole, cols, ~np.isnan(shut)))
    draw_unseen(ax, whole.grid)
    ax.set_ylabel(_("eyes shut"))
    _legend(ax, [Patch(facecolor=SHUT, label=_("of those judged"))])


_DRAW = {"expressions": _expressions, "heads": _heads, "eyes": _eyes}


def _draw_panel(ax: Axes, whole: ClassTimeline, cols: Columns, shares: Floats, looks: Looks) -> None:
    states = class_states(whole, cols, ~np.isnan(shares[:, 0]))
    shown = shown_states(states, whole.grid)
    draw_bands(ax, cols.edges_s, shares, looks)
    draw_states(ax, cols.edges_s, states)
    draw_unseen(ax, whole.grid)
    # A band may already stand for a state.
    named = {name for name, _ in looks}
    more = [handle for handle in state_handles(shown) if handle.get_label() not in named]
    _legend(ax, [*band_handles(looks), *more])


def _finish(figure: Figure, axes: Sequence[Axes], cols: Columns) -> None:
    for ax in axes:
        percent_axis(ax)
        ax.axhline(0, color=FAINT, linewidth=0.6)
        ax.tick_params(axis="x", length=0, labelbottom=False)
    if len(axes) > 1 and axes[-1].get_position().height * figure.get_figheight() < 0.5:
        axes[-1].set_yticks([0, 1])
    axes[-1].tick_params(axis="x", length=3, labelbottom=True)
    time_axis(axes[-1], float(cols.edges_s[-1]))
    figure.align_ylabels(axes)


def _draw_marks(panels: Sequence[Axes], above: Axes | None, marks: Marks, end_s: float) -> None:
    if above is None:
        return
    for lane, (some, changed) in enumerate(
        (some, changed) for some, changed in ((marks.noted, False), (marks.changed, True)) if some
    ):
        draw_lines(panels, some, end_s, dashed=not changed)
        draw_labels(above, some, end_s, _PLOT_IN, lane + 0.5, filled=changed)


def _legend(ax: Axes, handles: Sequence[Patch]) -> None:
    ax.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(1.01, 1.03),
        fontsize=6.5,
        labelspacing=0.25,
        borderpad=0,
    )


def _in_words(whole: ClassTimeline, expressions: bool) -> str:
    parts = [_("The class over time.")]
    facing, seen = whole.mean_facing_share, whole.mean_seen_share
    if expressions:
        shares = whole.expression_shares
        told = ", ".join(f"{noun(emotion)} {percent(share)}" for emotion, share in shares.items())
        parts.append(
            _("Expressions, means over the lesson: %(told)s.", told=told)
            if shares
            else _("None was readable.")
        )
    if facing is not None:
        parts.append(
            _("Heads faced the front in %(share)s of the moments that could be read.", share=percent(facing))
        )
    if seen is not None:
        students = count(whole.people, "student")
        parts.append(
            _("On average %(share)s of %(students)s were seen.", share=percent(seen), students=students)
        )
    if whole.grid.unseen_s:
        gone_s = sum(end_s - start_s for start_s, end_s in whole.grid.unseen_s)
        parts.append(_("Nothing was seen for %(length)s.", length=length(gone_s)))
    return " ".join(parts)
