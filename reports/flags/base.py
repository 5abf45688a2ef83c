"""What both flag rules share: the outcome, the decision, the checks of missing data and of the baseline."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from db.records import FlagRecord
from reports.flags.baseline import Baseline, baseline_numbers
from reports.flags.confidence import ShareInterval
from reports.text.formatting import format_percent
from reports.text.i18n import Language, LazyText, lazy, lazy_plural, use_language

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)
else:
    SettingsT = TypeVar("SettingsT")

SADNESS_KIND, ATTENTION_KIND = "sadness", "attention"
"""Values of ``FlagRecord.kind``."""

_TOLERANCE = 1e-9
"""Rounding errors of a sum must not lift a share above a threshold that it only equals."""


class FlagOutcome(StrEnum):
    """The outcome of a rule for one student."""

    FLAGGED = "flagged"
    NOT_FLAGGED = "not_flagged"
    INSUFFICIENT_DATA = "insufficient_data"


@dataclass(frozen=True)
class Verdict:
    """``within_baseline``: the student's baseline alone prevented a flag. ``reasons``: fragments of
    sentences."""

    outcome: FlagOutcome
    within_baseline: bool
    reasons: tuple[LazyText, ...]


@dataclass(frozen=True, kw_only=True)
class FlagDecision(ABC, Generic[SettingsT]):
    """The outcome of a rule for one student, with the numbers that it rests on.

    ``coverage``: seen time by watched time, 0..1. ``interval``: the share that the rule is about; None
    without any usable time. ``baseline``: None if the student has too few earlier sessions.
    """

    kind: ClassVar[str]
    share_name: ClassVar[str]
    """Name of the share in ``FlagRecord.numbers``; ``_low`` and ``_high`` are appended for its interval."""

    student_id: int
    outcome: FlagOutcome
    watched_s: float
    coverage: float
    interval: ShareInterval | None
    baseline: Baseline | None
    within_baseline: bool
    reason_messages: tuple[LazyText, ...]
    settings: SettingsT

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons in the current language."""
        return tuple(map(str, self.reason_messages))

    @property
    def share(self) -> float | None:
        """The share that the rule is about, 0..1; None without any usable time."""
        return None if self.interval is None else self.interval.share

    @abstractmethod
    def _measurements(self) -> dict[str, Any]:
        """The numbers that only this rule has, JSON-ready."""

    def to_record(self, session_id: int) -> FlagRecord:
        """The decision as stored in the database; ``numbers`` is JSON-ready and includes the thresholds."""
        low, high = (None, None) if self.interval is None else (self.interval.low, self.interval.high)
        with use_language(Language.EN):
            reasons = list(self.reasons)
        numbers = {
            "watched_s": self.watched_s,
            "coverage": self.coverage,
            **self._measurements(),
            self.share_name: self.share,
            f"{self.share_name}_low": low,
            f"{self.share_name}_high": high,
            "effective_bins": None if self.interval is None else self.interval.effective_bins,
            **baseline_numbers(self.baseline),
            "within_baseline": self.within_baseline,
            "reasons": reasons,
            "settings": asdict(self.settings),
        }
        return FlagRecord(session_id, self.student_id, self.kind, self.outcome.value, numbers)


def is_above(value: float, threshold: float) -> bool:
    """Whether ``value`` exceeds ``threshold`` by more than rounding errors."""
    return value > threshold + _TOLERANCE


def judge(
    interval: ShareInterval,
    baseline: Baseline | None,
    unmet: Sequence[LazyText],
    finding: LazyText,
    flagged_finding: LazyText | None = None,
) -> Verdict:
    """The verdict where there is enough data. ``unmet``: conditions of the rule that do not hold.
    ``finding`` is the first reason; ``flagged_finding`` replaces it in a flag."""
    against_baseline = _baseline_reasons(interval, baseline)
    if unmet or against_baseline:
        return Verdict(FlagOutcome.NOT_FLAGGED, not unmet, (finding, *unmet, *against_baseline))
    return Verdict(FlagOutcome.FLAGGED, False, (flagged_finding or finding,))


def insufficient_data(missing: Sequence[LazyText]) -> Verdict:
    """The verdict where a minimum is not reached."""
    return Verdict(FlagOutcome.INSUFFICIENT_DATA, False, tuple(missing))


def coverage_reasons(coverage: float, min_coverage: float) -> list[LazyText]:
    """States that the student was seen for too little of the watched time; empty if not."""
    if coverage >= min_coverage:
        return []
    return [
        lazy(
            "seen for %(share)s of the watched time, %(needed)s needed",
            share=format_percent(coverage),
            needed=format_percent(min_coverage),
        )
    ]


def threshold_reasons(interval: ShareInterval, threshold: float) -> list[LazyText]:
    """States that the lower end of the interval is not above the threshold; empty if it is."""
    if is_above(interval.low, threshold):
        return []
    return [
        lazy(
            "it may be as little as %(low)s; more than %(needed)s is needed",
            low=format_percent(interval.low),
            needed=format_percent(threshold),
        )
    ]


def _baseline_reasons(interval: ShareInterval, baseline: Baseline | None) -> list[LazyText]:
    """States that the lower end of the interval is not above the baseline; empty if it is, or without a
    baseline."""
    if baseline is None or is_above(interval.low, baseline.share):
        return []
    return [
        lazy_plural(
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier session)",
            "it may be as little as %(low)s, which is not above the student's own usual %(usual)s "
            "(median of %(num)d earlier sessions)",
            baseline.session_count,
            low=format_percent(interval.low),
            usual=format_percent(baseline.share),
        )
    ]
