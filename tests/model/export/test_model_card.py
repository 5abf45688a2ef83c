from __future__ import annotations

from model.export.model_card import (
    condition_rows,
    confusion_table,
    format_share,
    mixup_sentence,
    per_label_table,
    training_stage_lines,
    unseen_sentence,
)

CLASSES = [
    {"label": "sad", "faces": 9, "precision": 0.25, "recall": 0.5, "f1": 1 / 3},
    {"label": "happy", "faces": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0},
]


def condition(name: str, share: float | None) -> dict[str, object]:
    return {
        "name": name, "fer2013": 0.5, "ferplus": share, "ferplus_ece": share, "neutral_called_sad": share
    }  # fmt: skip


def stage(epochs: int, minutes: float, start: object = None, teachers: object = ()) -> dict[str, object]:
    settings = {"epochs": epochs + 1, "px": 36, "teacher_weight": 0.4}
    facts = {"settings": settings, "epochs": [{}] * epochs, "minutes": minutes, "chosen_epoch": 2}
    return facts | {"start": start, "teachers": teachers}


def test_format_share() -> None:
    assert format_share(0.6275) == "62.7 %"
    assert format_share(None) == "unknown"


def test_per_label_table_keeps_the_order() -> None:
    assert per_label_table({"classes": CLASSES}).splitlines()[2:] == [
        "| sad | 9 | 0.250 | 0.500 | 0.333 |",
        "| happy | 1 | 1.000 | 1.000 | 1.000 |",
    ]


def test_confusion_table_has_a_row_per_true_label() -> None:
    scores = {"classes": CLASSES, "confusion": [[5, 4], [0, 1]]}
    assert confusion_table(scores).splitlines() == [
        "|  | sad | happy |",
        "| --- | --- | --- |",
        "| sad | 5 | 4 |",
        "| happy | 0 | 1 |",
    ]


def test_condition_rows_end_with_the_mirrored_mean() -> None:
    results = {"conditions": [condition("24 px", 0.25)], "mirror_averaged": condition("mean", None)}
    assert condition_rows(results).splitlines() == [
        "| 24 px | 50.0 % | 25.0 % | 0.250 | 25.0 % |",
        "| mean | 50.0 % | unknown | unknown | unknown |",
    ]


def test_unseen_sentence_states_faces_and_accuracies() -> None:
    known = {"unseen": condition("x", 0.25), "unseen_faces": 8, "faces": 10}
    assert "On the 8 of 10 faces" in unseen_sentence(known)
    assert "50.0 % and 25.0 %" in unseen_sentence(known)
    assert unseen_sentence({"unseen": None}) == ""


def test_mixup_sentence_names_the_stages() -> None:
    plain, mixing = ({"settings": {"augment": {"mixup_share": share}}} for share in (0.0, 0.5))
    assert mixup_sentence(plain) == ""
    assert mixup_sentence(plain | {"start": mixing}) == ", and in stage 1 mixed with each other"
    thrice = mixing | {"start": mixing | {"start": plain | {"start": mixing}}}
    assert mixup_sentence(thrice) == ", and in stages 1, 3 and 4 mixed with each other"


def test_training_stage_lines_random_crops() -> None:
    cut = stage(3, 1.0)
    cut["settings"] = {**cut["settings"], "px": 48, "crop_px": 40}
    assert "epochs on random crops of 40 pixels of faces of 48 in 1 minutes" in training_stage_lines(cut)


def test_training_stage_lines_stages_and_teachers() -> None:
    first = stage(8, 4.4)
    last = stage(5, 9.6, start=first, teachers=[first])
    lines = training_stage_lines(last).splitlines()
    assert lines[0] == ("1. 8 of 9 epochs on faces of 36 pixels in 4 minutes, epoch 2 selected.")
    assert lines[1].startswith("2. 5 of 6 epochs on faces of 36 pixels in 10 minutes")
    assert "previous stage; 40.0 % of the target distilled from an earlier network" in lines[1]
    assert "from 2 earlier networks" in training_stage_lines(stage(5, 9.6, teachers=[first, first]))
