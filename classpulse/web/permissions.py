"""Who may do what: one table. Pure."""

from __future__ import annotations

from enum import StrEnum

from db.accounts import Account, Role


class Permission(StrEnum):
    """What the dashboard's routes ask for."""

    VIEW = "view"
    """See a class: who is present, reports, history."""
    RECORD = "record"
    """Start, stop, pause and mark its lessons, upload a recording, open it to online students."""
    REVIEW = "review"
    """Confirm or dismiss its flags."""
    MANAGE = "manage"
    """Change its roster, seats and who is who."""
    ADMINISTER = "administer"
    """Accounts and the audit; concerns no class."""


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.TEACHER: frozenset({Permission.VIEW, Permission.RECORD, Permission.REVIEW, Permission.MANAGE}),
    Role.COUNSELLOR: frozenset({Permission.VIEW, Permission.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Permission),
}
"""A teacher's hold for their own classes alone."""


def is_allowed(account: Account, permission: Permission, class_name: str | None = None) -> bool:
    """Whether an account may do this, with this class where one is concerned."""
    if account.disabled or permission not in ROLE_PERMISSIONS[account.role]:
        return False
    return class_name is None or account.role is not Role.TEACHER or class_name in account.classes


def can_view_class(account: Account, class_name: str) -> bool:
    """Whether the class is one that this account may look at."""
    return is_allowed(account, Permission.VIEW, class_name)
