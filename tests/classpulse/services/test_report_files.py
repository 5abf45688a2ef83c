from __future__ import annotations

import ntpath
import sys
from datetime import datetime
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classpulse.config.output import ReportLayout
from classpulse.services.report_files import (
    delete_report_folders,
    find_report_folders,
    report_folder,
    safe_file_name,
)

AT = datetime(2026, 3, 2, 8, 15)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Math 7B", "Math 7B"),
        ("5b/maths", "5b_maths"),
        ("../../etc", "_.._etc"),
        ("a\\b:c*?\"<>|", "a_b_c______"),
        ("CON", "_CON"), ("con.txt", "_con.txt"), ("LPT1", "_LPT1"), ("console", "console"),
        ("7b. ", "7b"), (" .hidden", "hidden"), ("...", "class"), ("\n\t", "class"),
        ("a\nb\x00c", "a b c"),
        ("物理 101", "物理 101"),
        ("ö" * 100, "ö" * 60),
        ("o\u0308", "ö"),
    ],
)  # fmt: skip
def test_safe_file_name(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


def is_reserved_on_windows(name: str) -> bool:
    if sys.version_info >= (3, 13):  # is_reserved of a path is deprecated there
        return ntpath.isreserved(name)
    return PureWindowsPath(name).is_reserved()


@given(st.text(min_size=1, max_size=100))
def test_safe_file_name_is_one_folder_on_linux_and_windows(name: str) -> None:
    safe = safe_file_name(name)
    assert safe == safe_file_name(safe)
    assert len(safe.encode()) <= 255
    assert safe not in {"", ".", ".."}
    assert "/" not in safe
    windows = PureWindowsPath(safe)
    assert windows.name == safe
    assert not windows.drive
    assert not is_reserved_on_windows(safe)
    assert safe == safe.strip(". ")
    assert all(letter.isprintable() for letter in safe)


def test_report_folder_layouts(tmp_path: Path) -> None:
    assert report_folder(tmp_path, ReportLayout.SESSION, 7, "Math 7B", AT) == tmp_path / "session-0007"
    by_class = tmp_path / "Math 7B" / "2026-03-02 08.15 session-0007"
    assert report_folder(tmp_path, ReportLayout.CLASS, 7, "Math 7B", AT) == by_class


def test_report_folder_existing_one_is_reused(tmp_path: Path) -> None:
    there = report_folder(tmp_path, ReportLayout.CLASS, 7, "Math 7B", AT)
    there.mkdir(parents=True)
    for layout, name in ((ReportLayout.SESSION, "Math 7B"), (ReportLayout.CLASS, "Maths")):
        assert report_folder(tmp_path, layout, 7, name, AT.replace(hour=9)) == there
    assert report_folder(tmp_path, ReportLayout.CLASS, 70007, "Math 7B", AT) != there
    assert find_report_folders(tmp_path, 7) == [there]
    assert find_report_folders(tmp_path, 1) == []


def test_delete_report_folders(tmp_path: Path) -> None:
    first, second = (report_folder(tmp_path, ReportLayout.CLASS, n, "7b", AT) for n in (7, 8))
    for folder in (first, second):
        folder.mkdir(parents=True)
        (folder / "report.pdf").touch()
    assert delete_report_folders(tmp_path, 7) == [first]
    assert [path.name for path in (tmp_path / "7b").iterdir()] == [second.name]
    assert delete_report_folders(tmp_path, 8) == [second]
    assert list(tmp_path.iterdir()) == []
    assert delete_report_folders(tmp_path, 9) == []


def test_delete_report_folders_keeps_the_target_of_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "thesis.pdf").touch()
    output = tmp_path / "reports"
    output.mkdir()
    (output / "session-0007").symlink_to(elsewhere)
    delete_report_folders(output, 7)
    assert not (output / "session-0007").exists()
    assert (elsewhere / "thesis.pdf").exists()
