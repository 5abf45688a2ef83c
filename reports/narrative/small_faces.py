"""The warning that the detector missed faces: the only place where it is worded. The problem and what to do
about it are separate sentences."""

from __future__ import annotations

from typing import Any

from db.records import ONLINE, SessionRecord
from db.small_faces import SmallFaces
from reports.text.i18n import _, ngettext


def problem(found: SmallFaces | None) -> str | None:
    """``About 12 more faces are smaller than 24 px.`` None where the session was not checked, or where too
    few faces were missed for a warning."""
    if found is None or not found.is_warning:
        return None
    if found.are_all_small:
        return ngettext(
            "About %(num)d more face is smaller than %(least)d\u00a0px.",
            "About %(num)d more faces are smaller than %(least)d\u00a0px.",
            found.count,
            least=found.min_face_px,
        )
    return ngettext(
        "About %(num)d more face was found only by a more careful search.",
        "About %(num)d more faces were found only by a more careful search.",
        found.count,
    )


def hint(found: SmallFaces) -> str:
    """What to do about the problem, in one sentence."""
    if found.suggested_min_face_px is not None:
        return _(
            "Set detection.min_face_px to %(suggested)d, or use the camera's full resolution.",
            suggested=found.suggested_min_face_px,
        )
    if found.are_all_small:
        return _("Use the camera's full resolution, or place it closer to the class.")
    return _("Place the camera closer to the class, or improve the light.")


def warning(found: SmallFaces | None) -> str | None:
    """Problem and hint in one text; None where there is no problem."""
    if found is None:
        return None
    told = problem(found)
    return None if told is None else f"{told} {hint(found)}"


def as_data(found: SmallFaces | None) -> dict[str, Any] | None:
    """The result for a program, JSON-ready: the record's fields, and whether it is reason for a warning."""
    return None if found is None else found.as_json() | {"warning": found.is_warning}


def in_report(session: SessionRecord) -> str | None:
    """The same for the top of a report, which does not contain the missed faces."""
    found = session.small_faces
    told = problem(found)
    if found is None or told is None:
        return None
    return " ".join((told, _("This report says nothing about them."), hint(found)))


def limit(session: SessionRecord) -> str | None:
    """Whether missed faces were searched for, and how many there are, for the limits of a report; None for an
    online lesson, in which each face fills a tile."""
    found = session.small_faces
    if session.source == ONLINE:
        return None
    if found is None:
        return _("Whether faces were missed was not checked in this session.")
    begun = _("A few pictures were searched more carefully, down to faces of 8\u00a0px.")
    if found.count == 0:
        return begun + " " + _("No further face was found.")
    told = ngettext(
        "About %(num)d face was found beside the %(found)d that the detector reported.",
        "About %(num)d faces were found beside the %(found)d that the detector reported.",
        found.count,
        found=found.found,
    )
    return f"{begun} {told}"
