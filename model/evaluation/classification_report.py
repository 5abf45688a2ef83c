"""An evaluation as text, in the format of scikit-learn's classification report. Arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence

from model.evaluation.metrics import ClassScore, Evaluation, safe_ratio

_HEADINGS = ("precision", "recall", "f1-score", "support")


def classification_report(evaluation: Evaluation) -> str:
    """Precision, recall, F1 and support of each label, then accuracy, plain and weighted means."""
    total = evaluation.faces
    lines = ["".join(f"{heading:>12}" for heading in ("", *_HEADINGS)), ""]
    lines += [
        _report_line(row.label, row.precision, row.recall, row.f1, row.faces) for row in evaluation.classes
    ]
    lines += [
        "",
        f"{'accuracy':>12}{'':>24}{evaluation.accuracy:>12.3f}{total:>12}",
        _report_line("macro avg", *_weighted_means(evaluation.classes, [1] * len(evaluation.classes)), total),
        _report_line(
            "weighted avg",
            *_weighted_means(evaluation.classes, [row.faces for row in evaluation.classes]),
            total,
        ),
    ]
    return "\n".join(lines)


def _report_line(name: str, precision: float, recall: float, f1: float, faces: int) -> str:
    return f"{name:>12}{precision:>12.3f}{recall:>12.3f}{f1:>12.3f}{faces:>12}"


def _weighted_means(classes: Sequence[ClassScore], weights: Sequence[int]) -> tuple[float, float, float]:
    whole = sum(weights)
    precision, recall, f1 = (
        safe_ratio(sum(w * getattr(row, name) for w, row in zip(weights, classes, strict=True)), whole)
        for name in ("precision", "recall", "f1")
    )
    return precision, recall, f1
