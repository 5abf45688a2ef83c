"""Asking a session to end."""

from __future__ import annotations

import threading

HURRY_S = 3.0
"""How long the last writes may take when a signal ends the program, so that with the sample at hand and the
source's closing it is gone within five seconds. A service manager kills what does not end in time."""


class StopRequest(threading.Event):
    """Set it to end a session. ``hurried`` says that a signal asked: what cannot be written within
    ``HURRY_S`` is given up then, and the next start closes the session. ``terminated``: it was not Ctrl-C, so
    nobody waits for a report. ``interruption``: why a live session is over before its time; empty where its
    end is what somebody wanted."""

    hurried = False
    terminated = False
    interruption = ""
