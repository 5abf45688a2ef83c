"""The roster page: import of a file, and consent."""

from __future__ import annotations

import re

import pytest

from classpulse.services.roster import example_roster_csv, parse_roster_bytes
from db import sessions as queries
from db.roster import list_roster, load_student_names
from tests.helpers.recorded import class_number

LIST = "name;pseudonym;group;seat;consent\nMia Keller;Otter;;A1;yes\nJan Weber;Heron;7b;A2;no\n"


@pytest.fixture
def group(engine, accounts) -> int:
    return class_number(engine, "7b")


@pytest.fixture
def sent(group):
    """Uploads a file with the form of the page."""

    def send(browser, content: str | bytes = LIST, name: str = "list.csv", to: int | None = None, **fields):
        content = content.encode() if isinstance(content, str) else content
        data = {"csrf_token": browser.token(), **fields}
        return browser.post(f"/classes/{to or group}/roster", data=data, files={"roster": (name, content)})

    return send


def test_imported_roster_is_shown_without_names(browser, engine, sent, group) -> None:
    ada = browser("Ada")
    answer = sent(ada)
    assert answer.status_code == 200
    assert "2 new, 0 changed, 0 unchanged" in answer.text
    page = ada.get(f"/classes/{group}/roster").text
    assert "Otter" in page
    assert "Mia Keller" not in page + answer.text
    assert [(entry.pseudonym, entry.consent) for entry in list_roster(engine, "7b")] == [
        ("Heron", False),
        ("Otter", True),
    ]
    (noted,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "import roster"]
    assert (noted.subject, noted.detail) == ("class 7b", "2 new or changed, by Ada")


def test_students_are_in_natural_order(browser, sent, group) -> None:
    lines = [f"Name {n};Chair {n};;;yes" for n in (10, 2, 1)]
    answer = sent(browser("Ada"), "\n".join(["name;pseudonym;group;seat;consent", *lines]))
    shown = re.findall(r'<th scope="row">(.*?)</th>', answer.text)
    assert shown == ["Chair 1", "Chair 2", "Chair 10"], answer.text


def test_view_of_names_is_audited(browser, engine, sent, group) -> None:
    ada = browser("Ada")
    sent(ada)
    assert "Mia Keller" in ada.get(f"/classes/{group}/roster?names=yes").text
    (noted,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "view names"]
    assert (noted.subject, noted.detail) == ("class 7b", "by Ada")


@pytest.mark.parametrize(
    ("content", "expected_text"),
    [
        ("name;pseudonym;group;seat;consent\nMia;Otter;;A1;yes\nJan;Heron;;A1;maybe\n", "line 3: consent is"),
        ("name;pseudonym;group;seat;consent\nMia;Otter;;A1;yes\nJan;Heron;;A1;no\n", "line 3: seat"),
        ("name;pseudonym;group;seat;consent\nMia;Otter;8c;A1;yes\n", "line 2: group is"),
        ("name;pseudonym\nMia;Otter\n", "has no column"),
        ("name;pseudonym;group;seat;consent\n", "has no student"),
        ("", "is empty"),
        (b"\xff\xfea\0b", "not a text file"),
        (b"name;pseudonym;group;seat;consent\n\x8a;b;;;yes\n", "is not in UTF-8"),
        ('"', "has no column"),
    ],
)
def test_invalid_line_rejects_whole_file(browser, engine, sent, content, expected_text: str) -> None:
    answer = sent(browser("Ada"), content)
    assert answer.status_code == 422
    assert expected_text in answer.text
    assert "Nothing was imported" in answer.text
    assert list_roster(engine) == []


def test_roster_of_a_school_system_is_imported(browser, engine, sent) -> None:
    text = f"sep=;\r\nClass 7b;;;;\r\n{LIST}Zoë;Elk;;;ja\r\n\r\n"
    answer = sent(browser("Ada"), text.encode("utf-16"))
    assert "3 new, 0 changed, 0 unchanged" in answer.text
    assert "Windows-1252" not in answer.text
    assert {entry.pseudonym: entry.seat_label for entry in list_roster(engine, "7b")} == {
        "Otter": "A1",
        "Heron": "A2",
        "Elk": None,
    }


