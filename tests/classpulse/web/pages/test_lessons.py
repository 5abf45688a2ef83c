"""Past lessons, reports and corrections: access and content."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from classpulse.services.assessment import reassess_session
from classpulse.services.erasure import erase_students_and_report
from classpulse.services.reports import REPORT_WRITERS, generate_report
from classpulse.web.downloads import content_disposition
from db import sessions as queries
from db.accounts import set_account_classes
from db.erasure import erase_student
from db.records import SessionProgress, SessionStatus
from db.roster import save_student_names
from db.small_faces import SmallFaces
from db.unit_of_work import Store
from tests.helpers.recorded import BINS, START, class_number, new_session, one_bin

EVIL = '<script>alert("1")</script>/7b \u0645\u062f\u0631\u0633\u0629'


@pytest.fixture
def assessed(config, engine, session_7b) -> int:
    """The session of 7b with its flags; "Student 2" has one."""
    reassess_session(engine, session_7b, config)
    return session_7b


def more_lessons(
    engine, config, class_name: str, count: int, pseudonym: str, mode: str = "emotion"
) -> list[int]:
    """Weekly lessons of a class with one student of its roster."""
    made, student = [], 0
    for week in range(count):
        new = replace(new_session(mode), class_name=class_name, started_at=START + timedelta(weeks=week))
        with Store(engine).unit_of_work() as unit:
            number = unit.start_session(new)
            student = student or unit.add_unrecorded_student(number, pseudonym, to_roster=True)
            letters = "n" * BINS if week != 1 else "." * BINS
            bins = [one_bin(student, n, letter) for n, letter in enumerate(letters)]
            if mode == "behaviour":
                bins = [replace(one, usable_samples=0, probabilities=None) for one in bins]
            unit.write_bins(number, bins)
            unit.save_progress(number, SessionProgress(BINS * 5.0, BINS * 5.0, BINS * 10, 0))
            unit.end_session(number, SessionStatus.FINISHED, new.started_at + timedelta(minutes=5), "")
            unit.commit()
        reassess_session(engine, number, config)
        made.append(number)
    return made


ADDRESSES = (
    "/lessons/{session}",
    "/lessons/{session}/report",
    "/lessons/{session}/report.pdf",
    "/lessons/{session}/report.csv",
    "/classes/{group}",
    "/classes/{group}/students/{student}",
    "/classes/{group}/compare",
    "/classes/{group}/compare?first={session}&second={session}",
    "/classes/{group}/term",
    "/classes/{group}/term/report",
    "/classes/{group}/term.pdf",
)


def test_pages_of_another_class_are_404(browser, engine, assessed) -> None:
    student = queries.list_students(engine, assessed)[0].id
    group = class_number(engine, "7b")
    ben, cleo = browser("Ben"), browser("Cleo")
    for address in ADDRESSES:
        path = address.format(session=assessed, group=group, student=student)
        answer = ben.get(path)
        assert answer.status_code == 404, path
        assert "Student" not in answer.text, path
    assert [entry for entry in queries.list_audit_entries(engine) if entry.action == "view"] == []
    for address in ADDRESSES:
        path = address.format(session=assessed, group=group, student=student)
        assert cleo.get(path).status_code == 200, path


def test_changes_of_another_class_are_rejected(browser, engine, assessed) -> None:
    ben, cleo = browser("Ben"), browser("Cleo")
    student = queries.list_students(engine, assessed)[1].id
    assert ben.submit(f"/lessons/{assessed}/report").status_code == 404
    fields = {"action": "assign", "student": student, "new": "Mia"}
    assert ben.submit(f"/lessons/{assessed}/corrections", **fields).status_code == 404
    assert cleo.submit(f"/lessons/{assessed}/corrections", **fields).status_code == 403
    fields = {"student": student, "sure": "yes"}
    assert ben.submit(f"/lessons/{assessed}/erase", **fields).status_code == 404
    assert ben.get(f"/lessons/{assessed}/erase?student={student}").status_code == 404
    assert cleo.submit(f"/lessons/{assessed}/erase", **fields).status_code == 403
    assert len(queries.list_students(engine, assessed)) == 4
    address = f"/check-ins/{assessed}/{student}/sadness"
    assert ben.submit(address, decision="confirmed").status_code == 404
    assert queries.list_corrections(engine, assessed) == []
    assert {flag.review for flag in queries.list_flags(engine, assessed)} == {"open"}


def test_student_of_another_class_is_404(browser, engine, config, accounts, assessed) -> None:
    ada = browser("Ada")
    ben = browser("Ben")
    more_lessons(engine, config, "8c", 1, "Noa")
    noa = queries.list_roster_students(engine, "8c")[0].id
    groups = {one: number for number, one in ((1, "7b"), (2, "8c"))}
    assert ada.get(f"/classes/{groups['7b']}/students/{noa}").status_code == 404
    assert ben.get(f"/classes/{groups['8c']}/students/{noa}").status_code == 200
    other = queries.get_latest_session(engine, "8c").id
    page = ada.get(f"/classes/1/compare?first={assessed}&second={other}").text
    assert "Difference" not in page


def test_list_shows_and_filters_lessons(browser, engine, config, assessed) -> None:
    ada = browser("Ada")
    cleo = browser("Cleo")
    more_lessons(engine, config, "8c", 1, "Noa")
    page = ada.shown("/lessons")
    assert f'href="/lessons/{assessed}"' in page
    assert "1 lesson" in page
    assert "8c" not in page
    assert page.count("<tr>") == 2
    everything = cleo.get("/lessons").text
    assert "8c" in everything
    assert "1 lesson" in cleo.get("/lessons?class=2").text
    assert "1 open" in page
    assert "1 lesson" in ada.get("/lessons?flagged=1").text
    assert "No lesson matches the filter" in ada.get("/lessons?interrupted=1").text
    day = f"{START:%Y-%m-%d}"
    assert "1 lesson" in ada.get(f"/lessons?since={day}&until={day}").text
    assert "0 lessons" in ada.get("/lessons?since=2030-01-01").text
    assert ada.get("/lessons?since=nonsense&page=-3&class=99&room=x").status_code == 200


def test_lesson_shows_names_and_audits_view(browser, engine, assessed) -> None:
    people = queries.list_students(engine, assessed)
    with Store(engine).unit_of_work() as unit:
        save_student_names(unit, {people[0].id: "Zo\u00eb <b>M</b>"})
        unit.commit()
    page = browser("Ada").get(f"/lessons/{assessed}").text
    assert "Zo\u00eb &lt;b&gt;M&lt;/b&gt;" in page
    assert "check-in suggested" in page
    assert "the camera was moved" in page
    newest = queries.list_audit_entries(engine)[0]
    assert (newest.action, newest.subject) == ("view", f"session {assessed}")
    assert "by Ada" in newest.detail
    assert "with names" in newest.detail
    assert "Zo" not in newest.detail


def test_report_is_generated_once_and_again_after_correction(
    browser, engine, config, assessed, monkeypatch
) -> None:
    made = []

    def counted(*args, **named):
        made.append(named["formats"])
        return generate_report(*args, **named)

    monkeypatch.setattr("classpulse.web.report_cache.generate_report", counted)
    ada = browser("Ada")
    first = ada.get(f"/lessons/{assessed}/report")
    assert first.status_code == 200
    assert "lesson report" in first.text.lower()
    policy = first.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert ada.get(f"/lessons/{assessed}/report").text == first.text
    assert made == [("html",)]
    student = next(one for one in queries.list_students(engine, assessed) if one.pseudonym == "Student 2")
    answer = ada.submit(
        f"/lessons/{assessed}/corrections", action="assign", student=student.id, person="", new="Mia"
    )
    assert answer.status_code == 303
    assert "Mia" in ada.get(f"/lessons/{assessed}/report").text
    assert len(made) == 2


class TestConcurrentReport:
    """Changes during the generation of a report make that report outdated."""

    @pytest.fixture
    def meanwhile(self, monkeypatch):
        """Runs a change while the first report of a kind is generated, after its data were read."""

        def use(kind: str, change) -> None:
            waiting, write = [change], REPORT_WRITERS[kind]

            def slowly(*args):
                if waiting:
                    waiting.pop()()
                return write(*args)

            monkeypatch.setitem(REPORT_WRITERS, kind, slowly)

        return use

    def test_correction_during_generation_is_in_report(self, browser, engine, assessed, meanwhile) -> None:
        ada, other = browser("Ada"), browser("Ada")
        student_id = next(
            student.id
            for student in queries.list_students(engine, assessed)
            if student.pseudonym == "Student 2"
        )
        address = f"/lessons/{assessed}/corrections"
        meanwhile("html", lambda: other.submit(address, action="assign", student=student_id, new="Mia"))
        assert "Mia" in ada.get(f"/lessons/{assessed}/report").text
        assert "Mia" in ada.get(f"/lessons/{assessed}/report").text

    def test_erasure_during_generation_is_in_report(
        self, browser, config, engine, assessed, meanwhile
    ) -> None:
        ada, other = browser("Ada"), browser("Ada")
        student_id = next(
            student.id
            for student in queries.list_students(engine, assessed)
            if student.pseudonym == "Student 2"
        )
        erased = []

        def erase() -> None:
            erased.append(
                other.submit(f"/lessons/{assessed}/erase", student=student_id, sure="yes").status_code
            )

        meanwhile("csv", erase)
        csv = ada.get(f"/lessons/{assessed}/report.csv").content
        assert erased == [303]
        assert b"Student 1" in csv
        assert b"Student 2" not in csv
        file = config.output_folder / f"session-{assessed:04d}" / "report.csv"
        assert file.read_bytes() == csv

    def test_report_written_before_erasure_is_deleted(self, config, engine, assessed, monkeypatch) -> None:
        erased_student = next(
            student for student in queries.list_students(engine, assessed) if student.pseudonym == "Student 2"
        )
        late = generate_report(engine, assessed, config, formats=("html",))["html"]
        written = late.read_bytes()

        def erased(*args):
            assert not late.parent.exists()
            late.parent.mkdir()
            late.write_bytes(written)
            return erase_student(*args)

        monkeypatch.setattr("classpulse.services.erasure.erase_student", erased)
        erase_students_and_report(engine, config, assessed, [erased_student.id], "a participant withdrew")
        assert not late.exists()


def test_downloads_have_safe_names(browser, engine, config, accounts, assessed) -> None:
    root = browser("Root")
    (number,) = more_lessons(engine, config, EVIL, 1, "Noa")
    answer = root.get(f"/lessons/{number}/report.json")
    assert json.loads(answer.text)["session"]["class"] == EVIL
    named = answer.headers["content-disposition"]
    assert named.startswith('attachment; filename="')
    assert re.fullmatch(r'attachment; filename="[\w .,()-]+\.json"; filename\*=UTF-8\'\'[\w.%~-]+', named)
    assert "%D9%85" in named
    assert root.get(f"/lessons/{number}/report.csv").headers["content-type"].startswith("text/csv")
    assert root.get(f"/lessons/{number}/report.exe").status_code == 404
    assert content_disposition("\r\nX: y", "pdf").isprintable()
    assert content_disposition("..", "pdf").startswith('attachment; filename="class.pdf"')


def test_failed_report_shows_error(browser, assessed, monkeypatch) -> None:
    from reports.errors import ReportError

    def fails(*args, **named):
        raise ReportError("reports cannot be written (no room)")

    monkeypatch.setattr("classpulse.web.report_cache.generate_report", fails)
    answer = browser("Ada").get(f"/lessons/{assessed}/report")
    assert answer.status_code == 500
    assert "no room" in answer.text
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


class TestErasure:
    def test_student_is_erased_after_confirmation(self, browser, engine, config, assessed) -> None:
        ada, address = browser("Ada"), f"/lessons/{assessed}/erase"
        (erased_student,) = [
            student for student in queries.list_students(engine, assessed) if student.pseudonym == "Student 2"
        ]
        old = generate_report(engine, assessed, config, formats=("html",))["html"]
        assert address in ada.get(f"/lessons/{assessed}").text
        page = ada.get(f"{address}?student={erased_student.id}")
        assert page.status_code == 200
        assert "Erase Student 2 from this lesson?" in page.text
        assert ada.submit(address, student=erased_student.id).status_code == 400
        assert erased_student in queries.list_students(engine, assessed)
        answer = ada.submit(address, student=erased_student.id, sure="yes")
        assert answer.headers["location"] == f"/lessons/{assessed}#students"
        assert [student.pseudonym for student in queries.list_students(engine, assessed)] == [
            "Student 1",
            "Student 3",
            "Student 4",
        ]
        assert "Student 2" not in ada.get(f"/lessons/{assessed}/report").text
        assert not old.is_file() or "Student 2" not in old.read_text("utf-8")
        (line,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "erase"]
        assert (line.subject, line.detail) == (f"session {assessed}", "a student; 60 bins deleted, by Ada")
        assert ada.submit(address, student=erased_student.id, sure="yes").status_code == 404

    def test_shared_recording_is_not_erased(self, browser, engine, assessed) -> None:
        ada = browser("Ada")
        student_ids = {student.pseudonym: student.id for student in queries.list_students(engine, assessed)}
        ada.submit(
            f"/lessons/{assessed}/corrections", action="split", student=student_ids["Student 2"], at="2:00"
        )
        answer = ada.submit(f"/lessons/{assessed}/erase", student=student_ids["Student 2"], sure="yes")
        assert answer.status_code == 400
        assert "Undo the correction first" in answer.text
        assert len(queries.list_students(engine, assessed)) == 5

    def test_erasure_needs_token_and_known_student(self, browser, engine, config, accounts, assessed) -> None:
        ada = browser("Ada")
        address = f"/lessons/{assessed}/erase"
        assert ada.post(address, data={"student": "1", "sure": "yes"}).status_code == 403
        for number in ("", "0", "999999", "x"):
            assert ada.get(f"{address}?student={number}").status_code == 404
        assert len(queries.list_students(engine, assessed)) == 4


class TestCorrections:
    def test_assign_merge_split_and_undo(self, browser, engine, assessed) -> None:
        ada, address = browser("Ada"), f"/lessons/{assessed}/corrections"
        student_ids = {student.pseudonym: student.id for student in queries.list_students(engine, assessed)}
        assert (
            ada.submit(
                address, action="assign", student=student_ids["Student 1"], person="", new="Mia"
            ).status_code
            == 303
        )
        assert (
            ada.submit(
                address, action="merge", student=student_ids["Student 3"], person=student_ids["Student 4"]
            ).status_code
            == 303
        )
        assert (
            ada.submit(address, action="split", student=student_ids["Student 2"], at="2:00").status_code
            == 303
        )
        kinds = [
            correction.correction.kind.value for correction in queries.list_corrections(engine, assessed)
        ]
        assert kinds == ["name", "merge", "split"]
        assert ada.submit(address, action="undo").status_code == 303
        made = queries.list_corrections(engine, assessed)
        assert [one.undone_at is None for one in made] == [True, True, False]
        details = [
            entry.detail
            for entry in queries.list_audit_entries(engine)
            if entry.action in ("assign", "merge", "split", "undo")
        ]
        assert len(details) == 4
        assert all(detail.endswith(", by Ada") for detail in details)
        page = ada.get(f"/lessons/{assessed}").text
        assert "Mia" in page
        assert "undone" in page

    def test_invalid_correction_is_rejected(self, browser, engine, assessed) -> None:
        ada = browser("Ada")
        for fields, expected_text in (
            ({"action": "assign", "student": "1"}, "Choose who the student is"),
            ({"action": "assign", "student": "999", "new": "Mia"}, "Choose a student of the lesson"),
            ({"action": "split", "student": "2", "at": "noon"}, "This is not a time."),
            ({"action": "split", "student": "2", "at": "90:00"}, "Choose a time in between."),
            ({"action": "merge", "student": "1", "person": "2"}, "at the same time"),
            ({"action": "undo"}, "no correction to undo"),
            ({"action": "drop tables", "student": "1", "person": "2"}, "Choose two students"),
        ):
            answer = ada.submit(f"/lessons/{assessed}/corrections", **fields)
            assert answer.status_code == 400, fields
            assert expected_text in answer.text, fields
        assert queries.list_corrections(engine, assessed) == []


class TestClasses:
    @pytest.fixture
    def evil(self, engine, config, accounts) -> list[int]:
        """Six lessons of a class and a student whose names contain markup; the second lesson was missed."""
        with Store(engine).unit_of_work() as unit:
            set_account_classes(unit, accounts["Ada"], ["7b", EVIL])
            unit.commit()
        return more_lessons(engine, config, EVIL, 6, "<img src=x onerror=alert(1)>")

    def test_names_are_escaped(self, browser, engine, evil) -> None:
        ada = browser("Ada")
        student = queries.list_roster_students(engine, EVIL)[0].id
        group = class_number(engine, EVIL)
        for path in (
            "/lessons",
            f"/lessons/{evil[0]}",
            "/classes",
            f"/classes/{group}",
            f"/classes/{group}/students/{student}",
            f"/classes/{group}/compare?first={evil[0]}&second={evil[2]}",
            f"/classes/{group}/term",
            f"/classes/{group}/term/report",
            f"/lessons/{evil[0]}/report",
        ):
            answer = ada.get(path)
            assert answer.status_code == 200, path
            assert "<script>alert" not in answer.text, path
            assert "<img" not in answer.text, path
            if "report" not in path:
                assert not re.search(r"<[^>]+\sstyle=|<script>|<[^>]*\son\w+=", answer.text), path
        assert "&lt;script&gt;alert" in ada.get(f"/classes/{group}").text

    def test_missed_lesson_is_marked_not_zero(self, browser, engine, evil) -> None:
        student = queries.list_roster_students(engine, EVIL)[0].id
        page = browser("Ada").get(f"/classes/{class_number(engine, EVIL)}/students/{student}").text
        assert "5 lessons" in page
        assert "not seen" in page
        charts = re.findall(r'<svg class="levels".*?</svg>', page, re.DOTALL)
        assert charts
        for chart in charts:
            assert chart.count('class="point"') == 5
            assert chart.count('class="missed"') == 2  # one cross of two strokes
        newest = queries.list_audit_entries(engine)[0]
        assert newest.action == "view"
        assert "of class" in newest.subject

    def test_term_report_is_pdf(self, browser, engine, evil) -> None:
        ada, address = browser("Ada"), f"/classes/{class_number(engine, EVIL)}/term.pdf"
        answer = ada.get(address)
        assert answer.content.startswith(b"%PDF")
        assert "attachment" in answer.headers["content-disposition"]
        assert ada.get(f"{address}?since=2030-01-01").status_code == 404

    def test_student_known_by_seat_only_has_page(self, browser, engine, assessed) -> None:
        student = queries.list_students(engine, assessed)[0].id
        page = browser("Ada").get(f"/classes/1/students/{student}").text
        assert "only by the seat in one lesson" in page
        assert "There is no trend" in page


def test_behaviour_mode_shows_no_expression(browser, engine, config, accounts) -> None:
    more_lessons(engine, config, "7b", 6, "Mia", mode="behaviour")
    student, ada = queries.list_roster_students(engine, "7b")[0].id, browser("Ada")
    for path in ("/classes/1", "/lessons/1", f"/classes/1/students/{student}"):
        page = ada.get(path).text
        assert "adness" not in page, path
        assert "appiness" not in page, path


def test_aggregate_mode_shows_no_student(browser, engine, config, accounts) -> None:
    ada = browser("Ada")
    new = new_session("aggregate")
    with Store(engine).unit_of_work() as unit:
        number = unit.start_session(new)
        unit.end_session(number, SessionStatus.FINISHED, new.started_at + timedelta(minutes=5), "")
        unit.commit()
    page = ada.get(f"/lessons/{number}").text
    assert "no data about single students" in page
    assert "Correct the assignment" not in page
    answer = ada.submit(f"/lessons/{number}/corrections", action="undo")
    assert answer.status_code == 404


def test_missed_small_faces_are_shown(browser, engine, assessed) -> None:
    ada = browser("Ada")
    assert "more face" not in ada.get(f"/lessons/{assessed}").text
    with Store(engine).unit_of_work() as unit:
        unit.save_small_faces(assessed, SmallFaces.from_sizes([12.0] * 12, 4, 24))
        unit.commit()
    page = ada.get(f"/lessons/{assessed}").text
    assert "About 12 more faces are smaller than 24\N{NO-BREAK SPACE}px." in page
    assert "Set detection.min_face_px to 12" in page
