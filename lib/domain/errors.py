"""What a person can be told: one clear sentence each, in their words, saying what to do.

    DeskError
    ├── BadInput              a value that was typed or passed cannot be used
    ├── SettingsProblem       a setting or settings file is missing or broken
    ├── NotAllowed            read-only desk, live orders switched off, missing role
    ├── ProviderProblem       something between us and one provider
    │   ├── CredentialRefused     key missing, wrong, expired or without permission
    │   ├── ProviderUnreachable   no connection, time-out, or the provider's own failure
    │   ├── ProviderRefused       the provider understood and said no; its reason is quoted
    │   └── ProviderNonsense      the provider's answer cannot be read or contradicts itself
    ├── NoWorker              an order is written down, but nobody runs to send it
    └── StoreProblem          the local database cannot be read or written

The message is safe to show as it is: it never holds a credential.
"""

from __future__ import annotations


class DeskError(Exception):
    """Base of everything a person is told. `str(error)` is one sentence or two."""


class BadInput(DeskError):
    """A value that was typed or passed cannot be used."""


class SettingsProblem(DeskError):
    """A setting or the settings file is missing or broken."""


class NotAllowed(DeskError):
    """The desk's own rules forbid it: read-only, live orders off, a missing role."""


class NoWorker(DeskError):
    """An order is written down, but no worker is running to send it."""


class StoreProblem(DeskError):
    """The local database cannot be read or written."""


class ProviderProblem(DeskError):
    """Something between us and one provider; `account` names the desk's account."""

    def __init__(self, message: str, *, account: str | None = None) -> None:
        super().__init__(message)
        self.account = account


class CredentialRefused(ProviderProblem):
    """The provider did not accept the key, or the key may not do this."""


class ProviderUnreachable(ProviderProblem):
    """No connection, a time-out, or a failure on the provider's side."""


class ProviderRefused(ProviderProblem):
    """The provider understood the request and said no; its reason is quoted."""


class ProviderNonsense(ProviderProblem):
    """The provider's answer cannot be read or contradicts what was asked."""
