from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.data.faces import Usage
from model.data.loaders.image_folders import load_image_folders, read_face
from model.emotions import EMOTIONS, Emotion
from model.errors import ModelError
from tests.helpers.made_up_faces import draw_faces, write_picture

FACE = draw_faces(1)[0]


@pytest.mark.parametrize("above", ["", "train"])
def test_load_image_folders_labels_by_class_folder(tmp_path: Path, above: str) -> None:
    images = draw_faces(7)
    for emotion in Emotion:
        write_picture(tmp_path / above / emotion.label / "face.png", images[emotion])
    faces = load_image_folders(tmp_path)
    # The folders are read in the order of the alphabet; that must not become the labels.
    assert [EMOTIONS[label] for label in faces.labels] == sorted(EMOTIONS)
    assert faces.labels.tolist() != list(range(7))
    np.testing.assert_array_equal(faces.images, images[faces.labels])
    assert not faces.vote_counts.any()


@pytest.mark.parametrize(
    ("folder", "emotion"),
    [
        ("Angry", Emotion.ANGRY),
        ("anger", Emotion.ANGRY),
        ("disgusted", Emotion.DISGUST),
        ("FEARFUL", Emotion.FEAR),
        ("happiness", Emotion.HAPPY),
        ("Sadness", Emotion.SAD),
        ("surprised", Emotion.SURPRISE),
        ("Neutral", Emotion.NEUTRAL),
    ],
)
def test_load_image_folders_synonyms(tmp_path: Path, folder: str, emotion: Emotion) -> None:
    write_picture(tmp_path / folder / "face.png", FACE)
    assert load_image_folders(tmp_path).labels.tolist() == [emotion]


@pytest.mark.parametrize(
    ("picture", "usage"),
    [
        ("train/sad/1.png", Usage.TRAINING),
        ("Training/sad/1.png", Usage.TRAINING),
        ("PublicTest/sad/1.png", Usage.PUBLIC_TEST),
        ("validation/sad/1.png", Usage.PUBLIC_TEST),
        ("private/sad/1.png", Usage.PRIVATE_TEST),
        ("test/sad/1.png", Usage.UNSTATED),
        ("pictures/sad/1.png", Usage.UNSTATED),
        ("sad/1.png", Usage.UNSTATED),
        ("test/sad/PublicTest_5.png", Usage.PUBLIC_TEST),
        ("test/sad/PrivateTest_5.png", Usage.PRIVATE_TEST),
        ("sad/Training_5.png", Usage.TRAINING),
        ("train/sad/Other_5.png", Usage.TRAINING),
    ],
)
def test_load_image_folders_split_from_file_name_then_folder(
    tmp_path: Path, picture: str, usage: Usage
) -> None:
    write_picture(tmp_path / picture, FACE)
    assert load_image_folders(tmp_path).usage.tolist() == [usage]


def test_load_image_folders_rows_follow_the_sorted_paths(tmp_path: Path) -> None:
    images = draw_faces(4)
    for picture, image in zip(
        ("train/sad/b", "train/sad/a", "test/sad/z", "test/happy/z"), images, strict=True
    ):
        write_picture(tmp_path / f"{picture}.png", image)
    faces = load_image_folders(tmp_path)
    np.testing.assert_array_equal(faces.images, images[[3, 2, 1, 0]])
    assert faces.csv_rows.tolist() == [0, 1, 2, 3]


def test_load_image_folders_ignores_hidden_files(tmp_path: Path) -> None:
    write_picture(tmp_path / "sad" / "1.png", FACE)
    (tmp_path / "sad" / "._1.png").write_bytes(b"metadata of macOS")
    assert len(load_image_folders(tmp_path).labels) == 1


def test_load_image_folders_reads_only_image_files(tmp_path: Path) -> None:
    for name in ("1.png", "2.bmp", "3.JPG", "4.jpeg"):
        write_picture(tmp_path / "happy" / name, np.full((48, 48), 90, np.uint8))
    (tmp_path / "happy" / "notes.txt").write_text("not a picture")
    (tmp_path / "readme.md").write_text("not a folder")
    (tmp_path / ".cache").mkdir()
    write_picture(tmp_path / ".cache" / "5.png", FACE)
    faces = load_image_folders(tmp_path)
    assert faces.images.shape == (4, 48, 48)
    np.testing.assert_allclose(faces.images, 90, atol=1)


@pytest.mark.parametrize("shape", [(96, 96), (24, 24), (100, 60), (100, 30)])
def test_read_face_resizes_any_image_size(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.zeros(shape, np.uint8)
    image[: shape[0] // 2] = 200
    face = read_face(write_picture(tmp_path / "face.png", image))
    assert (face.shape, face.dtype) == ((48, 48), np.uint8)
    np.testing.assert_allclose(face[:20], 200, atol=1)
    np.testing.assert_allclose(face[28:], 0, atol=1)


def test_read_face_large_image_is_averaged_by_area(tmp_path: Path) -> None:
    checks = np.indices((96, 96)).sum(axis=0) % 2 * 200
    np.testing.assert_array_equal(
        read_face(write_picture(tmp_path / "face.png", checks.astype(np.uint8))), 100
    )


def test_read_face_colour_image_becomes_grey(tmp_path: Path) -> None:
    red = np.zeros((48, 48, 3), np.uint8)
    red[..., 2] = 255
    face = read_face(write_picture(tmp_path / "face.png", red))
    np.testing.assert_allclose(face, 0.299 * 255, atol=1)


@pytest.mark.parametrize("folder", ["contempt", "train/contempt", "0"])
def test_load_image_folders_unknown_class_raises(tmp_path: Path, folder: str) -> None:
    write_picture(tmp_path / "sad" / "face.png", FACE)
    write_picture(tmp_path / folder / "face.png", FACE)
    with pytest.raises(ModelError, match=f"{folder} is not a known class") as caught:
        load_image_folders(tmp_path)
    assert ", ".join(EMOTIONS) in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_load_image_folders_unreadable_image_raises(tmp_path: Path, content: bytes) -> None:
    write_picture(tmp_path / "sad" / "good.png", FACE)
    (tmp_path / "sad" / "worse.png").write_bytes(content)
    with pytest.raises(ModelError, match=r"worse\.png cannot be read as an image") as caught:
        load_image_folders(tmp_path)
    assert "\n" not in str(caught.value)


def test_load_image_folders_without_images_raises(tmp_path: Path) -> None:
    (tmp_path / "train" / "sad").mkdir(parents=True)
    with pytest.raises(ModelError, match="has no images") as caught:
        load_image_folders(tmp_path)
    assert ", ".join(EMOTIONS) in caught.value.hint
