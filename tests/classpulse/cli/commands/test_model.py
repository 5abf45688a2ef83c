"""``classpulse model``: what a person types, and what comes back."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from classpulse.cli.main import run_command_line
from model.data.faces import Faces
from model.inference.classifier import shipped_file
from model.training.augmentation import AugmentSettings
from model.training.run_folder import EPOCHS_FILE, RUN_FILE
from tests.helpers.made_up_faces import make_faces, write_archive


def write_faces(path: Path, faces: Faces, **table: object) -> Path:
    """Faces with their votes as the archive that the commands take."""
    return write_archive(path, faces.images, label=faces.labels, ferplus_votes=faces.vote_counts, **table)


needs_training = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow: the extra [train]"
)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return write_faces(tmp_path / "faces.npz", make_faces(21))


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["model", "--help"]) == 0
    out = capsys.readouterr().out
    assert all(f"  {name} " in out for name in ("explore", "train", "evaluate", "export"))


def test_evaluate_scores_the_shipped_model_on_an_archive(
    archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["model", "evaluate", str(archive), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == json.loads(shipped_file("expression.json").read_text())["version"]
    assert (found["split"], found["faces"]) == ("all", 21)
    assert found["ferplus"]["faces"] == int(make_faces(21).has_majority.sum())
    assert found["fer2013"] == found["heads"]["fer2013"]["fer2013"]
    assert found["ferplus"] == found["heads"]["expression"]["ferplus"]
    assert sum(map(sum, found["fer2013"]["confusion"])) == 21
    assert {"accuracy", "neutral_called_sad", "sad_f1", "ece", "reliability"} < set(found["ferplus"])


def test_evaluate_prints_the_classification_report_of_both_label_sets(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["model", "evaluate", str(archive), "--out", str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert out.count("f1-score") == out.count("weighted avg") == 2
    assert "neutral faces called sad" in out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "confusion-fer2013.png", "confusion-ferplus.png", "report-fer2013.txt", "report-ferplus.txt",
        "reliability.png", "evaluation.json",
    }  # fmt: skip
    assert (tmp_path / "out" / "reliability.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out" / "report-ferplus.txt").read_text() in out


def test_evaluate_without_votes_says_so_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    faces = make_faces(14)
    np.savez(tmp_path / "bare.npz", image=faces.images, label=faces.labels)
    assert (
        run_command_line(["model", "evaluate", str(tmp_path / "bare.npz"), "--out", str(tmp_path / "out")])
        == 0
    )
    said = capsys.readouterr()
    assert "no face has a majority" in said.err
    assert "unknown" in said.out
    assert not (tmp_path / "out" / "confusion-ferplus.png").exists()
    assert json.loads((tmp_path / "out" / "evaluation.json").read_text())["ferplus"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["nowhere.npz"], "nowhere.npz"),
        (["faces.npz", "--split", "report"], "no face for"),
        (["faces.npz", "--split", "private"], "no face for the split 'private'"),
        (["faces.npz", "--model", "nothing.tflite"], "cannot be loaded"),
        (["faces.npz", "--model", "network.keras"], "is no exported model"),
    ],
)
def test_evaluate_refuses_in_one_line(
    archive: Path, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["model", "evaluate", *options]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


def test_without_the_extra_training_names_it(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("classpulse.cli.optional_deps.find_spec", lambda name: None)
    for command in (["train", str(archive)], ["export", "x", str(archive)]):
        assert run_command_line(["model", *command]) == 2
        assert "pip install '.[train]'" in capsys.readouterr().err


@needs_training
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["train", "nowhere"], "nowhere"),
        (["train", "faces.npz"], "no face for Training"),
        (["train", "faces.npz", "--resume"], "no face for Training"),
        (["export", "nowhere", "faces.npz"], "nowhere holds no training"),
    ],
)
def test_train_and_export_refuse_in_one_line(
    archive: Path, command: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["model", *command]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1


@needs_training
@pytest.mark.filterwarnings("ignore")
class TestTraining:
    """Passing on what was asked, with the fitting itself left out."""

    @pytest.fixture
    def data(self, tmp_path: Path) -> Path:
        faces = make_faces(12)
        usage = np.array([0] * 6 + [1] * 6)
        return write_faces(tmp_path / "split.npz", faces, usage=usage)

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
        from model.training import train

        kept: dict[str, object] = {}

        def fit(splits: object, out: Path, *settings: object, **options: object) -> dict[str, object]:
            kept.update(splits=splits, out=out, settings=settings, **options)
            return {"chosen_epoch": 3, "choose_score": 0.5, "minutes": 1.0, "epochs": [{}] * 4}

        monkeypatch.setattr(train, "train_network", fit)
        monkeypatch.setattr(train, "resume_training", fit)
        return kept

    def test_every_option_is_passed_on(
        self, data: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        from model.training.settings import TrainSettings

        options = [
            "--epochs",
            "5",
            "--image-px",
            "36",
            "--batch",
            "8",
            "--learning-rate",
            "0.5",
            "--seed",
            "8",
            "--distillation-weight",
            "0.2",
        ]
        options += ["--warmup-epochs", "0.5", "--no-mixup-epochs", "2", "--mixup", "0.3"]
        folders = ["--out", "o", "--start", "s", "--teacher", "a", "--teacher", "b"]
        assert run_command_line(["model", "train", str(data), *options, *folders]) == 0
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
        assert asked["settings"] == (expected,)
        assert (asked["out"], asked["start_from"]) == (Path("o"), Path("s"))
        assert asked["teachers"] == (Path("a"), Path("b"))
        said = capsys.readouterr()
        assert said.out == "epoch 3 of 4 chosen\n"
        assert "next: classpulse model export o" in said.err

    def test_resuming_takes_the_settings_it_began_with(
        self, data: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        from model.training.settings import TrainSettings

        out = Path("begun")
        out.mkdir()
        (out / RUN_FILE).write_text(json.dumps({"settings": asdict(TrainSettings(epochs=7))}))
        resumed = ["model", "train", str(data), "--out", "begun", "--resume"]
        assert run_command_line([*resumed, "--epochs", "7", "--json"]) == 0
        assert asked["settings"] == ()
        assert "7 epochs" in capsys.readouterr().err
        assert run_command_line([*resumed, "--epochs", "8"]) == 2
        assert "settings it began with" in capsys.readouterr().err

    def test_a_training_can_be_repeated_as_the_shipped_one_was(
        self, data: Path, asked: dict[str, object], capsys: pytest.CaptureFixture[str]
    ) -> None:
        from dataclasses import replace

        from model.training.run_folder import training_stages
        from model.training.settings import settings_from

        known = training_stages(json.loads(shipped_file("training.json").read_text()))
        assert run_command_line(["model", "train", str(data), "--shipped-stage", "1", "--epochs", "3"]) == 0
        assert asked["settings"] == (replace(settings_from(known[0]), epochs=3),)
        capsys.readouterr()
        assert run_command_line(["model", "train", str(data), "--shipped-stage", "9"]) == 2
        assert f"in {len(known)} stages; there is no stage 9" in capsys.readouterr().err

    def test_the_shipped_network_can_be_gone_on_from(self, data: Path, asked: dict[str, object]) -> None:
        assert run_command_line(["model", "train", str(data), "--start", "shipped"]) == 0
        start = asked["start_from"]
        assert isinstance(start, Path)
        assert (start / "network.npz").is_file()

    def test_an_interrupted_training_says_how_to_go_on(
        self, data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from model.training import train

        def interrupted(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(train, "train_network", interrupted)
        assert run_command_line(["model", "train", str(data)]) == 1
        assert "--resume" in capsys.readouterr().err

    def test_without_votes_the_remedy_is_named_before_any_work(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        faces = make_faces(12)
        usage = np.array([0] * 6 + [1] * 6)
        np.savez(tmp_path / "bare.npz", image=faces.images, label=faces.labels, usage=usage)
        begun = tmp_path / "run"
        begun.mkdir()
        (begun / RUN_FILE).write_text("{}")
        (begun / EPOCHS_FILE).write_text("epoch,choose_score,elapsed_s\n1,0.5,1\n")
        for command in (["export", str(begun)], ["train"]):
            assert run_command_line(["model", *command, str(tmp_path / "bare.npz")]) == 2
            assert "give --votes" in capsys.readouterr().err
