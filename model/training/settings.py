"""The settings of a training run, also as read from its ``run.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from model.data.faces import FACE_PX
from model.training.augmentation import AugmentSettings
from model.training.network import NetworkSettings


@dataclass(frozen=True)
class TrainSettings:
    """The schedule: SGD with Nesterov momentum, linear warm-up, cosine decay to 0.

    ``px`` is the side of the training images: small ones cost less, and a later stage can continue with
    larger ones. ``crop_px`` is the side of a random crop of each image, which shifts the face and costs less
    than the whole; 0 for none. ``weight_decay`` is decoupled (Keras multiplies it by the learning rate only),
    so at this momentum it is ten times the value of frameworks that add it to the gradient. The last
    ``no_mixup_epochs`` are without mixup. ``teacher_weight`` is the weight of the teachers, if any.
    ``precision`` is a dtype policy of Keras; ``mixed_bfloat16`` is half as fast again on processors that
    support it (AVX-512 BF16, AMX, GPUs), and slow on others.
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
    """The settings stored in ``run.json``."""
    stored = dict(run["settings"])
    network, augment = (_with_tuples(stored.pop(name)) for name in ("network", "augment"))
    return TrainSettings(**stored, network=NetworkSettings(**network), augment=AugmentSettings(**augment))


def _with_tuples(settings: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as tuples."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
