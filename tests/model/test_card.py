from __future__ import annotations

from model.card import class_table, history, percent


def test_percent() -> None:
    assert percent(0.6275) == "62.7 %"


def test_class_table_keeps_the_order() -> None:
    rows = [
        {"label": "sad", "faces": 9, "precision": 0.25, "recall": 0.5, "f1": 1 / 3},
        {"label": "happy", "faces": 1, "precision": 1.0, "recall": 1.0, "f1": 1.0},
    ]
    assert class_table(rows).splitlines()[2:] == [
        "| sad | 9 | 0.250 | 0.500 | 0.333 |",
        "| happy | 1 | 1.000 | 1.000 | 1.000 |",
    ]


def test_history_tells_each_stage() -> None:
    first = {"epochs": [{}] * 3, "settings": {"epochs": 8}, "minutes": 4.4, "chosen_epoch": 2, "start": None}
    last = {"epochs": [{}] * 5, "settings": {"epochs": 5}, "minutes": 9.6, "chosen_epoch": 5, "start": first}
    assert history(first).startswith("First 3 epochs of a schedule of 8 in 4 minutes")
    assert [line.split(",")[1].strip() for line in history(last).splitlines()] == [
        "epoch 2 kept.",
        "epoch 5 kept.",
    ]
