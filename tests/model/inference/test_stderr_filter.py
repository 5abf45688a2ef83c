from __future__ import annotations

import os

import pytest

from model.inference.litert import suppress_stderr_lines


def test_suppress_stderr_lines_drops_only_matching_lines(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress_stderr_lines(("INFO: made", "W0000")):
        os.write(2, b"INFO: made a delegate.\nERROR: INFO: made it worse\nW0000 00:01 careless\n")
    assert capfd.readouterr().err == "ERROR: INFO: made it worse\n"


def fail() -> None:
    with suppress_stderr_lines(("INFO",)):
        os.write(2, b"what led to it\n")
        raise ValueError("broken")


def test_suppress_stderr_lines_exception_keeps_output(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"):
        fail()
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "what led to it\nafterwards\n"
