"""A report always mentions missed faces next to the number of seen students."""

from __future__ import annotations

import json

import pytest

from db.records import ONLINE_SOURCE
from db.small_faces import SmallFaces
from reports.narrative.small_faces import (
    missed_faces_hint,
    missed_faces_limit,
    missed_faces_problem,
    missed_faces_warning,
)
from reports.narrative.summary import summary_sentences
from reports.rendering.export import report_data
from reports.rendering.html import render_report_html
from reports.text.i18n import Language, use_language
from tests.helpers.session_report import make_report
from tests.reports.rendering.test_export_schema import problems

TWELVE = SmallFaces.from_sizes([12.5] * 10 + [9.0, 23.0], 2, 24)
TWO_OF_ANY_SIZE = SmallFaces.from_sizes([13.0, 40.0], 2, 24)
ONE_OF_MANY = SmallFaces.from_sizes([13.0], 22, 24)
NONE = SmallFaces.from_sizes([], 22, 24)
SEEN = "students were seen, on average for 100 %"


def plain(text: str | None) -> str | None:
    return None if text is None else text.replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def make(lessons):
    def _make(found, *scripts, **changes):
        session = lessons.session(max(map(len, scripts)), small_faces=found, **changes)
        rows = lessons.aggregate([8] * 6) if changes.get("mode") == "aggregate" else lessons.bins(scripts)
        return make_report(session, lessons.students(len(scripts)), rows)

    return _make


def test_warning_has_problem_and_hint() -> None:
    assert plain(missed_faces_warning(TWELVE)) == (
        "About 12 more faces are smaller than 24 px. "
        "Set detection.min_face_px to 12, or use the camera's full resolution."
    )
    assert (
        plain(missed_faces_problem(TWO_OF_ANY_SIZE))
        == "About 2 more faces were found only by a more thorough search."
    )


@pytest.mark.parametrize(
    ("sizes", "min_face_px", "result"),
    [
        ((8.0, 9.0), 24, "Use the camera's full resolution, or place it closer to the class."),
        ((9.0, 10.0), 12, "Use the camera's full resolution, or place it closer to the class."),
        ((30.0, 31.0), 24, "Place the camera closer to the class, or improve the light."),
        ((18.0, 19.0), 24, "Set detection.min_face_px to 18, or use the camera's full resolution."),
    ],
)
def test_hint_suggests_no_useless_setting(sizes, min_face_px: int, result: str) -> None:
    assert missed_faces_hint(SmallFaces.from_sizes(sizes, 2, min_face_px)) == result


def test_no_warning_for_few_missed_faces() -> None:
    for found in (None, NONE, ONE_OF_MANY):
        assert missed_faces_problem(found) is None
        assert missed_faces_warning(found) is None


@pytest.mark.parametrize("mode", ["emotion", "behaviour"])
def test_summary_states_missed_faces_with_seen_students(make, mode: str) -> None:
    sentences = [
        plain(sentence) or "" for sentence in summary_sentences(make(TWELVE, "nnnnnn", "nnnnnn", mode=mode))
    ]
    at = next(n for n, one in enumerate(sentences) if SEEN in one)
    assert sentences[at + 1].startswith("About 12 more faces are smaller than 24 px. ")
    assert "This report does not contain them." in sentences[at + 1]
    assert "min_face_px to 12" in sentences[at + 1]


def test_empty_and_aggregate_summaries_state_missed_faces(make) -> None:
    for report in (make(TWELVE, "......"), make(TWELVE, "nnnnnn", mode="aggregate")):
        assert any("About 12 more faces" in sentence for sentence in summary_sentences(report))


def test_summary_without_missed_faces_has_no_notice(make) -> None:
    for found in (None, NONE, ONE_OF_MANY):
        assert not any(
            "more face" in sentence for sentence in summary_sentences(make(found, "nnnnnn", "nnnnnn"))
        )


def test_page_shows_missed_faces_at_top_and_in_limits(make) -> None:
    page = plain(render_report_html(make(TWELVE, "nnnnnn", "nnnnnn"))) or ""
    assert '<p class="missed">About 12 more faces are smaller than 24 px.' in page
    assert "About 12 faces were found in addition to the 2 that the detector reported." in page
    assert 'class="missed"' not in render_report_html(make(NONE, "nnnnnn"))


def test_unchecked_session_states_that(lessons) -> None:
    def result(found: SmallFaces | None, **changes: object) -> str | None:
        return missed_faces_limit(lessons.session(small_faces=found, **changes))

    assert result(None) == "Whether faces were missed was not checked in this lesson."
    assert (result(NONE) or "").endswith("No further face was found.")
    assert "About 1 face was found in addition to the 22" in (result(ONE_OF_MANY) or "")
    assert result(None, source=ONLINE_SOURCE) is None


def test_notice_in_german(make) -> None:
    with use_language(Language.DE):
        result = [plain(sentence) or "" for sentence in summary_sentences(make(TWELVE, "nnnnnn", "nnnnnn"))]
        page = render_report_html(make(NONE, "nnnnnn"))
    assert any(
        one.startswith("Etwa 12 weitere Gesichter sind kleiner als 24 px. Dieser Bericht") for one in result
    )
    assert "Es wurde kein weiteres Gesicht gefunden." in page


def test_json_has_missed_faces(make) -> None:
    for found in (None, NONE, TWELVE):
        data = json.loads(json.dumps(report_data(make(found, "nnnnnn"))))
        assert problems(data) == []
        if found is None:
            assert data["small_faces"] is None
        else:
            assert data["small_faces"] == found.to_json() | {"warning": found is TWELVE}
    data["small_faces"]["more"] = 1
    assert problems(data)
