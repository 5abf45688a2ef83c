"""Reports in another language: all texts are translatable, and exports stay English."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from db.records import (
    Correction,
    CorrectionKind,
    CorrectionRecord,
    EarlierShare,
    FlagRecord,
    GapRecord,
    MarkerRecord,
    SessionStatus,
    ShareEstimate,
    TrackRecord,
)
from monitor.types import UnreadableReason
from reports.flags.sadness import FlagSettings
from reports.narrative import summary as sentences
from reports.narrative.corrections import describe_correction
from reports.rendering import templates as environment
from reports.rendering.export import report_csv, report_data, report_json
from reports.rendering.html import render_report_html
from reports.text import dates
from reports.text import formatting as words
from reports.text import i18n as language
from reports.text.dates import ReportSettings
from reports.text.i18n import Language, LazyText, current_language, lazy, lazy_plural, use_language
from tests.helpers.bracketed import Bracketed, untranslated_words
from tests.helpers.pages import Page
from tests.helpers.session_report import make_report

SHORT = FlagSettings(min_usable_s=20.0, sad_share=0.05)
DATA = (
    "Physics 10b", "Room 4", "Student", "the plug was pulled", "quiz <1>", "Ms <b>", "a & b", "seat", "Mia",
    "lesson.mp4", "classpulse", "cnn 1", "blaze 1", "none", "2 March 2026", "9 March 2026", "Monday", "UK",
    "demo", "emotion", "behaviour", "aggregate", "A B C", "split", "--at", "FER2013",
)  # fmt: skip
"""Stored texts, and calendar names, which do not come from gettext."""

CARD = {
    "faces": 1686,
    "accuracy": 0.87,
    "sad_recall": 0.66,
    "sad_precision": 0.78,
    "neutral_called_sad": 0.05,
}


@pytest.fixture(scope="module")
def make(lessons):
    """A report with all kinds of records."""

    def _make(mode: str = "emotion", *scripts: str, **changes):
        scripts = scripts or ("ssssssnn" * 8, "nn..??<<" * 8, "zzbb....", "........", "ssssshhh" * 8)
        scripts = (*scripts, *["nnnnbbbb" * 8 + "<<<<<<<<" * 8] * 6)
        at, length = lessons.started_at, max(map(len, scripts))
        kinds = ("sadness", "attention")
        model = lessons.model() | {"scores": CARD}
        values = {
            "mode": mode, "room": "Room 4", "expected_s": length * 5.0 + 600, "bin_s": 5.0,
            "status": SessionStatus.INTERRUPTED, "status_reason": "the plug was pulled",
            "settings": {"policy": {"jurisdiction": "UK", "legal_basis": "consent"}, "model": model},
        }  # fmt: skip
        bins = lessons.aggregate([8, 9, 0, 7] * 10) if mode == "aggregate" else lessons.bins(scripts)
        return make_report(
            lessons.session(length, **values | changes),
            lessons.students(len(scripts)),
            bins,
            lessons.seats(len(scripts)),
            [FlagRecord(7, 1, "sadness", "flagged", {}, "confirmed", "Ms <b>", at + timedelta(7), "a & b")],
            ReportSettings("UTC"),
            SHORT,
            earlier_shares=[
                EarlierShare(1, n, at - timedelta(n), kind, ShareEstimate(0.02, 0.01, 0.03), "flagged")
                for n in (1, 2, 3) for kind in kinds
            ],
            tracks=[TrackRecord(1, 1, 0.0, 9.0, 9), TrackRecord(1, 2, 12.7, 14.0, 9, "seat only")],
            markers=[MarkerRecord(1, 7, 61.0, "quiz <1>")],
            corrections=[
                CorrectionRecord(1, 7, at, None, Correction(kind, 1, 2, at_s), "Student 3", "Mia")
                for kind, at_s in zip(CorrectionKind, (None, None, 7.0), strict=False)
            ],
            masked_seats=2,
            created_at=at,
            gaps=[GapRecord(20.0, 31.0, "paused"), GapRecord(50.0, 55.0, "black frame")],
        )  # fmt: skip

    return _make


@pytest.fixture
def bracketed(monkeypatch) -> None:
    monkeypatch.setattr(language, "load_catalogue", lambda _: Bracketed())


@pytest.mark.usefixtures("bracketed")
class TestNothingGoesPastGettext:
    @pytest.mark.parametrize("mode", ["emotion", "behaviour", "aggregate"])
    def test_full_report_has_no_untranslated_text(self, make, mode):
        html = render_report_html(make(mode))
        assert "[What this report cannot tell]" in html
        assert untranslated_words(html, DATA) == set()

    @pytest.mark.parametrize(
        "scripts",
        [("........", "........"), ("????????", "????????"), ("        ",), ("nnnn....", "????....")],
    )
    def test_sparse_report_has_no_untranslated_text(self, make, lessons, scripts):
        session = lessons.session(8, expected_s=None, status=SessionStatus.RUNNING)
        for mode in ("emotion", "behaviour"):
            bare = make_report(
                lessons.session(8, mode=mode, expected_s=None, status=session.status),
                lessons.students(len(scripts)),
                lessons.bins(scripts),
                settings=ReportSettings("UTC"),
            )
            assert untranslated_words(render_report_html(bare), DATA) == set()

    def test_page_footer_is_translated(self):
        css = environment.style_sheet("report.css")
        lines = re.findall(r"content: .*?; font", css)
        texts = [text for line in lines for text in re.findall(r'"([^"]*)"', line)]
        assert len(texts) == 3
        assert all(text.startswith("[") for text in texts), texts

    def test_untranslated_words_finds_text_without_brackets(self):
        assert untranslated_words(
            "<p>[fine: <b>Student 1</b>] raw</p><svg><text>shut</text></svg>", DATA
        ) == {
            "raw",
            "shut",
        }
        assert untranslated_words('<p aria-label="result">[result]</p>', ()) == {"result"}


@pytest.fixture(scope="module")
def german(make) -> str:
    with use_language("de"):
        return render_report_html(make(bin_s=2.5))


class TestGerman:
    def test_page_has_language_tag(self, german):
        assert '<html lang="de">' in german
        assert "Seite " in german
        assert ' content: "page ' not in german

    def test_german_page_reads_well(self, german):
        text = Page(german).text
        assert "Was dieser Bericht nicht sagen kann" in text
        assert "Mo 2. März 2026, 09:00 (UTC)" in text
        assert "Wirkte traurig:" in text
        assert "Zeitschritt: 2,5 s" in text
        assert not re.search(r"\d\.\d+ %", text)
        assert not re.search(
            r"\b(the|of|and|seen|with|resembling)\b", text.replace("the plug was pulled", "")
        )

    def test_reasons_are_translated_and_stored_in_english(self, make):
        report = make()
        with use_language("de"):
            decision = report.students[1].sadness_decision
            assert decision is not None
            assert "lesbar" in " ".join(decision.reasons)
            stored = decision.to_record(7).numbers["reasons"]
        assert "readable" in " ".join(stored)
        assert stored == list(decision.reasons)

    def test_exports_stay_english(self, make):
        report = make()
        english = report_json(report), report_csv(report)
        with use_language("de"):
            assert (report_json(report), report_csv(report)) == english
            assert current_language() is Language.DE
        assert report_data(report)["summary"][0].startswith("Suggested check-in")

    @pytest.mark.parametrize(
        ("kind", "english", "german"),
        [
            (CorrectionKind.NAME, "Student 3 is Mia", "Student 3 ist Mia"),
            (
                CorrectionKind.MERGE,
                "Student 3 and Mia are the same student",
                "Student 3 und Mia sind dieselbe Person",
            ),
        ],
    )
    def test_corrections_are_translated(self, lessons, kind, english, german):
        record = CorrectionRecord(1, 7, lessons.started_at, None, Correction(kind, 1, 2), "Student 3", "Mia")
        assert describe_correction(record) == english
        with use_language("de"):
            assert describe_correction(record) == german


def test_use_language_is_scoped():
    with use_language("de"):
        assert words.format_count(2, "student") == "2 Personen"
        with use_language(Language.EN):
            assert words.format_count(0, "student") == "no students"
        assert words.join_items(["a", "b", "c"]) == "a, b und c"
    assert current_language() is Language.EN
    with pytest.raises(ValueError, match="fr"), use_language("fr"):
        pass


@pytest.mark.parametrize(("number", "english", "german"), [(2.5, "2.5", "2,5"), (3.0, "3", "3")])
def test_format_decimal_per_language(number, english, german):
    assert words.format_decimal(number) == english
    with use_language("de"):
        assert words.format_decimal(number) == german


def test_dates_per_language(lessons):
    at = lessons.started_at
    with use_language("de"):
        result = [
            dates.format_day(at),
            dates.format_axis_day(at),
            dates.format_table_datetime(at),
            dates.format_short_datetime(at),
        ]
    assert result == ["2. März 2026", "2.3.", "02.03.2026 09:00", "2.3.2026, 09:00"]


def test_lazy_text_is_translated_on_conversion():
    kept = lazy(
        "it may be as little as %(low)s; more than %(needed)s is needed", low="1 %", needed=lazy("never seen")
    )
    assert str(kept) == "it may be as little as 1 %; more than never seen is needed"
    more = lazy_plural("%(num)d\u00a0points more", "%(num)d\u00a0points more", 1)
    with use_language("de"):
        assert str(kept) == "es können auch nur 1 % sein; nötig sind über nie zu sehen"
        assert str(more) == "1\u00a0Prozentpunkt mehr"
    assert kept == LazyText(kept.text, dict(kept.values))


def test_every_unreadable_reason_has_a_tag():
    hidden = {UnreadableReason.ABSENT, UnreadableReason.NOT_COMPUTED}
    assert set(sentences._UNREADABLE_TEXTS) == {one.value for one in UnreadableReason if one not in hidden}
