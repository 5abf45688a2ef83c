"""What the wheel carries, and who may import whom."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("classpulse", "monitor", "model", "db", "reports", "templates")

BELOW = {
    "model": set(),
    "db": set(),
    "monitor": {"model", "db"},
    "reports": {"db", "model.emotions"},
    "classpulse": {"model", "db", "monitor", "reports"},
}
"""Whom each room may import, of the project's own."""

PURE = (
    "monitor.types", "monitor.tracking.tracker", "monitor.seating.assigner", "monitor.assignment", "monitor.timeline.binning",
    "monitor.timeline.binning", "monitor.faces.head_pose", "monitor.faces.head_pose", "monitor.faces.head_pose", "monitor.faces.eye_closure",
    "monitor.seating.seat_plan", "monitor.geometry", "monitor.tracking.id_switch", "monitor.tracking.liveness", "monitor.tracking.appearance_model",
    "monitor.seating.layout_change", "monitor.assignment", "monitor.tracking.relative_motion", "monitor.tracking.track_verification",
    "monitor.seating.call_grid",
    "monitor.daemon.timetable", "monitor.sources.camera_state", "monitor.sources.freshness", "monitor.runtime.backoff", "monitor.sources.camera_state",
    "monitor.session.state", "monitor.runtime.backoff", "monitor.session.frame_rate", "monitor.timeline.batch", "monitor.session.presence",
    "monitor.sources.participant_grid", "monitor.daemon.protocol", "monitor.session.smoothing",
    "classpulse.online.lesson", "classpulse.online.jpeg", "monitor.daemon.face_tags",
    "reports.timeline.student", "reports.timeline.attention", "reports.timeline.change_points", "reports.text.names",
    "reports.flags.sadness", "reports.flags.attention", "reports.flags.confusion", "reports.flags.confidence", "reports.flags.baseline",
    "reports.timeline.uncertain_returns", "reports.timeline.gaps", "monitor.daemon.health",
    "db.records", "db.small_faces", "db.corrections.identity", "db.corrections.merge_bins", "db.corrections.reviews", "model.emotions",
    "model.poses", "monitor.faces.pose_gate",
)  # fmt: skip

TRAINING = (
    "model.training.network",
    "model.training.trained",
    "model.training.train",
    "model.export.exporter",
)


def imports(path: Path) -> set[str]:
    """Every module that a file imports, at the top or inside a function."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.add(node.module or "")
    return found


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", BELOW)
def test_nothing_points_up(package: str) -> None:
    allowed = BELOW[package] | {package}
    for path in sources(package):
        for module in imports(path):
            if module.split(".")[0] in PACKAGES:
                fits = module.split(".")[0] in allowed or any(
                    module.startswith(a) for a in allowed if "." in a
                )
                assert fits, f"{path.relative_to(ROOT)} imports {module}"


@pytest.mark.parametrize("module", PURE)
def test_the_middle_is_pure(module: str) -> None:
    code = f"import sys, {module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    impure = {
        "cv2",
        "mediapipe",
        "tensorflow",
        "keras",
        "sqlalchemy",
        "matplotlib",
        "ai_edge_litert",
        "jinja2",
    }
    assert impure.isdisjoint(ran.stdout.split())


def test_tensorflow_is_imported_by_the_training_side_alone() -> None:
    for package in BELOW:
        for path in sources(package):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            heavy = {name for name in imports(path) if name.split(".")[0] in {"tensorflow", "keras"}}
            assert not heavy or module in TRAINING, f"{module} imports {heavy}"


def test_mediapipe_is_never_imported() -> None:
    """Its models are run without it: importing it takes seconds, and with TensorFlow installed, many."""
    for package in BELOW:
        for path in sources(package):
            assert not any(name.split(".")[0] == "mediapipe" for name in imports(path)), path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    copy = folder / "tree"
    keep_out = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__", "classpulse-demo")
    shutil.copytree(ROOT, copy, ignore=keep_out)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(copy)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_everything_that_is_needed_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    inside = set(wheel.namelist())
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in inside, (
                    f"{path.relative_to(ROOT)} is not in the wheel"
                )


def test_nothing_else_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
