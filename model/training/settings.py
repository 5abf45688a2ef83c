"""The settings of a training, and back from its ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.data.faces import FACE_PX
from model.training.augmentation import AugmentSettings
from model.training.network import NetworkSettings


@dataclass(frozen=True)
class TrainSettings:
    """The schedule: SGD with Nesterov momentum, a linear warm-up and a cosine down to nothing.

    ``px`` is the side of the faces learnt from: small ones cost less, and what was learnt from them is
    not lost when a second training goes on with larger ones. ``crop_px`` is the side of the square that
    is cut from each of them at random, which shifts the face and costs less than the whole; 0 cuts
    nothing. ``weight_decay`` is decoupled (Keras
    multiplies it by the rate alone), so it is ten times the figure of frameworks that add it to the
    gradient, at this momentum. ``no_mixup_epochs`` at the end are without mixup. ``teacher_weight`` is the weight of
    the teachers, where there are any. ``precision`` is a dtype policy of Keras; ``mixed_bfloat16`` is
    half as fast again on processors that compute it (AVX-512 BF16, AMX, GPUs), and slow on others.
    """

    seed: int = 2013
    epochs: int = 40
    px: int = FACE_PX
    crop_px: int = 0
    batch: int = 128
    peak_rate: float = 0.1
    warmup_epochs: float = 1.0
    momentum: float = 0.9
    weight_decay: float = 5e-3
    label_smoothing: float = 0.05
    average_decay: float = 0.999
    no_mixup_epochs: int = 5
    teacher_weight: float = 0.4
    precision: str = "float32"
    network: NetworkSettings = field(default_factory=NetworkSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)


def settings_from(run: Mapping[str, Any]) -> TrainSettings:
    """The settings that ``run.json`` tells of."""
    given = dict(run["settings"])
    network, augment = (_with_tuples(given.pop(name)) for name in ("network", "augment"))
    return TrainSettings(**given, network=NetworkSettings(**network), augment=AugmentSettings(**augment))


def _with_tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the settings have tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
