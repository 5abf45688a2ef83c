"""A student's own history: the shares that flags are about, session by session, with their intervals."""

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
    """A panel for each kind of flag that was raised: every earlier session that had enough to tell, and this
    one, at ``started_at``, last."""
    panels, told = [], []
    for verdict in student.flagged_decisions:
        assert verdict.interval is not None  # it was judged
        now = SharePoint(
            started_at, verdict.interval.share, verdict.interval.low, verdict.interval.high, True
        )
        earlier = [one for one in student.earlier_shares if one.kind == verdict.kind]
        points = [
            SharePoint(
                one.started_at,
                one.estimate.share,
                one.estimate.low,
                one.estimate.high,
                one.outcome == FlagOutcome.FLAGGED.value and one.review != "dismissed",
            )
            for one in earlier
        ]
        panels.append(SharePanel(FLAG_KIND_NAMES[verdict.kind], [*points, now]))
        shares = ", ".join(format_percent(one.estimate.share) for one in earlier) or _("none")
        told.append(
            _(
                "%(about)s: %(share)s now; in %(sessions)s %(shares)s",
                about=flag_kind_name(verdict.kind),
                share=format_percent(verdict.interval.share),
                sessions=format_count(len(earlier), "earlier session"),
                shares=shares,
            )
        )
    moments = sorted({point.at for panel in panels for point in panel.points})
    alt = _("%(name)s, own history. %(told)s.", name=isolate(student.name), told=". ".join(told))
    return share_chart(panels, moments, alt, panel_in=0.6)
