"""What backs what of a deal: deposits by their share, escrow by part, and all of it resolved at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Money, Quantity
from events.orders import DepositUse
from services.settlement.escrows.shares import Shares, share_delivery, share_end
from services.settlement.escrows.standing import Standing, convert, keep, open_purse, price_quantity
from services.settlement.holds.model import Side

AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**13))


def cny(amount: int) -> Money:
    """Fen."""
    return Money(amount, "CNY")


@given(st.data(), AMOUNTS)
def test_what_is_kept_is_the_share_of_what_is_open_given_up_half_up(data: Any, deposit: int) -> None:
    gross = data.draw(st.integers(1, 10**13))
    open = data.draw(st.integers(0, gross))
    kept = keep(cny(deposit), open=cny(open), gross=cny(gross)).amount
    given_up = (2 * deposit * (gross - open) + gross) // (2 * gross)
    assert kept == (deposit - given_up if open else 0)


def test_at_the_half_the_odd_fen_is_given_up() -> None:
    assert keep(cny(1), open=cny(1), gross=cny(2)) == cny(0)
    assert keep(cny(3), open=cny(5_000), gross=cny(10_000)) == cny(1)
    assert keep(cny(7), open=cny(0), gross=cny(0)) == cny(0)


@given(st.integers(1, 10**13), st.lists(st.integers(1, 10**9), min_size=1, max_size=8))
def test_prices_by_quantity_come_to_the_gross(gross: int, parts: list[int]) -> None:
    def weight(amount: int) -> Quantity:
        return Quantity(Exact(amount), "KGM")

    prices = [
        price_quantity(cny(gross), weight(part), paid=weight(sum(parts[:n])), whole=weight(sum(parts)))
        for n, part in enumerate(parts)
    ]
    assert sum(price.amount for price in prices) == gross and min(price.amount for price in prices) >= 0


@dataclass
class Deal:
    """A deal's money beside the platform's: what each step moves is added up here in plain numbers."""

    gross: int
    deposits: dict[Side, int]
    use: DepositUse
    funded: int = 0
    missed: int = 0
    resolved: int = 0
    escrow: int = 0
    held: dict[Side, int] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=lambda: {"buyer": 0, "seller": 0, "fee": 0})

    @property
    def standing(self) -> Standing:
        """As the platform sees it."""
        return Standing(
            gross=cny(self.gross),
            funded=cny(self.funded),
            missed=cny(self.missed),
            resolved=cny(self.resolved),
            escrow=cny(self.escrow),
            buyer_deposit=cny(self.deposits[Side.BUYER]),
            seller_deposit=cny(self.deposits[Side.SELLER]),
            buyer_held=cny(self.held[Side.BUYER]),
            seller_held=cny(self.held[Side.SELLER]),
            deposit_use=self.use,
        )

    def pay(self, value: int) -> None:
        """The buyer pays for a part."""
        converted = convert(self.standing, cny(value)).amount
        assert 0 <= converted <= min(value, self.held[Side.BUYER])
        self.given["buyer"] -= value - converted
        self.held[Side.BUYER] -= converted
        self.funded += value
        self.escrow += value

    def take(self, shares: Shares, value: int, missed: int) -> None:
        """A part is settled."""
        assert min(getattr(shares, name).amount for name in Shares.__struct_fields__) >= 0
        share = {name: getattr(shares, name).amount for name in Shares.__struct_fields__}
        self.escrow -= share["from_escrow"] + share["returned"]
        self.held[Side.BUYER] -= share["from_deposit"] + share["buyer_released"] + share["buyer_forfeited"]
        self.held[Side.SELLER] -= share["seller_released"] + share["seller_forfeited"]
        bearer = "seller" if share["buyer_forfeited"] else "buyer"
        self.given["seller"] += shares.paid.amount - share["fee"] + share["seller_released"] + share["buyer_forfeited"]
        self.given["buyer"] += share["returned"] + share["buyer_released"] + share["seller_forfeited"]
        self.given[bearer] -= share["forfeit_fee"]
        self.given["fee"] += share["fee"] + share["forfeit_fee"]
        self.missed += missed
        self.resolved += value
        assert self.escrow >= 0 and min(self.held.values()) >= 0
        assert self.escrow <= self.funded and self.resolved <= self.gross


PARTS = st.lists(
    st.tuples(
        st.integers(0, 10**9),
        st.sampled_from(["delivered", "unpaid", "seller", "cancelled", "cancelled_unpaid"]),
        st.integers(80, 120),
        st.integers(0, 40),
    ),
    min_size=1,
    max_size=6,
)


@given(PARTS, st.sampled_from(["counts", "held"]), st.integers(0, 100), st.integers(0, 100), st.randoms())
def test_every_deal_ends_with_nothing_left(
    parts: list[tuple[int, str, int, int]], use: DepositUse, buyer: int, seller: int, chance: Any
) -> None:
    """Everything that came in has gone out to somebody, whatever became of the parts and in whatever order."""
    gross = sum(value for value, *_ in parts)
    deposits = {Side.BUYER: gross * buyer // 100, Side.SELLER: gross * seller // 100}
    deal = Deal(gross, deposits, use, held=dict(deposits))
    for value, fate, *_ in parts:
        if "unpaid" not in fate:
            deal.pay(value)
    chance.shuffle(parts)
    for value, fate, percent, forfeit in parts:
        missed = value if "unpaid" in fate else 0
        purse, kept = open_purse(deal.standing, cny(value), cny(missed))
        rate = Exact("0.015")
        if fate == "delivered":
            shares = share_delivery(cny(value * percent // 100), purse, kept, rate)
        else:
            by = {"unpaid": Side.BUYER, "seller": Side.SELLER}.get(fate)
            shares = share_end(by, cny(value * forfeit // 100), purse, kept, rate)
        deal.take(shares, value, missed)
    assert deal.resolved == gross == deal.funded + deal.missed
    assert deal.escrow == 0 and set(deal.held.values()) == {0}
    assert sum(deal.given.values()) == sum(deposits.values())


@given(st.permutations([(4_001, 3_999), (3_500, 3_500), (2_499, 2_400)]), st.sampled_from(["counts", "held"]))
def test_the_order_of_deliveries_changes_nothing_in_the_end(parts: list[tuple[int, int]], use: DepositUse) -> None:
    deal = Deal(10_000, {Side.BUYER: 999, Side.SELLER: 501}, use, held={Side.BUYER: 999, Side.SELLER: 501})
    deal.pay(10_000)
    for value, gross in parts:
        purse, kept = open_purse(deal.standing, cny(value), cny(0))
        deal.take(share_delivery(cny(gross), purse, kept, Exact("0.001")), value, 0)
    assert deal.given == {"buyer": 999 - 9_899, "seller": 501 + 9_899 - 4 - 4 - 2, "fee": 10}
