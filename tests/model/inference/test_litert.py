from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from model.inference.litert import open_interpreter

ROOT = Path(__file__).resolve().parents[3]


def test_open_interpreter_writes_nothing_to_stderr() -> None:
    code = (
        "from model.inference.litert import open_interpreter\n"
        "from model.networks import FACE_DETECTION_SHORT_RANGE\n"
        "net = open_interpreter(FACE_DETECTION_SHORT_RANGE.read(), 1)\n"
        "net.invoke()\n"
        "print(net.get_input_details()[0]['shape'])\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[  1 128 128   3]", "")


def test_open_interpreter_invalid_network_raises() -> None:
    with pytest.raises((ValueError, RuntimeError)):
        open_interpreter(b"not a network", 1)
