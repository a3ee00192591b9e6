"""What the three clients have in common: one session, closed with the client.

Imported by the three API packages only.
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from .http import Session


class ApiClient:
    """A client of one API with one set of credentials; may be shared by threads.

    `session` sends frozen requests (`send_once`). Close the client, or use it in a `with`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session

    def close(self) -> None:
        """Close the connections."""
        self.session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session.base_url!r})"
