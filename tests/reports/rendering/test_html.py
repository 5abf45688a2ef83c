from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

import reports
from db.records import (
    Correction,
    CorrectionKind,
    CorrectionRecord,
    FlagRecord,
    MarkerRecord,
    SessionStatus,
    TrackRecord,
)
from reports.flags.sadness import FlagSettings
from reports.rendering.html import render_report_html, report_facts
from reports.text.dates import ReportSettings
from tests.helpers.pages import Page
from tests.helpers.session_report import make_report

SHORT = FlagSettings(min_usable_s=20.0, sad_share=0.05)
UTC = ReportSettings("UTC")


@pytest.fixture(scope="module")
def make(lessons):
    def _make(*scripts, students=None, flags=(), **changes):
        session = lessons.session(max(map(len, scripts), default=0), **changes)
        people = students or lessons.students(len(scripts))
        bins = lessons.bins(scripts)
        return make_report(session, people, bins, lessons.seats(len(people)), flags, UTC, SHORT)

    return _make


@pytest.fixture(scope="module")
def html(make):
    return render_report_html(make("ssssssnn", "nnnnnnnn", "nn......", "........"))


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_page_headings_in_order(page):
    assert page.headings == [
        "Physics 10b",
        "The class over time",
        "Student by student",
        "Expression resembling sadness",
        "Head turned from the front",
        "Suggested check-ins",
        "Student 1 seat 1",
        "All students",
        "What this report cannot tell",
        "How this report was made",
    ]
    assert page.text.index("Suggested check-in: Student 1.") < page.text.index("The class over time")
    assert "Monday 2 March 2026, 09:00 (UTC)" in page.text


def test_page_is_well_formed(page):
    assert page.problems == []
    assert page.charts == 4  # the class, two maps, a strip
    assert page.tags.count("svg") - page.charts == 1 + 2 * 3  # coverage, two sparklines per seen student
    assert ("html", "lang", "en-GB") in page.attributes


def test_every_student_has_a_row(page):
    header, *rows = page.everyone
    assert [cell.strip() for cell in header] == [
        "Student",
        "Seen",
        "Facing front",
        "Eyes closed most",
        "Looked sad-like",
        "Outcome",
    ]
    first = [cell.replace("\N{NO-BREAK SPACE}", " ").strip() for cell in rows[0]]
    assert first[:4] == ["Student 1", "100 %", "100 %", "–"]
    assert re.fullmatch(r"75 % \(\d+–\d+ %\)", first[4])
    assert first[-1] == "check-in suggested: sadness"
    assert [row[-1] for row in rows[1:]] == [
        "no flag",
        "not enough datareadable for 10\N{NO-BREAK SPACE}s of the 20\N{NO-BREAK SPACE}s needed",
        "not seen",
    ]


def test_page_is_self_contained(html, page):
    assert not {"script", "link", "iframe", "img", "object", "embed"} & set(page.tags)
    loading = {"src", "href", "xlink:href", "srcset", "action", "background", "poster", "data"}
    targets = [value for _, name, value in page.attributes if name in loading]
    assert all(target.startswith("#") for target in targets)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "@import" not in html
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))


def test_every_chart_has_a_text_alternative(page):
    labels = [value for tag, name, value in page.attributes if (tag, name) == ("svg", "aria-label")]
    assert len(labels) == page.tags.count("svg")
    assert all(len(label) > 40 for label in labels)


def test_every_chart_has_a_collapsed_table(page):
    assert page.tags.count("details") == page.tags.count("summary") == 4  # the class, two maps, angles
    assert page.tags.count("caption") == 4
    sad = page.tables[1]
    result = [cell.replace("\N{NO-BREAK SPACE}", " ") for cell in sad[1]]
    assert result == ["Student 1", *["70 %"] * 6, *["5 %"] * 2]


