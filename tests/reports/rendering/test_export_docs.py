"""docs/reference/exports.md describes what is written, column by column and member by member."""

from __future__ import annotations

import csv
import io
import re

import pytest

from docs.generate import DOCS
from reports.rendering.export import report_csv
from tests.helpers.session_report import make_report

TEXT = (DOCS / "reference" / "exports.md").read_text("utf-8")
COLUMNS = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \|", TEXT, re.MULTILINE)


def described(mode: str) -> set[str]:
    return {name for name, modes in COLUMNS if modes == "all" or mode in modes.split(", ")}


@pytest.mark.parametrize("mode", ["emotion", "behaviour", "aggregate"])
def test_every_column_is_described_and_no_other(lessons, mode):
    rows = lessons.aggregate([6, 6]) if mode == "aggregate" else lessons.bins(["nb"])
    report = make_report(lessons.session(2, mode=mode), lessons.students(1), rows)
    header = next(csv.reader(io.StringIO(report_csv(report))))
    assert set(header) == described(mode)


def test_no_column_is_described_twice():
    names = [name for name, _ in COLUMNS]
    assert len(names) == len(set(names)) > 20
