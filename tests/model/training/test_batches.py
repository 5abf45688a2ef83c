from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.training.augmentation import AugmentSettings
from model.training.batches import TrainingBatches, make_targets, random_crop, to_network_input
from tests.helpers.made_up_faces import make_faces
from tests.helpers.training import NO_AUGMENTATION

MIXED = replace(NO_AUGMENTATION, mixup_share=1, mixup_alpha=1.0)


def batches(
    count: int = 40,
    mixup_until: int = 9,
    augment: AugmentSettings = NO_AUGMENTATION,
    px: int = 48,
    crop_px: int = 0,
) -> TrainingBatches:
    faces = make_faces(count)
    return TrainingBatches(
        faces,
        make_targets(faces, 0.0),
        seed=1,
        batch_size=16,
        px=px,
        crop_px=crop_px,
        augment=augment,
        mixup_until_epoch=mixup_until,
    )


def test_make_targets_votes_and_smoothed_labels() -> None:
    faces = make_faces(5)
    shares = make_targets(faces, smoothing=0.07)
    np.testing.assert_array_equal(shares["expression"], faces.vote_shares)
    assert shares["fer2013"][2, 2] == pytest.approx(0.94)
    assert shares["fer2013"][2, 3] == pytest.approx(0.01)


def test_make_targets_teacher_weight() -> None:
    faces = make_faces(4)
    even = np.full((4, 7), 1 / 7, np.float32)
    teacher = {"expression": even, "fer2013": even}
    half = make_targets(faces, 0.0, teacher, teacher_weight=0.5)
    np.testing.assert_allclose(half["expression"], (faces.vote_shares + even) / 2, rtol=1e-6)
    np.testing.assert_allclose(
        make_targets(faces, 0.0, teacher, teacher_weight=1.0)["fer2013"], even, rtol=1e-6
    )


def test_to_network_input_resizes() -> None:
    faces = make_faces(3)
    assert to_network_input(faces.images, 48).dtype == np.float32
    np.testing.assert_array_equal(to_network_input(faces.images, 48)[..., 0], faces.images)
    small = to_network_input(faces.images, 24)
    assert small.shape == (3, 24, 24, 1)
    halves = faces.images.reshape(3, 24, 2, 24, 2).mean(axis=(2, 4))
    np.testing.assert_allclose(small[..., 0], halves, atol=0.51)
    assert batches(px=24).make_batch(np.arange(5), 0, 0).images.shape == (5, 24, 24, 1)


def test_random_crop_is_an_unscaled_part_of_the_face() -> None:
    picture = np.arange(48 * 48, dtype=np.float32).reshape(1, 48, 48, 1)
    cut = random_crop(np.repeat(picture, 200, axis=0), np.random.default_rng(4), 40)
    assert cut.shape == (200, 40, 40, 1)
    y, x = np.divmod(cut[:, 0, 0, 0].astype(int), 48)
    for part, top, left in zip(cut, y, x, strict=True):
        np.testing.assert_array_equal(part, picture[0, top : top + 40, left : left + 40])
    assert (y.min(), y.max(), x.min(), x.max()) == (0, 8, 0, 8)


def test_make_batch_crop_keeps_targets() -> None:
    cut, whole = (batches(crop_px=side).make_batch(np.arange(6), 0, 0) for side in (40, 0))
    assert cut.images.shape == (6, 40, 40, 1)
    for head in whole.targets:
        np.testing.assert_array_equal(cut.targets[head], whole.targets[head])


def test_batches_of_epoch_shuffle_all_faces() -> None:
    made = batches()
    first, second = (list(made.batches_of_epoch(epoch)) for epoch in (0, 1))
    assert [len(batch.images) for batch in first] == [16, 16, 8]
    orders = [
        np.concatenate([batch.targets["fer2013"].argmax(1) for batch in epoch]) for epoch in (first, second)
    ]
    assert sorted(orders[0].tolist()) == sorted(make_faces(40).labels.tolist())
    assert (orders[0] != orders[1]).any()


def test_batches_of_epoch_are_reproducible() -> None:
    first, other = batches(augment=AugmentSettings()), batches(augment=AugmentSettings())
    list(first.batches_of_epoch(0))
    for a, b in zip(first.batches_of_epoch(3), other.batches_of_epoch(3), strict=True):
        np.testing.assert_array_equal(a.images, b.images)
        np.testing.assert_array_equal(a.targets["expression"], b.targets["expression"])


def test_make_batch_faces_without_votes_have_weight_0() -> None:
    batch = batches().make_batch(np.arange(5), 0, 0)
    assert batch.weights["expression"].tolist() == [1, 1, 1, 1, 0]
    assert batch.weights["fer2013"].tolist() == [1] * 5


def test_make_batch_mixup_mixes_targets() -> None:
    batch = batches(augment=MIXED).make_batch(np.arange(10), 0, 0)
    plain = batches().make_batch(np.arange(10), 0, 0)
    assert (batch.images != plain.images).any()
    for head in ("expression", "fer2013"):
        sums = batch.targets[head].sum(axis=1)
        np.testing.assert_allclose(sums[batch.weights[head] > 0], 1, rtol=1e-5)
    own = np.take_along_axis(batch.targets["fer2013"], plain.targets["fer2013"].argmax(1)[:, None], 1)
    assert (own >= 0.5 - 1e-6).all()
    assert (own < 1).any()


def test_make_batch_mixup_ignores_faces_without_votes() -> None:
    made = batches(augment=MIXED)
    batch = made.make_batch(np.array([3, 4]), 0, 0)
    votes = make_faces(5).vote_shares[3]
    for row, weight in zip(batch.targets["expression"], batch.weights["expression"], strict=True):
        assert weight <= 1
        np.testing.assert_allclose(row, votes * (weight > 0), atol=1e-6)


def test_make_batch_last_epochs_have_no_mixup() -> None:
    made = batches(augment=MIXED, mixup_until=2)
    calm = made.make_batch(np.arange(10), 2, 0)
    assert set(np.unique(calm.targets["fer2013"])) == {0, 1}
    assert len(np.unique(made.make_batch(np.arange(10), 1, 0).targets["fer2013"])) > 2


def test_make_batch_negatives_have_the_mean_target() -> None:
    plain, empty = (
        batches(augment=replace(NO_AUGMENTATION, negative_share=share)).make_batch(np.arange(10), 0, 0)
        for share in (0, 1)
    )
    faces = make_faces(40)
    voted = faces.vote_shares[faces.vote_weights > 0]
    assert (plain.images != empty.images).any(axis=(1, 2, 3)).all()
    np.testing.assert_allclose(empty.targets["expression"], np.tile(voted.mean(axis=0), (10, 1)), rtol=1e-5)
    np.testing.assert_allclose(
        empty.targets["fer2013"],
        np.tile(make_targets(faces, 0.0)["fer2013"].mean(axis=0), (10, 1)),
        rtol=1e-5,
    )
    assert empty.weights["expression"].tolist() == [1] * 10


def test_make_batch_does_not_change_faces_or_targets() -> None:
    made = batches(augment=replace(NO_AUGMENTATION, negative_share=1))
    before = [made.faces.images.copy(), made.targets["expression"].copy(), made.faces.vote_weights.copy()]
    made.make_batch(np.arange(10), 0, 0)
    after = [made.faces.images, made.targets["expression"], made.faces.vote_weights]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)
