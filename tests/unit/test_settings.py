"""Settings: environment over file, nested names, and one sentence for whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.domain.errors import SettingsProblem
from lib.settings import load_settings

ACCOUNT = {
    "CARBON_DESK_ACCOUNTS__Acme EU__PROVIDER": "cnaught",
    "CARBON_DESK_ACCOUNTS__Acme EU__API_KEY": "canary-key",
}


def load(environment=None, tmp_path=None, text=None):
    file = (tmp_path or Path("/nonexistent")) / "secrets.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    return load_settings(environment or {}, file)


def problem(environment=None, tmp_path=None, text=None):
    with pytest.raises(SettingsProblem) as raised:
        load(environment, tmp_path, text)
    sentence = str(raised.value)
    assert "canary" not in sentence
    assert "\n" not in sentence
    return sentence


def test_without_anything_the_defaults_hold():
    settings = load()
    assert settings.accounts == {}
    assert settings.data_dir == Path(".carbon-desk")
    assert not settings.allow_live_orders
    assert settings.worker == "embedded"


def test_accounts_are_nested_by_two_underscores_and_keep_their_name():
    account = load(ACCOUNT).accounts["Acme EU"]
    assert account.provider == "cnaught"
    assert account.url == "https://api.cnaught.com/v1"
    assert account.mode == "live"
    assert account.api_key.get_secret_value() == "canary-key"
    assert "canary" not in repr(account)


def test_the_file_takes_flat_names_and_tables(tmp_path):
    text = """
    CARBON_DESK_READ_ONLY = true
    [CARBON_DESK_ACCOUNTS.acme]
    PROVIDER = "lune"
    API_KEY = "canary"
    MODE = "test"
    """
    settings = load(tmp_path=tmp_path, text=text)
    assert settings.read_only
    assert settings.accounts["acme"].mode == "test"


def test_the_environment_wins_over_the_file(tmp_path):
    text = 'CARBON_DESK_REPORTING_TIMEZONE = "Europe/Berlin"'
    settings = load({"CARBON_DESK_REPORTING_TIMEZONE": "Asia/Tokyo"}, tmp_path, text)
    assert settings.reporting_timezone == "Asia/Tokyo"


def test_other_secrets_of_the_file_are_none_of_ours(tmp_path):
    assert load(tmp_path=tmp_path, text='[auth]\ncookie_secret = "x"').accounts == {}


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"CARBON_DESK_ALOW_LIVE_ORDERS": "true"}, "not known"),
        ({"CARBON_DESK_READ_ONLY": "perhaps"}, "READ_ONLY"),
        ({"CARBON_DESK_WORKER": "both"}, "WORKER"),
        ({"CARBON_DESK_DATABASE_URL": "mysql://x"}, "postgresql"),
        ({"CARBON_DESK_REPORTING_TIMEZONE": "Mars/Olympus"}, "Europe/Berlin"),
        ({"CARBON_DESK_FISCAL_YEAR_START": "13-40"}, "04-01"),
        ({"CARBON_DESK_REQUEST_TIMEOUT_S": "-1"}, "REQUEST_TIMEOUT_S"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__PROVIDER": "verra"}, "Acme EU__PROVIDER"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__KEY": "canary"}, "Acme EU__KEY"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__BASE_URL": "http://x.example/"}, "https"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__BASE_URL": "nonsense"}, "plain URL"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__PROVIDER": "isometric"}, "CLIENT_SECRET"),
        ({"CARBON_DESK_ACCOUNTS__x__PROVIDER": "lune"}, "API_KEY"),
        ({**ACCOUNT, "CARBON_DESK_ACCOUNTS__<b>__PROVIDER": "lune"}, "ACCOUNTS"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(environment, says):
    assert says in problem(environment)


def test_a_broken_file_is_one_sentence_with_its_line(tmp_path):
    assert "line 2" in problem(tmp_path=tmp_path, text="A = 1\nB = = canary")


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    (tmp_path / "secrets.toml").write_bytes(b"\xff\xfe\x00canary")
    assert "UTF-8" in problem(tmp_path=tmp_path)


def test_a_plain_http_address_is_accepted_on_this_machine_only():
    local = {**ACCOUNT, "CARBON_DESK_ACCOUNTS__Acme EU__BASE_URL": "http://127.0.0.1:8787/x/"}
    assert load(local).accounts["Acme EU"].url == "http://127.0.0.1:8787/x"
