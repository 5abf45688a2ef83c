"""Who may do what: one table. Pure."""

from __future__ import annotations

from enum import StrEnum

from db.accounts import Account, Role


class Action(StrEnum):
    """What the dashboard's routes ask for."""

    LOOK = "look"
    """See a class: who is present, reports, history."""
    RECORD = "record"
    """Start, stop, pause and mark its lessons, upload a recording, open it to online students."""
    REVIEW = "review"
    """Confirm or dismiss its flags."""
    ARRANGE = "arrange"
    """Change its roster, seats and who is who."""
    ADMINISTER = "administer"
    """Accounts and the audit; concerns no class."""


ALLOWED: dict[Role, frozenset[Action]] = {
    Role.TEACHER: frozenset({Action.LOOK, Action.RECORD, Action.REVIEW, Action.ARRANGE}),
    Role.COUNSELLOR: frozenset({Action.LOOK, Action.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Action),
}
"""A teacher's hold for their own classes alone."""


def may(account: Account, action: Action, class_name: str | None = None) -> bool:
    """Whether an account may do this, with this class where one is concerned."""
    if account.disabled or action not in ALLOWED[account.role]:
        return False
    return class_name is None or account.role is not Role.TEACHER or class_name in account.classes


def sees_class(account: Account, class_name: str) -> bool:
    """Whether the class is one that this account may look at."""
    return may(account, Action.LOOK, class_name)
