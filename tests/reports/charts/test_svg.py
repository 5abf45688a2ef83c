from __future__ import annotations

from reports.charts.svg import make_ids_unique

CHART = (
    '<svg role="img"><defs><path id="m1"/><clipPath id="p1"/></defs>'
    '<a href="#student-3"><use xlink:href="#m1" clip-path="url(#p1)" style="fill: url(#m1)"/></a></svg>'
)


def test_make_ids_unique_renames_equal_ids() -> None:
    page = make_ids_unique(f'<p id="m1"><a href="#m1">{CHART}</a><svg><g/></svg>{CHART}')
    assert page == (
        '<p id="m1"><a href="#m1">'
        + CHART.replace("m1", "c1-m1").replace("p1", "c1-p1")
        + "</a><svg><g/></svg>"
        + CHART.replace("m1", "c2-m1").replace("p1", "c2-p1")
    )
