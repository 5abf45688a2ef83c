"""From a student's script to the bins that would have been recorded of it. Pure.

What the shipped model answers to a face that most raters call one of the seven expressions.
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
"""How alike the answers are to one person's faces, within one spell, and within one bin: the sums of the
parameters of the Dirichlet distributions that each is drawn from around the one before. The higher, the more
alike. Made up: how answers to one person's faces scatter over time was not measured."""


@dataclass(frozen=True, eq=False)
class AnswerModel:
    """``means`` ``(7, 7)``: row by true expression, column by answer, each row summing to 1, in the order of
    ``EMOTIONS``. ``source`` says where they are from; ``model_metrics`` is what a session's record keeps of the
    model, None for nothing."""

    means: NDArray[np.float64]
    source: str
    model_metrics: Mapping[str, Any] | None = None


def shipped_answer_model() -> AnswerModel:
    """Those of the shipped model, on faces that it has not learnt from (``model.export.model_info``)."""
    about: dict[str, Any] = json.loads(shipped_file("expression.json").read_text(encoding="utf-8"))
    measured = about["metrics"]
    means = np.asarray(measured["confusion"]["mean_answers"], np.float64)
    # Rounded to some decimals in the file.
    shares = means / means.sum(axis=1, keepdims=True)
    return AnswerModel(shares, f"mean answers of {about['version']}", measured)


def draw_dirichlet(
    means: NDArray[np.float64], concentration: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Rows (..., 7) drawn from Dirichlet distributions of the mean rows ``means`` (..., 7)."""
    # As gammas, because NumPy's own Dirichlet takes one row at a time.
    drawn = rng.standard_gamma(means * concentration)
    # A row of parameters close to 0 can come out as nothing at all; then it is its mean.
    drawn = np.where(drawn.sum(axis=-1, keepdims=True) > 0, drawn, means)
    shares: NDArray[np.float64] = drawn / drawn.sum(axis=-1, keepdims=True)
    return shares


Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_UNREADABLE_REASONS = (UnreadableReason.BLURRED, UnreadableReason.TOO_SMALL, UnreadableReason.OCCLUDED)
"""Why an unreadable face is so; each spell has one."""

_YAW_DEG = {StudentState.TURNED: 60.0}
_PITCH_DEG = {StudentState.BOWED: -45.0}
"""Mean directions; every other state looks 0 degrees aside and 5 down."""

_SWAY_DEG = 4.0

_EXPRESSION_OF_STATE = np.array([STATE_EXPRESSIONS.get(state, -1) for state in STATES])
_IS_FACING = np.array([state in FACING_STATES for state in STATES])
_ABSENT, _UNREADABLE, _SHUT = (
    STATES.index(s) for s in (StudentState.ABSENT, StudentState.UNREADABLE, StudentState.SHUT)
)


@dataclass(frozen=True, eq=False)
class Sampling:
    """When frames were sampled: ``times_s`` ``(S,)``, evenly ``period_s`` apart but for gaps, summed up in
    bins of ``bin_s`` seconds."""

    times_s: Floats
    period_s: float = 0.5
    bin_s: float = 5.0

    @property
    def cells(self) -> Ints:
        """The place of each sample's bin, ``(S,)``."""
        cells: Ints = np.floor(self.times_s / self.bin_s + 1e-6).astype(np.int64)
        return cells


def make_sampling(length_s: float, gap_s: tuple[float, float] | None = None) -> Sampling:
    """Two samples a second for so long, none from ``gap_s[0]`` until before ``gap_s[1]``."""
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
    """The bins of one student, one for each with a sample in it; ``means`` (7, 7) as in ``AnswerModel``. Without
    ``expressions`` none was computed, as in ``mode: behaviour``."""
    spells = script.segments_at(sampling.times_s)
    states = script.states[spells]
    cells, places = np.unique(sampling.cells, return_inverse=True)
    count = len(cells)

    def tally(which: NDArray[np.bool_]) -> Ints:
        return np.bincount(places[which], minlength=count)

    seen, facing = states != _ABSENT, _IS_FACING[states]
    usable = (_EXPRESSION_OF_STATE[states] >= 0) & expressions
    read = states != _UNREADABLE
    columns: dict[str, Any] = {
        "samples": tally(np.ones(len(states), bool)),
        "seen_samples": tally(seen),
        "usable_samples": tally(usable),
        "pose_samples": tally(seen & read),
        "facing_samples": tally(facing & read),
        "eye_samples": tally(facing & read),
        "closed_samples": tally(states == _SHUT),
    }
    means_of = _bin_answers(script, spells, places, usable, count, means, rng)
    reasons = _reasons(script, spells, states, expressions=expressions, rng=rng)
    unknown = {reason: tally(which) for reason, which in reasons.items()}
    yaw_deg, pitch_deg = _directions(states, places, columns["pose_samples"], rng)
    told = {name: values.tolist() for name, values in columns.items()}
    return [
        TimelineBin(
            student_id=student_id,
            start_s=float(cells[b] * sampling.bin_s),
            watched_s=told["samples"][b] * sampling.period_s,
            seen_s=told["seen_samples"][b] * sampling.period_s,
            probabilities=means_of[b],
            unreadable_reasons={reason: int(counts[b]) for reason, counts in unknown.items() if counts[b]},
            yaw_deg=yaw_deg[b],
            pitch_deg=pitch_deg[b],
            **{name: values[b] for name, values in told.items()},
        )
        for b in range(count)
    ]


def _bin_answers(
    script: StudentScript,
    spells: Ints,
    places: Ints,
    usable: NDArray[np.bool_],
    count: int,
    means: Floats,
    rng: np.random.Generator,
) -> Sequence[tuple[float, ...] | None]:
    """Each bin's mean answer: the person's, the spell's around it, the bin's around the mean of those."""
    of_person = draw_dirichlet(means, PERSON_CONCENTRATION, rng)
    of_spell = draw_dirichlet(of_person[_EXPRESSION_OF_STATE[script.states]], SEGMENT_CONCENTRATION, rng)
    summed = np.zeros((count, means.shape[1]))
    np.add.at(summed, places[usable], of_spell[spells[usable]])
    samples = summed.sum(axis=1)
    known = samples > 0
    drawn = draw_dirichlet(summed[known] / samples[known, None], BIN_CONCENTRATION, rng)
    found: list[tuple[float, ...] | None] = [None] * count
    for place, row in zip(np.flatnonzero(known).tolist(), drawn.tolist(), strict=True):
        found[place] = tuple(row)
    return found


def _reasons(
    script: StudentScript,
    spells: Ints,
    states: Ints,
    *,
    expressions: bool,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.bool_]]:
    """Which samples (S,) have no expression, by reason."""
    hidden = rng.integers(len(_UNREADABLE_REASONS), size=len(script.states))[spells]
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
    """The mean yaw and pitch of each bin, degrees, None where no head was read."""
    read = (states != _ABSENT) & (states != _UNREADABLE)
    sides = rng.choice([-1.0, 1.0])
    yaws = np.array([_YAW_DEG.get(state, 0.0) for state in STATES])[states] * sides
    pitches = np.array([_PITCH_DEG.get(state, -5.0) for state in STATES])[states]
    sway = rng.normal(0.0, _SWAY_DEG, (2, len(poses)))
    both = []
    for angles, swayed in zip((yaws, pitches), sway, strict=True):
        total = np.bincount(places[read], weights=angles[read], minlength=len(poses))
        mean = total / np.maximum(poses, 1) + swayed
        both.append([float(m) if n else None for m, n in zip(mean, poses, strict=True)])
    return both[0], both[1]
