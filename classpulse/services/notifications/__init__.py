"""Notifications at the end of a session: ``message`` builds the text, ``delivery`` sends it."""
