"""Quoting: one question, all sellers, and what one that fails leaves to the others."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.domain.activities import Activity, Flight
from lib.domain.errors import BadInput, ProviderUnreachable
from lib.domain.ledger import ProviderName
from lib.domain.quantities import Money, wished_money
from lib.domain.quotes import Estimate, Offer, Quote, QuoteFailure
from lib.providers.base import Account
from lib.services.airports import airport, distance_km, search
from lib.services.quoting import BoardMass, Quoting

FLIGHT = Flight(Decimal(5540), passengers=2)


class PriceList:
    """A seller reduced to its prices, for what no provider does on demand: fail, or be slow.

    The real adapters are tested against the sandbox in tests/contract/test_selling.py.
    """

    def __init__(
        self,
        provider: ProviderName,
        currency: str,
        names: tuple[str, ...],
        *,
        estimate_g: int | None = None,
    ) -> None:
        self.account = Account(provider, provider, "sandbox", "http://127.0.0.1:1")
        self.names = names
        self.estimate_g = estimate_g
        self.down: set[str] = set()
        self.gate = threading.Event()
        self.gate.set()
        self._currency = currency

    def _up(self, what: str) -> None:
        self.gate.wait(10)
        if what in self.down:
            raise ProviderUnreachable(f"{what} cannot be reached.")

    def offers(self) -> list[Offer]:
        self._up("offers")
        name, provider = self.account.name, self.account.provider
        return [Offer(name, provider, x.lower(), x, "bundle") for x in self.names]

    def currency(self, subaccount: str | None) -> str:
        return self._currency

    def estimate(self, activity: Activity) -> Estimate | None:
        self._up("estimate")
        if self.estimate_g is None:
            return None
        return Estimate(self.account.name, self.account.provider, self.estimate_g, "test")

    def quote(
        self, offer: Offer, *, mass_g: int | None, budget: Money | None, subaccount: str | None
    ) -> Quote:
        self._up(offer.name)
        price = budget or Money(Decimal(mass_g or 0).scaleb(-4), self._currency)
        return Quote(
            account=self.account.name,
            provider=self.account.provider,
            offer=offer,
            by="budget" if budget else "mass",
            mass_g=mass_g or 1_000,
            price=price,
            quoted_at=datetime(2026, 11, 1, tzinfo=UTC),
            subaccount=subaccount,
        )


@pytest.fixture
def usd() -> PriceList:
    return PriceList("cnaught", "USD", ("Balanced", "Removal"), estimate_g=1_132_000)


@pytest.fixture
def eur() -> PriceList:
    return PriceList("lune", "EUR", ("Forest",), estimate_g=1_296_803)


@pytest.fixture
def quoting(usd: PriceList, eur: PriceList) -> Quoting:
    return Quoting({"cnaught": usd, "lune": eur})  # type: ignore[dict-item]


def test_one_mass_and_all_offers(quoting: Quoting) -> None:
    board = quoting.board(mass_g=2_500_000)
    assert [quote.offer.name for quote in board] == ["Balanced", "Removal", "Forest"]
    assert {quote.mass_g for quote in board} == {2_500_000}
    assert (board.mass_g, board.basis, board.failures) == (2_500_000, None, ())


@pytest.mark.parametrize(
    ("basis", "mass_g"), [(None, 1_132_000), ("cnaught", 1_132_000), ("lune", 1_296_803)]
)
def test_one_estimate_sets_the_mass_for_all(
    quoting: Quoting, basis: str | None, mass_g: int
) -> None:
    board = quoting.board(activity=FLIGHT, basis=basis)
    assert [x.mass_g for x in board.estimates] == [1_132_000, 1_296_803]
    assert {quote.mass_g for quote in board} == {mass_g}
    assert (board.mass_g, board.basis) == (mass_g, basis or "cnaught")
    assert board.activity == FLIGHT.describe()


def test_the_basis_may_be_another_account_than_the_one_quoted(quoting: Quoting) -> None:
    board = quoting.board(activity=FLIGHT, basis="lune", account="cnaught")
    assert {quote.account for quote in board} == {"cnaught"}
    assert board.mass_g == 1_296_803


def test_without_the_first_estimate_the_next_one_counts(quoting: Quoting, usd: PriceList) -> None:
    usd.estimate_g = None
    board = quoting.board(activity=FLIGHT)
    assert (board.basis, len(board)) == ("lune", 3)
    assert "No calculation" in board.failures[0].reason


def test_without_any_estimate_nothing_is_quoted(
    quoting: Quoting, usd: PriceList, eur: PriceList
) -> None:
    usd.estimate_g, eur.down = None, {"estimate"}
    board = quoting.board(activity=FLIGHT)
    assert (len(board), board.mass_g, board.basis) == (0, None, None)
    assert [x.account for x in board.failures] == ["cnaught", "lune"]


@pytest.mark.parametrize(
    ("down", "left", "failed"),
    [
        ({"offers"}, ["Forest"], [None]),
        ({"Removal"}, ["Balanced", "Forest"], ["Removal"]),
        ({"Removal", "Balanced"}, ["Forest"], ["Balanced", "Removal"]),
    ],
)
def test_one_that_fails_leaves_the_others(
    quoting: Quoting, usd: PriceList, down: set[str], left: list[str], failed: list[str | None]
) -> None:
    usd.down = down
    board = quoting.board(mass_g=1_000)
    assert [quote.offer.name for quote in board] == left
    assert sorted(board.failures, key=str) == sorted(
        (
            QuoteFailure("cnaught", "cnaught", x, f"{x or 'offers'} cannot be reached.")
            for x in failed
        ),
        key=str,
    )


def test_a_budget_is_asked_in_its_currency_only(quoting: Quoting) -> None:
    board = quoting.board(budget=wished_money("100", "EUR"))
    assert [quote.account for quote in board] == ["lune"]
    assert board.quotes[0].price == wished_money("100", "EUR")
    assert "charges USD" in board.failures[0].reason


def test_narrowing_to_an_account_an_offer_a_recipient(quoting: Quoting) -> None:
    board = quoting.board(mass_g=1, account="cnaught", offer="removal", subaccount="sub1")
    assert [(x.offer.name, x.subaccount) for x in board] == [("Removal", "sub1")]


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ({}, "exactly one"),
        ({"mass_g": 1, "budget": wished_money("1", "USD")}, "exactly one"),
        ({"mass_g": 0}, "above 0"),
        ({"mass_g": 10**18}, "year"),
        ({"budget": Money(Decimal(0), "USD")}, "above 0"),
        ({"mass_g": 1, "account": "nobody"}, "not an account"),
        ({"activity": FLIGHT, "basis": "nobody"}, "not an account"),
        ({"mass_g": 1, "subaccount": "sub1"}, "choose the account"),
    ],
)
def test_questions_that_cannot_be_asked(
    quoting: Quoting, question: dict[str, object], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason):
        quoting.board(**question)  # type: ignore[arg-type]


def test_the_stream_shows_the_fast_ones_while_a_slow_one_works(
    quoting: Quoting, usd: PriceList
) -> None:
    usd.gate.clear()
    stream = quoting.stream(mass_g=1_000)
    first = next(stream)
    assert isinstance(first, Quote)
    assert first.account == "lune"
    usd.gate.set()
    assert {x.account for x in stream if isinstance(x, Quote)} == {"cnaught"}


def test_the_stream_tells_the_mass_before_the_quotes(quoting: Quoting) -> None:
    found = [type(x) for x in quoting.stream(activity=FLIGHT)]
    assert found == [Estimate, Estimate, BoardMass, Quote, Quote, Quote]


# -- airports ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "destination", "km"),
    # Great-circle distances as published by airport distance calculators, in km.
    [("LHR", "JFK", 5540), ("lax", "SFO", 543), ("SYD", "LHR", 17020), ("LIS", "OPO", 277)],
)
def test_distances_are_great_circles(origin: str, destination: str, km: int) -> None:
    found = distance_km(origin, destination)
    assert abs(found - km) <= km * Decimal("0.005")
    assert found == distance_km(destination, origin)


@pytest.mark.parametrize("code", ["", "L", "XXXX", "☃", "LH R", "'; drop table"])
def test_unknown_airports_are_a_sentence(code: str) -> None:
    with pytest.raises(BadInput, match="IATA"):
        airport(code)


def test_a_flight_goes_somewhere() -> None:
    with pytest.raises(BadInput, match="different"):
        distance_km("LHR", "lhr")


def test_searching_finds_the_code_first() -> None:
    assert search("jfk")[0].code == "JFK"
    assert "LIS" in [x.code for x in search("lisbon")]
    assert search("  ") == []
    assert len(search("a", limit=5)) == 5


@given(st.text(max_size=30))
def test_searching_takes_any_text(text: str) -> None:
    assert all(found.code for found in search(text))
