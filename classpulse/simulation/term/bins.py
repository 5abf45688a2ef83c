"""From a student's script to the bins that would be recorded for it. Pure.

The probabilities are drawn around the mean answers of the shipped model to faces of each expression.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classpulse.simulation.term.student_model import (
    FACING_STATES,
    STATE_EXPRESSIONS,
    STATES,
    StudentScript,
    StudentState,
)
from db.records import TimelineBin
from model.inference.classifier import shipped_file
from monitor.types import UnreadableReason

PERSON_CONCENTRATION, SEGMENT_CONCENTRATION, BIN_CONCENTRATION = 40.0, 8.0, 60.0
"""How similar the probabilities are for one student's faces, within a segment, and within a bin: the
concentrations of nested Dirichlet distributions (higher is more similar). Heuristic: the variation over time
was not measured."""


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """``means`` ``(7, 7)``: row by true expression, column by predicted one, rows summing to 1, in the order
    of ``EMOTIONS``.

    ``source`` names their origin; ``model_metrics`` is what a session stores of the model, None for nothing.
    """

    means: NDArray[np.float64]
    source: str
    model_metrics: Mapping[str, Any] | None = None


def shipped_answer_model() -> AnswerModel:
    """The mean answers of the shipped model to faces that it was not trained on
    (``model.export.model_info``)."""
    metadata: dict[str, Any] = json.loads(shipped_file("expression.json").read_text(encoding="utf-8"))
    metrics = metadata["metrics"]
    means = np.asarray(metrics["confusion"]["mean_answers"], np.float64)
    # The file has rounded values.
    shares = means / means.sum(axis=1, keepdims=True)
    return AnswerModel(shares, f"mean answers of {metadata['version']}", metrics)


def draw_dirichlet(
    means: NDArray[np.float64], concentration: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rows (..., 7) drawn from Dirichlet distributions with the mean rows ``means`` (..., 7)."""
    # As gamma variates, because NumPy's Dirichlet takes one row at a time.
    drawn = rng.standard_gamma(means * concentration)
    # With parameters close to 0 a row can be all zeros; then its mean is used.
    drawn = np.where(drawn.sum(axis=-1, keepdims=True) > 0, drawn, means)
    shares: NDArray[np.float64] = drawn / drawn.sum(axis=-1, keepdims=True)
    return shares


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_UNREADABLE_REASONS = (UnreadableReason.BLURRED, UnreadableReason.TOO_SMALL, UnreadableReason.OCCLUDED)
"""Reasons for unreadable faces; each segment has one."""

_YAW_DEG = {StudentState.TURNED: 60.0}
_PITCH_DEG = {StudentState.BOWED: -45.0}
"""Mean directions; all other states have 0 degrees of yaw and 5 down."""

_SWAY_DEG = 4.0

_EXPRESSION_OF_STATE = np.array([STATE_EXPRESSIONS.get(state, -1) for state in STATES])
_IS_FACING = np.array([state in FACING_STATES for state in STATES])
_ABSENT, _UNREADABLE, _SHUT = (
    STATES.index(s) for s in (StudentState.ABSENT, StudentState.UNREADABLE, StudentState.SHUT)
)


@dataclass(frozen=True, eq=False)
class Sampling:
    """When frames are sampled: ``times_s`` ``(S,)``, ``period_s`` apart except for gaps, in bins of ``bin_s``
    seconds."""

    times_s: Floats
    period_s: float = 0.5
    bin_s: float = 5.0

    @property
    def cells(self) -> Ints:
        """The bin index of each sample, ``(S,)``."""
        cells: Ints = np.floor(self.times_s / self.bin_s + 1e-6).astype(np.int64)
        return cells


def make_sampling(length_s: float, gap_s: tuple[float, float] | None = None) -> Sampling:
    """Two samples per second for ``length_s``, none from ``gap_s[0]`` until before ``gap_s[1]``."""
    times_s = np.arange(0.0, length_s, 0.5)
    if gap_s is not None:
        times_s = times_s[(times_s < gap_s[0]) | (times_s >= gap_s[1])]
    return Sampling(times_s)


