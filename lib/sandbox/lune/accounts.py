"""Lune's accounts: main accounts of the catalogue and their client accounts (Lune contract 4.4).

For the Lune sandbox. A client account belongs to the main account that `main` names.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..state import World
from .catalogue import AccountEntry, Catalogue, ClientEntry
from .errors import Refused
from .tables import accounts


@dataclass(frozen=True)
class Actor:
    """Who acts in which transaction. `account` is a row of `lune_accounts`."""

    world: World
    connection: Connection
    catalogue: Catalogue
    account: sa.Row[Any]

    @property
    def is_client(self) -> bool:
        """Whether a client account acts."""
        return bool(self.account.is_client)

    @property
    def main(self) -> AccountEntry:
        """The catalogue's entry of the main account."""
        return self.catalogue.account_by_name[self.account.main]

    @property
    def beneficiary(self) -> str:
        """Who credits are retired for: the account's beneficiary, else the organisation's name."""
        return str(self.account.beneficiary or self.main.organisation_name)


def seed_accounts(connection: Connection, catalogue: Catalogue) -> None:
    """Create the catalogue's accounts that are not there yet."""
    known = set(connection.scalars(sa.select(accounts.c.id)))
    for main in catalogue.accounts:
        shared = {
            "main": main.account,
            "organisation_id": main.organisation_id,
            "external_pages_visibility": "hidden",
        }
        entries: tuple[AccountEntry | ClientEntry, ...] = (main, *main.clients)
        for entry in entries:
            if entry.id not in known:
                connection.execute(
                    sa.insert(accounts).values(
                        **shared,
                        is_client=entry is not main,
                        **entry.model_dump(
                            include={"id", "name", "currency", "beneficiary", "handle"}
                        ),
                    )
                )


def selected_account(connection: Connection, main: AccountEntry, wanted: str | None) -> sa.Row[Any]:
    """The key's account, or the one of the same organisation that `Lune-Account` names."""
    found = connection.execute(
        sa.select(accounts).where(accounts.c.id == (wanted or main.id))
    ).first()
    if found is None or found.main != main.account:
        raise Refused(
            400, "invalid_selected_account_id", "Lune-Account names no account of this key."
        )
    return found


def account_view(catalogue: Catalogue, account: sa.Row[Any]) -> dict[str, Any]:
    """An account as the wire shows it."""
    view = {
        "id": account.id,
        "name": account.name,
        "organisation_id": account.organisation_id,
        "handle": account.handle,
        "currency": account.currency,
        "type": "test",
        "logo": None,
        "beneficiary": account.beneficiary,
        "bundle_portfolio_id": account.bundle_portfolio_id,
        "external_pages_visibility": account.external_pages_visibility,
        "organisation_type": catalogue.account_by_name[account.main].organisation_type,
    }
    if account.is_client:
        return view | {"scope": "client_account", "idempotency_key": account.idempotency_key}
    return view | {"scope": "account", "sibling_id": None}


def stored_selection(actor: Actor) -> list[dict[str, Any]]:
    """The account's stored bundle selection, else the default one (contract 2.3.7)."""
    if actor.account.bundle_selection is not None:
        selection: list[dict[str, Any]] = json.loads(actor.account.bundle_selection)
        return selection
    return default_selection(actor.catalogue)


def default_selection(catalogue: Catalogue) -> list[dict[str, Any]]:
    """What is bought for those who never chose."""
    return [chosen.model_dump() for chosen in catalogue.default_selection]


def check_unique(
    connection: Connection,
    account: sa.Row[Any],
    *,
    handle: str | None,
    idempotency_key: str | None,
    besides: str = "",
) -> None:
    """Refuse a handle or key that another account of the organisation has (409)."""
    others = sa.select(accounts.c.id).where(accounts.c.id != besides)
    if (
        handle is not None
        and connection.execute(
            others.where(
                accounts.c.organisation_id == account.organisation_id, accounts.c.handle == handle
            )
        ).first()
    ):
        raise Refused(409, "handle_not_unique", f"The handle {handle} is taken.")
    if (
        idempotency_key is not None
        and connection.execute(
            others.where(
                accounts.c.main == account.main, accounts.c.idempotency_key == idempotency_key
            )
        ).first()
    ):
        raise Refused(
            409, "account_idempotency_already_exists", "The key was used for another account."
        )
