"""A student's own history: the shares that flags are about, session by session, with their intervals."""

from __future__ import annotations

from datetime import datetime

from reports.charts.levels import Panel, Point, level_chart
from reports.charts.style import Chart
from reports.flags.base import Outcome
from reports.report import Person
from reports.text.formatting import KINDS, about, count, percent
from reports.text.i18n import _
from reports.text.names import isolated


def past_chart(person: Person, started_at: datetime) -> Chart:
    """A panel for each kind of flag that was raised: every earlier session that had enough to tell, and this
    one, at ``started_at``, last."""
    panels, told = [], []
    for verdict in person.raised:
        assert verdict.interval is not None  # it was judged
        now = Point(started_at, verdict.interval.share, verdict.interval.low, verdict.interval.high, True)
        earlier = [one for one in person.earlier if one.kind == verdict.kind]
        points = [
            Point(
                one.started_at,
                one.level.share,
                one.level.low,
                one.level.high,
                one.outcome == Outcome.FLAGGED.value and one.review != "dismissed",
            )
            for one in earlier
        ]
        panels.append(Panel(KINDS[verdict.kind], [*points, now]))
        shares = ", ".join(percent(one.level.share) for one in earlier) or _("none")
        told.append(
            _(
                "%(about)s: %(share)s now; in %(sessions)s %(shares)s",
                about=about(verdict.kind),
                share=percent(verdict.interval.share),
                sessions=count(len(earlier), "earlier session"),
                shares=shares,
            )
        )
    moments = sorted({point.at for panel in panels for point in panel.points})
    alt = _("%(name)s, own history. %(told)s.", name=isolated(person.name), told=". ".join(told))
    return level_chart(panels, moments, alt, panel_in=0.6)
