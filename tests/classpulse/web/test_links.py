"""Every page is reachable by links for the roles that may open it, and ids are unique in a page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.routing import Match, Route

from classpulse.services.assessment import reassess_session
from classpulse.services.reports import generate_report
from classpulse.services.roster import import_roster, parse_roster_bytes
from classpulse.web.pages import seats as seats_page
from classpulse.web.permissions import ROLE_PERMISSIONS
from classpulse.web.routing import PublicAccess
from db.accounts import Role
from db.clock import now_utc
from db.records import SessionProgress, SessionStatus
from db.unit_of_work import Store
from tests.helpers.recorded import START, class_number, new_session, one_bin, record_lesson
from tests.helpers.room_picture import coded, room_picture
from tests.helpers.status_messages import recording
from tests.helpers.watched_session import FakeDaemon

ASKED_BY_SCRIPTS = {
    "/recordings",
    "/upload/state",
    "/live/{session:int}/events",
    "/live/{session:int}/picture",
    "/online/{lesson:int}/participants",
}
"""Requested by scripts of reachable pages."""

FOR_WHO_IS_NOT_LOGGED_IN = {"/login", "/setup", "/healthz"}

FOR_STUDENTS = {"/join", "/join/{code}/withdrawal"}
"""Reached with the code of the teacher, and after a withdrawal."""

EACH = 2
"""Addresses opened per route; further ones differ in an id only."""

NOT_OPENED = re.compile(r"\.(pdf|csv|json)$|/report$")
"""Files take seconds to generate; a link is enough."""


class Page(HTMLParser):
    """The links of a page, its ids, and the ids that it references."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.meant: set[str] = set()
        self._asks: str | None = None
        self._choice: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._follow_question(tag, {name: value or "" for name, value in attributes})
        for name, value in attributes:
            value = value or ""
            if name == "id":
                self.ids.append(value)
            elif name in {"aria-labelledby", "aria-describedby", "aria-controls", "for", "list", "headers"}:
                self.meant |= set(value.split())
            elif name in {"href", "src", "xlink:href"} and value.startswith("#"):
                self.meant.add(value[1:])
            elif name in {"href", "src"}:
                self.addresses.append(value)
            elif tag != "a":
                self.meant |= set(re.findall(r"url\(#([^)]+)\)", value))

    def _follow_question(self, tag: str, values: dict[str, str]) -> None:
        """Treat a GET form as a link with its first option."""
        if tag == "form":
            self._asks = values.get("action", "") if values.get("method") == "get" else None
        elif tag == "select":
            self._choice = values.get("name")
        elif tag == "option" and self._asks and self._choice and values.get("value"):
            self.addresses.append(f"{self._asks}?{self._choice}={values['value']}")
            self._asks = None

    @property
    def twice(self) -> list[str]:
        return [one for one, count in Counter(self.ids).items() if count > 1]


def check(html: str, where: str) -> Page:
    page = Page(html)
    assert page.twice == [], where
    assert page.meant - set(page.ids) == set(), where
    return page


