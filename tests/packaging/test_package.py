"""The content of the wheel. The layers of the packages are contracts of import-linter in setup.cfg."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("classpulse", "monitor", "model", "db", "reports", "templates")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "tree"
    ignored = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "classpulse-demo")
    shutil.copytree(ROOT, copy, ignore=ignored)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    build = subprocess.run(command, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stdout + build.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_wheel_contains_all_files_of_the_packages(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in names, (
                    f"{path.relative_to(ROOT)} is not in the wheel"
                )


def test_wheel_contains_no_other_package(wheel: zipfile.ZipFile) -> None:
    packages = {name.split("/")[0] for name in wheel.namelist()}
    assert {package for package in packages if not package.endswith((".dist-info", ".data"))} == set(PACKAGES)


def test_wheel_contains_the_man_page(wheel: zipfile.ZipFile) -> None:
    assert [name.partition(".data/")[2] for name in wheel.namelist() if ".data/" in name] == [
        "data/share/man/man1/classpulse.1"
    ]
