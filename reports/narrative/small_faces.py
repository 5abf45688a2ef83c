"""The warning that the detector missed faces. Problem and hint are separate sentences."""

from __future__ import annotations

from typing import Any

from db.records import ONLINE_SOURCE, SessionRecord
from db.small_faces import SmallFaces
from reports.text.i18n import _, ngettext


def missed_faces_problem(missed_faces: SmallFaces | None) -> str | None:
    """``About 12 more faces are smaller than 24 px.`` None if the session was not checked, or too few
    faces were missed for a warning."""
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
        "About %(num)d more face was found only by a more thorough search.",
        "About %(num)d more faces were found only by a more thorough search.",
        missed_faces.missed,
    )


def missed_faces_hint(missed_faces: SmallFaces) -> str:
    """The hint for ``missed_faces_problem``, one sentence."""
    if missed_faces.suggested_min_face_px is not None:
        return _(
            "Set detection.min_face_px to %(suggested)d, or use the camera's full resolution.",
            suggested=missed_faces.suggested_min_face_px,
        )
    if missed_faces.are_all_small:
        return _("Use the camera's full resolution, or place it closer to the class.")
    return _("Place the camera closer to the class, or improve the light.")


def missed_faces_warning(missed_faces: SmallFaces | None) -> str | None:
    """Problem and hint in one text; None without a problem."""
    if missed_faces is None:
        return None
    problem = missed_faces_problem(missed_faces)
    return None if problem is None else f"{problem} {missed_faces_hint(missed_faces)}"


def missed_faces_data(missed_faces: SmallFaces | None) -> dict[str, Any] | None:
    """The record's fields and ``warning`` (whether it deserves one), JSON-ready; None if not checked."""
    return None if missed_faces is None else missed_faces.to_json() | {"warning": missed_faces.is_warning}


def missed_faces_notice(session: SessionRecord) -> str | None:
    """The warning at the top of a report; None without a problem."""
    missed = session.small_faces
    problem = missed_faces_problem(missed)
    if missed is None or problem is None:
        return None
    return " ".join((problem, _("This report does not contain them."), missed_faces_hint(missed)))


def missed_faces_limit(session: SessionRecord) -> str | None:
    """The result of the search for missed faces, for the limits of a report; None for an online lesson, in
    which each face fills a tile."""
    missed = session.small_faces
    if session.source == ONLINE_SOURCE:
        return None
    if missed is None:
        return _("Whether faces were missed was not checked in this lesson.")
    search = _("A few frames were searched more thoroughly, for faces down to 8\u00a0px.")
    if missed.missed == 0:
        return search + " " + _("No further face was found.")
    result = ngettext(
        "About %(num)d face was found in addition to the %(found)d that the detector reported.",
        "About %(num)d faces were found in addition to the %(found)d that the detector reported.",
        missed.missed,
        found=missed.detected,
    )
    return f"{search} {result}"
