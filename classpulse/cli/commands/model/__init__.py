"""``classpulse model``: the expression model, from its data to the file that monitoring uses."""

from __future__ import annotations

import click

from classpulse.cli.main import LazyGroup

COMMANDS = {
    "explore": "what is in the data: counts, examples, agreement, brightness, duplicates; a page",
    "train": "fit a network, with checkpoints; goes on where it was interrupted",
    "evaluate": "score the shipped model, or another, on both label sets; with pictures",
    "export": "a trained network as a LiteRT model, checked against Keras, with its card",
}


@click.group(cls=LazyGroup, package="classpulse.cli.commands.model", lines=COMMANDS)
def model_command() -> None:
    """Explore the data, and train, evaluate and export the expression model.

    DATA is a folder with fer2013_faces.png and fer2013_labels.npz, Kaggle's fer2013.csv, a folder of
    class folders (train/happy/*.jpg), or an .npz with image, label and, if known, ferplus_votes.
    """
