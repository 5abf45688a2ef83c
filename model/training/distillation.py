"""Distillation from earlier networks (Hinton et al. 2015, arXiv 1503.02531). Needs Keras for those not
exported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.data.faces import Faces
from model.evaluation.scorecard import probabilities_by_head
from model.inference.calibration import softmax
from model.inference.classifier import LiteRTClassifier, read_model
from model.training.batches import LabelShares
from model.training.network import HEADS
from model.training.run_folder import read_run
from model.training.trained import load_network, predict_logits


def teacher_probabilities(teachers: Sequence[Path], faces: Faces) -> LabelShares | None:
    """The mean probabilities of the teachers for ``faces`` and their mirror images; None without teachers.

    A teacher is a run folder or an exported model. Raises ``ModelError`` for anything else.
    """
    answers = []
    for teacher in teachers:
        predict = _exported_teacher(teacher) if teacher.suffix == ".tflite" else _trained_teacher(teacher)
        for images in (faces.images, np.ascontiguousarray(faces.images[:, :, ::-1])):
            answers.append(predict(images))
    if not answers:
        return None
    return {head: np.mean([answer[head] for answer in answers], axis=0, dtype=np.float32) for head in HEADS}


def _trained_teacher(folder: Path) -> Callable[[NDArray[np.uint8]], LabelShares]:
    network, px = load_network(folder), int(read_run(folder)["settings"]["px"])
    return lambda images: {
        head: softmax(value) for head, value in predict_logits(network, images, px).items()
    }


def _exported_teacher(path: Path) -> Callable[[NDArray[np.uint8]], LabelShares]:
    model = LiteRTClassifier(read_model(path))
    return lambda images: probabilities_by_head(model, images)


def teacher_facts(teacher: Path) -> dict[str, Any]:
    """The description of a teacher for ``run.json``: not its path, which may be private, nor its history."""
    if teacher.suffix == ".tflite":
        return {"model": read_model(teacher).version}
    run = read_run(teacher)
    return {key: run[key] for key in ("settings", "chosen_epoch", "choose_score", "minutes")}