def test_heading_levels_have_no_gaps(html):
    levels = [int(level) for level in re.findall(r"<h(\d)", html)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_sections_have_names_and_headers_scopes(html, page):
    ids = {value for _, name, value in page.attributes if name == "id"}
    named = [value for _, name, value in page.attributes if name == "aria-labelledby"]
    assert set(named) <= ids
    sections = re.findall(r"<section([^>]*)>", html)
    assert all("aria-labelledby" in attributes for attributes in sections)
    assert page.tags.count("th") == sum((tag, name) == ("th", "scope") for tag, name, _ in page.attributes)
    # IDs inside charts are derived from the shapes: equal IDs mean equal patterns.
    ours = [value for tag, name, value in page.attributes if name == "id" and tag in {"h2", "div"}]
    assert len(ours) == len(set(ours)) == 7


def test_glance_links_to_flagged_students(page):
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert links == ["#student-1"]
    assert ("div", "id", "student-1") in page.attributes


@pytest.mark.parametrize("mode", ["emotion", "behaviour", "aggregate"])
def test_page_never_states_that_a_student_is_sad(make, mode):
    text = Page(render_report_html(make("ssssssnn", "nnnnnnnn", mode=mode))).text.lower()
    for decision in ("is sad", "was sad", "are sad", "feels", "depress"):
        assert decision not in text


def test_names_are_escaped(make, lessons):
    evil = "<script>alert('x')</script>"
    students = [replace(lessons.students(1)[0], pseudonym=evil)]
    flags = [FlagRecord(7, 1, "sadness", "flagged", {}, "confirmed", "<i>me</i>", None, "<b>note</b>")]
    html = render_report_html(
        make("ssssssss", students=students, flags=flags, class_name="<u>Class</u> & Co")
    )
    page = Page(html)
    assert not {"script", "i", "b", "u"} & set(page.tags)
    assert page.problems == []
    assert f"Confirmed on review: {evil}." in page.text
    assert "Confirmed on review by <i>me</i>: <b>note</b>" in page.text
    assert page.headings[0] == "<u>Class</u> & Co"


def test_names_notes_and_markers_are_isolated(make, lessons):
    arabic = "محمد"
    students = [replace(lessons.students(1)[0], pseudonym=arabic)]
    flags = [FlagRecord(7, 1, "sadness", "flagged", {}, "confirmed", arabic, None, arabic)]
    report = make("ssssssss", students=students, flags=flags, class_name=arabic)
    html = render_report_html(replace(report, markers=(MarkerRecord(1, 7, 5.0, arabic),)))
    result = re.sub(r"<svg.*?</svg>|<title>.*?</title>", "", html, flags=re.DOTALL)
    assert len(re.findall(f"<bdi>{arabic}</bdi>", result)) == result.count(arabic) - result.count(
        f"\u2068{arabic}\u2069"
    )
    assert f"Confirmed on review: \u2068{arabic}\u2069." in result


def test_change_points_are_listed_drawn_and_explained(lessons):
    bins = lessons.bins(["b" * 40 + "<" * 40] * 8)
    session = lessons.session(80, mode="behaviour")
    html = render_report_html(make_report(session, lessons.students(8), bins, settings=UTC))
    page = Page(html)
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "When the class changed most" in page.headings
    assert "changed most at 3:20: heads facing the front fell from 100 % to 0 %." in text
    assert ">A</text>" in html
    quiet = Page(
        render_report_html(
            make_report(session, lessons.students(8), lessons.bins(["b" * 80] * 8), settings=UTC)
        )
    )
    assert "At no time did the class change by more than chance can explain." in quiet.text
    assert "When the class changed most" not in quiet.headings


def test_creation_time_is_the_only_difference(lessons):
    args = lessons.session(8), lessons.students(1), lessons.bins(["nnnnnnnn"])
    pages = [
        render_report_html(make_report(*args, settings=ReportSettings("Europe/Madrid"), created_at=at))
        for at in (None, lessons.started_at, lessons.started_at + timedelta(days=120, hours=1))
    ]
    result = '<p class="soft">Report created Tuesday 30 June 2026, 12:00 (CEST)</p>'
    assert result in pages[2]
    assert len({re.sub(r"<p class=.soft.>Report created .*?</p>\n", "", html) for html in pages}) == 1


def test_heads_and_eyes_have_their_own_columns(make):
    """Directions, shares and times in both modes; a dash with too little data."""
    scripts = ("b" * 24 + "z" * 6 + "<" * 6, "." * 36)
    page = Page(render_report_html(make(*scripts, mode="behaviour")))
    header, first, second = [[re.sub(r"\s+", " ", cell).strip() for cell in row] for row in page.tables[-1]]
    assert header[:3] == ["Student", "Usual direction", "Furthest from it"]
    assert first == [
        "Student 1",
        "5° left, 10° down",
        "22° left at 2:00",
        "100 %",
        "−50 points at 2:00",
        "30 s",
    ]
    assert second == ["Student 2", *["–"] * 5]
    more = Page(render_report_html(make("ssssssnn"))).tables[-1]
    assert more[0][-2:] == ["Readable", "Most often"]
    assert more[1][-2:] == ["100\N{NO-BREAK SPACE}%", "sadness"]
    result = [cell.replace("\N{NO-BREAK SPACE}", " ").strip() for cell in page.everyone[1]]
    assert result[:-1] == ["Student 1", "100 %", "83 %", "100 % at 2:00", "0:00"]
    assert result[-1].startswith("not enough data")


def test_furthest_direction_is_pitch_if_larger(lessons):
    bins = [
        replace(row, pitch_deg=-10.0 if n < 24 else -45.0) for n, row in enumerate(lessons.bins(["b" * 36]))
    ]
    session = lessons.session(36, mode="behaviour")
    page = Page(render_report_html(make_report(session, lessons.students(1), bins, settings=UTC)))
    assert page.tables[-1][1][2].replace("\N{NO-BREAK SPACE}", " ") == "35° down at 2:00"


def test_dismissed_flag_is_marked(make):
    flags = [FlagRecord(7, 1, "sadness", "flagged", {}, "dismissed", None, None, "was reading")]
    page = Page(render_report_html(make("ssssssss", "ssssssnn", flags=flags)))
    assert "Dismissed on review: was reading" in page.text
    assert [row[-1] for row in page.everyone[1:]] == ["dismissed: sadness", "check-in suggested: sadness"]
    students = [heading.strip() for heading in page.headings if "seat" in heading]
    assert students[:2] == ["Student 2 seat 2", "Student 1 seat 1"]


def test_room_is_shown_if_set(make):
    page = Page(render_report_html(make("nn", room="<script>2</script>")))
    assert "(UTC) · <script>2</script> " in page.text
    assert "script" not in page.tags
    assert "(UTC) · " not in Page(render_report_html(make("nn"))).text


def test_versions_and_reasons_are_escaped(make):
    html = render_report_html(
        make("nn", versions={"<img>": "<img src=x>"}, status=SessionStatus.INTERRUPTED, status_reason="<hr>")
    )
    assert not {"img", "hr"} & set(Page(html).tags)


def test_behaviour_page_has_no_emotions(make):
    html = render_report_html(make("bb<bbbbb", "b.bbb<<b", mode="behaviour"))
    page = Page(html)
    result = html.lower().replace("no expression was computed in this mode", "")
    for word in ("sad", "emotion", "expression", "angry", "happi", "neutral"):
        assert word not in result
    assert page.headings[1:5] == [
        "The class over time",
        "Student by student",
        "Head turned from the front",
        "All students",
    ]
    assert "First seen at" in page.everyone[0]
    assert "to the front" in html


def test_aggregate_page_names_no_student(lessons):
    session = lessons.session(6, mode="aggregate")
    report = make_report(session, lessons.students(6), lessons.aggregate([6] * 6), settings=UTC)
    page = Page(render_report_html(report))
    assert page.tags.count("svg") == page.charts == 1
    assert [table[0][0] for table in page.tables] == ["From"]  # the class table only
    assert "Student 1" not in page.text
    assert ("Most seen at a time", "6") in report_facts(report)


def test_aggregate_page_of_four_has_no_chart(lessons):
    session = lessons.session(6, mode="aggregate")
    page = Page(render_report_html(make_report(session, [], lessons.aggregate([4] * 6), settings=UTC)))
    assert "svg" not in page.tags
    assert "There is no curve: at most 4" in page.text.replace("\N{NO-BREAK SPACE}", " ")


def test_page_without_flags_has_no_check_ins_section(make):
    page = Page(render_report_html(make("nnnnnnnn")))
    assert "Suggested check-ins" not in page.headings
    assert "No check-in is suggested" in page.text


@pytest.mark.parametrize(
    ("scripts", "changes", "charts", "result"),
    [
        ([], {}, 0, "Nothing was watched"),
        (["...."], {}, 0, "No student was seen"),
        (["????", "<<<<"], {}, 3, "No face could be read"),
        (["????"], {}, 2, "nor head directions"),
        (["n"], {"end_s": 0.0, "watched_s": 0.5}, 3, "not enough data on any student"),
    ],
)
def test_page_with_little_data(make, scripts, changes, charts, result):
    page = Page(render_report_html(make(*scripts, **changes)))
    assert page.charts == charts
    assert result in page.text
    assert page.problems == []


def test_interruption_is_shown_before_the_summary(make):
    report = make("nnnn", expected_s=3000.0, status=SessionStatus.INTERRUPTED, status_reason="power cut")
    page = Page(render_report_html(report))
    assert ("p", "role", "alert") in page.attributes
    assert page.text.index("This lesson was interrupted: power cut.") < page.text.index("No check-in")


@pytest.mark.parametrize(
    ("expected_s", "status", "result"),
    [
        (40.0, SessionStatus.INTERRUPTED, "40 s"),
        (60.0, SessionStatus.INTERRUPTED, "40 s of 1 min"),
        (None, SessionStatus.INTERRUPTED, "40 s"),
        (38.0, SessionStatus.INTERRUPTED, "40 s"),
        # Read to its end: 60 s are the length of its sound, or wrong.
        (60.0, SessionStatus.FINISHED, "40 s"),
    ],
)
def test_planned_length_is_shown_if_not_reached(make, expected_s, status, result):
    watched = dict(report_facts(make("nnnnnnnn", expected_s=expected_s, status=status)))["Watched"]
    assert watched.replace("\N{NO-BREAK SPACE}", " ") == result


def test_page_is_reproducible(make, html):
    assert render_report_html(make("ssssssnn", "nnnnnnnn", "nn......", "........")) == html


def test_page_of_an_hour_with_thirty_students_is_small(lessons):
    scripts = [("nnsnhun?.<" * 72)[shift : shift + 720] for shift in range(10)] * 3
    scripts = [script.ljust(720, "n") for script in scripts]
    report = make_report(lessons.session(720), lessons.students(30), lessons.bins(scripts))
    assert len(render_report_html(report)) < 1_500_000


def test_limits_have_thresholds_and_references(page):
    text = page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "less than 20 s of readable time, less than 20 % of the watched time seen" in text
    for source in ("Barrett et al. 2019", "Rhue 2018", "Li et al. 2023", "FER+", "Künsch 1989"):
        assert source in text
    assert "detector: blaze 1" in text


def test_rendering_imports_no_heavy_framework():
    code = (
        "import sys, reports.rendering.writers, reports.history, reports.rendering.pdf; "
        "print({'cv2', 'mediapipe', 'tensorflow', 'ai_edge_litert', 'matplotlib.pyplot'} & set(sys.modules))"
    )
    root = Path(reports.__file__).parents[1]
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert found.stdout.strip() == "set()"


@pytest.fixture
def put_right(lessons):
    """A report with markers, corrections and tracks."""
    tracks = [TrackRecord(2, 1, 0.0, 9.0, 9), TrackRecord(2, 2, 22.7, 39.0, 9, "seat only")]
    markers = [MarkerRecord(1, 7, 61.0, "the <camera> was moved"), MarkerRecord(2, 7, 90.0, "quiz")]
    pair = Correction(CorrectionKind.MERGE, 3, 1), Correction(CorrectionKind.NAME, 1, 4)
    corrections = [
        CorrectionRecord(1, 7, lessons.started_at, lessons.started_at, pair[0], "Student 3", "Student 1"),
        CorrectionRecord(2, 7, lessons.started_at, None, pair[1], "Student 1", "Mia"),
    ]

    def make(mode: str = "emotion"):
        return make_report(
            lessons.session(8, mode=mode), lessons.students(2), lessons.bins(["nnnnnnnn", "nsssssss"]),
            settings=UTC, flag_settings=SHORT,
            tracks=tracks, markers=markers, corrections=corrections,
        )  # fmt: skip

    return make


@pytest.mark.parametrize("mode", ["emotion", "behaviour"])
def test_uncertain_reidentification_is_shown_with_command(put_right, mode):
    page = Page(render_report_html(put_right(mode)))
    first, second, remark = page.everyone[1:]
    result = "At 0:22 a different student may have sat down here."
    assert (first[0], second[0], remark) == ("Student 1", "Student 2", [result])
    columns = [value for tag, name, value in page.attributes if (tag, name) == ("td", "colspan")]
    assert columns == [str(len(page.everyone[0]))]
    assert 'classpulse seats split 7 "Student 2" --at 0:22' in page.text
    # The note is next to the suggestion, too.
    assert page.text.count(result) == (2 if mode == "emotion" else 1)


def test_no_command_without_uncertain_reidentification(page):
    assert "a different student" not in page.text
    assert "seats split" not in page.text


def test_markers_are_listed(put_right, page):
    text = Page(render_report_html(put_right())).text
    assert "Markers 1 1:01 the <camera> was moved 2 1:30 quiz" in text
    assert "Numbers: markers." in text
    assert "Markers" not in page.headings


def test_active_corrections_are_listed(put_right, page):
    text = Page(render_report_html(put_right())).text
    assert "manual corrections: Student 1 is Mia " in text
    assert "are the same student" not in text
    assert "manual corrections" not in page.text


def test_seat_of_renamed_student_is_shown(lessons):
    seat = replace(lessons.seats(1)[0], label="Student 5")
    bins = lessons.bins(["ssssssss"])
    report = make_report(lessons.session(8), lessons.students(1), bins, [seat], (), UTC, SHORT)
    assert "Student 1 recorded as Student 5" in Page(render_report_html(report)).headings
