"""The class whose number is in an address."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request

from classpulse.web.permissions import Action
from classpulse.web.site import require, site_of
from db.classes import class_named
from db.errors import InvalidValue, NotFound


def class_for(request: Request, action: Action) -> str:
    """The name of the class whose number is in the address (``{group:int}``), for who may do ``action`` with
    it; 404 for everybody else, and where there is none."""
    try:
        name = class_named(site_of(request).engine, int(request.path_params["group"]))
    except (NotFound, InvalidValue):
        raise HTTPException(404) from None
    require(request, action, name)
    return name
