"""Private files."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from monitor.runtime.files import write_private


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_write_private_replaces_a_file_with_a_private_one(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "né")
    assert path.read_text("utf-8") == "né"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_failed_write_private_keeps_the_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_private(path, "\udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
