"""The side that needs TensorFlow, on a few made-up faces."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from made_up_faces import draw_faces, make_faces, write_sheet
from model.augment import AugmentSettings
from model.calibrate import softmax
from model.card import render_card
from model.classifier import LiteRTClassifier, load_classifier, read_model
from model.dataset import Splits
from model.errors import ModelError

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow: the extra [train]"
    ),
    # TensorFlow, Keras and protobuf warn of each other and of NumPy; none of it is ours.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


TEMPERATURES = {"expression": 3.0, "fer2013": 0.5}


@pytest.fixture(scope="module")
def train() -> ModuleType:
    import model.train

    return model.train


@pytest.fixture(scope="module")
def splits() -> Splits:
    return Splits(train=make_faces(40), choose=make_faces(21, seed=1), report=make_faces(21, seed=2))


@pytest.fixture(scope="module")
def settings(train: ModuleType) -> Any:
    from model.network import NetworkSettings

    return train.TrainSettings(epochs=2, batch=16, network=NetworkSettings(stem=4, widths=(4, 6)))


@contextmanager
def eagerly() -> Iterator[None]:
    """Without tracing graphs, which would take ten times as long as the few steps that they are for."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def run_dir(
    train: ModuleType, splits: Splits, settings: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("run")
    with eagerly():
        train.train(splits, out, settings)
    return out


