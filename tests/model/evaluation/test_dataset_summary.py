from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from model.data.duplicates import find_duplicates
from model.data.faces import Faces, Usage
from model.data.loaders.contact_sheet import load_contact_sheet
from model.data.statistics import BLURRED_SHARPNESS, FLAT_STD, brightness_by_split, measure_images
from model.emotions import EMOTIONS, Emotion
from model.evaluation.dataset_summary import DatasetSummary, summarise_dataset
from model.evaluation.examples import choose_examples
from model.evaluation.label_agreement import (
    NoMajorityReason,
    label_agreement,
    leading_vote_histogram,
    no_majority_reasons,
    rater_answers,
    rater_conflict,
    rater_entropy,
)
from monitor.faces.quality import QualitySettings
from tests.helpers.made_up_faces import draw_faces, make_faces

NO_VOTES = (0,) * 10


def faces_of_votes(*rows: tuple[int, ...], labels: list[int]) -> Faces:
    return replace(make_faces(len(rows)), vote_counts=np.array(rows), labels=np.array(labels))


def summarise(faces: Faces) -> DatasetSummary:
    return summarise_dataset(faces, find_duplicates(faces))


def test_summary_counts_every_split_with_faces() -> None:
    usage = np.array([Usage.TRAINING] * 8 + [Usage.PUBLIC_TEST] * 2)
    result = summarise(replace(make_faces(10), usage=usage))
    assert [(s.split, s.faces) for s in result.splits] == [("Training", 8), ("PublicTest", 2)]
    assert result.splits[0].classes == (2, 1, 1, 1, 1, 1, 1)
    assert result.splits[1].shares == (0, 0.5, 0.5, 0, 0, 0, 0)
    assert result.classes == (2, 2, 2, 1, 1, 1, 1)
    assert result.faces == 10


# neutral happiness surprise sadness anger disgust fear contempt unknown NF
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (NO_VOTES, NoMajorityReason.NO_VOTES),
        ((5, 0, 0, 5, 0, 0, 0, 0, 0, 0), NoMajorityReason.TIE),
        ((0, 0, 0, 0, 0, 0, 0, 5, 5, 0), NoMajorityReason.TIE),
        ((4, 0, 0, 0, 0, 0, 0, 6, 0, 0), NoMajorityReason.CONTEMPT),
        ((4, 0, 0, 0, 0, 0, 0, 0, 6, 0), NoMajorityReason.UNKNOWN),
        ((1, 0, 0, 0, 0, 0, 0, 0, 0, 9), NoMajorityReason.NOT_A_FACE),
    ],
)
def test_no_majority_reasons(row: tuple[int, ...], reason: NoMajorityReason) -> None:
    assert no_majority_reasons(np.array([row])).tolist() == [reason]


