"""Lune's accounts: who the key acts as, and the client accounts of the organisation.

For this package's client, as `client.accounts`.

Lune contract 4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Unpack

from ..http import path_of
from ..models import read_model
from .bodies import ClientAccountFields, client_account_body
from .group import LARGEST_PAGE, Group, account_header
from .models import Account, ListedClientAccount

#: Cached reads that a change of an account makes stale.
_ACCOUNTS = ("subaccounts",)


class Accounts(Group):
    """The account of the call, and client accounts."""

    def me(self, *, account_id: str | None = None) -> Account:
        """The key's account, or the one named."""
        return self._one(Account, "accounts", "me", account_id=account_id, keep="subaccounts")

    def client_me(self, *, account_id: str | None = None) -> Account:
        """The same for a client account; BadRequestError if the account is none."""
        return self._one(
            Account, "accounts", "client", "me", account_id=account_id, keep="subaccounts"
        )

    def clients(
        self,
        *,
        name: str | None = None,
        limit: int = LARGEST_PAGE,
        after: str | None = None,
        account_id: str | None = None,
    ) -> Iterator[ListedClientAccount]:
        """All client accounts, or those whose name holds `name` (at least three characters)."""
        return self._walk(
            ListedClientAccount,
            *("accounts", "client"),
            account_id=account_id,
            limit=limit,
            after=after,
            params={"name": name},
            keep="subaccounts",
        )

    def create_client(
        self,
        *,
        name: str,
        currency: str,
        account_id: str | None = None,
        **fields: Unpack[ClientAccountFields],
    ) -> Account:
        """Create a client account; ConflictError for a used handle or idempotency key."""
        body = client_account_body(name=name, currency=currency, **fields)
        return self._change("POST", path_of("accounts", "client"), body, account_id)

    def update_client(
        self,
        client_id: str,
        *,
        name: str,
        account_id: str | None = None,
        **fields: Unpack[ClientAccountFields],
    ) -> Account:
        """Replace a client account's fields; leaving out `beneficiary` clears it."""
        body = client_account_body(name=name, **fields)
        return self._change("PUT", path_of("accounts", "client", client_id), body, account_id)

    def patch_client(
        self,
        client_id: str,
        *,
        name: str | None = None,
        account_id: str | None = None,
        **fields: Unpack[ClientAccountFields],
    ) -> Account:
        """Change the given fields of a client account; None clears, absence keeps."""
        body = client_account_body(name=name, **fields)
        return self._change("PATCH", path_of("accounts", "client", client_id), body, account_id)

    def _change(
        self, method: str, path: str, body: dict[str, Any], account_id: str | None
    ) -> Account:
        send = {"POST": self._session.post, "PUT": self._session.put, "PATCH": self._session.patch}
        reply = send[method](path, body, headers=account_header(account_id), drops=_ACCOUNTS)
        return read_model(reply, Account)