@pytest.fixture(scope="module")
def exported(run_dir: Path, splits: Splits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The network exported with temperatures that would be noticed if they were left out."""
    import model.export

    out = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.export, "fit_temperatures", lambda *_: TEMPERATURES)
        model.export.export(run_dir, splits, out)
    return out


def test_network_has_both_heads_and_the_widths_asked_for(train: ModuleType) -> None:
    from model.network import HEADS, NetworkSettings, build

    network = build(NetworkSettings(stem=4, widths=(4, 6, 8)))
    out = network(np.zeros((3, 48, 48, 1), np.float32))
    assert set(out) == set(HEADS)
    assert all(tuple(value.shape) == (3, 7) for value in out.values())
    assert network.layers[-3].output.shape[-1] == 8


def test_network_standardises_each_face_by_itself(train: ModuleType) -> None:
    from model.network import NetworkSettings, build

    network = build(NetworkSettings(stem=4, widths=(4,)))
    face = np.random.default_rng(0).uniform(50, 200, (1, 48, 48, 1)).astype(np.float32)
    alone = np.asarray(network(face)["expression"])
    dim = np.asarray(network(face * 0.5 + 20)["expression"])
    among = np.asarray(network(np.concatenate([face, face * 0]))["expression"])
    np.testing.assert_allclose(dim, alone, atol=1e-4)
    np.testing.assert_allclose(among[:1], alone, atol=1e-4)
    assert np.isfinite(among).all()


def test_targets_are_votes_and_smoothed_labels(train: ModuleType) -> None:
    faces = make_faces(5)
    shares, weights = train.targets(faces, smoothing=0.07)
    np.testing.assert_array_equal(shares["expression"], faces.votes)
    assert weights["expression"].tolist() == [1, 1, 1, 1, 0]
    assert shares["fer2013"][2, 2] == pytest.approx(0.94)
    assert shares["fer2013"][2, 3] == pytest.approx(0.01)
    assert weights["fer2013"].tolist() == [1] * 5


def test_batches_show_each_face_once_and_repeat_by_seed(train: ModuleType, settings: Any) -> None:
    faces = make_faces(40)
    still = replace(
        settings,
        augment=AugmentSettings(shift_px=0, rotate_deg=0, scale=0, contrast=0, erase_share=0, small_share=0),
    )
    batches, again = train.Batches(faces, still), train.Batches(faces, still)
    labels = np.concatenate([batches[i][1]["fer2013"].argmax(axis=1) for i in range(len(batches))])
    assert [len(batches), len(labels)] == [3, 40]
    assert sorted(labels.tolist()) == sorted(faces.labels.tolist())
    np.testing.assert_array_equal(batches[1][0], again[1][0])
    batches.on_epoch_end()
    assert (batches[1][0] != again[1][0]).any()


def test_rate_warms_up_and_ends_at_nothing(train: ModuleType) -> None:
    rate = train.schedule(train.TrainSettings(epochs=10, warmup_epochs=1, peak_rate=0.01), steps=10)
    values = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    assert values == pytest.approx([0, 0.005, 0.01, 0.005, 0], abs=1e-5)


def test_a_training_writes_its_network_its_table_and_its_settings(run_dir: Path, settings: Any) -> None:
    from model.runs import read_run

    run = read_run(run_dir)
    assert [row["epoch"] for row in run["epochs"]] == [1, 2]
    assert run["splits"] == {"train": 40, "choose": 21, "report": 21}
    assert run["settings"]["network"]["widths"] == [4, 6]
    assert run["settings"]["seed"] == settings.seed
    assert set(run["versions"]) == {"python", "tensorflow", "keras", "numpy"}
    assert (run_dir / "network.keras").is_file()


def test_a_training_can_be_gone_on_from(
    train: ModuleType, run_dir: Path, splits: Splits, settings: Any, tmp_path: Path
) -> None:
    import keras

    still = replace(settings, epochs=1, peak_rate=0.0, weight_decay=0.0)
    with eagerly():
        run = train.train(splits, tmp_path, still, start=run_dir)
    assert run["start"]["settings"]["epochs"] == 2
    kept, gone_on = (
        keras.models.load_model(folder / "network.keras", compile=False) for folder in (run_dir, tmp_path)
    )
    fresh = train.build(settings.network)
    for before, after in zip(kept.trainable_weights, gone_on.trainable_weights, strict=True):
        np.testing.assert_allclose(before.numpy(), after.numpy(), atol=1e-6)
    assert any(
        (a.numpy() != b.numpy()).any()
        for a, b in zip(kept.trainable_weights, fresh.trainable_weights, strict=True)
    )


def test_what_is_exported_says_what_keras_says_at_its_temperature(
    run_dir: Path, exported: Path, splits: Splits
) -> None:
    import keras

    from model.export import predict

    network = keras.models.load_model(run_dir / "network.keras", compile=False)
    logits = predict(network, splits.report)
    for head, temperature in TEMPERATURES.items():
        found = LiteRTClassifier(read_model(exported / "expression.tflite"), head=head)
        np.testing.assert_allclose(
            found.probabilities(splits.report.images), softmax(logits[head], temperature), atol=2e-3
        )
        assert np.abs(softmax(logits[head], temperature) - softmax(logits[head])).max() > 5e-3


def test_what_is_exported_belongs_together(exported: Path) -> None:
    training = json.loads((exported / "training.json").read_text())
    assert load_classifier(exported / "expression.tflite").version == training["model"]
    assert training["temperatures"] == TEMPERATURES
    assert (exported / "MODEL_CARD.md").read_text() == render_card(training)


@pytest.mark.parametrize("wrong", [np.nan, 9.0])
def test_parity_is_checked_and_nan_is_no_parity(exported: Path, splits: Splits, wrong: float) -> None:
    from model.export import check_parity

    logits = {head: np.zeros((21, 7), np.float32) for head in TEMPERATURES}
    logits["fer2013"][0, 0] = wrong
    with pytest.raises(ModelError, match="differs from Keras"):
        check_parity(exported / "expression.tflite", logits, TEMPERATURES, splits.report)


def test_small_faces_are_made_as_frames_show_them() -> None:
    from model.export import as_seen

    face = draw_faces(1)[0]
    np.testing.assert_array_equal(as_seen(face, 48), face)
    assert as_seen(face, 12).shape == (48, 48)
    assert as_seen(face, 12).std() < as_seen(face, 24).std() < face.std()


def test_each_head_gets_the_temperature_of_its_own_labels() -> None:
    from model.export import fit_temperatures

    faces = make_faces(20)
    sure = np.eye(7, dtype=np.float32)[faces.labels] * 4
    unsure_votes = faces.votes * 0.5 + 0.5 / 7 * faces.vote_weights[:, None]
    temperatures = fit_temperatures({"expression": sure, "fer2013": sure}, replace(faces, votes=unsure_votes))
    assert temperatures["expression"] > 1 > temperatures["fer2013"]


@pytest.mark.parametrize("command", ["train", "export"])
def test_data_that_is_not_there_is_one_line_and_exit_2(
    command: str, run_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module = importlib.import_module(f"model.{command}")
    extra = ["--run", str(run_dir)] if command == "export" else []
    assert module.main(["--data", str(tmp_path), "--out", str(tmp_path / "out"), *extra]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "fer2013_faces.png does not exist" in message
    assert not (tmp_path / "out").exists()


def test_command_passes_on_what_it_was_told(
    train: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def note(*arguments: Any) -> dict[str, Any]:
        asked.extend(arguments)
        return {"chosen_epoch": 3, "choose_score": 0.5}

    write_sheet(tmp_path, make_faces(4).images)
    monkeypatch.setattr(train, "train", note)
    out, start = tmp_path / "out", tmp_path / "start"
    options = ["--data", tmp_path, "--out", out, "--start", start, "--epochs", 5, "--seed", 8]
    assert train.main([*map(str, options), "--warmup-epochs", "0.5"]) == 0
    assert len(asked[0].train) == 4
    assert asked[1:] == [out, train.TrainSettings(seed=8, epochs=5, warmup_epochs=0.5), start]
    assert capsys.readouterr().out == "epoch 3 kept, 0.5000 on the choosing half\n"
