"""The dashboard in headless Chromium, if it is installed."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.routing import Route

from classpulse.config.settings import read_config
from classpulse.web.app import build_app
from classpulse.web.permissions import Permission
from classpulse.web.routing import PublicAccess
from classpulse.web.server import uvicorn_config
from db.accounts import Role, add_account, set_account_classes
from db.clock import now_utc
from db.engine import open_database
from db.unit_of_work import Store
from tests.helpers.chromium import complaints_of, launch_chromium, needs_chromium
from tests.helpers.recorded import record_lesson
from tests.helpers.waiting import PATIENCE_S

PASSWORD = "seven green lamps"
WIDTHS = {390: 844, 1280: 800, 1920: 1080}

pytestmark = needs_chromium

HERE = Path(__file__).parent
LOOKED_AT = (HERE / "looked_at.js").read_text(encoding="utf-8")
TOO_SMALL = (HERE / "too_small.js").read_text(encoding="utf-8")
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser, started once."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    with api.sync_playwright() as playwright:
        started = launch_chromium(playwright)
        yield started
        started.close()


class Served:
    """A dashboard on a free port of this computer."""

    def __init__(self, folder: Path) -> None:
        path = folder / "config.yaml"
        path.write_text("class: {name: 7b}\npolicy:\n  " + POLICY, encoding="utf-8")
        self.config = read_config(path)
        self.engine = open_database(self.config.database_url)
        self.app = build_app(self.config, self.engine)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn_config(self.config, self.app))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()
        self.engine.dispose()


POLICY = (
    "jurisdiction: CH\n  age_group: adults\n  legal_basis: consent\n  recorded_by: head of studies\n"
    "  recorded_on: 2026-01-15\n  mode: emotion\n"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A dashboard before its first start."""
    dashboard = Served(tmp_path_factory.mktemp("served"))
    yield dashboard
    dashboard.end()


