"""True and false positive rates of the flag rules on simulated students and classes.

``sadness``: students show faces of FER2013 with a majority of FER+ votes and a readable head pose, drawn as
by ``classpulse simulate faces`` (segments of 10 s, one face per 2.5 s, two samples per second), classified by
the shipped model and binned without rendering a video. ``attention``: students follow scripts. The results
are in docs/explanation/flags.md.

python -m benchmarks.flags sadness DATA [--half report] [--lectures 1000] python -m benchmarks.flags
thresholds DATA                  # cost of larger thresholds, choosing half python -m benchmarks.flags own
DATA                         # a few faces per student, and baselines python -m benchmarks.flags curve DATA
--lectures 500 --out docs/images/flags.svg python -m benchmarks.flags coverage DATA python -m benchmarks.flags
attention
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.pose_bias import is_read
from model.data.faces import select_split
from model.data.load import load_faces
from model.emotions import EMOTIONS, Emotion
from model.inference.classifier import load_classifier
from monitor.faces.dataset_poses import tile_poses
from monitor.timeline.binning import Binner
from monitor.types import Observation
from reports.flags.attention import AttentionFlagSettings, decide_attention_flags
from reports.flags.base import FlagOutcome
from reports.flags.baseline import Baseline, median_baseline
from reports.flags.confidence import bootstrap_quantiles, share_interval, wilson_interval
from reports.flags.confusion import ConfusionMatrix, confusion_from_settings
from reports.flags.sadness import FlagSettings, SadnessDecision, decide_sadness_flag
from reports.timeline.student import BinGrid, Floats, Ints, StudentTimeline

BIN_S, SPELL_BINS, FACES_A_BIN, SAMPLES = 5.0, 2, 2, 10
SAD, NEUTRAL, HAPPY = int(Emotion.SAD), int(Emotion.NEUTRAL), int(Emotion.HAPPY)


def label(axes: Any, at: int, rates: Floats, text: str) -> None:
    """Annotate a line."""
    axes.annotate(text, (THRESHOLDS[at], rates[at]), xytext=(2, 3), textcoords="offset points", fontsize=8)


OTHERS: Mapping[str, tuple[int, ...]] = {
    "neutral": (NEUTRAL,),
    "neutral and happy": (NEUTRAL, HAPPY),
    "all others": tuple(label for label in range(len(EMOTIONS)) if label != SAD),
}
"""Labels shown when the face is not sad."""

Rng = np.random.Generator


@dataclass(frozen=True)
class Pool:
    """The model's probabilities for the faces of each label, ``(N, 7)`` each, and its confusion matrix."""

    answers: tuple[Floats, ...]
    confusion: ConfusionMatrix

    def few(self, rng: Rng, count: int | None) -> tuple[Floats, ...]:
        """Probabilities of ``count`` random faces per label, those of one student; None: of all."""
        if count is None:
            return self.answers
        return tuple(
            rows[rng.choice(len(rows), min(count, len(rows)), replace=False)] for rows in self.answers
        )


def read_pool(data: Path, half: str) -> Pool:
    """Classify all faces of a half with a readable pose."""
    faces, classifier = select_split(load_faces(data), half), load_classifier()
    faces = faces.subset(np.array([is_read(*map(float, pose)) for pose in tile_poses(faces.images)], bool))
    answers = classifier.probabilities(faces.images).astype(np.float64)
    confusion = confusion_from_settings({"model": classifier.model_metrics})
    assert confusion is not None
    return Pool(tuple(answers[faces.majority == label] for label in range(len(EMOTIONS))), confusion)


def shown_spells(rng: Rng, sad_share: float, minutes: float, others: Sequence[int]) -> Ints:
    """The label of each segment; exactly ``sad_share`` of them are sad, in random order."""
    spells = rng.choice(np.array(others), round(minutes * 60 / (SPELL_BINS * BIN_S)))
    spells[: round(sad_share * len(spells))] = SAD
    return rng.permutation(spells)


