"""The warning that the detector missed faces: the only place where it is worded. The problem and what to do
about it are separate sentences."""

from __future__ import annotations

from typing import Any

from db.records import ONLINE_SOURCE, SessionRecord
from db.small_faces import SmallFaces
from reports.text.i18n import _, ngettext


def missed_faces_problem(missed_faces: SmallFaces | None) -> str | None:
    """``About 12 more faces are smaller than 24 px.`` None where the session was not checked, or where too
    few faces were missed for a warning."""
    if missed_faces is None or not missed_faces.is_warning:
        return None
    if missed_faces.are_all_small:
        return ngettext(
            "About %(num)d more face is smaller than %(least)d\u00a0px.",
            "About %(num)d more faces are smaller than %(least)d\u00a0px.",
            missed_faces.missed,
            least=missed_faces.min_face_px,
        )
    return ngettext(
        "About %(num)d more face was found only by a more careful search.",
        "About %(num)d more faces were found only by a more careful search.",
        missed_faces.missed,
    )


def missed_faces_hint(missed_faces: SmallFaces) -> str:
    """What to do about the problem, in one sentence."""
    if missed_faces.suggested_min_face_px is not None:
        return _(
            "Set detection.min_face_px to %(suggested)d, or use the camera's full resolution.",
            suggested=missed_faces.suggested_min_face_px,
        )
    if missed_faces.are_all_small:
        return _("Use the camera's full resolution, or place it closer to the class.")
    return _("Place the camera closer to the class, or improve the light.")


def missed_faces_warning(missed_faces: SmallFaces | None) -> str | None:
    """Problem and hint in one text; None where there is no problem."""
    if missed_faces is None:
        return None
    told = missed_faces_problem(missed_faces)
    return None if told is None else f"{told} {missed_faces_hint(missed_faces)}"


def missed_faces_data(missed_faces: SmallFaces | None) -> dict[str, Any] | None:
    """The result for a program, JSON-ready: the record's fields, and whether it is reason for a warning."""
    return None if missed_faces is None else missed_faces.to_json() | {"warning": missed_faces.is_warning}


def missed_faces_notice(session: SessionRecord) -> str | None:
    """The same for the top of a report, which does not contain the missed faces."""
    found = session.small_faces
    told = missed_faces_problem(found)
    if found is None or told is None:
        return None
    return " ".join((told, _("This report says nothing about them."), missed_faces_hint(found)))


def missed_faces_limit(session: SessionRecord) -> str | None:
    """Whether missed faces were searched for, and how many there are, for the limits of a report; None for an
    online lesson, in which each face fills a tile."""
    found = session.small_faces
    if session.source == ONLINE_SOURCE:
        return None
    if found is None:
        return _("Whether faces were missed was not checked in this session.")
    begun = _("A few pictures were searched more carefully, down to faces of 8\u00a0px.")
    if found.missed == 0:
        return begun + " " + _("No further face was found.")
    told = ngettext(
        "About %(num)d face was found beside the %(found)d that the detector reported.",
        "About %(num)d faces were found beside the %(found)d that the detector reported.",
        found.missed,
        found=found.detected,
    )
    return f"{begun} {told}"
