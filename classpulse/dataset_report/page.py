"""What is in a data set, as one page of HTML with its charts beside it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from classpulse.dataset_report.charts import class_example_strips, dataset_charts, labelled_example_strip
from classpulse.dataset_report.findings import (
    agreement_findings,
    brightness_findings,
    count_findings,
    duplicate_findings,
    summary_findings,
    undecided_findings,
)
from model.data.faces import Faces
from model.emotions import EMOTIONS
from model.evaluation.dataset_summary import DatasetSummary
from model.evaluation.examples import EXAMPLES_SEED, Examples
from model.plots.style import figure_to_png
from reports.charts.style import FigureWithAlt
from reports.charts.svg import make_ids_unique, to_svg
from reports.rendering.atomic_write import atomic_write
from reports.rendering.templates import template_environment
from reports.text import formatting as words

PAGE_NAME = "explore.html"

_FINDINGS = {
    "summary": summary_findings,
    "about_counts": count_findings,
    "about_agreement": agreement_findings,
    "about_undecided": undecided_findings,
    "about_brightness": brightness_findings,
    "about_copies": duplicate_findings,
}

_FILTERS = {"percent": words.format_percent, "number": lambda value: f"{value:,}"}


def write_dataset_page(
    folder: Path, source: str, faces: Faces, summary: DatasetSummary, chosen: Examples
) -> list[Path]:
    """Write the page and the charts, each as a PNG, into ``folder``; returns the files, the page first.

    The examples are in the page alone: no face becomes a file of its own. Raises ``ReportError`` where
    the folder cannot be written.
    """
    drawn = dataset_charts(summary)
    page = render_dataset_page(source, faces, summary, chosen, drawn)
    return [
        atomic_write(folder / PAGE_NAME, page.encode("utf-8")),
        *(atomic_write(folder / f"{name}.png", figure_to_png(chart.figure)) for name, chart in drawn.items()),
    ]


def render_dataset_page(
    source: str, faces: Faces, summary: DatasetSummary, chosen: Examples, drawn: dict[str, FigureWithAlt]
) -> str:
    """The whole page: style, charts and examples inside, no script, nothing loaded from anywhere."""
    strips = {
        "contradicted": labelled_example_strip(
            faces, chosen.contradicted, "Faces that raters see otherwise."
        ),
        "divided": labelled_example_strip(faces, chosen.divided, "Faces that raters were divided on."),
        "relabelled": labelled_example_strip(
            faces, chosen.relabelled, "Pairs of one picture with two labels."
        ),
    }
    return make_ids_unique(
        template_environment(_FILTERS)
        .get_template("explore.html.j2")
        .render(
            source=source,
            found=summary,
            labels=EMOTIONS,
            seed=EXAMPLES_SEED,
            css=Markup((files("templates") / "report.css").read_text("utf-8")),
            charts={name: _svg(chart) for name, chart in drawn.items()},
            classes={name: _svg(chart) for name, chart in class_example_strips(faces, chosen).items()},
            strips={name: _svg(chart) for name, chart in strips.items() if chart is not None},
            **_FINDINGS,
        )
    )


def _svg(chart: FigureWithAlt) -> Markup:
    return Markup(to_svg(chart))
