"""The page about a data set: HTML with embedded charts, which are also written as PNG."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from classpulse.dataset_report.charts import class_example_strips, dataset_charts, labelled_example_strip
from classpulse.dataset_report.findings import dataset_findings
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


_FILTERS = {"percent": words.format_percent, "number": lambda value: f"{value:,}"}


def write_dataset_page(
    folder: Path, source: str, faces: Faces, summary: DatasetSummary, chosen: Examples
) -> list[Path]:
    """Write the page, and each chart as PNG, to ``folder``; returns the files, the page first.

    The example faces are embedded in the page and not written as files. Raises ``ReportError`` if a file
    cannot be written.
    """
    charts = dataset_charts(summary)
    page = render_dataset_page(source, faces, summary, chosen, charts)
    return [
        atomic_write(folder / PAGE_NAME, page.encode("utf-8")),
        *(
            atomic_write(folder / f"{name}.png", figure_to_png(chart.figure))
            for name, chart in charts.items()
        ),
    ]


def render_dataset_page(
    source: str, faces: Faces, summary: DatasetSummary, chosen: Examples, charts: dict[str, FigureWithAlt]
) -> str:
    """The page as HTML: style, charts and examples embedded, no script, no external resource."""
    strips = {
        "contradicted": labelled_example_strip(
            faces, chosen.contradicted, "Faces whose label the raters contradict."
        ),
        "divided": labelled_example_strip(faces, chosen.divided, "Faces on which the raters disagree."),
        "relabelled": labelled_example_strip(
            faces, chosen.relabelled, "Pairs of duplicates with two labels."
        ),
    }
    return make_ids_unique(
        template_environment(_FILTERS)
        .get_template("explore.html.j2")
        .render(
            source=source,
            summary=summary,
            findings=dataset_findings(summary),
            labels=EMOTIONS,
            seed=EXAMPLES_SEED,
            css=Markup((files("templates") / "report.css").read_text("utf-8")),
            charts={name: _svg(chart) for name, chart in charts.items()},
            classes={name: _svg(chart) for name, chart in class_example_strips(faces, chosen).items()},
            strips={name: _svg(chart) for name, chart in strips.items() if chart is not None},
        )
    )


def _svg(chart: FigureWithAlt) -> Markup:
    return Markup(to_svg(chart))
