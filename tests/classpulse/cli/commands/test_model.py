"""The commands ``classpulse model evaluate``, ``train`` and ``export``."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.inference.classifier import shipped_file
from model.training.augmentation import AugmentSettings
from model.training.run_folder import EPOCHS_FILE, RUN_FILE, training_stages
from tests.helpers.made_up_faces import make_faces, write_archive, write_faces
from tests.helpers.training import needs_training

TWO_SPLITS = np.array([0] * 6 + [1] * 6)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "faces.npz", make_faces(21))


def test_model_help_lists_every_command(shell: Any) -> None:
    code, out, _ = shell("model", "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in ("explore", "train", "evaluate", "export"))


def test_evaluate_scores_the_shipped_model(shell: Any, archive: Path) -> None:
    result = shell.json("model", "evaluate", archive)
    assert result["model"] == json.loads(shipped_file("expression.json").read_text())["version"]
    assert (result["split"], result["faces"]) == ("all", 21)
    assert result["ferplus"]["faces"] == int(make_faces(21).has_majority.sum())
    assert result["fer2013"] == result["heads"]["fer2013"]["fer2013"]
    assert result["ferplus"] == result["heads"]["expression"]["ferplus"]
    assert sum(map(sum, result["fer2013"]["confusion"])) == 21
    assert {"accuracy", "neutral_called_sad", "sad_f1", "ece", "reliability"} < set(result["ferplus"])


def test_evaluate_writes_reports_and_figures_of_both_label_sets(
    shell: Any, archive: Path, tmp_path: Path
) -> None:
    code, out, _ = shell("model", "evaluate", archive, "--out", tmp_path / "out")
    assert code == 0
    assert out.count("f1-score") == out.count("weighted avg") == 2
    assert "neutral faces called sad" in out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "confusion-fer2013.png", "confusion-ferplus.png", "report-fer2013.txt", "report-ferplus.txt",
        "reliability.png", "evaluation.json",
    }  # fmt: skip
    assert (tmp_path / "out" / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "report-ferplus.txt").read_text() in out


def test_evaluate_without_votes_scores_fer2013_only(shell: Any, tmp_path: Path) -> None:
    faces = make_faces(14)
    bare = write_archive(tmp_path / "bare.npz", faces.images, label=faces.labels)
    code, out, error = shell("model", "evaluate", bare, "--out", tmp_path / "out")
    assert code == 0
    assert "no face has a FER+ majority" in error
    assert "unknown" in out
    assert not (tmp_path / "out" / "confusion-ferplus.png").exists()
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["ferplus"] is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["nowhere.npz"], "nowhere.npz"),
        (["faces.npz", "--split", "report"], "no face for"),
        (["faces.npz", "--split", "private"], "no face for the split 'private'"),
        (["faces.npz", "--model", "nothing.tflite"], "cannot be loaded"),
        (["faces.npz", "--model", "network.keras"], "is not an exported model"),
    ],
)
def test_evaluate_invalid_argument_fails(shell: Any, archive: Path, options: list[str], message: str) -> None:
    assert message in shell.fails(2, "model", "evaluate", *options)


def test_train_and_export_without_the_extra_fail_with_a_hint(
    shell: Any, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("classpulse.cli.optional_deps.find_spec", lambda name: None)
    for command in (["train", archive], ["export", "x", archive]):
        code, _, error = shell("model", *command)
        assert code == 2
        assert "pip install '.[train]'" in error


@needs_training
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["train", "nowhere"], "nowhere"),
        (["train", "faces.npz"], "no face for Training"),
        (["train", "faces.npz", "--resume"], "no face for Training"),
        (["export", "nowhere", "faces.npz"], "nowhere contains no training run"),
    ],
)
def test_train_and_export_invalid_argument_fails(
    shell: Any, archive: Path, command: list[str], message: str
) -> None:
    assert message in shell.fails(2, "model", *command)


@needs_training
@pytest.mark.filterwarnings("ignore")
class TestTrain:
    """Options of ``train``, without training."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        return write_faces(tmp_path / "split.npz", make_faces(12), usage=TWO_SPLITS)

    @pytest.fixture
    def call(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
        """The arguments of the training that a command starts."""
        from model.training import train

        arguments: dict[str, Any] = {}

        def fake_training(splits: object, out: Path, *settings: object, **options: object) -> dict[str, Any]:
            arguments.update(splits=splits, out=out, settings=settings, **options)
            return {"chosen_epoch": 3, "choose_score": 0.5, "minutes": 1.0, "epochs": [{}] * 4}

        monkeypatch.setattr(train, "train_network", fake_training)
        monkeypatch.setattr(train, "resume_training", fake_training)
        return arguments

    def test_train_passes_every_option(self, shell: Any, data: Path, call: dict[str, Any]) -> None:
        from model.training.settings import TrainSettings

        options = {
            "--epochs": 5, "--image-px": 36, "--batch": 8, "--learning-rate": 0.5, "--seed": 8,
            "--distillation-weight": 0.2, "--warmup-epochs": 0.5, "--no-mixup-epochs": 2, "--mixup": 0.3,
        }  # fmt: skip
        folders = ["--out", "o", "--start", "s", "--teacher", "a", "--teacher", "b"]
        arguments = [str(part) for option in options.items() for part in option]
        code, out, error = shell("model", "train", data, *arguments, *folders)
        assert code == 0
        expected = TrainSettings(
            epochs=5,
            px=36,
            batch=8,
            peak_rate=0.5,
            seed=8,
            teacher_weight=0.2,
            warmup_epochs=0.5,
            no_mixup_epochs=2,
            augment=AugmentSettings(mixup_share=0.3),
        )
        assert call["settings"] == (expected,)
        assert (call["out"], call["start_from"]) == (Path("o"), Path("s"))
        assert call["teachers"] == (Path("a"), Path("b"))
        assert out == "selected epoch 3 of 4\n"
        assert "next: classpulse model export o" in error

    def test_train_resume_uses_the_stored_settings(
        self, shell: Any, data: Path, call: dict[str, Any]
    ) -> None:
        from model.training.settings import TrainSettings

        out = Path("run")
        out.mkdir()
        (out / RUN_FILE).write_text(json.dumps({"settings": asdict(TrainSettings(epochs=7))}))
        resume = ["model", "train", data, "--out", "run", "--resume"]
        code, _, error = shell(*resume, "--epochs", "7", "--json")
        assert code == 0
        assert call["settings"] == ()
        assert "7 epochs" in error
        assert "only be resumed with its own settings" in shell.fails(2, *resume, "--epochs", "8")

    def test_train_shipped_stage_uses_its_settings(
        self, shell: Any, data: Path, call: dict[str, Any]
    ) -> None:
        from model.training.settings import settings_from

        stages = training_stages(json.loads(shipped_file("training.json").read_text()))
        code, _, _ = shell("model", "train", data, "--shipped-stage", "1", "--epochs", "3")
        assert code == 0
        assert call["settings"] == (replace(settings_from(stages[0]), epochs=3),)
        code, _, error = shell("model", "train", data, "--shipped-stage", "9")
        assert code == 2
        assert "no training stage 9" in error
        assert f"1 to {len(stages)}" in error

    def test_train_starts_from_the_shipped_network(
        self, shell: Any, data: Path, call: dict[str, Any]
    ) -> None:
        assert shell("model", "train", data, "--start", "shipped")[0] == 0
        assert (call["start_from"] / "network.npz").is_file()

    def test_train_interrupted_prints_how_to_resume(
        self, shell: Any, data: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from model.training import train

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(train, "train_network", interrupted)
        code, _, error = shell("model", "train", data)
        assert code == 130
        assert "--resume" in error

    def test_train_and_export_without_votes_fail_before_any_work(self, shell: Any, tmp_path: Path) -> None:
        faces = make_faces(12)
        bare = write_archive(tmp_path / "bare.npz", faces.images, label=faces.labels, usage=TWO_SPLITS)
        run = tmp_path / "run"
        run.mkdir()
        (run / RUN_FILE).write_text("{}")
        (run / EPOCHS_FILE).write_text("epoch,choose_score,elapsed_s\n1,0.5,1\n")
        for command in (["export", run], ["train"]):
            code, _, error = shell("model", *command, bare)
            assert code == 2
            assert "--votes" in error
