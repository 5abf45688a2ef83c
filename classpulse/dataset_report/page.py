"""What is in a data set, as one page of HTML with its charts beside it."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from classpulse.dataset_report.charts import charts, class_strips, labelled_strip
from classpulse.dataset_report.findings import (
    about_agreement,
    about_brightness,
    about_copies,
    about_counts,
    about_undecided,
    summary,
)
from model.data.faces import Faces
from model.emotions import EMOTIONS
from model.evaluation.dataset_summary import Exploration
from model.evaluation.examples import SEED, Examples
from model.plots.style import png
from reports.charts.style import Chart
from reports.charts.svg import apart, to_svg
from reports.rendering.atomic_write import write_whole
from reports.rendering.templates import page_environment
from reports.text import formatting as words

PAGE = "explore.html"

_SAY = {
    "summary": summary,
    "about_counts": about_counts,
    "about_agreement": about_agreement,
    "about_undecided": about_undecided,
    "about_brightness": about_brightness,
    "about_copies": about_copies,
}

_FILTERS = {"percent": words.percent, "number": lambda value: f"{value:,}"}


def write_page(folder: Path, source: str, faces: Faces, found: Exploration, chosen: Examples) -> list[Path]:
    """Write the page and the charts, each as a PNG, into ``folder``; returns the files, the page first.

    The examples are in the page alone: no face becomes a file of its own. Raises ``ReportError`` where
    the folder cannot be written.
    """
    drawn = charts(found)
    page = render_html(source, faces, found, chosen, drawn)
    return [
        write_whole(folder / PAGE, page.encode("utf-8")),
        *(write_whole(folder / f"{name}.png", png(chart.figure)) for name, chart in drawn.items()),
    ]


def render_html(
    source: str, faces: Faces, found: Exploration, chosen: Examples, drawn: dict[str, Chart]
) -> str:
    """The whole page: style, charts and examples inside, no script, nothing loaded from anywhere."""
    strips = {
        "contradicted": labelled_strip(faces, chosen.contradicted, "Faces that raters see otherwise."),
        "divided": labelled_strip(faces, chosen.divided, "Faces that raters were divided on."),
        "relabelled": labelled_strip(faces, chosen.relabelled, "Pairs of one picture with two labels."),
    }
    return apart(
        page_environment(_FILTERS)
        .get_template("explore.html.j2")
        .render(
            source=source,
            found=found,
            labels=EMOTIONS,
            seed=SEED,
            css=Markup((files("templates") / "report.css").read_text("utf-8")),
            charts={name: _svg(chart) for name, chart in drawn.items()},
            classes={name: _svg(chart) for name, chart in class_strips(faces, chosen).items()},
            strips={name: _svg(chart) for name, chart in strips.items() if chart is not None},
            **_SAY,
        )
    )


def _svg(chart: Chart) -> Markup:
    return Markup(to_svg(chart))
