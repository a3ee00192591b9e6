"""Client-side pacing: never more than so many requests in a second, over all threads.

For `http`; a client builds one for providers with a known limit (Lune contract 1: 15 requests/s).
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class Pace:
    """At most `requests` starts in any `seconds`; the rest wait their turn."""

    def __init__(
        self,
        requests: int,
        *,
        seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if requests < 1:
            raise ValueError("A pace needs at least one request.")
        self._seconds = seconds
        self._starts: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()
        self._clock = clock
        self._sleep = sleep

    def wait(self) -> None:
        """Return when the next request may start."""
        with self._lock:
            now = self._clock()
            full = len(self._starts) == self._starts.maxlen
            start = max(now, self._starts[0] + self._seconds) if full else now
            self._starts.append(start)
        if start > now:
            self._sleep(start - now)
