"""What the reports call their figures, for the pages that show them in another language. Pure.

A report is a document of its own and in English; its figures' names stand in pages, too.
"""

from __future__ import annotations

from classpulse.refusal import N_

FIGURES = (
    N_("seen"),
    N_("facing the front"),
    N_("eyes shut"),
    N_("away"),
    N_("resembling anger"),
    N_("resembling disgust"),
    N_("resembling fear"),
    N_("resembling happiness"),
    N_("resembling sadness"),
    N_("resembling surprise"),
    N_("resembling neutral"),
)

HEADINGS = (
    N_("no."),
    N_("started"),
    N_("students"),
    N_("facing"),
    N_("sadness"),
    N_("happiness"),
    N_("flags"),
    N_("week"),
    N_("from"),
    N_("lessons"),
)
