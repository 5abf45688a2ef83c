"""What the program that records says, for the commands that ask it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from monitor.claim import Claim, FolderTaken
from monitor.control import ControlError, NobodyThere, Request, Verb, ask, read_notice
from monitor.daemonstatus import DaemonStatus
from monitor.status import RecordingStatus

CHANGING_S = 20.0
"""For so long a program may hold the data folder and not answer: it starts, or makes its last report."""

_POLL_S = 0.2


def ask_daemon(data_folder: Path) -> DaemonStatus | None:
    """How it stands, or None where nothing runs on this data folder. Raises ControlError."""
    try:
        return DaemonStatus.from_json(ask(data_folder, Request("status")))
    except NobodyThere:
        return None


def give_order(data_folder: Path, verb: Verb, room: str | None, text: str | None = None) -> RecordingStatus:
    """Have a recording do something; how it stands then. Without ``room`` the only one is meant. Raises
    ControlError."""
    return RecordingStatus.from_json(ask(data_folder, Request(verb, room, text=text)))


def claim_or_answer(
    data_folder: Path,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Claim | None:
    """The data folder for this process, to be released by ``__exit__``; or None where the program that has it
    takes orders. Raises ControlError, after a while where it neither ends nor answers."""
    deadline = clock() + CHANGING_S
    while True:
        try:
            return Claim(data_folder).__enter__()
        except FolderTaken:
            if _takes_orders(data_folder):
                return None
            if clock() >= deadline:
                raise
        pause(_POLL_S)


def _takes_orders(data_folder: Path) -> bool:
    try:
        notice = read_notice(data_folder)
    except ControlError:  # another user's: whoever gives the order is told
        return True
    return notice is not None and notice.running
