from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import ModelError
from model.training.run_folder import (
    EPOCHS_FILE,
    RUN_FILE,
    append_epoch,
    read_run,
    training_stages,
    truncate_epochs,
    write_pretty_json,
)


def write_run(folder: Path, scores: list[float], **facts: object) -> Path:
    folder.mkdir(exist_ok=True)
    write_pretty_json(folder / RUN_FILE, {"start": None, **facts})
    for index, score in enumerate(scores):
        append_epoch(
            folder / EPOCHS_FILE, {"epoch": index + 1, "choose_score": score, "elapsed_s": 90.0 * (index + 1)}
        )
    return folder


def test_read_run_chooses_the_first_best_epoch(tmp_path: Path) -> None:
    run = read_run(write_run(tmp_path, [0.3, 0.6, 0.5, 0.6], parameters=7))
    assert (run["chosen_epoch"], run["choose_score"], run["minutes"], run["parameters"]) == (2, 0.6, 6.0, 7)
    assert [row["choose_score"] for row in run["epochs"]] == [0.3, 0.6, 0.5, 0.6]


def test_append_epoch_1_starts_a_new_table(tmp_path: Path) -> None:
    write_run(tmp_path, [0.3, 0.6])
    write_run(tmp_path, [0.1])
    assert len(read_run(tmp_path)["epochs"]) == 1


def test_training_stages_are_first_to_last(tmp_path: Path) -> None:
    first = read_run(write_run(tmp_path / "1", [0.1]))
    second = read_run(write_run(tmp_path / "2", [0.2], start=first))
    third = read_run(write_run(tmp_path / "3", [0.3], start=second))
    assert [stage["choose_score"] for stage in training_stages(third)] == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("missing", [RUN_FILE, EPOCHS_FILE])
def test_read_run_missing_file_raises(tmp_path: Path, missing: str) -> None:
    write_run(tmp_path, [0.3])
    (tmp_path / missing).unlink()
    with pytest.raises(ModelError, match=r"contains no (training run|complete epoch)") as caught:
        read_run(tmp_path)
    assert "\n" not in str(caught.value)


def test_read_run_without_complete_epoch_raises(tmp_path: Path) -> None:
    write_run(tmp_path, [])
    (tmp_path / EPOCHS_FILE).write_text("epoch,choose_score,elapsed_s\n")
    with pytest.raises(ModelError, match="contains no complete epoch"):
        read_run(tmp_path)


def test_read_run_invalid_table_raises(tmp_path: Path) -> None:
    write_run(tmp_path, [])
    (tmp_path / EPOCHS_FILE).write_text("a,b\n1,2\n")
    with pytest.raises(ModelError, match="contains no complete epoch"):
        read_run(tmp_path)


def test_truncate_epochs_keeps_the_first_epochs(tmp_path: Path) -> None:
    truncate_epochs(tmp_path / EPOCHS_FILE, 2)
    write_run(tmp_path, [0.1, 0.2, 0.3])
    truncate_epochs(tmp_path / EPOCHS_FILE, 2)
    assert [row["choose_score"] for row in read_run(tmp_path)["epochs"]] == [0.1, 0.2]
    truncate_epochs(tmp_path / EPOCHS_FILE, 0)
    assert not (tmp_path / EPOCHS_FILE).exists()
