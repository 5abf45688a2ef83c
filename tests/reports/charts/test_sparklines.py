from __future__ import annotations

import re

import pytest

from reports.charts.coverage import coverage_histogram
from reports.charts.sparklines import facing_sparkline, sadness_sparkline
from tests.helpers.pages import Page


def _areas(svg):
    """Left, right and top of each area, in units of 120 x 20 (0 is the top)."""
    path = re.findall(r' d="([^"]*)"', svg)[0]
    found = []
    for area in path.split("Z"):
        if area.strip():
            xs = [float(x) for x in re.findall(r"[MH]([\d.]+)", area)]
            ys = [float(y) for y in re.findall(r"V([\d.]+)", area)]
            found.append((min(xs), max(xs), min(ys)))
    return found


def _ground(svg):
    path = re.findall(r' d="([^"]*)"', svg)[1]
    return [tuple(map(float, pair)) for pair in re.findall(r"M([\d.]+) \d+H([\d.]+)", path)]


def test_sparkline_has_areas_for_known_columns_only(lessons):
    svg = sadness_sparkline(lessons.timeline("ss?.nn"))
    assert _areas(svg) == [(0, 40, pytest.approx(6, abs=0.1)), (80, 120, pytest.approx(19, abs=0.1))]
    assert _ground(svg) == [(0, 60), (80, 120)]  # seen, though not readable, in the third


def test_facing_sparkline_is_high_for_facing_the_front(lessons):
    svg = facing_sparkline(lessons.timeline("bb<<bb"))
    assert _areas(svg) == [(0, 120, 0)]
    assert "V20H80" in svg  # turned away is at the baseline


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("ss?.nn", "Student 1, resemblance to sadness over time: 38 % on average, from 5 % to 70 %; unknown"),
        ("nn", "Student 1, resemblance to sadness over time: 5 % on average, from 5 % to 5 %"),
        ("..??", "Student 1, resemblance to sadness over time: unknown throughout"),
    ],
)  # fmt: skip
def test_sparkline_has_alternative_text(lessons, script, told):
    page = Page(sadness_sparkline(lessons.timeline(script)))
    (label,) = [value for _, name, value in page.attributes if name == "aria-label"]
    assert label.replace("\N{NO-BREAK SPACE}", " ").startswith(told)
    assert ("svg", "role", "img") in page.attributes


def test_sparkline_escapes_names(lessons):
    line = lessons.timeline("nn")
    line = type(line)(**(vars(line) | {"pseudonym": '"><script>x</script>'}))
    for svg in (sadness_sparkline(line), facing_sparkline(line)):
        assert set(Page(svg).tags) == {"svg", "path"}


def test_sparkline_of_an_hour_is_short(lessons):
    assert len(sadness_sparkline(lessons.timeline("ns" * 360))) < 1500


def test_coverage_histogram_has_bars_by_coverage():
    svg = coverage_histogram([0.97, 0.99, 1.0, 0.52, 0.0])
    bars = [(int(x), float(height)) for x, height in re.findall(r"M(\d+) \d+v-([\d.]+)h", svg)]
    assert bars == [(1, 11.3), (101, 11.3), (191, 34.0)]
    assert "half of them for 97 % or more, the least seen for 0 %, the most seen for 100 %" in svg
    assert Page(svg).problems == []
