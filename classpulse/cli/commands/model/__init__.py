"""``classpulse model``: the expression model, from its data to the exported file."""

from __future__ import annotations

import click

from classpulse.cli.groups import LazyGroup

COMMANDS = {
    "explore": (
        "classpulse.cli.commands.model.explore:model_explore_command",
        "describe a data set on a page: counts, examples, agreement, brightness, duplicates",
    ),
    "train": (
        "classpulse.cli.commands.model.train:model_train_command",
        "train a network, with checkpoints; can be resumed",
    ),
    "evaluate": (
        "classpulse.cli.commands.model.evaluate:model_evaluate_command",
        "score a model against FER2013 and FER+ labels, with figures",
    ),
    "export": (
        "classpulse.cli.commands.model.export:model_export_command",
        "export a trained network to LiteRT, compared with Keras, with a model card",
    ),
}
"""Each subcommand as ``module:attribute`` and its line in the help."""


@click.group("model", cls=LazyGroup, lazy_commands=COMMANDS)
def model_command() -> None:
    """Explore the data, and train, evaluate and export the expression model.

    DATA is a folder with fer2013_faces.png and fer2013_labels.npz, Kaggle's fer2013.csv, a folder of
    class folders (train/happy/*.jpg), or an .npz with image, label and, if available, ferplus_votes.
    """
