from __future__ import annotations

from pathlib import Path

import pytest

from reports.errors import ReportError
from reports.rendering.atomic_write import atomic_write


def test_atomic_write_creates_and_replaces(tmp_path):
    path = tmp_path / "report.html"
    assert atomic_write(path, b"old") == path
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_atomic_write_creates_folder(tmp_path):
    assert atomic_write(tmp_path / "a" / "b" / "report.csv", b"x").read_bytes() == b"x"


@pytest.mark.parametrize("place", ["taken/report.html", "taken/below/report.html"])
def test_atomic_write_below_a_file_raises(tmp_path, place):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ReportError, match=r"cannot be written") as raised:
        atomic_write(tmp_path / place, b"x")
    assert "\n" not in str(raised.value)


def test_full_disk_keeps_old_file_only(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    atomic_write(path, b"old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ReportError, match="No space left on device"):
        atomic_write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_failed_write_leaves_no_file(tmp_path):
    with pytest.raises(TypeError):
        atomic_write(tmp_path / "report.html", "text, not bytes")
    assert list(tmp_path.iterdir()) == []
