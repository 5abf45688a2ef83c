"""What goes wrong in this room."""


class ReportError(Exception):
    """One line: what was wrong, what was expected, what to do."""
