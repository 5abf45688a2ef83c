"""Flag rates of students that write with bowed neutral heads, and of students that look sad with level heads.

python -m benchmarks.bowed DATA [--lectures 100] [--half report]

Simulated classes of twenty as in ``benchmarks/flags.py`` (segments of 10 s, two faces per bin, two samples
per second), from faces of FER2013 with poses measured by the face mesh. *writing*: half of the students write
for 70 % of the time with bowed neutral heads, a third of it in each of three pitch ranges; the others look
neutral with level heads. *bent*: they write with heads lowered by more than 25 degrees. *sad*: half of them
look sad for 60 % of the time, all with level heads. ``any``: every face of a kind may occur; ``3``: each
student has three faces of each kind, so misclassifications repeat.

``before``: all faces are classified and corrected with one matrix; ``gate``: faces at rejected poses are not
classified; ``pose``: in addition, each bin is corrected with the matrices of its poses, as in the product.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.flags import BIN_S, FACES_A_BIN, SAMPLES, SPELL_BINS, Rng, format_rate, timeline
from benchmarks.pose_bias import is_read
from model.data.faces import Faces, select_split
from model.data.load import load_faces
from model.emotions import Emotion
from model.export.model_info import mean_probabilities_by_label
from model.inference.classifier import load_classifier
from model.poses import HeadPoseClass, classify_head_pose
from monitor.faces.dataset_poses import tile_poses
from reports.flags.base import FlagOutcome
from reports.flags.confusion import ConfusionMatrix, confusion_from_settings
from reports.flags.sadness import FlagSettings, decide_sadness_flag
from reports.timeline.student import Floats, StudentTimeline

PEOPLE = 20
WRITING, SAD_TIME = 0.7, 0.6
"""Share of a lecture that a writing student writes, and that a sad student looks sad."""

BOWED_DEG = ((-20.0, -10.0), (-30.0, -20.0), (-90.0, -30.0))
"""Pitch ranges of a writing student, each for a third of the writing time."""

BENT_DEG = -25.0
"""Upper bound of the pitch of students bent over the desk."""

OWN_FACES = 3

LEVEL_YAW_DEG, LEVEL_PITCH_DEG = 15.0, (-9.0, 10.0)
"""A level head."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Probabilities ``(N, 7)`` of all faces, their poses, whether these are readable, and face indices by
    kind."""

    answers: Floats
    poses: tuple[HeadPoseClass, ...]
    read: NDArray[np.bool_]
    of: Mapping[str, Ints]

    def few(self, rng: Rng) -> Pool:
        """The same with ``OWN_FACES`` random faces per kind, those of one student."""
        own = {name: rng.choice(which, OWN_FACES, replace=False) for name, which in self.of.items()}
        return replace(self, of=own)


def read_pool(faces: Faces) -> Pool:
    """Classify all faces and measure their poses."""
    poses = tile_poses(faces.images)
    yaw, pitch = np.abs(poses[:, 0]), poses[:, 1]
    level = (yaw <= LEVEL_YAW_DEG) & (pitch >= LEVEL_PITCH_DEG[0]) & (pitch <= LEVEL_PITCH_DEG[1])
    neutral, sad = faces.majority == Emotion.NEUTRAL, faces.majority == Emotion.SAD
    which = {"neutral": neutral & level, "sad": sad & level}
    which |= {f"bowed {low:g}": neutral & (pitch >= low) & (pitch < high) for low, high in BOWED_DEG}
    which |= {"bent": neutral & (pitch < BENT_DEG)}
    return Pool(
        load_classifier().probabilities(faces.images).astype(np.float64),
        tuple(classify_head_pose(float(y), float(p)) for y, p in poses),
        np.array([is_read(float(y), float(p)) for y, p in poses], bool),
        {name: np.flatnonzero(kept) for name, kept in which.items()},
    )


def shown(rng: Rng, pool: Pool, minutes: float, shares: Mapping[str, float]) -> Ints:
    """Face indices ``(B, FACES_A_BIN)``: segments of each kind for its share of the time."""
    spells = round(minutes * 60 / (SPELL_BINS * BIN_S))
    kinds = [name for name, share in shares.items() for _ in range(round(share * spells))]
    kinds = [*kinds, *["neutral"] * (spells - len(kinds))][:spells]
    rows = [rng.choice(pool.of[kinds[n]], (SPELL_BINS, FACES_A_BIN)) for n in rng.permutation(spells)]
    return np.concatenate(rows)


def student(pool: Pool, faces: Ints, *, gate: bool, at_poses: bool) -> StudentTimeline:
    """The timeline of a student that shows these faces."""
    read = pool.read[faces] if gate else np.ones(faces.shape, bool)
    counted = read.sum(axis=1)
    sums = (pool.answers[faces] * read[:, :, None]).sum(axis=1)
    means = np.full_like(sums, np.nan)
    means[counted > 0] = sums[counted > 0] / counted[counted > 0, None]
    each = SAMPLES // FACES_A_BIN
    at = np.array(pool.poses)[faces]
    poses = (
        {pose.value: ((at == pose) & read).sum(axis=1) * each for pose in HeadPoseClass} if at_poses else {}
    )
    return replace(timeline(means), usable_samples=counted * each, pose_counts=poses)


@dataclass(frozen=True)
class Lectures:
    """Lectures in which half of the students show ``shares`` of the time by kind of face, and neutral
    faces else."""

    name: str
    shares: Mapping[str, float]


KINDS = (
    Lectures("writing", {f"bowed {low:g}": WRITING / len(BOWED_DEG) for low, _ in BOWED_DEG}),
    Lectures("bent", {"bent": WRITING}),
    Lectures("sad", {"sad": SAD_TIME}),
)


def print_rows(
    pool: Pool,
    confusions: Mapping[str, ConfusionMatrix],
    kind: Lectures,
    lectures: int,
    minutes: float,
    own: bool,
) -> None:
    """Print flag rates in lectures of one kind, by method."""
    lines: dict[str, list[StudentTimeline]] = {way: [] for way in confusions}
    for lecture in range(lectures):
        rng = np.random.default_rng([round(minutes), lecture])
        for one in range(PEOPLE):
            theirs = pool.few(rng) if own else pool
            faces = shown(rng, theirs, minutes, kind.shares if one < PEOPLE // 2 else {})
            for way, made in lines.items():
                made.append(student(pool, faces, gate=way != "before", at_poses=way == "pose"))
    for way, confusion in confusions.items():
        decisions = [decide_sadness_flag(line, FlagSettings(), confusion) for line in lines[way]]
        flagged = np.array([v.outcome is FlagOutcome.FLAGGED for v in decisions]).reshape(lectures, 2, -1)
        shares = np.array([np.nan if v.sad_share is None else v.sad_share for v in decisions])
        one, other = (format_rate(int(flagged[:, half].sum()), lectures * PEOPLE // 2) for half in (0, 1))
        print(
            f"{kind.name:8} {minutes:3g} min, faces {OWN_FACES if own else 'any':3} {way:7}"
            f" sad share {np.nanmean(shares.reshape(flagged.shape)[:, 0]):.2f}; flagged {one}"
            f"; of the other half {other}; lectures with a flag {int(flagged.any(axis=(1, 2)).sum())}",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--lectures", type=int, default=100)
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    given = parser.parse_args(arguments)
    faces, classifier = load_faces(given.data), load_classifier()
    pool, choose = read_pool(select_split(faces, given.half)), select_split(faces, "choose")
    whole = mean_probabilities_by_label(classifier.probabilities(choose.images), choose.majority)
    single, shipped = (
        confusion_from_settings({"model": kept}) for kept in ({"confusion": whole}, classifier.model_metrics)
    )
    assert single is not None
    assert shipped is not None
    for name, which in pool.of.items():
        sadness = pool.answers[which, Emotion.SAD].mean()
        print(f"half {given.half}: {len(which)} faces {name}, mean sadness {sadness:.2f}")
    confusions = {"before": single, "gate": shipped, "pose": shipped}
    for own in (False, True):
        for minutes in (5, 50):
            for kind in KINDS:
                print_rows(pool, confusions, kind, given.lectures, minutes, own)


if __name__ == "__main__":
    main()
