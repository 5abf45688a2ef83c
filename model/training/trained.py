"""Loading a trained network and predicting with it. Needs Keras."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX
from model.errors import ModelError
from model.training.batches import LabelShares, to_network_input
from model.training.network import HEADS, build_network
from model.training.run_folder import NETWORK_FILE, read_run
from model.training.settings import settings_from

WEIGHTS_FILE = "network.npz"


def predict_logits(network: keras.Model, images: NDArray[np.uint8], px: int = FACE_PX) -> LabelShares:
    """Logits (N, 7) by head of faces (N, 48, 48) uint8."""
    logits = network.predict(to_network_input(images, px), batch_size=256, verbose=0)
    return {head: np.asarray(logits[head], np.float32) for head in HEADS}


def load_network(folder: Path) -> keras.Model:
    """The network of a run or of an exported model, in float32 regardless of its training precision.

    Raises ``ModelError`` if the folder has none.
    """
    settings = settings_from(read_run(folder))
    keras.config.set_dtype_policy("float32")
    network = build_network(settings.network)
    try:
        if (folder / NETWORK_FILE).exists():
            network.load_weights(folder / NETWORK_FILE)
        else:
            network.set_weights(_read_arrays(folder / WEIGHTS_FILE))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"The network in {folder} cannot be loaded ({detail}).", "Train it again."
        ) from error
    return network


def write_weights(network: keras.Model, path: Path) -> None:
    """Write the weights for continued training, at half the size of Keras's own file.

    Kernels are float16, as in the export of that name; statistics and scales of the batch normalisation,
    which have a wider range, are float32.
    """
    arrays = [array.astype(np.float16 if array.ndim > 1 else np.float32) for array in network.get_weights()]
    np.savez(path, *arrays)


def _read_arrays(path: Path) -> list[NDArray[np.float32]]:
    with path.open("rb") as file, np.load(file) as archive:
        return [archive[f"arr_{index}"].astype(np.float32) for index in range(len(archive.files))]
