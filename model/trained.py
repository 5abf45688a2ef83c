"""A trained network, loaded and asked. Needs Keras."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from model.batches import Shares, as_input
from model.dataset import FACE_PX
from model.errors import ModelError
from model.network import HEADS, build
from model.runs import NETWORK, read_run
from model.trainsettings import settings_from


def predict(network: keras.Model, images: NDArray[np.uint8], px: int = FACE_PX) -> Shares:
    """Logits (N, 7) by head of faces (N, 48, 48) uint8."""
    found = network.predict(as_input(images, px), batch_size=256, verbose=0)
    return {head: np.asarray(found[head], np.float32) for head in HEADS}


def load_network(folder: Path) -> keras.Model:
    """The chosen network of a training, in float32 whatever it was trained in.

    Raises ``ModelError`` where the folder holds none.
    """
    settings = settings_from(read_run(folder))
    keras.config.set_dtype_policy("float32")
    network = build(settings.network)
    try:
        network.load_weights(folder / NETWORK)
    except (OSError, ValueError, BadZipFile) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{folder / NETWORK} cannot be loaded ({detail}); train it again") from error
    return network
