"""Faces as image folders: one folder per expression, optionally inside one folder per split.

The label comes from the folder's name, not from its position: trainings that number the folders
alphabetically order neutral, sad and surprise differently from FER2013.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX, VOTE_COLUMNS, Faces, Usage
from model.data.loaders.kaggle_csv import USAGE_BY_NAME
from model.emotions import EMOTIONS, Emotion
from model.errors import ModelError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")

EMOTION_BY_FOLDER: dict[str, Emotion] = {
    **{emotion.label: emotion for emotion in Emotion},
    "anger": Emotion.ANGRY,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "afraid": Emotion.FEAR,
    "happiness": Emotion.HAPPY,
    "sadness": Emotion.SAD,
    "surprised": Emotion.SURPRISE,
    "neutrality": Emotion.NEUTRAL,
}
"""Names of class folders in lower case: our labels and their synonyms."""

USAGE_BY_FOLDER: dict[str, Usage] = {
    "train": Usage.TRAINING,
    "training": Usage.TRAINING,
    "publictest": Usage.PUBLIC_TEST,
    "public": Usage.PUBLIC_TEST,
    "validation": Usage.PUBLIC_TEST,
    "val": Usage.PUBLIC_TEST,
    "valid": Usage.PUBLIC_TEST,
    "privatetest": Usage.PRIVATE_TEST,
    "private": Usage.PRIVATE_TEST,
    # Not PublicTest: the folder "test" of Kaggle's data holds both test splits, and PrivateTest must not be
    # used to select a network. File names such as PublicTest_1.jpg take precedence.
    "test": Usage.UNSTATED,
}
"""Names of split folders in lower case; other names state no split."""


def load_image_folders(path: Path) -> Faces:
    """All images in ``path/{class}/`` and ``path/{split}/{class}/``, grey, resized to 48 × 48; no votes.

    ``csv_rows`` are positions in the sorted list of relative paths, which is the same on every machine; the
    folders do not keep the rows of the original file.

    Raises ``ModelError`` if a class is unknown, an image cannot be read, or there is no image.
    """
    files = _image_paths(path)
    if not files:
        raise ModelError(
            f"{path} has no images ({', '.join(IMAGE_SUFFIXES)}) in class folders.",
            f"Name the class folders {', '.join(EMOTIONS)}.",
        )
    images = np.empty((len(files), FACE_PX, FACE_PX), np.uint8)
    for index, file in enumerate(files):
        images[index] = read_face(path / file)
    return Faces(
        images=images,
        labels=np.array([EMOTION_BY_FOLDER[file.parent.name.lower()] for file in files], np.int64),
        vote_counts=np.zeros((len(files), len(VOTE_COLUMNS)), np.int64),
        usage=np.array([_usage_of(file) for file in files], np.int64),
        csv_rows=np.arange(len(files)),
    )


def read_face(path: Path) -> NDArray[np.uint8]:
    """An image file as a grey face, (48, 48) uint8. Raises ``ModelError`` if it cannot be read."""
    try:
        # Decoded from bytes: OpenCV cannot open paths with accents on Windows, and prints errors.
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise ModelError(f"{path} cannot be read as an image.", "Repair it or remove it from the folder.")
    if image.shape == (FACE_PX, FACE_PX):
        return image.astype(np.uint8, copy=False)
    shrinks = min(image.shape) >= FACE_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (FACE_PX, FACE_PX), interpolation=method).astype(np.uint8, copy=False)


def _image_paths(path: Path) -> list[Path]:
    """The images' paths relative to ``path``, sorted; the parent of each is a known class."""
    paths = []
    for folder in _folders(path):
        # A folder with images is a class; a folder with folders is a split.
        is_class = folder.name.lower() in EMOTION_BY_FOLDER or _files(folder)
        for class_folder in [folder] if is_class else _folders(folder):
            files = _files(class_folder)
            if files and class_folder.name.lower() not in EMOTION_BY_FOLDER:
                raise ModelError(
                    f"{class_folder} is not a known class.", f"Name the folder one of {', '.join(EMOTIONS)}."
                )
            paths += [file.relative_to(path) for file in files]
    return sorted(paths, key=Path.as_posix)


def _folders(path: Path) -> list[Path]:
    return [entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]


def _files(folder: Path) -> list[Path]:
    # Hidden files: on other file systems than its own, macOS puts "._x.png" with metadata beside "x.png".
    return [
        file
        for file in folder.iterdir()
        if file.suffix.lower() in IMAGE_SUFFIXES and not file.name.startswith(".") and file.is_file()
    ]


def _usage_of(path: Path) -> Usage:
    """The split stated by the file's name, else by the top folder."""
    stated = USAGE_BY_NAME.get(path.name.partition("_")[0])
    if stated is not None:
        return stated
    return USAGE_BY_FOLDER.get(path.parts[0].lower(), Usage.UNSTATED)
