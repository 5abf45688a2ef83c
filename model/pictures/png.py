"""A figure as a file."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

from model.pictures.style import DPI


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DPI)
    return content.getvalue()
