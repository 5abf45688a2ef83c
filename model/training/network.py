"""The network: a small residual trunk with two heads. Needs Keras with any backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
from keras import layers, ops

from model.emotions import EMOTIONS

HEADS: tuple[str, ...] = ("expression", "fer2013")
"""The heads in output order. ``expression`` learns the raters' distribution (FER+) and is used for
monitoring; ``fer2013`` learns FER2013's label, for comparison with the literature."""

MIN_VARIANCE = 100.0
"""Lower limit of the variance of the grey values in the standardisation: a face with a standard deviation
below ten levels is noise and must not be amplified."""


@dataclass(frozen=True)
class NetworkSettings:
    """Sizes of the trunk: ``blocks`` residual blocks at each of ``widths``; the image is halved before each
    width, including the first. ``dropout`` is the share of the last features dropped in training.

    No size depends on the image size, so that a network can start with small images and continue with larger
    ones.
    """

    stem: int = 32
    widths: tuple[int, ...] = (64, 128, 256)
    blocks: int = 1
    dropout: float = 0.2


def conv_batch_norm(x: Any, width: int, kernel: int = 3, strides: int = 1, gamma: str = "ones") -> Any:
    """A convolution without bias, followed by batch normalisation."""
    x = layers.Conv2D(
        width, kernel, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization(momentum=0.97, gamma_initializer=gamma)(x)


def residual_block(x: Any) -> Any:
    """Two 3 × 3 convolutions with a shortcut (He et al. 2015, arXiv 1512.03385).

    The scale of the second batch normalisation starts at zero, so that each block starts as the identity
    (Goyal et al. 2017, arXiv 1706.02677, section 5.1).
    """
    width = x.shape[-1]
    y = layers.ReLU()(conv_batch_norm(x, width))
    return layers.ReLU()(layers.Add()([x, conv_batch_norm(y, width, gamma="zeros")]))


def standardise(x: Any) -> Any:
    """Each face to mean 0 and standard deviation 1; in the graph, so that callers need not do it."""
    mean = ops.mean(x, axis=(1, 2), keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=(1, 2), keepdims=True)
    return (x - mean) / ops.sqrt(ops.maximum(variance, MIN_VARIANCE))


def build_network(settings: NetworkSettings, seed: int | None = None) -> keras.Model:
    """The network: square grey faces (N, S, S, 1) float32 in 0..255 to a dictionary of logits (N, 7) float32
    by head.

    S is at least 16 pixels. ``seed`` determines dropout; initial weights follow Keras's global seed. With the
    policy ``mixed_bfloat16`` the trunk computes in bfloat16; input and logits stay float32.
    """
    inputs = keras.Input((None, None, 1), name="face")
    x = layers.ReLU()(conv_batch_norm(standardise(inputs), settings.stem))
    for index, width in enumerate(settings.widths):
        if index == 0:
            x = layers.MaxPooling2D()(x)
        x = layers.ReLU()(conv_batch_norm(x, width, strides=2 if index else 1))
        for _ in range(settings.blocks):
            x = residual_block(x)
    x = layers.Dropout(settings.dropout, seed=seed)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(
        inputs, {head: layers.Dense(len(EMOTIONS), name=head, dtype="float32")(x) for head in HEADS}
    )