class Tab:
    """A browser context with one page and its errors and warnings."""

    def __init__(self, chromium: Any, address: str, **options: Any) -> None:
        self.address = address
        self.context = chromium.new_context(base_url=address, locale="en-GB", **options)
        self.context.set_default_timeout(PATIENCE_S * 1000)
        self.page = self.context.new_page()
        self._told = complaints_of(self.page)
        self.page.on("request", self._asked)

    @property
    def complaints(self) -> list[str]:
        # The browser logs rejected pages, which the tests expect.
        return [one for one in self._told if "the server responded with a status of 40" not in one]

    def forgive(self) -> None:
        """Drop the messages so far."""
        self._told.clear()

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self._told.append(f"asked elsewhere: {request.url}")

    def log_in(self, name: str, password: str = PASSWORD) -> Tab:
        self.page.goto("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(re.compile("/$"))
        return self


@pytest.fixture
def tab(chromium: Any, served: Served) -> Iterator[Callable[..., Tab]]:
    """Opens browser contexts, which must have no errors or warnings at the end."""
    opened: list[Tab] = []

    def new(**options: Any) -> Tab:
        opened.append(Tab(chromium, served.address, **options))
        return opened[-1]

    yield new
    for one in opened:
        one.context.close()
    assert [complaint for one in opened for complaint in one.complaints] == []


@pytest.fixture(scope="module")
def administered(chromium: Any, served: Served) -> int:
    """The id of a session of 7b, after the setup: Root is the administrator, Ada teaches 7b."""
    code = served.app.state.context.setup_code
    assert code is not None
    first = Tab(chromium, served.address)
    first.page.goto("/")
    assert first.page.url.endswith("/setup")
    first.page.get_by_label("Code from the terminal").fill(code)
    first.page.get_by_label("Name").fill("Root")
    first.page.get_by_label("Password", exact=True).fill(PASSWORD)
    first.page.get_by_label("Password again").fill(PASSWORD)
    first.page.get_by_role("button").get_by_text("Create the account").click()
    first.page.wait_for_url(served.address + "/")
    assert first.complaints == []
    first.context.close()
    store = Store(served.engine)
    with store.unit_of_work() as unit:
        set_account_classes(unit, add_account(unit, "Ada", Role.TEACHER, "x", now_utc()), ["7b"])
        unit.commit()
    return record_lesson(store)


def _pages(served: Served, session: int) -> list[str]:
    """The addresses of all GET routes."""
    found = []
    for route in served.app.routes:
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        fillings = {
            name: (session if name == "session" else 1) if type(kind).__name__ == "IntegerConvertor" else "7b"
            for name, kind in route.param_convertors.items()
        }
        if route.access is PublicAccess.ANYONE or isinstance(route.access, Permission):
            found.append(route.path_format.format(**fillings))
    return sorted(set(found))


def test_setup_code_is_cleared(administered: int, served: Served) -> None:
    assert administered == 1
    assert served.app.state.context.setup_code is None


def test_keyboard_reaches_navigation(tab, administered) -> None:
    page = tab().page
    page.goto("/login")
    page.locator("input[name=name]:focus").wait_for()
    page.keyboard.type("Root")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/$"))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0, "visible when focused"
    page.keyboard.press("Enter")
    page.wait_for_url("**/#main")
    page.locator("#main:focus").wait_for()
    page.goto("/")
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.innerText.trim()"))
        if page.evaluate("document.activeElement.innerText") == "Accounts":
            break
    assert seen[2:] == ["Today", "Lessons", "Check-ins", "Classes", "Online", "Upload", "Accounts"]
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid", "the focus is visible"
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts")
    page.keyboard.press("Shift+Tab")


def test_language_is_switched_and_kept(tab, administered) -> None:
    page = tab().log_in("Root").page
    page.goto("/accounts")
    with page.expect_navigation():
        page.get_by_role("button", name="Deutsch").click()
    assert page.url.endswith("/accounts")
    assert page.get_by_role("heading", level=1).inner_text() == "Konten"
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.get_by_role("button", name="Deutsch").get_attribute("aria-pressed") == "true"


def test_pages_at_all_widths_are_accessible_and_not_too_wide(tab, served, administered) -> None:
    """No page scrolls horizontally, logs errors, or has elements without an accessible name."""
    one = tab().log_in("Root")
    page_count = 0
    wrong: list[str] = []
    for path in _pages(served, administered):
        answer = one.context.request.get(path, max_redirects=0)
        if answer.status != 200 or "text/html" not in answer.headers["content-type"]:
            continue
        if 'class="top"' not in answer.text():  # a report
            continue
        page_count += 1
        one.page.set_viewport_size({"width": 1280, "height": 800})
        one.page.goto(path, wait_until="load")
        wrong += [f"{path}: {found}" for found in one.page.evaluate(LOOKED_AT)]
        for width, height in WIDTHS.items():
            one.page.set_viewport_size({"width": width, "height": height})
            one.page.wait_for_function(f"innerWidth === {width}")
            if (over := one.page.evaluate(TOO_WIDE)) > 0:
                wrong.append(f"{path}: {over} px too wide at {width}")
    assert page_count >= 4
    assert wrong == [], "\n".join(wrong)


def test_login_page_at_all_widths(tab, administered) -> None:
    for width, height in WIDTHS.items():
        page = tab(viewport={"width": width, "height": height}).page
        page.goto("/login")
        assert page.evaluate(LOOKED_AT) == []
        assert page.evaluate(TOO_WIDE) <= 0


def test_dark_scheme_follows_system(tab, administered) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        page = tab(color_scheme=scheme).page
        page.goto("/login")
        grounds[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert grounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 27)"}


def test_touch_targets_are_large_enough(tab, administered) -> None:
    one = tab(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).log_in("Root")
    for path in ("/", "/accounts", "/account", "/audit"):
        one.page.goto(path)
        small = one.page.evaluate(TOO_SMALL)
        assert small == [], path


def test_created_account_can_log_in(tab, served, administered) -> None:
    root = tab().log_in("Root").page
    root.goto("/accounts")
    root.get_by_label("Name").fill("Dan <b>Brown</b>")
    root.get_by_label("New classes, one a line").fill("9a")
    root.get_by_role("button", name="Add the account").click()
    password = root.locator(".secret").inner_text()
    dan = tab().log_in("Dan <b>Brown</b>", password)
    assert dan.page.get_by_role("link", name="Dan <b>Brown</b>").is_visible()
    assert dan.page.get_by_role("link", name="Accounts").count() == 0
    dan.page.goto(f"/lessons/{administered}")
    assert dan.page.get_by_role("heading", level=1).inner_text() == "There is no such page"


def test_content_security_policy_blocks_inline_and_external(tab, administered) -> None:
    """The policy is in force: injected markup does nothing."""
    one = tab()
    one.page.goto("/login")

    def of_policy(message: Any) -> bool:
        return "Content Security Policy" in message.text

    with one.page.expect_console_message(of_policy):
        one.page.evaluate(
            "() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
            " document.body.append(s); }"
        )
    with one.page.expect_console_message(of_policy):
        one.page.evaluate(
            "() => { const i = document.createElement('img'); i.src = 'http://127.0.0.1:9/x';"
            " document.body.append(i); }"
        )
    assert one.page.evaluate("window.ran") is None
    one.context.close()  # no further messages
    one.forgive()


def test_print_hides_navigation(tab, administered) -> None:
    page = tab(color_scheme="dark").log_in("Root").page
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_role("heading", level=1).is_visible()
