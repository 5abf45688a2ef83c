"""Training and export, which need TensorFlow, on a few synthetic faces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from model.data.faces import Faces, Splits
from model.errors import ModelError
from model.evaluation.metrics import head_accuracies
from model.export.model_card import render_card
from model.inference.calibration import Calibration, softmax
from model.inference.classifier import LiteRTClassifier, load_classifier, read_model
from model.training.augmentation import AugmentSettings
from model.training.run_folder import EPOCHS_FILE, NETWORK_FILE, RUN_FILE, STATE_FILE, read_run
from tests.helpers.made_up_faces import make_faces
from tests.helpers.training import ignore_library_warnings, needs_training

pytestmark = [needs_training, *ignore_library_warnings]


CALIBRATIONS = {
    "expression": Calibration(3.0, (0.5, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0)),
    "fer2013": Calibration(0.5),
}


@pytest.fixture(scope="module")
def train() -> ModuleType:
    import model.training.train

    return model.training.train


@pytest.fixture(scope="module")
def trained() -> ModuleType:
    import model.training.trained

    return model.training.trained


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(train=make_faces(40), choose=make_faces(21, seed=1), report=make_faces(21, seed=2))


@pytest.fixture(scope="module")
def settings(train: ModuleType) -> Any:
    from model.training.network import NetworkSettings
    from model.training.settings import TrainSettings

    return TrainSettings(epochs=3, batch=16, px=24, network=NetworkSettings(stem=4, widths=(4, 6)))


@contextmanager
def run_eagerly() -> Iterator[None]:
    """Run without tracing graphs, which takes ten times as long as the few steps."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def run_dir(
    train: ModuleType, splits: Splits, settings: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("runs") / "first"
    with run_eagerly():
        train.train_network(splits, out, settings)
    return out


