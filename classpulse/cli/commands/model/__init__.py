"""``classpulse model``: the expression model, from the data set to the exported file."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

_PACKAGE = "classpulse.cli.commands.model"

COMMANDS = {
    "explore": (
        f"{_PACKAGE}.explore:model_explore_command",
        "describe a data set on a page: counts, examples, agreement, brightness, duplicates",
    ),
    "train": (f"{_PACKAGE}.train:model_train_command", "train a network, with checkpoints; can be resumed"),
    "evaluate": (f"{_PACKAGE}.evaluate:model_evaluate_command", "score a model on both label sets"),
    "export": (
        f"{_PACKAGE}.export:model_export_command",
        "export a network as a LiteRT model, checked against Keras, with its model card",
    ),
}


@click.group("model", cls=LazyGroup, lazy_commands=COMMANDS)
def model_command() -> None:
    """Explore the data, and train, evaluate and export the expression model.

    DATA is a folder with fer2013_faces.png and fer2013_labels.npz, Kaggle's fer2013.csv, a folder of
    class folders (train/happy/*.jpg), or an .npz with image, label and, if known, ferplus_votes.
    """
