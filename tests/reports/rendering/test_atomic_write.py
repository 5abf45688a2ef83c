from __future__ import annotations

from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.rendering.atomic_write import write_whole


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "report.html"
    assert write_whole(path, b"old") == path
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_made(tmp_path):
    assert write_whole(tmp_path / "a" / "b" / "report.csv", b"x").read_bytes() == b"x"


@pytest.mark.parametrize("place", ["taken/report.html", "taken/below/report.html"])
def test_a_folder_that_is_a_file_is_one_line(tmp_path, place):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportError, match=r"cannot be written .*; choose another") as raised:
        write_whole(tmp_path / place, b"x")
    assert "\n" not in str(raised.value)


def test_a_full_disk_leaves_the_old_file_and_no_scrap(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    write_whole(path, b"old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match="No space left on device"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_while_writing_leaves_no_half(tmp_path):
    with pytest.raises(TypeError):
        write_whole(tmp_path / "report.html", "text, not bytes")
    assert list(tmp_path.iterdir()) == []
