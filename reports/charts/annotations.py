"""Vertical lines in a chart with labels above it; a list below explains the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from reports.charts.style import INK

CHARACTER_IN, PADDING_IN = 0.062, 0.1
"""Width of a character and of the box at 6.5 points, slightly more than DejaVu Sans needs."""


@dataclass(frozen=True)
class Annotation:
    """A label at ``at_s`` (media seconds)."""

    at_s: float
    label: str


def number_annotations(times_s: Sequence[float]) -> list[Annotation]:
    """Labels 1, 2, 3 in the given order, which should be the time order."""
    return [Annotation(at_s, str(number)) for number, at_s in enumerate(times_s, start=1)]


def letter_annotations(times_s: Sequence[float]) -> list[Annotation]:
    """Labels A, B, C, likewise."""
    return [Annotation(at_s, letter) for at_s, letter in zip(times_s, ascii_uppercase, strict=False)]


def merge_labels(annotations: Sequence[Annotation], end_s: float, width_in: float) -> list[Annotation]:
    """The labels over an axis of ``width_in`` inches and ``end_s`` seconds; touching labels become one,
    such as ``4–6``, in their middle."""
    groups: list[list[Annotation]] = []
    for annotation in sorted(annotations, key=lambda annotation: annotation.at_s):
        groups.append([annotation])
        while len(groups) > 1 and _labels_touch(groups[-2], groups[-1], width_in / end_s):
            last = groups.pop()
            groups[-1] += last
    return [_merge_group(group) for group in groups]


def draw_lines(
    axes: Sequence[Axes], annotations: Sequence[Annotation], end_s: float, *, dashed: bool
) -> None:
    """A line at each annotation, with a white outline for contrast on every colour."""
    for ax in axes:
        for annotation in annotations:
            if 0 <= annotation.at_s <= end_s:
                ax.axvline(
                    annotation.at_s,
                    color=INK,
                    linewidth=0.7 if dashed else 1.1,
                    linestyle=(0, (3, 2)) if dashed else "-",
                    path_effects=[withStroke(linewidth=2.0, foreground="white")],
                )


def draw_labels(
    ax: Axes, annotations: Sequence[Annotation], end_s: float, width_in: float, height: float, *, filled: bool
) -> None:
    """The labels at ``height`` of ``ax``, which lies above the chart and shares its time axis."""
    inside = [annotation for annotation in annotations if 0 <= annotation.at_s <= end_s]
    for annotation in merge_labels(inside, end_s, width_in):
        ax.text(
            annotation.at_s,
            height,
            annotation.label,
            ha="center",
            va="center",
            fontsize=6.5,
            color="white" if filled else INK,
            bbox={
                "boxstyle": "square,pad=0.2" if filled else "round,pad=0.2",
                "facecolor": INK if filled else "white",
                "edgecolor": INK,
                "linewidth": 0.5,
            },
        )


def _merge_group(group: Sequence[Annotation]) -> Annotation:
    label = group[0].label if len(group) == 1 else f"{group[0].label}–{group[-1].label}"
    return Annotation((group[0].at_s + group[-1].at_s) / 2, label)


def _labels_touch(left: Sequence[Annotation], right: Sequence[Annotation], in_per_s: float) -> bool:
    first, second = _merge_group(left), _merge_group(right)
    needed_in = (len(first.label) + len(second.label)) * CHARACTER_IN / 2 + PADDING_IN
    return (second.at_s - first.at_s) * in_per_s < needed_in
