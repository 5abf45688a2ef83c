"""FER2013 as Kaggle gives it away: ``fer2013.csv``, and ``fer2013new.csv`` with the votes of FER+.

``fer2013.csv`` has the columns ``emotion,pixels,Usage``; ``icml_face_data.csv`` has the same in another
order and with blanks in its header. ``fer2013new.csv`` (microsoft/FERPlus) has one row for each of its rows.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.faces import FACE_PX, VOTE_COLUMNS, Faces, Usage
from model.emotions import EMOTIONS
from model.errors import ModelError

FACES_FILE, VOTES_FILE = "fer2013.csv", "fer2013new.csv"

USAGE_BY_NAME = {
    "Training": Usage.TRAINING,
    "PublicTest": Usage.PUBLIC_TEST,
    "PrivateTest": Usage.PRIVATE_TEST,
}
"""The splits as the column ``Usage`` and the file names of Kaggle's folders spell them."""

VOTE_NAMES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
"""FER+'s names of ``VOTE_COLUMNS``."""

GREY_VALUES = {str(grey): grey for grey in range(256)}
"""A look-up is faster than ``int`` and refuses what is no grey. ``np.fromstring`` would be faster still, but
lets 300 pass as 44 and only warns of text."""

CsvRow = tuple[int, dict[str, str]]
"""The line in the file, from 1, and the fields by column."""


def load_kaggle_csv(path: Path, votes: Path | None = None) -> Faces:
    """Every face of the CSV file, with the votes of FER+ where their file is given. A file without the
    column ``Usage`` gives ``Usage.UNSTATED``. The whole of FER2013 takes about ten seconds.

    Raises ``ModelError``, with the line, where a row is not what it should be or the two files disagree.
    """
    images, labels, usage = bytearray(), [], []
    for line, row in read_rows(path, ("emotion", "pixels"), ("Usage",)):
        # One growing array of bytes: a list of arrays costs more than the pixels.
        images += _parse_pixels(row["pixels"], path, line)
        labels.append(_parse_label(row["emotion"], path, line))
        usage.append(_parse_usage(row["Usage"], path, line))
    if not labels:
        raise ModelError(f"{path} has no row below its header; expected one for each face")
    used = np.array(usage, np.int64)
    return Faces(
        images=np.frombuffer(images, np.uint8).reshape(-1, FACE_PX, FACE_PX),
        labels=np.array(labels, np.int64),
        vote_counts=np.zeros((len(used), len(VOTE_COLUMNS)), np.int64)
        if votes is None
        else load_votes(votes, used),
        usage=used,
        csv_rows=np.arange(len(used)),
    )


def load_votes(path: Path, usage: NDArray[np.int64]) -> NDArray[np.int64]:
    """The votes (N, 10) of ``fer2013new.csv`` for faces of the ``usage`` (N,), in the same order.

    Raises ``ModelError`` where the number of rows differs, a row states another split, or a vote is no count.
    """
    counts: list[list[int]] = []
    for line, row in read_rows(path, VOTE_NAMES, ("Usage",)):
        stated = _parse_usage(row["Usage"], path, line)
        if len(counts) < len(usage):
            expected = Usage(usage[len(counts)])
            if Usage.UNSTATED not in (stated, expected) and stated != expected:
                raise ModelError(
                    f"line {line} of {path} is of {row['Usage']}, the face of that row of {expected.name}; "
                    "expected the votes in the order of the faces"
                )
        counts.append(_parse_votes(row, path, line))
    if len(counts) != len(usage):
        raise ModelError(f"{path} has {len(counts)} rows for {len(usage)} faces; expected one for each face")
    return np.array(counts, np.int64)


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[CsvRow]:
    """The named columns of a CSV file, row by row; an optional one that it lacks is "".

    Raises ``ModelError`` where the file cannot be read, lacks a required column or a row is too short.
    """
    try:
        # utf-8-sig: a spreadsheet that has saved the file puts a mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in required if name not in header]
            if missing:
                raise ModelError(
                    f"{path} has no column {', '.join(missing)}; expected a header with {', '.join(required)}"
                )
            columns = {name: header.index(name) for name in (*required, *optional) if name in header}
            for fields in filter(None, reader):
                if len(fields) != len(header):
                    raise ModelError(
                        f"line {reader.line_num} of {path} has {len(fields)} fields; expected {len(header)}"
                    )
                row = {name: fields[column].strip() for name, column in columns.items()}
                yield reader.line_num, dict.fromkeys(optional, "") | row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(
            f"{path} cannot be read as CSV ({error}); expected Kaggle's or FER+'s table"
        ) from error


def _parse_pixels(text: str, path: Path, line: int) -> bytes:
    fields = text.split()
    if len(fields) != FACE_PX**2:
        raise ModelError(f"line {line} of {path} has {len(fields)} pixels; expected {FACE_PX**2}")
    try:
        return bytes(map(GREY_VALUES.__getitem__, fields))
    except KeyError as error:
        raise ModelError(
            f"line {line} of {path} has the pixel {error.args[0]!r}; expected whole numbers from 0 to 255"
        ) from error


def _parse_label(text: str, path: Path, line: int) -> int:
    if text not in map(str, range(len(EMOTIONS))):
        raise ModelError(
            f"line {line} of {path} has the emotion {text!r}; expected 0 to 6: {', '.join(EMOTIONS)}"
        )
    return int(text)


def _parse_usage(text: str, path: Path, line: int) -> Usage:
    if text and text not in USAGE_BY_NAME:
        raise ModelError(f"line {line} of {path} has the Usage {text!r}; expected {', '.join(USAGE_BY_NAME)}")
    return USAGE_BY_NAME.get(text, Usage.UNSTATED)


def _parse_votes(row: dict[str, str], path: Path, line: int) -> list[int]:
    fields = [row[name] for name in VOTE_NAMES]
    wrong = [field for field in fields if not (field.isascii() and field.isdigit())]
    if wrong:
        raise ModelError(f"line {line} of {path} has the vote {wrong[0]!r}; expected whole numbers from 0 on")
    return list(map(int, fields))
