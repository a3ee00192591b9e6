"""One typed settings object: environment `CARBON_DESK_*`, else `.streamlit/secrets.toml`.

Both use the same names; nested ones are joined with two underscores, as in
`CARBON_DESK_ACCOUNTS__acme__API_KEY`. In the TOML file they may be nested tables as well. The
environment wins. Anything wrong raises SettingsProblem in one sentence that names the setting.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from .domain.errors import SettingsProblem

PREFIX = "CARBON_DESK_"

#: Where the program lies: the settings file beside it counts wherever it is started from.
_ROOT = Path(__file__).resolve().parents[1]
_SECRETS = Path(".streamlit") / "secrets.toml"

_LIVE_URLS = {
    "cnaught": "https://api.cnaught.com/v1",
    "lune": "https://api.lune.co/v1",
    "isometric": "https://api.isometric.com/registry/v0",
}


class AccountSettings(BaseModel):
    """One set of credentials. `API_KEY` is Isometric's access token; it has a `CLIENT_SECRET` too.

    `MODE` is `live` unless said otherwise: a live account places no order without
    `CARBON_DESK_ALLOW_LIVE_ORDERS`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: Literal["cnaught", "lune", "isometric"]
    api_key: SecretStr
    client_secret: SecretStr | None = None
    base_url: str = ""
    mode: Literal["live", "test", "sandbox"] = "live"

    @field_validator("base_url")
    @classmethod
    def _safe_url(cls, url: str) -> str:
        """Credentials travel over TLS, or stay on this machine."""
        if not url:
            return url
        parts = urlsplit(url)
        if not parts.hostname or parts.username or parts.query:
            raise ValueError("must be a plain URL such as https://api.example.com/v1")
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise ValueError("must start with https:// unless it is on this machine")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _complete(self) -> AccountSettings:
        if not self.api_key.get_secret_value().strip():
            raise ValueError("API_KEY is empty")
        if self.provider == "isometric" and self.client_secret is None:
            raise ValueError("Isometric needs CLIENT_SECRET beside API_KEY")
        return self

    @property
    def url(self) -> str:
        """The base URL, the provider's own where none is set."""
        return self.base_url or _LIVE_URLS[self.provider]


class Settings(BaseModel):
    """Everything that can be configured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: str | None = None
    data_dir: Path = Path(".carbon-desk")
    accounts: dict[str, AccountSettings] = Field(default_factory=dict)
    allow_live_orders: bool = False
    read_only: bool = False
    worker: Literal["embedded", "external"] = "embedded"
    reporting_timezone: str = "UTC"
    fiscal_year_start: str = "01-01"
    request_timeout_s: float = Field(default=30.0, gt=0, le=600)

    @field_validator("database_url")
    @classmethod
    def _known_engine(cls, url: str | None) -> str | None:
        if url is None or url.startswith(("sqlite:", "postgresql+psycopg:")):
            return url or None
        raise ValueError("must start with sqlite:/// or postgresql+psycopg://")

    @field_validator("reporting_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be a time zone such as Europe/Berlin") from None
        return name

    @field_validator("fiscal_year_start")
    @classmethod
    def _month_and_day(cls, text: str) -> str:
        if not re.fullmatch(r"(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])", text):
            raise ValueError("must be month-day such as 04-01")
        return text

    @field_validator("accounts")
    @classmethod
    def _plain_names(cls, accounts: dict[str, AccountSettings]) -> dict[str, AccountSettings]:
        for name in accounts:
            if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,40}", name):
                raise ValueError(f"the account name “{name}” may hold letters, digits, - _ . only")
        return accounts


def load_settings(
    environment: Mapping[str, str] | None = None, secrets_file: Path | None = None
) -> Settings:
    """Read the settings; raises SettingsProblem with the name of the wrong one.

    The file is `.streamlit/secrets.toml` of the working directory, else of the program's folder.
    """
    environment = os.environ if environment is None else environment
    if secrets_file is None:
        secrets_file = _SECRETS if _SECRETS.exists() else _ROOT / _SECRETS
    values: dict[str, Any] = {}
    for name, value in _from_file(secrets_file).items():
        _put(values, name, value)
    for name, value in environment.items():
        if name.upper().startswith(PREFIX) and value != "":
            _put(values, name[len(PREFIX) :], value)
    try:
        return Settings.model_validate(values)
    except ValidationError as problem:
        raise SettingsProblem(_sentence(problem)) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not UTF-8 text"
        raise SettingsProblem(f"The settings file {path} cannot be read: {reason}.") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise SettingsProblem(f"The settings file {path} is not valid TOML: {problem}.") from None
    return {
        name[len(PREFIX) :]: value
        for name, value in tables.items()
        if name.upper().startswith(PREFIX)
    }


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    """Put `ACCOUNTS__acme__API_KEY` where the models expect it; account names keep their case."""
    if isinstance(value, Mapping):
        for part, inner in value.items():
            _put(values, f"{name}__{part}", inner)
        return
    parts = name.split("__")
    keys = [part if _is_account_name(parts, i) else part.lower() for i, part in enumerate(parts)]
    for key in keys[:-1]:
        inner = values.setdefault(key, {})
        if not isinstance(inner, dict):
            raise SettingsProblem(f"The setting {PREFIX}{name} stands beside a plain {key}.")
        values = inner
    values[keys[-1]] = value


def _is_account_name(parts: list[str], index: int) -> bool:
    return index == 1 and parts[0].lower() == "accounts"


def _sentence(problem: ValidationError) -> str:
    """The first error as a sentence; values are never quoted, they may be secrets."""
    first = problem.errors(include_input=False, include_url=False)[0]
    path = [str(part) for part in first["loc"]]
    shown = [part if _is_account_name(path, i) else part.upper() for i, part in enumerate(path)]
    name = PREFIX + "__".join(shown)
    if first["type"] == "extra_forbidden":
        return f"The setting {name} is not known: check its spelling in docs/settings.md."
    if first["type"] == "missing":
        return f"The setting {name} is missing."
    return f"The setting {name} is wrong: {first['msg'].removeprefix('Value error, ')}."


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