def shown_bins(rng: Rng, spells: Ints, answers: Sequence[Floats]) -> Floats:
    """Mean probabilities of each bin, ``(B, 7)``: two faces of five samples each."""
    labels = np.repeat(spells, SPELL_BINS * FACES_A_BIN)
    shown = np.array([answers[label][rng.integers(len(answers[label]))] for label in labels])
    return shown.reshape(-1, FACES_A_BIN, len(EMOTIONS)).mean(axis=1)


def timeline(probabilities: Floats) -> StudentTimeline:
    """A student that was seen and readable all the time."""
    count = len(probabilities)
    full, none, nan = np.full(count, SAMPLES), np.zeros(count, np.int64), np.full(count, np.nan)
    grid = BinGrid(BIN_S, np.full(count, BIN_S))
    parts = (full, full, full, none, none, nan, nan, none, none)
    return StudentTimeline(1, "Student 1", grid, np.full(count, BIN_S), *parts, probabilities, {})


def check_binning(pool: Pool) -> None:
    """Assert that ``shown_bins`` equals ``monitor.timeline.binning`` on the same faces."""
    spells = shown_spells(np.random.default_rng(1), 0.5, 1, OTHERS["all others"])
    labels = np.repeat(spells, SPELL_BINS * FACES_A_BIN)
    rng, binner = np.random.default_rng(2), Binner(BIN_S, lambda _: True, keep_s=3600)
    for number, label in enumerate(labels):
        answer = pool.answers[label][rng.integers(len(pool.answers[label]))]
        for sample in range(SAMPLES // FACES_A_BIN):
            at_s = (number * SAMPLES // FACES_A_BIN + sample) * BIN_S / SAMPLES
            binner.add_sample(at_s, BIN_S / SAMPLES)
            binner.add(Observation(0, at_s, True, tuple(map(float, answer))))
    stored = np.array([row.probabilities for row in binner.bins().values()])
    assert np.allclose(stored, shown_bins(np.random.default_rng(2), spells, pool.answers))


LAX = FlagSettings(sad_share=0.05)
"""The smallest threshold: a student flagged with it is flagged with any threshold below the interval's
lower end."""


def students(
    pool: Pool,
    count: int,
    sad_share: float,
    minutes: float,
    others: str,
    settings: FlagSettings = LAX,
    faces: int | None = None,
) -> Iterator[SadnessDecision]:
    """The decisions on ``count`` simulated students."""
    rng = np.random.default_rng([round(1000 * sad_share), round(minutes), len(others), faces or 0])
    for _ in range(count):
        spells = shown_spells(rng, sad_share, minutes, OTHERS[others])
        bins = shown_bins(rng, spells, pool.few(rng, faces))
        yield decide_sadness_flag(timeline(bins), settings, pool.confusion)


def flagged(decisions: Sequence[SadnessDecision], threshold: float) -> int:
    """Number of students flagged with ``sad_share`` = ``threshold``."""
    lows = [v.interval.low for v in decisions if v.interval and v.outcome is FlagOutcome.FLAGGED]
    return sum(low > threshold for low in lows)


def format_rate(hits: int, count: int) -> str:
    """A rate with its Wilson interval, in percent."""
    low, high = wilson_interval(hits / count, count, 0.95)
    return f"{hits / count:7.2%} ({low:.2%} to {high:.2%})"


def sadness(pool: Pool, lectures: int, chosen: float) -> None:
    """Print flag rates by share of sad time and by the other expressions."""
    for minutes in (5, 50):
        count = lectures if minutes == 5 else lectures // 2
        for others in OTHERS:
            for share in (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.9):
                decisions = list(students(pool, count, share, minutes, others))
                means = [
                    float(np.mean([getattr(v, n) for v in decisions])) for n in ("raw_share", "sad_share")
                ]
                figures = f"read {means[0]:.2f} corrected {means[1]:.2f}"
                found = format_rate(flagged(decisions, chosen), count)
                print(f"{minutes:3} min {others:18} sad {share:.1f}  {figures}  {found}", flush=True)


def few_faces(pool: Pool, count: int, chosen: float) -> None:
    """Print flag rates with a few faces per student, whose confusions repeat, and the effect of baselines."""
    for faces in (1, 3, 10):
        for others in ("neutral", "neutral and happy"):
            rates = []
            for share in (0.0, 0.6, 0.8):
                decisions = list(students(pool, count, share, 5, others, faces=faces))
                rates.append(f"sad {share:.1f} {format_rate(flagged(decisions, chosen), count)}")
            print(f"  5 min, {faces:2} faces a label, {others:18} {'   '.join(rates)}")
        for share in (0.0, 0.6, 0.8):
            hits = np.sum(
                [with_usual(pool, np.random.default_rng([7, n]), share, faces) for n in range(count)], axis=0
            )
            alone, beside = (format_rate(int(number), count) for number in hits)
            what = f"50 min, {faces:2} faces a label, neutral, sad {share:.1f}"
            print(f"  {what}: {alone}; with a usual level {beside}", flush=True)


def with_usual(pool: Pool, rng: Rng, share: float, faces: int) -> tuple[bool, bool]:
    """Whether one student is flagged without and with three earlier neutral sessions."""
    answers = pool.few(rng, faces)

    def lecture(sad_share: float, usual: Baseline | None) -> SadnessDecision:
        spells = shown_spells(rng, sad_share, 50, OTHERS["neutral"])
        return decide_sadness_flag(
            timeline(shown_bins(rng, spells, answers)), FlagSettings(), pool.confusion, usual
        )

    usual = median_baseline([lecture(0.0, None).sad_share or 0.0 for _ in range(3)])
    today = lecture(share, None)
    line = today.interval
    assert line is not None
    assert usual is not None
    alone = today.outcome is FlagOutcome.FLAGGED
    return alone, alone and line.low > usual.share


def thresholds(data: Path, lectures: int) -> None:
    """Print flag rates by threshold for 60 % sad and 40 % neutral in five minutes. Always of the choosing
    half: the reporting half must not choose thresholds."""
    pool, settings = read_pool(data, "choose"), FlagSettings()
    shares = [replace(settings, sad_share=share) for share in (0.2, 0.25, 0.26, 0.27, 0.28, 0.3)]
    margins = [replace(settings, sad_margin=margin) for margin in (0.0, 0.01, 0.02, 0.03, 0.05)]
    for tried in (*shares, *margins):
        found = sum(
            v.outcome is FlagOutcome.FLAGGED for v in students(pool, lectures, 0.6, 5, "neutral", tried)
        )
        print(
            f"sad_share {tried.sad_share}, sad_margin {tried.sad_margin}: {format_rate(found, lectures)}",
            flush=True,
        )


THRESHOLDS = np.linspace(0.05, 0.6, 23)
ALLOWED = 0.01
"""One false flag per 100 student-lectures."""


def draw(path: Path, pool: Pool, lectures: int, chosen: float) -> None:
    """Plot flag rates against the threshold: by share of sad time, and below for students that never
    looked sad, by number of faces per student."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 7), layout="constrained")
    FigureCanvasSVG(figure)
    found, false = figure.subplots(2, sharex=True, height_ratios=(3, 2))
    for number, share in enumerate((0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)):
        rates = curve(found, pool, lectures, (share, "neutral", None), str(0.65 - 0.1 * number))
        at = int(np.argmin(abs(rates - 0.5))) if rates[0] > 0.5 else 4 * number
        label(found, at, rates, f"{share:.0%} sad")
    few = (("one face a label", 1, "-", 0), ("three", 3, "--", 6), ("any faces", None, ":", 0))
    for name, faces, style, at in few:
        rates = curve(false, pool, lectures, (0.0, "neutral and happy", faces), "black", style)
        label(false, at, rates, name)
    false.axhline(ALLOWED, color="black", lw=0.8)
    false.set(
        xlabel="threshold of the interval's lower end (sad_share)", ylabel="flagged", ylim=(-0.002, 0.06)
    )
    found.set(ylabel="flagged")
    found.set_title("Looked sad for a part of 5 minutes, neutral for the rest; 95 % bands", fontsize=10)
    false.set_title("Never looked sad, neutral and happy; the line is 1 in 100", fontsize=10)
    for axes in (found, false):
        axes.axvline(chosen, color="black", lw=0.8, ls="--")
    with rc_context({"svg.hashsalt": "classpulse"}):
        figure.savefig(path, metadata={"Date": None})


def curve(
    axes: Any, pool: Pool, lectures: int, shown: tuple[float, str, int | None], color: str, style: str = "-"
) -> Floats:
    """Plot and return the flag rate at each of ``THRESHOLDS``, with Wilson intervals."""
    share, others, faces = shown
    decisions = list(students(pool, lectures, share, 5, others, faces=faces))
    rates = np.array([flagged(decisions, threshold) / lectures for threshold in THRESHOLDS])
    around = np.array([wilson_interval(rate, lectures, 0.95) for rate in rates])
    axes.plot(THRESHOLDS, rates, color=color, ls=style)
    axes.fill_between(THRESHOLDS, around[:, 0], around[:, 1], color=color, alpha=0.2, lw=0)
    print(f"curve, sad {share:.1f}, {others}, faces {faces}: " + " ".join(f"{r:.3f}" for r in rates[::2]))
    return rates


def coverage(data: Path, chains: int = 300) -> None:
    """Print the coverage of interval methods on two-state chains with the scores of sad and neutral faces."""
    answers = read_pool(data, "choose").answers
    # Exact correction for these faces (means 1 and 0), so that only the interval is measured.
    means = np.array([answers[SAD][:, SAD].mean(), answers[NEUTRAL][:, SAD].mean()])
    scores = [(answers[label][:, SAD] - means[1]) / (means[0] - means[1]) for label in (SAD, NEUTRAL)]
    methods: Mapping[str, Callable[[Floats], tuple[float, float]]] = {
        "effective": effective_wilson,
        "bootstrap": lambda row: bootstrap_quantiles(row, np.full(len(row), 1 / len(row)), 0.95),
        "both": lambda row: ends(share_interval(row, np.ones(len(row)))),
    }
    for count in (12, 60, 600):
        for share, correlation in (
            (0.0, 0.0),
            (0.2, 0.5),
            (0.5, 0.0),
            (0.5, 0.5),
            (0.5, 0.8),
            (0.9, 0.5),
            (1.0, 0.0),
        ):
            rng = np.random.default_rng([count, round(10 * share), round(10 * correlation)])
            states = chain(rng, share, correlation, count, chains)
            read = (
                sum(np.where(states, *(rng.choice(of, states.shape) for of in scores)) for _ in range(2)) / 2
            )
            cells = [cell(method, read, share, states.mean(axis=1)) for method in methods.values()]
            print(f"{count:4} bins, share {share}, correlation {correlation}: " + "   ".join(cells))
    print("of " + ", ".join(methods) + ": held the chain's share / the share shown, mean width")


def cell(method: Callable[[Floats], tuple[float, float]], read: Floats, share: float, shown: Floats) -> str:
    """Coverage of the chain's share and of the realised share by one method, and its mean width."""
    found = np.clip([method(row) for row in read], 0, 1)
    held = [np.mean((found[:, 0] <= at + 1e-9) & (found[:, 1] >= at - 1e-9)) for at in (share, shown)]
    return f"{held[0]:.2f}/{held[1]:.2f} {np.mean(found[:, 1] - found[:, 0]):.2f}"


def ends(interval: Any) -> tuple[float, float]:
    """Both ends of an interval."""
    return interval.low, interval.high


def chain(rng: Rng, share: float, correlation: float, count: int, chains: int) -> Any:
    """Two-state chains ``(chains, count)`` with this share and lag-1 correlation."""
    states = np.empty((chains, count), bool)
    states[:, 0] = rng.random(chains) < share
    for column in range(1, count):
        stay = share * (1 - correlation) + correlation * states[:, column - 1]
        states[:, column] = rng.random(chains) < stay
    return states


def effective_wilson(row: Floats) -> tuple[float, float]:
    """The rejected alternative: Wilson's interval on an effective number of bins, from the lag-1
    correlation and the design effect of the scores (Kish 1965; Korn & Graubard 1998)."""
    share, apart = float(np.clip(row.mean(), 0, 1)), row - row.mean()
    correlation = float(apart[:-1] @ apart[1:] / max(apart @ apart, 1e-12))
    correlation = max(0.0, (correlation * (len(row) - 1) + 0.5 * 2) / (len(row) + 1))
    design = min(1.0, share * (1 - share) / max(float(row.var()), 1e-12))
    return wilson_interval(share, max(1.0, len(row) * (1 - correlation) / (1 + correlation) * design), 0.95)


SPELL_S = 30.0
"""Mean length of being away in the simulated classes; heuristic, not measured."""


def attention(classes: int = 60, people: int = 20, targets: int = 2, minutes: int = 50) -> None:
    """Print flag rates by share of time away, for three behaviours of the class."""
    settings, bins = AttentionFlagSettings(), round(minutes * 60 / BIN_S)
    quiet, busy = np.zeros(bins), np.zeros(bins)
    busy[bins // 5 : bins * 7 // 10] = 0.9
    for name, together, usual in (
        ("quiet", quiet, 0.1),
        ("restless", quiet, 0.35),
        ("25 min group work", busy, 0.1),
    ):
        for share in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8):
            hits = false = 0
            for number in range(classes):
                rng = np.random.default_rng([number, round(100 * share)])
                shares = [share if one < targets else usual for one in range(people)]
                decisions = decide_attention_flags(
                    [turned(rng, one, bins, together) for one in shares], settings
                )
                outcomes = [decision.outcome is FlagOutcome.FLAGGED for decision in decisions]
                hits += sum(outcomes[:targets])
                false += sum(outcomes[targets:])
            rates = format_rate(hits, classes * targets), format_rate(false, classes * (people - targets))
            print(f"{name:18} away {share:.1f} (others {usual}): flagged {rates[0]}, others {rates[1]}")


def turned(rng: Rng, share: float, bins: int, together: Floats) -> StudentTimeline:
    """A student turned away for ``share`` of the time, in segments, and during group work (``together``)."""
    away = chain(rng, share, 1 - BIN_S / SPELL_S / max(1 - share, 0.2), bins, 1)[0] | (
        rng.random(bins) < together
    )
    line = timeline(np.full((bins, len(EMOTIONS)), 1 / len(EMOTIONS)))
    return replace(line, pose_samples=line.samples, facing_samples=np.where(away, 0, line.samples))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("sadness", "thresholds", "own", "curve", "coverage", "attention"))
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--half", choices=("choose", "report"), default="report")
    parser.add_argument("--lectures", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("flags.svg"))
    given = parser.parse_args(arguments)
    if given.what != "attention" and given.data is None:
        parser.error(f"{given.what} needs DATA, faces of FER2013 with FER+'s votes")
    if given.what == "attention":
        attention()
        return
    if given.what == "coverage":
        coverage(given.data)
        return
    if given.what == "thresholds":
        thresholds(given.data, given.lectures)
        return
    pool, chosen = read_pool(given.data, given.half), FlagSettings().sad_share
    check_binning(pool)
    print(f"half {given.half}, faces a label {[len(rows) for rows in pool.answers]}, sad_share {chosen}")
    if given.what == "sadness":
        sadness(pool, given.lectures, chosen)
    elif given.what == "own":
        few_faces(pool, given.lectures, chosen)
    else:
        draw(given.out, pool, given.lectures, chosen)


if __name__ == "__main__":
    main()