@pytest.fixture
def full(app, config, engine, accounts, browser, monkeypatch) -> Any:
    """A dashboard with two lessons, a running one, a roster, a still and an online lesson."""
    fake = FakeDaemon(monkeypatch)
    text = "name,pseudonym,group,seat,consent\nMia,Otter,,,yes\nJan,Heron,,,yes\n"
    import_roster(engine, parse_roster_bytes(text.encode(), "x", "7b").rows, now_utc())
    store = Store(engine)
    sessions = [record_lesson(store)]
    with store.unit_of_work() as unit:
        sessions.append(unit.start_session(new_session()))
        mia = unit.add_unrecorded_student(sessions[1], "Lynx", to_roster=True)
        unit.write_bins(sessions[1], [one_bin(mia, n, "ns"[n % 2]) for n in range(60)])
        unit.save_progress(sessions[1], SessionProgress(300.0, 300.0, 600, 0))
        unit.end_session(sessions[1], SessionStatus.FINISHED, START, "")
        unit.commit()
    for session in sessions:
        reassess_session(engine, session, config)
    with store.unit_of_work() as unit:
        running = unit.start_session(new_session())
        unit.commit()
    fake.recordings = [recording(session_id=running, media_s=30.0)]
    monkeypatch.setattr(seats_page, "detect_seats", lambda *_, **__: [])
    for name in ("Ada", "Root"):
        one = browser(name)
        seats = f"/classes/{class_number(engine, '7b')}/seats"
        picture = {"image": ("room.png", coded(room_picture()), "image/png")}
        answer = one.post(f"{seats}/still", data={"csrf_token": one.token(seats)}, files=picture)
        assert answer.status_code in {200, 303}, answer.text
    site = app.state.context
    site.online_lessons._send_request = lambda *_: None
    site.online_lessons._recorded_rooms = lambda: frozenset({"online 7b"})  # else the lesson ends
    assert site.online_lessons.open("7b", 4)
    yield fake
    site.online_lessons.close()


def crawl(app: Any, one: Any) -> Iterator[tuple[Route, str, str | None]]:
    """Every address linked from the start page, with its route and, if opened, its HTML."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    opened: Counter[str] = Counter()
    seen, waiting = {"/"}, ["/"]
    while waiting:
        address = waiting.pop(0)
        split = urlsplit(address)
        scope = {"type": "http", "method": "GET", "path": split.path}
        route = next((r for r in routes if r.matches(scope)[0] is Match.FULL), None)
        if split.path.startswith("/static/"):
            continue
        assert route is not None, f"a link leads to {address}, which is no page"
        html = None
        if not NOT_OPENED.search(split.path) and opened[route.path] < EACH:
            opened[route.path] += 1
            answer = one.get(address)
            assert answer.status_code == 200, address
            if answer.headers["content-type"].startswith("text/html"):
                html = answer.text
                for found in Page(html).addresses:
                    new = urljoin(f"http://localhost{address}", found).partition("#")[0]
                    if new.startswith("http://localhost/"):
                        new = new.removeprefix("http://localhost")
                        if new not in seen:
                            seen.add(new)
                            waiting.append(new)
        yield route, address, html


@pytest.mark.parametrize(
    ("name", "role"),
    [("Ada", Role.TEACHER), ("Cleo", Role.COUNSELLOR), ("Root", Role.ADMINISTRATOR)],
)
def test_every_page_is_reachable_by_links(app, full, browser, name: str, role: Role) -> None:
    found = set()
    for route, address, html in crawl(app, browser(name)):
        found.add(route.path)
        assert route.access is PublicAccess.ANYONE or route.access in ROLE_PERMISSIONS[role], (
            f"{address} is refused"
        )
        if html is not None:
            check(html, address)
    gets = [one for one in app.routes if isinstance(one, Route) and "GET" in (one.methods or ())]
    wanted = {route.path for route in gets if route.access in ROLE_PERMISSIONS[role]} - ASKED_BY_SCRIPTS
    assert wanted - found == set()
    known = {route.path for route in gets}
    open_ones = {route.path for route in gets if route.access is PublicAccess.ANYONE}
    assert known >= ASKED_BY_SCRIPTS | FOR_WHO_IS_NOT_LOGGED_IN | FOR_STUDENTS, "exceptions that are none"
    if role is not Role.COUNSELLOR:
        assert open_ones - found == FOR_WHO_IS_NOT_LOGGED_IN | FOR_STUDENTS


def test_report_ids_are_unique(config, engine, session_7b) -> None:
    reassess_session(engine, session_7b, config)
    files = generate_report(engine, session_7b, config, formats=["html"])
    html = files["html"].read_text("utf-8")
    page = check(html, "report")
    assert html.count("<svg") > 1
    assert page.ids