def test_label_agreement_counts_labels_against_majorities() -> None:
    sad, neutral = Emotion.SAD, Emotion.NEUTRAL
    result = label_agreement(
        faces_of_votes(
            (9, 0, 0, 1, 0, 0, 0, 0, 0, 0),
            (1, 0, 0, 9, 0, 0, 0, 0, 0, 0),
            (10, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            (5, 0, 0, 5, 0, 0, 0, 0, 0, 0),
            NO_VOTES,
            labels=[sad, sad, neutral, sad, sad],
        )
    )
    assert result is not None
    assert (result.faces, result.rated, result.with_majority, result.matching) == (5, 4, 3, 2)
    assert result.matching_share == pytest.approx(2 / 3)
    assert result.row_shares()[sad].tolist() == [0, 0, 0, 0, 0.5, 0, 0.5]
    assert np.isnan(result.row_shares()[Emotion.HAPPY]).all()
    assert (
        result.without_majority[NoMajorityReason.TIE]
        == result.without_majority[NoMajorityReason.NO_VOTES]
        == 1
    )
    assert result.leading_votes == (0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 1)
    assert result.with_majority + sum(result.without_majority.values()) == result.faces


def test_label_agreement_without_votes_is_none() -> None:
    assert label_agreement(faces_of_votes(NO_VOTES, NO_VOTES, labels=[0, 1])) is None


def test_label_agreement_without_majority_has_no_matching_share() -> None:
    result = label_agreement(faces_of_votes((5, 5, 0, 0, 0, 0, 0, 0, 0, 0), labels=[0]))
    assert result is not None
    assert result.matching_share is None


def test_leading_vote_histogram_rounds_to_tenths() -> None:
    assert leading_vote_histogram(np.array([(8, 1, 0, 0, 0, 0, 0, 0, 0, 0)]))[9] == 1


def test_rater_conflict_orders_contradicted_before_doubted() -> None:
    faces = faces_of_votes(
        (10, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        (7, 0, 0, 0, 0, 0, 0, 1, 2, 0),
        (5, 0, 0, 4, 0, 0, 0, 1, 0, 0),
        (0, 0, 0, 10, 0, 0, 0, 0, 0, 0),
        (5, 0, 0, 5, 0, 0, 0, 0, 0, 0),
        labels=[Emotion.SAD] * 5,
    )
    assert rater_conflict(faces).tolist() == pytest.approx([1, 0.7, 0.1, 0, 0])


def test_rater_entropy_is_0_for_one_answer_and_1_for_all_seven() -> None:
    faces = faces_of_votes((10, 0, 0, 0, 0, 0, 0, 0, 0, 0), (1,) * 7 + (0, 0, 0), NO_VOTES, labels=[0, 0, 0])
    assert rater_entropy(faces).tolist() == pytest.approx([0, 1, 0], abs=1e-6)


def test_rater_answers_are_sorted_by_votes() -> None:
    row = np.array((3, 0, 0, 4, 0, 0, 0, 1, 1, 1))
    assert rater_answers(row) == [
        ("sad", 4),
        ("neutral", 3),
        ("contempt", 1),
        ("unknown", 1),
        ("not a face", 1),
    ]


def test_brightness_by_split_counts_flat_dark_and_bright() -> None:
    images = draw_faces(7)
    images[0], images[1] = 0, 255
    images[2] = 128 + np.arange(48) % 2
    (result,) = brightness_by_split(replace(make_faces(7), images=images))
    assert (result.split, result.faces) == ("Training", 7)
    assert (result.flat, result.dark, result.bright, result.blurred) == (3, 1, 1, 0)
    assert sum(result.mean_histogram) == sum(result.std_histogram) == 7
    assert result.mean_histogram[0] == result.mean_histogram[-1] == 1


def test_measure_images_matches_numpy_and_flat_face_has_sharpness_0() -> None:
    images = draw_faces(3)
    images[2] = 40
    means, stds, sharpnesses = measure_images(images)
    assert means.tolist() == pytest.approx(images.mean(axis=(1, 2)).tolist(), rel=1e-5)
    assert stds.tolist() == pytest.approx(images.std(axis=(1, 2)).tolist(), rel=1e-4)
    assert sharpnesses[2] == 0
    assert sharpnesses[0] > 1


def test_brightness_by_split_smooth_ramp_is_blurred_but_not_flat() -> None:
    ramp = np.tile(np.linspace(0, 255, 48), (48, 1)).astype(np.uint8)
    (result,) = brightness_by_split(replace(make_faces(1), images=ramp[None]))
    assert (result.blurred, result.flat) == (1, 0)
    assert result.median_std > FLAT_STD


def test_blurred_limit_equals_the_monitors_min_sharpness() -> None:
    assert QualitySettings().min_sharpness == BLURRED_SHARPNESS


def test_summary_counts_duplicates_across_splits() -> None:
    images = draw_faces(6)
    images[4], images[5], images[1] = images[0], images[0], images[2]
    usage = np.array([Usage.TRAINING] * 4 + [Usage.PUBLIC_TEST] * 2)
    result = summarise(replace(make_faces(6), images=images, usage=usage))
    assert (
        result.exact_duplicates.groups,
        result.exact_duplicates.faces,
        result.exact_duplicates.across_splits,
    ) == (2, 5, 1)
    assert result.exact_duplicates.label_conflicts == 2
    assert (
        result.near_duplicates.shared_with_training
        == result.exact_duplicates.shared_with_training
        == {"PublicTest": 2}
    )


@pytest.mark.parametrize("usage", [Usage.TRAINING, Usage.PUBLIC_TEST, Usage.UNSTATED])
def test_summary_one_split_has_no_shared_faces(usage: Usage) -> None:
    images = draw_faces(4)
    images[1] = images[0]
    result = summarise(replace(make_faces(4), images=images, usage=np.full(4, usage)))
    assert result.exact_duplicates.groups == 1
    assert result.exact_duplicates.shared_with_training == {}


def test_choose_examples_is_reproducible_and_by_label() -> None:
    faces = make_faces(100)
    duplicates = find_duplicates(faces)
    first, second = choose_examples(faces, duplicates, 4), choose_examples(faces, duplicates, 4)
    assert list(first.classes) == list(Emotion)
    for label, chosen in first.classes.items():
        assert chosen.tolist() == second.classes[label].tolist()
        assert faces.labels[chosen].tolist() == [label] * 4
    assert first.contradicted.tolist() == first.divided.tolist() == first.relabelled.tolist() == []


def test_choose_examples_shows_no_image_twice_except_relabelled_pairs() -> None:
    images = np.repeat(draw_faces(7), 2, axis=0)
    votes = np.tile((6, 0, 0, 4, 0, 0, 0, 0, 0, 0), (14, 1))
    faces = replace(make_faces(14), images=images, vote_counts=votes)
    chosen = choose_examples(faces, find_duplicates(faces), 4)
    shown = [*np.concatenate(list(chosen.classes.values())).tolist()]
    assert shown == [index for index in shown if index % 2 == 0]
    assert set(chosen.divided % 2) == set(chosen.contradicted % 2) == {0}
    assert len(chosen.relabelled) == 4
    pairs = chosen.relabelled.reshape(-1, 2)
    assert (pairs[:, 0] // 2 == pairs[:, 1] // 2).all()
    assert (faces.labels[pairs[:, 0]] != faces.labels[pairs[:, 1]]).all()


def test_choose_examples_omits_labels_without_faces() -> None:
    faces = replace(make_faces(3), labels=np.array([3, 3, 6]))
    chosen = choose_examples(faces, find_duplicates(faces))
    assert [label.label for label in chosen.classes] == ["happy", "neutral"]


def test_label_agreement_of_fer2013(shared: Path) -> None:
    faces = load_contact_sheet(shared / "data")
    result = label_agreement(faces)
    assert result is not None
    assert (result.faces, result.with_majority, result.matching) == (32298, 30150, 19815)
    sad = dict(zip(EMOTIONS, result.matrix[Emotion.SAD], strict=True))
    assert (sad["neutral"], sad["sad"]) == (2581, 2191)
    assert [part.flat for part in brightness_by_split(faces)] == [9, 2]


def test_summary_is_json_serialisable(tmp_path: Path) -> None:
    import json

    assert json.loads(json.dumps(asdict(summarise(make_faces(14)))))["faces"] == 14
