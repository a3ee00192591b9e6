"""What can become of an effect once it is sent, as the journal needs to know it."""

from __future__ import annotations


class Outcome(Exception):
    """Base; `str()` is a sentence for people, `detail` the technical one for the attempt row."""

    def __init__(self, message: str, *, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.detail = detail or message
        self.retry_after = retry_after


class NotSent(Outcome):
    """Provably nothing reached the provider: it may be tried again."""


class Refused(Outcome):
    """The provider said no and did nothing."""


class Doubtful(Outcome):
    """Bytes left and no readable answer came: the effect may or may not have happened."""


class AlreadyExists(Outcome):
    """The key was used before (Lune 409): look the effect up by its key."""


class Busy(Outcome):
    """Nothing was done and the same request may be repeated later (429)."""


class StillRunning(Busy):
    """An earlier request with this key is still being worked on (concurrent 409): repeat later."""


class Contradiction(Outcome):
    """The answer does not match what was asked (amount, account): a person must look."""
