"""The ledger against the sandbox's ground truth: every gram, every account, over real HTTP."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest

from lib.domain.ledger import UNASSIGNED_PROJECT
from tests.desks import TRUTH_NAMES, account_settings, desk_on


@pytest.fixture(scope="module")
def desk(demo_sandbox, tmp_path_factory):
    with desk_on(demo_sandbox.url, tmp_path_factory.mktemp("desk")) as opened:
        assert opened.sync().complete
        yield opened


@pytest.fixture(scope="module")
def rows(desk):
    return desk.ledger()


def test_totals_equal_the_ground_truth_to_the_gram(desk, demo_sandbox):
    truth = demo_sandbox.ledger()
    orders = desk.orders()
    for account, name in TRUTH_NAMES.items():
        side = "sold" if account == "isometric-supplier" else "bought"
        ours = orders[(orders["account"] == account) & (orders["side"] == side)]
        ordered = ours["quantity_g"].sum() - ours["cancelled_g"].sum()
        delivered = (ours["held_g"] + ours["retired_g"]).sum()
        assert (ordered, delivered, ours["retired_g"].sum()) == (
            truth[name]["ordered_g"], truth[name]["delivered_g"], truth[name]["retired_g"],
        ), account  # fmt: skip
        standing = ours[ours["cancelled_g"] == 0]
        assert len(standing) == truth[name]["orders"], account


def test_money_equals_the_ground_truth_to_the_cent(desk, demo_sandbox):
    orders = desk.orders()
    for account in ("cnaught", "cnaught-2", "lune", "lune-2"):
        priced = orders[(orders["account"] == account) & orders["price"].notna()]
        counted = priced[priced["cancelled_g"] == 0]
        sums = counted.groupby("currency")["price"].sum()
        expected = {
            currency: Decimal(amount)
            for currency, amount in demo_sandbox.ledger()[TRUTH_NAMES[account]]["money"].items()
        }
        assert dict(sums) == {k: v for k, v in expected.items() if v}, account


def test_every_order_is_balanced(desk):
    assert desk.orders()["balanced"].all()


def test_syncing_again_changes_nothing(desk, rows):
    result = desk.sync()
    assert all((a.changes.new, a.changes.changed) == (0, 0) for a in result.accounts)
    again = desk.ledger()
    unchanged = rows.columns.drop(["last_seen_at", "ccp"])
    assert again[unchanged].equals(rows[unchanged])


def test_the_command_line_syncs_without_pandas_plotly_or_streamlit(demo_sandbox, tmp_path):
    code = (
        "import sys; from lib.__main__ import main; status = main(['sync']); "
        "heavy = {'pandas', 'plotly', 'streamlit'} & set(sys.modules); "
        "print(status, sorted(heavy))"
    )
    environment = {"CARBON_DESK_DATA_DIR": str(tmp_path)}
    for name, account in account_settings(demo_sandbox.url).items():
        for key, value in account.items():
            environment[f"CARBON_DESK_ACCOUNTS__{name}__{key.upper()}"] = value
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("0 []")
    assert "sandbox-cnaught-key" not in done.stdout + done.stderr


def test_totals_on_a_screen_equal_the_sum_of_their_rows(desk, rows):
    delivered = desk.delivered(side="bought")
    bought = rows[rows["side"] == "bought"]
    for measure, stages in (
        ("delivered_g", ["delivered", "retired"]),
        ("retired_g", ["retired"]),
        ("outstanding_g", ["ordered", "allocated"]),
    ):
        assert delivered[measure].sum() == bought[bought["stage"].isin(stages)]["quantity_g"].sum()


def test_independent_checks_agree_and_only_they_are_green(desk):
    checks = desk.reconciliation()
    assert not (checks["status"] == "differs").any(), checks
    green = checks[checks["status"] == "agrees"]
    assert set(green["provider"]) == {"cnaught", "isometric"}
    assert (green["difference_g"] == 0).all()
    lune = checks[checks["provider"] == "lune"]
    assert set(lune["status"]) == {"not independently verifiable"}


def test_vintage_is_never_invented(rows):
    lune = rows[rows["provider"] == "lune"]
    assert set(lune["vintage_label"]) == {"not provided"}
    for row in rows[rows["vintage_source"] == "serial"].itertuples():
        assert row.serials, row
    mixed = rows[rows["vintage_label"].str.contains("mixed")]
    assert mixed["vintage_year"].isna().all()


def test_history_seen_for_the_first_time_is_never_dated_to_today(rows):
    final = rows[rows["provider"].isin(["cnaught", "lune"]) & (rows["stage"] == "retired")]
    assert set(final["retired_at_source"]) == {"not provided"}
    assert final["retired_at"].isna().all()
    assert (final["not_before"] == final["ordered_at"]).all()


def test_isometric_rows_are_leaves_with_the_providers_dates(rows):
    leaves = rows[(rows["provider"] == "isometric") & rows["stage"].isin(["delivered", "retired"])]
    assert set(leaves["delivered_at_source"]) == {"provider"}
    assert leaves["delivery_id"].notna().all()
    assert leaves["vintage_year"].notna().all()
    assert leaves[leaves["side"] == "bought"]["batch_id"].is_unique
    retired = leaves[leaves["stage"] == "retired"]
    assert retired["retired_at"].notna().all()


def test_the_demo_history_holds_the_cases_that_matter(desk, rows):
    labels = rows["vintage_label"]
    assert labels.str.contains("mixed").any()
    assert (labels == "not provided").any()
    assert labels.str.match(r"\d{4}/\d{4}$").any()
    assert (rows["project_name"] == UNASSIGNED_PROJECT).any()
    assert set(rows["stage"]) >= {"ordered", "allocated", "delivered", "retired", "order_cancelled"}
    assert rows["parent_batch_id"].notna().any()
    assert not desk.unmatched().empty
    span = rows["ordered_at"].max() - rows["ordered_at"].min()
    assert span.days > 2.5 * 365


def test_what_others_retired_for_us_stays_outside_totals(desk, rows):
    ids = set(desk.unmatched()["retirement_id"])
    assert ids
    assert not ids & set(rows["retirement_id"].dropna())


def test_retired_by_us_for_others_names_the_other(desk):
    beneficiaries = desk.impact().by_beneficiary
    assert len(beneficiaries["beneficiary"].unique()) > 1
    assert beneficiaries["retired_g"].sum() == desk.impact().retired_g


def test_a_shared_block_is_information_and_nothing_in_the_demo_is_over_claimed(desk):
    alarms = desk.alarms()
    assert "block shared" in set(alarms["kind"])
    assert not (alarms["severity"] == "alarm").any(), alarms


def test_buffer_pool_batches_are_never_owned_delivered_or_claimable(desk, rows):
    registry = desk.clients["isometric"]
    buffer = {
        batch.id
        for issuance in registry.issuances.list()
        for batch in registry.issuances.credit_batches(issuance.id).buffer_pool_credit_batches
    }
    assert buffer
    assert not buffer & set(rows["batch_id"].dropna())


def test_superpollutants_are_not_a_removal(desk, rows):
    kinds = desk.projects().set_index("project_id")["kind"]
    bought = rows[(rows["provider"] == "isometric") & rows["project_id"].notna()]
    of_kind = bought["project_id"].map(kinds)
    assert set(bought[of_kind == "superpollutants"]["impact_type"]) == {"avoidance or reduction"}
    assert set(bought[of_kind != "superpollutants"]["impact_type"]) == {"removal"}


def test_a_missing_ccp_label_says_when_it_was_missing(rows):
    leaves = rows[(rows["provider"] == "isometric") & rows["batch_id"].notna()]
    assert set(leaves["ccp"].str.replace(r"\d{4}-\d{2}-\d{2}", "DATE", regex=True)) == {
        "approved",
        "not labelled at DATE",
    }
    assert set(rows[rows["provider"] != "isometric"]["ccp"]) == {"unknown"}


def test_a_bundles_type_is_written_onto_a_project_only_with_its_source(rows):
    lune = rows[(rows["provider"] == "lune") & (rows["impact_type"] != "not provided")]
    assert set(lune["impact_type_source"]) == {"bundle"}


def test_prices_of_rows_add_up_to_their_orders(desk, rows):
    priced = desk.orders().dropna(subset=["price"]).set_index(["account", "order_id"])["price"]
    sums = rows.dropna(subset=["price"]).groupby(["account", "order_id"])["price"].sum()
    for key, total in sums.items():
        assert total == priced[key], key


def test_orders_and_rows_hold_the_same_whole_grams(desk, rows):
    assert rows["quantity_g"].dtype == "int64"
    assert (rows["quantity_g"] > 0).all()
    assert desk.orders()["quantity_g"].sum() == rows["quantity_g"].sum()
