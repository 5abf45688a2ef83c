"""FER2013 and its kin as folders of pictures, one for each expression, perhaps within one for each split.

The label comes from the folder's name and never from its place among the others: trainings that number
the folders alphabetically have neutral, sad and surprise in another order than FER2013.
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
"""The names of class folders, in lower case: our labels and other spellings of them."""

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
    # Not PublicTest: the "test" of Kaggle's folders is both test splits in one, and nobody may choose a
    # network by faces of PrivateTest. Where the files are called PublicTest_ and so on, that decides.
    "test": Usage.UNSTATED,
}
"""The names of folders above the classes, in lower case; others state no split."""


def load_image_folders(path: Path) -> Faces:
    """Every picture in ``path/{class}/`` and ``path/{split}/{class}/``, grey, resized to 48 × 48; no votes.

    ``csv_rows`` are the places in the sorted list of relative paths: the folders do not keep the rows of
    the original file, and this order is the same on every machine.

    Raises ``ModelError`` where a class is unknown, a picture cannot be read, or there is none.
    """
    pictures = _image_paths(path)
    if not pictures:
        raise ModelError(
            f"{path} has no pictures ({', '.join(IMAGE_SUFFIXES)}) in class folders; expected {', '.join(EMOTIONS)}"
        )
    images = np.empty((len(pictures), FACE_PX, FACE_PX), np.uint8)
    for index, picture in enumerate(pictures):
        images[index] = read_face(path / picture)
    return Faces(
        images=images,
        labels=np.array([EMOTION_BY_FOLDER[picture.parent.name.lower()] for picture in pictures], np.int64),
        vote_counts=np.zeros((len(pictures), len(VOTE_COLUMNS)), np.int64),
        usage=np.array([_usage_of(picture) for picture in pictures], np.int64),
        csv_rows=np.arange(len(pictures)),
    )


def read_face(path: Path) -> NDArray[np.uint8]:
    """A picture as a grey face, (48, 48) uint8. Raises ``ModelError`` where it cannot be read."""
    try:
        # Decoded from bytes: OpenCV opens no path with accents on Windows, and prints when it fails.
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
    except (OSError, cv2.error):
        image = None
    if image is None:
        raise ModelError(f"{path} cannot be read as a picture; repair it or take it out of the folder")
    if image.shape == (FACE_PX, FACE_PX):
        return image.astype(np.uint8, copy=False)
    shrinks = min(image.shape) >= FACE_PX
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (FACE_PX, FACE_PX), interpolation=method).astype(np.uint8, copy=False)


def _image_paths(path: Path) -> list[Path]:
    """The pictures' paths from ``path`` on, sorted; each one's parent is a known class."""
    found = []
    for folder in _folders(path):
        # A folder that holds pictures is one of a class; one that holds folders is one of a split.
        inner = [folder] if folder.name.lower() in EMOTION_BY_FOLDER or _files(folder) else _folders(folder)
        for kind in inner:
            files = _files(kind)
            if files and kind.name.lower() not in EMOTION_BY_FOLDER:
                raise ModelError(f"{kind} is no known class; expected {', '.join(EMOTIONS)}")
            found += [file.relative_to(path) for file in files]
    return sorted(found, key=Path.as_posix)


def _folders(path: Path) -> list[Path]:
    return [entry for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith(".")]


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()]


def _usage_of(path: Path) -> Usage:
    """The split that the file's name states, else the one of the top folder."""
    stated = USAGE_BY_NAME.get(path.name.partition("_")[0])
    if stated is not None:
        return stated
    return USAGE_BY_FOLDER.get(path.parts[0].lower(), Usage.UNSTATED)
