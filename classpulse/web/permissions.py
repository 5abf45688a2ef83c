"""Roles and permissions. Pure."""

from __future__ import annotations

from enum import StrEnum

from db.accounts import Account, Role


class Permission(StrEnum):
    """Permissions that the routes of the dashboard require."""

    VIEW = "view"
    """View the live page, reports and history of a class."""
    RECORD = "record"
    """Start, stop, pause and mark lessons, upload recordings, open online lessons."""
    REVIEW = "review"
    """Confirm or dismiss flags."""
    MANAGE = "manage"
    """Change the roster, the seats and identity assignments; erase students."""
    ADMINISTER = "administer"
    """Manage accounts and view the audit log; not related to a class."""


ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.TEACHER: frozenset({Permission.VIEW, Permission.RECORD, Permission.REVIEW, Permission.MANAGE}),
    Role.COUNSELLOR: frozenset({Permission.VIEW, Permission.REVIEW}),
    Role.ADMINISTRATOR: frozenset(Permission),
}
"""A teacher has these permissions for the teacher's own classes only."""


def is_allowed(account: Account, permission: Permission, class_name: str | None = None) -> bool:
    """Whether the account has the permission, for this class if one is given."""
    if account.disabled or permission not in ROLE_PERMISSIONS[account.role]:
        return False
    return class_name is None or account.role is not Role.TEACHER or class_name in account.classes


def can_view_class(account: Account, class_name: str) -> bool:
    """Whether the account may view this class."""
    return is_allowed(account, Permission.VIEW, class_name)
