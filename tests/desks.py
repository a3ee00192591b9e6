"""Desks for tests: real settings pointing a real desk at a running sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib.desk import Desk, open_desk
from lib.settings import Settings

#: The desk's account names, and how the sandbox calls the same accounts in its ground truth.
TRUTH_NAMES = {
    "cnaught": "cnaught-1",
    "cnaught-2": "cnaught-2",
    "lune": "lune-1",
    "lune-2": "lune-2",
    "isometric": "isometric-buyer",
    "isometric-supplier": "isometric-supplier",
}


def account_settings(url: str) -> dict[str, dict[str, str]]:
    """Settings of all six accounts of a sandbox."""
    registry = {
        "provider": "isometric",
        "base_url": f"{url}/isometric/registry/v0",
        "client_secret": "sandbox-isometric-secret",
        "mode": "sandbox",
    }
    accounts: dict[str, dict[str, str]] = {}
    for provider, path in (("cnaught", "cnaught/v1"), ("lune", "lune/v1")):
        for suffix in ("", "-2"):
            accounts[provider + suffix] = {
                "provider": provider,
                "base_url": f"{url}/{path}",
                "api_key": f"sandbox-{provider}-key{suffix}",
                "mode": "sandbox",
            }
    accounts["isometric"] = {**registry, "api_key": "sandbox-isometric-buyer"}
    accounts["isometric-supplier"] = {**registry, "api_key": "sandbox-isometric-supplier"}
    return accounts


def desk_on(url: str, data_dir: Path, **more: Any) -> Desk:
    """A desk with all accounts of the sandbox at `url`."""
    values = {"accounts": account_settings(url), "data_dir": data_dir, **more}
    return open_desk(Settings.model_validate(values))
