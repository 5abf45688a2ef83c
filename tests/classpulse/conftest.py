from __future__ import annotations

from tests.helpers.app_fixtures import configured, lesson, lessons, shell, store  # noqa: F401
