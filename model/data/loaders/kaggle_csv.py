"""FER2013 in Kaggle's format: ``fer2013.csv``, and ``fer2013new.csv`` with the votes of FER+.

``fer2013.csv`` has the columns ``emotion,pixels,Usage``; ``icml_face_data.csv`` has the same in another order
and with blanks in its header. ``fer2013new.csv`` (microsoft/FERPlus) has one row for each of its rows.
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
"""The splits as spelled in the column ``Usage`` and in the file names of Kaggle's folders."""

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
"""A lookup is faster than ``int`` and rejects values above 255. ``np.fromstring`` would be faster still, but
reads 300 as 44 and only warns about text."""


class CsvRowError(ModelError):
    """A row of a CSV file is invalid; ``line`` counts from 1."""

    def __init__(self, path: Path, line: int, fault: str, hint: str = "") -> None:
        super().__init__(f"Line {line} of {path} {fault}.", hint)
        self.path, self.line = path, line


CsvRow = tuple[int, dict[str, str]]
"""The line number in the file, from 1, and the fields by column."""


def load_kaggle_csv(path: Path, votes: Path | None = None) -> Faces:
    """All faces of the CSV file, with FER+'s votes if their file is given.

    Without the column ``Usage``, faces get ``Usage.UNSTATED``. All of FER2013 takes about ten seconds. Raises
    ``CsvRowError`` for an invalid row and ``ModelError`` if a file is invalid or the two do not match.
    """
    images, labels, usage = bytearray(), [], []
    for line, row in read_rows(path, ("emotion", "pixels"), ("Usage",)):
        # One growing bytearray: a list of arrays takes more memory than the pixels.
        images += _parse_pixels(row["pixels"], path, line)
        labels.append(_parse_label(row["emotion"], path, line))
        usage.append(_parse_usage(row["Usage"], path, line))
    if not labels:
        raise ModelError(f"{path} has no row below its header.")
    usages = np.array(usage, np.int64)
    return Faces(
        images=np.frombuffer(images, np.uint8).reshape(-1, FACE_PX, FACE_PX),
        labels=np.array(labels, np.int64),
        vote_counts=np.zeros((len(usages), len(VOTE_COLUMNS)), np.int64)
        if votes is None
        else load_votes(votes, usages),
        usage=usages,
        csv_rows=np.arange(len(usages)),
    )


def load_votes(path: Path, usage: NDArray[np.int64]) -> NDArray[np.int64]:
    """The votes (N, 10) of ``fer2013new.csv`` for faces of the ``usage`` (N,), in the same order.

    Raises ``CsvRowError`` if a row states another split or a vote is not a count, and ``ModelError`` if the
    number of rows differs.
    """
    counts: list[list[int]] = []
    for line, row in read_rows(path, VOTE_NAMES, ("Usage",)):
        stated = _parse_usage(row["Usage"], path, line)
        if len(counts) < len(usage):
            expected = Usage(usage[len(counts)])
            if Usage.UNSTATED not in (stated, expected) and stated != expected:
                raise CsvRowError(
                    path,
                    line,
                    f"states {row['Usage']} for a face of {expected.name}",
                    "Store the votes in the order of the faces.",
                )
        counts.append(_parse_votes(row, path, line))
    if len(counts) != len(usage):
        raise ModelError(f"{path} has {len(counts)} rows for {len(usage)} faces.", "Store one row per face.")
    return np.array(counts, np.int64)


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> Iterator[CsvRow]:
    """The named columns of a CSV file, row by row; a missing optional column is "".

    Raises ``CsvRowError`` if a row has another length, and ``ModelError`` if the file cannot be read or lacks
    a required column.
    """
    try:
        # utf-8-sig: spreadsheets save a byte order mark before the first column's name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip() for name in next(reader, [])]
            missing = [name for name in required if name not in header]
            if missing:
                raise ModelError(
                    f"{path} has no column {', '.join(missing)}.",
                    f"Use a file with a header and the columns {', '.join(required)}.",
                )
            columns = {name: header.index(name) for name in (*required, *optional) if name in header}
            for fields in filter(None, reader):
                if len(fields) != len(header):
                    raise CsvRowError(path, reader.line_num, f"has {len(fields)} fields, not {len(header)}")
                row = {name: fields[column].strip() for name, column in columns.items()}
                yield reader.line_num, dict.fromkeys(optional, "") | row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(
            f"{path} cannot be read as CSV ({error}).", "Use Kaggle's or FER+'s file."
        ) from error


def _parse_pixels(text: str, path: Path, line: int) -> bytes:
    fields = text.split()
    if len(fields) != FACE_PX**2:
        raise CsvRowError(path, line, f"has {len(fields)} pixels, not {FACE_PX**2}")
    try:
        return bytes(map(GREY_VALUES.__getitem__, fields))
    except KeyError as error:
        raise CsvRowError(
            path, line, f"has the pixel {error.args[0]!r}", "Use integers from 0 to 255."
        ) from error


def _parse_label(text: str, path: Path, line: int) -> int:
    if text not in map(str, range(len(EMOTIONS))):
        raise CsvRowError(path, line, f"has the emotion {text!r}", f"Use 0 to 6: {', '.join(EMOTIONS)}.")
    return int(text)


def _parse_usage(text: str, path: Path, line: int) -> Usage:
    if text and text not in USAGE_BY_NAME:
        raise CsvRowError(path, line, f"has the Usage {text!r}", f"Use {', '.join(USAGE_BY_NAME)}.")
    return USAGE_BY_NAME.get(text, Usage.UNSTATED)


def _parse_votes(row: dict[str, str], path: Path, line: int) -> list[int]:
    fields = [row[name] for name in VOTE_NAMES]
    invalid = [field for field in fields if not (field.isascii() and field.isdigit())]
    if invalid:
        raise CsvRowError(path, line, f"has the vote {invalid[0]!r}", "Use integers from 0.")
    return list(map(int, fields))
