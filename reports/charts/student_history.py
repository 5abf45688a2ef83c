"""The flagged shares of one student over earlier sessions and this one."""

from __future__ import annotations

from datetime import datetime

from reports.charts.levels import SharePanel, SharePoint, share_chart
from reports.charts.style import FigureWithAlt
from reports.flags.base import FlagOutcome
from reports.report import ReportStudent
from reports.text.formatting import FLAG_KIND_NAMES, flag_kind_name, format_count, format_percent
from reports.text.i18n import _
from reports.text.names import isolate


def student_history_chart(student: ReportStudent, started_at: datetime) -> FigureWithAlt:
    """One panel per flag: all earlier sessions with enough data, and this one (at ``started_at``) last."""
    panels, texts = [], []
    for decision in student.flagged_decisions:
        interval = decision.interval
        assert interval is not None  # a flag requires one
        now = SharePoint(started_at, interval.share, interval.low, interval.high, True)
        earlier = [share for share in student.earlier_shares if share.kind == decision.kind]
        points = [
            SharePoint(
                share.started_at,
                share.estimate.share,
                share.estimate.low,
                share.estimate.high,
                share.outcome == FlagOutcome.FLAGGED.value and share.review != "dismissed",
            )
            for share in earlier
        ]
        panels.append(SharePanel(FLAG_KIND_NAMES[decision.kind], [*points, now]))
        texts.append(
            _(
                "%(about)s: %(share)s now; in %(sessions)s %(shares)s",
                about=flag_kind_name(decision.kind),
                share=format_percent(interval.share),
                sessions=format_count(len(earlier), "earlier session"),
                shares=", ".join(format_percent(share.estimate.share) for share in earlier) or _("none"),
            )
        )
    times = sorted({point.at for panel in panels for point in panel.points})
    alt = _("History of %(name)s. %(text)s.", name=isolate(student.name), text=". ".join(texts))
    return share_chart(panels, times, alt, panel_in=0.6)
