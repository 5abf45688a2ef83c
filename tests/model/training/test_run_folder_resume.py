from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.errors import ModelError
from model.training.run_folder import STATE_FILE, TrainingState, load_training_state

STATE = TrainingState(
    epoch=3,
    network=[np.arange(3, dtype=np.float32), np.array(7, np.uint32)],
    optimizer=[np.array(12)] * 11 + [np.array(5)],
    average=[np.ones((2, 2), np.float32)],
    average_steps=40,
    best=0.5,
    elapsed_s=12.5,
)


def test_training_state_round_trip(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    kept = load_training_state(tmp_path)
    assert (kept.epoch, kept.average_steps, kept.best, kept.elapsed_s) == (3, 40, 0.5, 12.5)
    for name in ("network", "optimizer", "average"):
        for before, after in zip(getattr(STATE, name), getattr(kept, name), strict=True):
            np.testing.assert_array_equal(before, after)
            assert before.dtype == after.dtype


def test_training_state_save_replaces_the_previous(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    STATE.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [STATE_FILE]


@pytest.mark.parametrize("content", [None, b"", b"text", b"PK\x03\x04 cut off"])
def test_load_training_state_damaged_raises(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / STATE_FILE).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be resumed") as caught:
        load_training_state(tmp_path)
    assert "\n" not in str(caught.value)
