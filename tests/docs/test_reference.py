"""Everything that a user can set, call or read is described on a reference page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs import generate
from docs.generate import Entry

PAGES = Path(generate.__file__).parent


def undescribed(entries: list[Entry]) -> list[str]:
    return [one.name for one in entries if not one.text]


@pytest.mark.parametrize(
    ("entries", "least"),
    [
        pytest.param(generate.settings, 90, id="settings"),
        pytest.param(generate.exit_codes, 5, id="exit codes"),
        pytest.param(generate.metric_entries, 20, id="metrics"),
        pytest.param(generate.status_keys, 40, id="keys of status --json"),
        pytest.param(generate.report_keys, 100, id="members of a report as JSON"),
    ],
)
def test_every_entry_has_a_description(entries, least) -> None:
    found = entries()
    assert len(found) >= least
    assert undescribed(found) == []


def test_every_command_has_a_description() -> None:
    found = generate.commands()
    assert len(found) > 50
    assert [one.path for one in found if not one.text] == []


def test_every_option_and_argument_has_a_description() -> None:
    missing = [f"{one.path} {name}" for one in generate.commands() for name in undescribed(one.parameters)]
    assert missing == []


def test_every_table_has_a_description() -> None:
    found = generate.tables()
    assert len(found) > 20
    assert [name for name, text, _ in found if not text] == []


def test_a_missing_description_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "descriptions", dict)
    assert "rooms[].name" in undescribed(generate.settings())
    assert "pid" in undescribed(generate.status_keys())
    assert "1" in undescribed(generate.exit_codes())


def test_no_description_is_left_over() -> None:
    """A renamed setting takes its description along."""
    commands = generate.commands()
    known = {
        "settings": {one.name for one in generate.settings()},
        "arguments": {one.name for each in commands for one in each.parameters},
        "parameters": {f"{each.path} {one.name}" for each in commands for one in each.parameters},
        "commands": {each.path for each in commands},
        "exit_codes": {one.name for one in generate.exit_codes()},
        "metrics": {one.name for one in generate.metric_entries()},
        "status": {one.name for one in generate.status_keys()},
        "tables": {name for name, _, _ in generate.tables()},
    }
    described = generate.descriptions()
    assert set(described) <= set(known)
    assert {section: set(names) - known[section] for section, names in described.items()} == {
        section: set() for section in described
    }


def test_bounds_and_defaults_of_a_setting_are_shown() -> None:
    kinds = {one.name: one.kind for one in generate.settings()}
    assert kinds["capture.sample_fps"] == "number > 0 and ≤ 30; default `2.0`"
    assert kinds["output.paper"] == '`a4` or `letter`; default `"a4"`'
    assert kinds["notify.email.to"] == "list of text; required"


def test_each_marker_is_on_one_page_and_becomes_its_tables() -> None:
    texts = [page.read_text("utf-8") for page in PAGES.rglob("*.md")]
    used = re.findall(r"^<!-- generate: ([\w-]+) -->$", "\n".join(texts), re.MULTILINE)
    assert sorted(used) == sorted(generate.GENERATORS)
    for name in used:
        page = generate.on_page_markdown(f"before\n<!-- generate: {name} -->\nafter")
        assert "generate:" not in page
        assert page.count("\n|") > 3


def test_an_unknown_marker_is_an_error() -> None:
    with pytest.raises(KeyError):
        generate.on_page_markdown("<!-- generate: nothing -->")
