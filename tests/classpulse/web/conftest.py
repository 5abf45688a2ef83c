"""A dashboard on a database in a temporary folder, and logged-in test clients."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from argon2 import PasswordHasher
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.testclient import TestClient

from classpulse.config.settings import read_config
from classpulse.web.app import build_app
from db.accounts import Role, add_account, set_account_classes
from db.clock import now_utc
from db.engine import open_database
from db.unit_of_work import Store
from tests.helpers.chromium import CHROMIUM, launch_chromium
from tests.helpers.recorded import record_lesson
from tests.helpers.waiting import PATIENCE_S

PASSWORD = "three quiet walnuts"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_HASH = _CHEAP.hash(PASSWORD)


class Browser(TestClient):
    """A test client that submits forms with their CSRF token."""

    def __init__(self, app: Starlette, base_url: str = "http://localhost", **options: Any) -> None:
        super().__init__(app, base_url, follow_redirects=False, **options)

    def token(self, page: str = "/") -> str:
        found = re.search(r'name="csrf-token" content="(\w+)"', self.get(page).text)
        assert found is not None
        return found[1]

    def shown(self, address: str) -> str:
        """The page without CSRF tokens, which could contain any short text."""
        return re.sub(r"\b[0-9a-f]{64}\b", "", self.get(address).text)

    def submit(self, address: str, page: str = "/", **fields: Any) -> Any:
        """Submit a form of ``page`` to ``address``."""
        return self.post(address, data={"csrf_token": self.token(page), **fields})


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classpulse.services.accounts._HASHER", _CHEAP)
    monkeypatch.setattr("classpulse.services.accounts._dummy_hash", lambda: _HASH)


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock of the rate limiters and wait for summaries, so that tests do not depend on the
    machine's speed."""
    stopped = SimpleNamespace(monotonic=lambda: 1000.0)
    for page in ("own_account", "join", "login"):
        monkeypatch.setattr(f"classpulse.web.pages.{page}.time", stopped)
    monkeypatch.setattr("classpulse.web.class_access.SUMMARY_WAIT_S", PATIENCE_S)


@pytest.fixture
def config(configured: Callable[..., Path]) -> Any:
    return read_config(configured(more="class: {name: 7b}\n"))


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database, created once because it takes longer than most tests."""
    path = tmp_path_factory.mktemp("empty") / "classpulse.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def engine(config: Any, empty: Path) -> Iterator[Engine]:
    path = Path(config.database_url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(empty, path)
    opened = open_database(config.database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def accounts(engine: Engine) -> dict[str, int]:
    """The ids of the accounts: Ada teaches 7b, Ben 8c, Cleo is a counsellor, Root an administrator."""
    account_ids: dict[str, int] = {}
    with Store(engine).unit_of_work() as unit:
        for name, role, classes in (
            ("Ada", Role.TEACHER, ["7b"]),
            ("Ben", Role.TEACHER, ["8c"]),
            ("Cleo", Role.COUNSELLOR, []),
            ("Root", Role.ADMINISTRATOR, []),
        ):
            account_ids[name] = add_account(unit, name, role, _HASH, now_utc())
            set_account_classes(unit, account_ids[name], classes)
        unit.commit()
    return account_ids


@pytest.fixture
def app(config: Any, engine: Engine, accounts: dict[str, int]) -> Iterator[Starlette]:
    application = build_app(config, engine)
    yield application
    # Wait for background jobs, which a correction starts.
    application.state.context.jobs.start("the last", lambda: None).result(PATIENCE_S)


@pytest.fixture
def browser(app: Starlette) -> Callable[..., Browser]:
    """Opens a new client, logged in if a name is given."""

    def open_browser(name: str | None = None) -> Browser:
        new = Browser(app)
        if name is not None:
            answer = new.submit("/login", "/login", name=name, password=PASSWORD, return_to="/")
            assert answer.status_code == 303, answer.text
        return new

    return open_browser


@pytest.fixture
def session_7b(engine: Engine) -> int:
    """The id of an ended session of class 7b with four students."""
    return record_lesson(Store(engine))


@pytest.fixture
def visiting() -> Callable[[Starlette], Browser]:
    """Opens a client of any application, without a login."""
    return lambda app: Browser(app)


@pytest.fixture
def address(app: Starlette) -> Iterator[str]:
    """The address of the dashboard on a free local port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """Ada's page in Chromium; skipped if Chromium is not installed."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which is not installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as runner:
        chromium = launch_chromium(runner)
        page = chromium.new_page(base_url=address)
        page.set_default_timeout(PATIENCE_S * 1000)
        page.goto("/login")
        page.fill("input[name=name]", "Ada")
        page.fill("input[name=password]", PASSWORD)
        page.click("button.main")
        page.wait_for_url(f"{address}/")
        yield page
        chromium.close()
