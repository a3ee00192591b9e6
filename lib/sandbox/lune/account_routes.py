"""Lune's account and bundle-selection operations (Lune contract 4.2 and 4.4)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query, Request

from .accounts import account_view, check_unique, default_selection, stored_selection
from .call import AskedPage, Call, LuneRoute, opened, page_of
from .errors import Refused, not_found
from .quoting import chosen_bundles
from .rules import equal_percentages, tonnes
from .schemas import (
    BundlePercentage,
    BundleSelectionBody,
    CreateClientBody,
    PatchClientBody,
    UpdateClientBody,
)
from .tables import accounts, estimates

router = APIRouter(route_class=LuneRoute, tags=["accounts"])


@router.get("/accounts/me", operation_id="get_account")
def get_account(request: Request) -> dict[str, Any]:
    """The account of the key or of `Lune-Account`."""
    with opened(request) as call:
        return account_view(call.catalogue, call.account)


@router.get("/accounts/client/me", operation_id="get_client_account")
def get_client_account(request: Request) -> dict[str, Any]:
    """The selected client account; 400 if a main account is selected."""
    with opened(request) as call:
        if not call.is_client:
            raise Refused(400, "account_scope_incorrect", "The account is not a client account.")
        return account_view(call.catalogue, call.account)


@router.post("/accounts/client", operation_id="create_client_account")
def create_client_account(request: Request, body: CreateClientBody) -> dict[str, Any]:
    """A new client account of the key's organisation."""
    with opened(request) as call:
        _only_main(call)
        check_unique(
            call.connection,
            call.account,
            handle=body.handle,
            idempotency_key=body.idempotency_key,
        )
        values = body.model_dump()
        values["beneficiary"] = (body.beneficiary or "").strip() or None
        new_id = call.world.new_id(call.connection, 32)
        call.connection.execute(
            sa.insert(accounts).values(
                id=new_id,
                main=call.account.main,
                is_client=True,
                organisation_id=call.account.organisation_id,
                **values,
            )
        )
        return account_view(call.catalogue, _client(call, new_id))


@router.get("/accounts/client", operation_id="list_client_accounts")
def list_client_accounts(
    request: Request,
    page: AskedPage,
    name: Annotated[str | None, Query(pattern=r"^[a-zA-Z0-9_]{3,}$")] = None,
) -> dict[str, Any]:
    """The organisation's client accounts in creation order, with a summary of their estimates."""
    with opened(request) as call:
        query = (
            sa.select(accounts)
            .where(accounts.c.main == call.account.main, accounts.c.is_client)
            .where(accounts.c.seq > (page.after or 0))
            .order_by(accounts.c.seq)
            .limit(page.limit + 1)
        )
        if name is not None:
            query = query.where(accounts.c.name.icontains(name, autoescape=True))
        rows = call.connection.execute(query).all()
        return page_of([(row.seq, _with_summary(call, row)) for row in rows], page)


@router.put("/accounts/client/{id}", operation_id="update_client_account")
def update_client_account(request: Request, id: str, body: UpdateClientBody) -> dict[str, Any]:
    """Replace a client account's properties; what is left out is cleared."""
    with opened(request) as call:
        return _updated(call, id, body.model_dump(exclude={"idempotency_key"}) | _key(body))


@router.patch("/accounts/client/{id}", operation_id="partial_update_client_account")
def partial_update_client_account(
    request: Request, id: str, body: PatchClientBody
) -> dict[str, Any]:
    """Change some of a client account's properties; null clears."""
    with opened(request) as call:
        return _updated(call, id, body.model_dump(exclude_unset=True))


@router.get("/bundle-selections", operation_id="get_bundle_selection")
def get_bundle_selection(request: Request) -> list[dict[str, Any]]:
    """The account's stored selection, else the default one."""
    with opened(request) as call:
        return stored_selection(call)


@router.put("/bundle-selections", operation_id="update_bundle_selection")
def update_bundle_selection(request: Request, body: BundleSelectionBody) -> list[dict[str, Any]]:
    """Store the account's selection; an empty array restores the default."""
    with opened(request) as call:
        selection = _stored_form(call, body.root)
        call.connection.execute(
            sa.update(accounts)
            .where(accounts.c.id == call.account.id)
            .values(bundle_selection=json.dumps(selection) if selection else None)
        )
        return selection or default_selection(call.catalogue)


def _stored_form(call: Call, selection: Sequence[BundlePercentage]) -> list[dict[str, Any]]:
    if not selection:
        return []
    chosen_bundles(call.catalogue, selection)  # refuses wrong ratios and bundles
    percentages = [entry.percentage for entry in selection]
    if None in percentages:
        percentages = list(equal_percentages(len(selection)))
    return [
        {"bundle_id": entry.bundle_id, "percentage": percentage}
        for entry, percentage in zip(selection, percentages, strict=True)
    ]


def _only_main(call: Call) -> None:
    if call.is_client:
        raise Refused(
            403, "account_scope_incorrect", "A client account cannot manage client accounts."
        )


def _key(body: UpdateClientBody) -> dict[str, Any]:
    return {} if body.idempotency_key is None else {"idempotency_key": body.idempotency_key}


def _client(call: Call, id: str) -> sa.Row[Any]:
    found = call.connection.execute(
        sa.select(accounts).where(
            accounts.c.id == id, accounts.c.main == call.account.main, accounts.c.is_client
        )
    ).first()
    if found is None:
        raise not_found()
    return found


def _updated(call: Call, id: str, values: dict[str, Any]) -> dict[str, Any]:
    _only_main(call)
    _client(call, id)
    check_unique(
        call.connection,
        call.account,
        handle=values.get("handle"),
        idempotency_key=values.get("idempotency_key"),
        besides=id,
    )
    if values:
        call.connection.execute(sa.update(accounts).where(accounts.c.id == id).values(**values))
    return account_view(call.catalogue, _client(call, id))


def _with_summary(call: Call, account: sa.Row[Any]) -> dict[str, Any]:
    masses = call.connection.scalars(
        sa.select(estimates.c.mass_g).where(estimates.c.account_id == account.id)
    ).all()
    return account_view(call.catalogue, account) | {
        "last_active_date": None,
        "number_of_estimates": len(masses),
        "total_emissions": tonnes(sum(masses)),
    }