def test_guessed_encoding_asks_for_a_check(browser, engine, sent) -> None:
    answer = sent(browser("Ada"), (LIST + "Jörg Groß;Elk;;;ja\n").encode("cp1252"))
    assert "3 new" in answer.text
    assert "Check the names and pseudonyms with ö ß" in answer.text
    entries = list_roster(engine, "7b")
    names = load_student_names(engine, [entry.student_id for entry in entries]).values()
    assert "Jörg Groß" in names


def test_errors_of_a_file_are_in_line_order(browser, engine, sent) -> None:
    ada = browser("Ada")
    sent(ada)
    head = LIST.splitlines()[0]
    answer = sent(ada, f"{head}\nBo;Owl;;A1;yes\nCy;Elk;;A3;\nDi;Hen;8c;A4;yes\nEd;Ox;;A5;yes;x\n")
    assert re.findall(r"line (\d+): ", answer.text) == ["2", "3", "4", "5"]


def test_roster_values_are_escaped(browser, sent, group) -> None:
    ada = browser("Ada")
    evil = "<script>alert(1)</script>{{ 7*7 }}"
    sent(ada, f"name;pseudonym;group;seat;consent\nMia;{evil};;A1;yes\n", name="<b>../../x\0.csv")
    page = ada.get(f"/classes/{group}/roster").text
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page
    assert "<b>.." not in sent(ada, "", name="<b>../../x\0.csv").text


def test_too_large_file_is_rejected(browser, engine, sent) -> None:
    assert sent(browser("Ada"), LIST + "x" * 2_000_000).status_code == 413
    assert list_roster(engine) == []


def test_consent_is_changed_and_audited(browser, engine, sent, group) -> None:
    ada = browser("Ada")
    sent(ada)
    otter = next(entry for entry in list_roster(engine, "7b") if entry.pseudonym == "Otter")
    address = f"/classes/{group}/roster/{otter.student_id}/consent"
    assert ada.submit(address, consent="no").status_code == 303
    after = next(entry for entry in list_roster(engine, "7b") if entry.pseudonym == "Otter")
    assert (after.consent, after.seat_label) == (False, "A1")
    (noted,) = [entry for entry in queries.list_audit_entries(engine) if entry.action == "consent"]
    assert (noted.subject, noted.detail) == ("Otter of class 7b", "no, by Ada")
    assert "These students cannot be masked" in ada.get(f"/classes/{group}/roster").text
    assert ada.submit(address, consent="perhaps").status_code == 422


def test_roster_of_another_class_is_rejected(browser, engine, sent, group) -> None:
    sent(browser("Ada"))
    otter = next(entry for entry in list_roster(engine, "7b") if entry.pseudonym == "Otter")
    consent = f"/classes/{group}/roster/{otter.student_id}/consent"
    ben, cleo, root = browser("Ben"), browser("Cleo"), browser("Root")
    for outsider, code in ((ben, 404), (cleo, 403)):
        assert outsider.get(f"/classes/{group}/roster").status_code == code
        assert outsider.get(f"/classes/{group}/roster?names=yes").status_code == code
        assert outsider.get(f"/classes/{group}/roster/example.csv").status_code == code
        assert outsider.submit(consent, consent="no").status_code == code
        assert sent(outsider).status_code == code
    # Also through an own class.
    own = class_number(engine, "8c")
    assert ben.submit(f"/classes/{own}/roster/{otter.student_id}/consent", consent="no").status_code == 404
    assert sent(ben, to=own).status_code == 422
    assert all(entry.class_name == "7b" for entry in list_roster(engine))
    assert next(entry for entry in list_roster(engine) if entry.pseudonym == "Otter").consent
    assert root.get(f"/classes/{group}/roster").status_code == 200
    for number in (999, 10**30):
        assert root.get(f"/classes/{number}/roster").status_code == 404


def test_import_without_token_is_rejected(browser, engine, sent) -> None:
    assert sent(browser("Ada"), csrf_token="wrong").status_code == 403
    assert list_roster(engine) == []


def test_example_file_can_be_imported(browser, engine, sent, group) -> None:
    ada = browser("Ada")
    answer = ada.get(f"/classes/{group}/roster/example.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="roster.csv"'
    assert parse_roster_bytes(example_roster_csv(), "roster.csv", "7b").problems == ()
    assert sent(ada, answer.content).status_code == 200
    assert sorted(
        load_student_names(engine, [entry.student_id for entry in list_roster(engine)]).values()
    ) == [
        "Jan Example",
        "Mia Example",
    ]