@pytest.fixture(scope="module")
def exported(run_dir: Path, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network, exported with calibrations that change the probabilities noticeably."""
    from model.export import exporter

    out = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter, "fit_calibrations", lambda *_: CALIBRATIONS)
        # With noise and an untrained network int8 has no meaningful ranges.
        patch.setitem(exporter.FORMATS, "int8", exporter.Parity(0.5, 0.1, 0.2))
        exporter.export_model(run_dir, splits, out, "float16")
    return out


def learnable_faces(count: int, seed: int) -> Faces:
    """Learnable faces: noisy stripes whose width depends on the label."""
    faces, rng = make_faces(count, seed), np.random.default_rng(seed)
    rows = np.arange(48)[None, :, None]
    period = 6 * 1.35 ** faces.labels[:, None, None]
    stripes = 128 + 60 * np.sin(2 * np.pi * (rows / period + rng.random((count, 1, 1))))
    noisy = stripes + rng.normal(0, 20, faces.images.shape)
    return replace(faces, images=np.clip(noisy, 0, 255).astype(np.uint8))


def weights_of(folder: Path) -> list[np.ndarray]:
    from model.training.trained import load_network

    return [np.asarray(weight) for weight in load_network(folder).get_weights()]


def test_build_network_heads_and_widths(train: ModuleType) -> None:
    from model.training.network import HEADS, NetworkSettings, build_network

    network = build_network(NetworkSettings(stem=4, widths=(4, 6, 8), blocks=2))
    for px in (48, 32):
        out = network(np.zeros((3, px, px, 1), np.float32))
        assert set(out) == set(HEADS)
        assert all(tuple(value.shape) == (3, 7) for value in out.values())
    convolutions = [layer for layer in network.layers if layer.__class__.__name__ == "Conv2D"]
    assert [layer.filters for layer in convolutions] == [4] + [4] * 5 + [6] * 5 + [8] * 5


def test_build_network_standardises_each_face(train: ModuleType) -> None:
    from model.training.network import NetworkSettings, build_network

    network = build_network(NetworkSettings(stem=4, widths=(4,)))
    face = np.random.default_rng(0).uniform(50, 200, (1, 48, 48, 1)).astype(np.float32)
    alone = np.asarray(network(face)["expression"])
    dim = np.asarray(network(face * 0.5 + 20)["expression"])
    among = np.asarray(network(np.concatenate([face, face * 0]))["expression"])
    np.testing.assert_allclose(dim, alone, atol=1e-4)
    np.testing.assert_allclose(among[:1], alone, atol=1e-4)
    assert np.isfinite(among).all()


def test_learning_rate_schedule_warms_up_and_decays_to_0(train: ModuleType) -> None:
    from model.training.settings import TrainSettings

    rate = train.learning_rate_schedule(TrainSettings(epochs=10, warmup_epochs=1, peak_rate=0.01), steps=10)
    values = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    assert values == pytest.approx([0, 0.005, 0.01, 0.005, 0], abs=1e-5)


def test_train_network_writes_network_table_and_settings(
    train: ModuleType, run_dir: Path, settings: Any
) -> None:
    from model.training.settings import settings_from

    run = read_run(run_dir)
    assert [row["epoch"] for row in run["epochs"]] == [1, 2, 3]
    assert run["splits"] == {"train": 40, "choose": 21, "report": 21}
    assert settings_from(run) == settings
    assert {"python", "backend", "keras", "numpy"} < set(run["versions"])
    assert {path.name for path in run_dir.iterdir()} >= {NETWORK_FILE, EPOCHS_FILE, RUN_FILE, STATE_FILE}


def test_train_network_saves_the_averaged_weights(
    train: ModuleType, splits: Splits, settings: Any, tmp_path: Path
) -> None:
    from model.training.run_folder import load_training_state

    with run_eagerly():
        train.train_network(splits, tmp_path / "run", replace(settings, epochs=1, batch=4))
    kept, saved = load_training_state(tmp_path / "run"), weights_of(tmp_path / "run")
    for average, weights in zip(kept.average, saved, strict=True):
        np.testing.assert_allclose(average, weights, atol=1e-6)
    assert np.abs(kept.network[0] - saved[0]).max() > 1e-4


def test_train_network_learns_true_but_not_shuffled_labels(
    train: ModuleType, trained: ModuleType, tmp_path: Path
) -> None:
    from model.training.network import NetworkSettings
    from model.training.settings import TrainSettings

    seen, fresh = learnable_faces(280, seed=3), learnable_faces(140, seed=4)
    order = np.random.default_rng(0).permutation(len(seen))
    shuffled = replace(seen, labels=seen.labels[order], vote_counts=seen.vote_counts[order])
    settings = TrainSettings(
        epochs=8,
        batch=20,
        px=24,
        no_mixup_epochs=8,
        average_decay=0.9,
        network=NetworkSettings(stem=8, widths=(16, 32), dropout=0.0),
        augment=AugmentSettings(scale=0, rotate_deg=0, erase_share=0, downscale_share=0),
    )
    scores = {}
    for name, faces in {"true": seen, "shuffled": shuffled}.items():
        train.train_network(Splits(faces, fresh.subset(np.arange(70)), fresh), tmp_path / name, settings)
        network = trained.load_network(tmp_path / name)
        scores[name] = head_accuracies(
            trained.predict_logits(network, fresh.images, 24), fresh.subset(np.arange(140))
        )
    assert min(scores["true"]) > 0.8
    assert max(scores["shuffled"]) < 0.35


@pytest.mark.parametrize("cut", ["after the first epoch", "within the second"])
def test_resume_training_equals_uninterrupted(
    train: ModuleType, run_dir: Path, splits: Splits, settings: Any, tmp_path: Path, cut: str
) -> None:
    def stop(row: Mapping[str, float]) -> None:
        raise KeyboardInterrupt

    def stop_within(epoch: int, step: int, steps: int) -> None:
        assert steps == 3
        if (epoch, step) == (2, 2):
            raise KeyboardInterrupt

    when = {"on_epoch": stop} if cut == "after the first epoch" else {"on_progress": stop_within}
    out = tmp_path / "cut"
    with run_eagerly():
        with pytest.raises(KeyboardInterrupt):
            train.train_network(splits, out, settings, **when)
        assert len(read_run(out)["epochs"]) == 1
        run = train.resume_training(splits, out)
    whole = read_run(run_dir)
    times = {"elapsed_s", "minutes"}
    for row, same in zip(run["epochs"], whole["epochs"], strict=True):
        assert {k: v for k, v in row.items() if k not in times} == pytest.approx(
            {k: v for k, v in same.items() if k not in times}, abs=1e-5
        )
    assert run["epochs"][-1]["elapsed_s"] > run["epochs"][0]["elapsed_s"]
    for resumed, uninterrupted in zip(weights_of(out), weights_of(run_dir), strict=True):
        np.testing.assert_allclose(resumed, uninterrupted, atol=1e-5)


def test_resume_training_finished_run_is_unchanged(train: ModuleType, run_dir: Path, splits: Splits) -> None:
    before = read_run(run_dir)
    assert train.resume_training(splits, run_dir) == before


def test_train_network_existing_run_raises(
    train: ModuleType, run_dir: Path, splits: Splits, settings: Any
) -> None:
    with pytest.raises(ModelError, match="already contains a training run"):
        train.train_network(splits, run_dir, settings)


def test_resume_training_other_data_or_teachers_raises(
    train: ModuleType, run_dir: Path, splits: Splits
) -> None:
    with pytest.raises(ModelError, match="The splits have"):
        train.resume_training(replace(splits, train=make_faces(41)), run_dir)
    with pytest.raises(ModelError, match="teachers"):
        train.resume_training(splits, run_dir, teachers=[run_dir])


def test_train_network_starts_from_a_run(
    train: ModuleType, trained: ModuleType, run_dir: Path, splits: Splits, settings: Any, tmp_path: Path
) -> None:
    from model.training.network import build_network

    still = replace(settings, epochs=1, peak_rate=0.0)
    with run_eagerly():
        run = train.train_network(splits, tmp_path / "on", still, start_from=run_dir)
    assert run["start"]["settings"]["epochs"] == 3
    fresh = [np.asarray(weight) for weight in build_network(settings.network).trainable_weights]
    kept, gone_on = (
        [np.asarray(weight) for weight in trained.load_network(folder).trainable_weights]
        for folder in (run_dir, tmp_path / "on")
    )
    for before, after in zip(kept, gone_on, strict=True):
        np.testing.assert_allclose(before, after, atol=1e-6)
    assert any((a != b).any() for a, b in zip(kept, fresh, strict=True))


def test_teacher_probabilities_average_face_and_mirror_image(
    trained: ModuleType, run_dir: Path, splits: Splits, settings: Any
) -> None:
    from model.training.distillation import teacher_probabilities

    faces = splits.choose
    network = trained.load_network(run_dir)
    looks = [
        softmax(trained.predict_logits(network, images, settings.px)["expression"])
        for images in (faces.images, faces.images[:, :, ::-1])
    ]
    taught = teacher_probabilities([run_dir], faces)
    np.testing.assert_allclose(taught["expression"], np.mean(looks, axis=0), atol=1e-5)
    assert teacher_probabilities([], faces) is None


def test_train_network_starts_from_an_exported_model(
    train: ModuleType, trained: ModuleType, run_dir: Path, exported: Path, splits: Splits, settings: Any,
    tmp_path: Path,
) -> None:  # fmt: skip
    for kept, given in zip(weights_of(run_dir), weights_of(exported), strict=True):
        np.testing.assert_allclose(kept, given, atol=1e-3)
    with run_eagerly():
        still = replace(settings, epochs=1, peak_rate=0.0)
        run = train.train_network(splits, tmp_path / "on", still, start_from=exported)
    assert run["start"]["settings"] == read_run(run_dir)["settings"]
    assert "results" not in run["start"]


def test_teacher_probabilities_of_an_exported_model(
    train: ModuleType, exported: Path, splits: Splits
) -> None:
    from model.training.distillation import teacher_facts, teacher_probabilities

    path = exported / "expression.tflite"
    taught = teacher_probabilities([path], splits.choose)
    model = LiteRTClassifier(read_model(path), head="fer2013")
    looks = [model.probabilities(faces) for faces in (splits.choose.images, splits.choose.images[:, :, ::-1])]
    np.testing.assert_allclose(taught["fer2013"], np.mean(looks, axis=0), atol=1e-6)
    assert teacher_facts(path) == {"model": model.version}


def test_teacher_facts_omit_the_history(run_dir: Path) -> None:
    from model.training.distillation import teacher_facts

    known, run = teacher_facts(run_dir), read_run(run_dir)
    assert set(known) == {"settings", "chosen_epoch", "choose_score", "minutes"}
    assert known["settings"] == run["settings"]


def test_exported_model_equals_calibrated_keras(
    trained: ModuleType, run_dir: Path, exported: Path, splits: Splits
) -> None:
    logits = trained.predict_logits(trained.load_network(run_dir), splits.report.images)
    for head, own in CALIBRATIONS.items():
        result = LiteRTClassifier(read_model(exported / "expression.tflite"), head=head)
        np.testing.assert_allclose(
            result.probabilities(splits.report.images), own.probabilities(logits[head]), atol=2e-3
        )
        assert np.abs(own.probabilities(logits[head]) - softmax(logits[head])).max() > 5e-3


def test_exported_files_are_consistent(exported: Path) -> None:
    from model.export.exporter import calibrations_to_json

    training = json.loads((exported / "training.json").read_text())
    assert load_classifier(exported / "expression.tflite").version == training["model"]
    metrics = load_classifier(exported / "expression.tflite").model_metrics
    assert metrics is not None
    assert metrics["scores"]["accuracy"] == pytest.approx(
        training["results"]["heads"]["expression"]["ferplus"]["accuracy"], abs=1e-4
    )
    assert training["calibrations"] == calibrations_to_json(CALIBRATIONS)
    assert (exported / "MODEL_CARD.md").read_text() == render_card(training)
    sizes = {name: row["file_bytes"] for name, row in training["formats"].items()}
    assert max(sizes["float16"], sizes["int8"]) < sizes["float32"]
    assert len((exported / "expression.tflite").read_bytes()) == sizes["float16"]


@pytest.mark.parametrize("form", ["float32", "float16", "int8"])
def test_exported_formats_accept_any_batch_size(run_dir: Path, exported: Path, form: str) -> None:
    faces = make_faces(40).images
    model = LiteRTClassifier(read_model(run_dir / "exported" / form / "expression.tflite"))
    together = model.probabilities(faces)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together[:3], model.probabilities(faces[:3]), atol=1e-5)


@pytest.mark.parametrize("wrong", [np.nan, 9.0])
def test_check_parity_large_or_nan_difference_raises(exported: Path, splits: Splits, wrong: float) -> None:
    from model.export.exporter import check_parity, measure_parity

    logits = {head: np.zeros((21, 7), np.float32) for head in CALIBRATIONS}
    logits["fer2013"][0, 0] = wrong
    result = measure_parity(exported / "expression.tflite", logits, CALIBRATIONS, splits.report)
    with pytest.raises(ModelError, match="differs from Keras"):
        check_parity("float16", result)


def test_export_model_failed_parity_replaces_nothing(run_dir: Path, splits: Splits, tmp_path: Path) -> None:
    from model.export import exporter

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(exporter.FORMATS, "float32", exporter.Parity(0.0, 0.0, 1.1))
        patch.setattr(exporter, "convert_to_litert", _convert_once(exporter.convert_to_litert))
        with pytest.raises(ModelError, match="float32 export differs"):
            exporter.export_model(run_dir, splits, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _convert_once(convert: Any) -> Any:
    """Convert the first format and reuse it for all, because a conversion takes seconds."""
    kept: list[bytes] = []

    def once(*arguments: Any) -> bytes:
        if not kept:
            kept.append(convert(*arguments))
        return kept[0]

    return once


def test_fit_calibrations_uses_each_heads_own_labels() -> None:
    from model.export.exporter import fit_calibrations

    faces = make_faces(40)
    sure = np.eye(7, dtype=np.float32)[faces.labels] * 4
    wrong_votes = replace(faces, vote_counts=np.roll(faces.vote_counts, 1, axis=1))
    result = fit_calibrations({"expression": sure, "fer2013": sure}, wrong_votes)
    assert result["expression"].temperature > 1 > result["fer2013"].temperature


def test_load_network_missing_or_damaged_raises(trained: ModuleType, run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="contains no training run"):
        trained.load_network(tmp_path)
    for name in (RUN_FILE, EPOCHS_FILE):
        (tmp_path / name).write_bytes((run_dir / name).read_bytes())
    (tmp_path / NETWORK_FILE).write_text("no network")
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        trained.load_network(tmp_path)
    assert "\n" not in str(caught.value)
