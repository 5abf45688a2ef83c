"""What the tests of training and of the commands that train share."""

from __future__ import annotations

import importlib.util

import pytest

from model.training.augmentation import AugmentSettings

NO_AUGMENTATION = AugmentSettings(
    shift_px=0,
    rotate_deg=0,
    scale=0,
    contrast=0,
    erase_share=0,
    downscale_share=0,
    mixup_share=0,
    negative_share=0,
)

needs_training = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow: the extra [train]"
)

# TensorFlow, Keras and protobuf warn about each other and about NumPy.
ignore_library_warnings = [
    pytest.mark.filterwarnings(f"ignore::{category}")
    for category in ("DeprecationWarning", "FutureWarning", "UserWarning")
]