def draw_bins(
    script: StudentScript,
    student_id: int,
    sampling: Sampling,
    means: Floats,
    rng: np.random.Generator,
    *,
    expressions: bool = True,
) -> list[TimelineBin]:
    """The bins of one student, one for each bin with a sample; ``means`` (7, 7) as in ``AnswerModel``.

    Without ``expressions`` none is computed, as in ``mode: behaviour``.
    """
    segments = script.segments_at(sampling.times_s)
    states = script.states[segments]
    cells, places = np.unique(sampling.cells, return_inverse=True)
    count = len(cells)

    def count_samples(mask: NDArray[np.bool_]) -> Ints:
        return np.bincount(places[mask], minlength=count)

    seen, facing = states != _ABSENT, _IS_FACING[states]
    usable = (_EXPRESSION_OF_STATE[states] >= 0) & expressions
    readable = states != _UNREADABLE
    columns: dict[str, Any] = {
        "samples": count_samples(np.ones(len(states), bool)),
        "seen_samples": count_samples(seen),
        "usable_samples": count_samples(usable),
        "pose_samples": count_samples(seen & readable),
        "facing_samples": count_samples(facing & readable),
        "eye_samples": count_samples(facing & readable),
        "closed_samples": count_samples(states == _SHUT),
    }
    answers = _bin_answers(script, segments, places, usable, count, means, rng)
    masks = _reasons(script, segments, states, expressions=expressions, rng=rng)
    reasons = {reason: count_samples(mask) for reason, mask in masks.items()}
    yaw_deg, pitch_deg = _directions(states, places, columns["pose_samples"], rng)
    counts = {name: values.tolist() for name, values in columns.items()}
    return [
        TimelineBin(
            student_id=student_id,
            start_s=float(cells[b] * sampling.bin_s),
            watched_s=counts["samples"][b] * sampling.period_s,
            seen_s=counts["seen_samples"][b] * sampling.period_s,
            probabilities=answers[b],
            unreadable_reasons={reason: int(each[b]) for reason, each in reasons.items() if each[b]},
            yaw_deg=yaw_deg[b],
            pitch_deg=pitch_deg[b],
            **{name: values[b] for name, values in counts.items()},
        )
        for b in range(count)
    ]


def _bin_answers(
    script: StudentScript,
    segments: Ints,
    places: Ints,
    usable: NDArray[np.bool_],
    count: int,
    means: Floats,
    rng: np.random.Generator,
) -> Sequence[tuple[float, ...] | None]:
    """Each bin's mean probabilities: drawn per person, per segment around that, per bin around the mean of
    the segments."""
    by_person = draw_dirichlet(means, PERSON_CONCENTRATION, rng)
    by_segment = draw_dirichlet(by_person[_EXPRESSION_OF_STATE[script.states]], SEGMENT_CONCENTRATION, rng)
    sums = np.zeros((count, means.shape[1]))
    np.add.at(sums, places[usable], by_segment[segments[usable]])
    samples = sums.sum(axis=1)
    known = samples > 0
    drawn = draw_dirichlet(sums[known] / samples[known, None], BIN_CONCENTRATION, rng)
    answers: list[tuple[float, ...] | None] = [None] * count
    for place, row in zip(np.flatnonzero(known).tolist(), drawn.tolist(), strict=True):
        answers[place] = tuple(row)
    return answers


def _reasons(
    script: StudentScript,
    segments: Ints,
    states: Ints,
    *,
    expressions: bool,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.bool_]]:
    """Masks (S,) of the samples without an expression, by reason."""
    hidden = rng.integers(len(_UNREADABLE_REASONS), size=len(script.states))[segments]
    absent = states == _ABSENT
    if not expressions:
        return {UnreadableReason.ABSENT.value: absent, UnreadableReason.NOT_COMPUTED.value: ~absent}
    blocked = states == _UNREADABLE
    return {
        UnreadableReason.ABSENT.value: absent,
        UnreadableReason.TURNED_AWAY.value: states == STATES.index(StudentState.TURNED),
        UnreadableReason.HEAD_BOWED.value: states == STATES.index(StudentState.BOWED),
        **{reason.value: blocked & (hidden == n) for n, reason in enumerate(_UNREADABLE_REASONS)},
    }


def _directions(
    states: Ints, places: Ints, poses: Ints, rng: np.random.Generator
) -> tuple[list[float | None], list[float | None]]:
    """The mean yaw and pitch of each bin in degrees, None without a measured head pose."""
    measured = (states != _ABSENT) & (states != _UNREADABLE)
    sides = rng.choice([-1.0, 1.0])
    yaws = np.array([_YAW_DEG.get(state, 0.0) for state in STATES])[states] * sides
    pitches = np.array([_PITCH_DEG.get(state, -5.0) for state in STATES])[states]
    sway = rng.normal(0.0, _SWAY_DEG, (2, len(poses)))
    both = []
    for angles, swayed in zip((yaws, pitches), sway, strict=True):
        total = np.bincount(places[measured], weights=angles[measured], minlength=len(poses))
        mean = total / np.maximum(poses, 1) + swayed
        both.append([float(m) if n else None for m, n in zip(mean, poses, strict=True)])
    return both[0], both[1]
