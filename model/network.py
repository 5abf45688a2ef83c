"""The network: one small residual trunk, two heads. Needs Keras with TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from model.emotions import EMOTIONS

HEADS: tuple[str, ...] = ("expression", "fer2013")
"""``expression`` learns the raters' distribution (FER+) and is what monitoring uses; ``fer2013`` learns
FER2013's own label, so that the model can be compared with the literature. In the order of the outputs."""


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the trunk. One residual block at each width; the picture halves before each.

    Chosen by pace, on two CPU cores at 2.5 GHz without other work: this trunk learns from 395 faces a
    second; widths of 48, 96, 192 behind a stem of 32 from 273; 64, 128, 256 from 162; a plain VGG trunk
    of 32, 64, 64, 128, 128, 256 that begins at the full 48 × 48 from 99.
    """

    image_px: int = 48
    stem: int = 24
    widths: tuple[int, ...] = (32, 64, 128)
    dropout: float = 0.2


def convolution(x: Any, width: int, kernel: int = 3, strides: int = 1) -> Any:
    """A convolution without bias and its batch norm."""
    x = layers.Conv2D(width, kernel, strides=strides, padding="same", use_bias=False)(x)
    return layers.BatchNormalization()(x)


def residual(x: Any, width: int) -> Any:
    """Two 3 × 3 convolutions beside a short cut (He et al. 2015, arXiv 1512.03385)."""
    shortcut = x if x.shape[-1] == width else convolution(x, width, kernel=1)
    y = layers.ReLU()(convolution(x, width))
    return layers.ReLU()(layers.Add()([shortcut, convolution(y, width)]))


def standardise(x: Any) -> Any:
    """Each face to mean 0 and deviation 1, inside the graph, so that no caller can forget it.

    10 grey levels are the least deviation: below that a face is noise and must not be blown up.
    """
    mean = ops.mean(x, axis=(1, 2), keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=(1, 2), keepdims=True)
    return (x - mean) / ops.sqrt(ops.maximum(variance, 100.0))


def build(settings: NetworkSettings) -> keras.Model:
    """Grey faces (N, 48, 48, 1) float32 in 0..255 to logits (N, 7), a dictionary by head."""
    inputs = keras.Input((settings.image_px, settings.image_px, 1), name="face")
    x = layers.ReLU()(convolution(standardise(inputs), settings.stem, strides=2))
    for index, width in enumerate(settings.widths):
        if index:
            x = layers.MaxPooling2D()(x)
        x = residual(x, width)
    x = layers.Dropout(settings.dropout)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, {head: layers.Dense(len(EMOTIONS), name=head)(x) for head in HEADS})
