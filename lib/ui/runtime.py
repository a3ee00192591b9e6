"""The one desk of this process, opened in the background. app.py, the router and pages use it.

A module, not `st.cache_resource`: the desk must exist before the first visitor, end with the
process, and never be evicted. Nothing of it is kept in a session.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import Literal

from ..desk import Desk, open_desk
from ..domain.errors import DeskError

Status = Literal["opening", "open", "failed", "closed"]

_log = logging.getLogger(__name__)
_lock = threading.Lock()
_opening: Future[Desk] | None = None
_openings = 0


def start() -> None:
    """Begin to open the desk, once; a failed opening is tried again."""
    global _opening, _openings  # noqa: PLW0603 (one desk per process is the point)
    with _lock:
        if _opening is not None and not (_opening.done() and _opening.exception()):
            return
        _opening = Future()
        _openings += 1
        threading.Thread(target=_open, args=(_opening,), name="open-desk", daemon=True).start()


def _open(opening: Future[Desk]) -> None:
    try:
        desk = open_desk()
        desk.start()
        opening.set_result(desk)
    except DeskError as error:
        _log.error("%s", error)
        opening.set_exception(error)
    except Exception as error:  # noqa: BLE001 (told to whoever waits for the desk)
        _log.exception("the desk could not be opened")
        reason = "Carbon Desk could not be opened: see the server's log, then try again."
        opening.set_exception(DeskError(reason).with_traceback(error.__traceback__))


def status() -> Status:
    """Whether the desk is open yet."""
    if _opening is None:
        return "closed"
    if not _opening.done():
        return "opening"
    return "failed" if _opening.exception() else "open"


def desk(timeout: float = 30.0) -> Desk:
    """The desk; waits for it to open. Raises DeskError when it cannot be opened."""
    start_if_closed()
    assert _opening is not None
    try:
        return _opening.result(timeout)
    except TimeoutError:
        raise DeskError("Carbon Desk is still opening: reload the page in a moment.") from None


def opening_number() -> int:
    """Which desk of this process is open: caches must not mix two."""
    return _openings


def start_if_closed() -> None:
    """Begin to open the desk where no launcher has (a test, a script)."""
    if _opening is None:
        start()


def close() -> None:
    """Stop the desk's own threads at the end of the process."""
    global _opening
    with _lock:
        opening, _opening = _opening, None
    if opening is not None and opening.done() and opening.exception() is None:
        opening.result().close()
