"""Ten thousand random deliveries by the rules alone: lines, statements, invoices and ledger agree to the cent.

The rows, the rules of escrow, holds and invoices and the arithmetic are the service's own; what is played here is the
database: a ledger in memory that ``decide`` guards, and a list of lines. ``tests/services/settlement/test_plays.py``
plays some of the same over HTTP and compares.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

import pytest

from chassis import clock
from chassis.values import Money, total
from events.orders import DealSigned, DeliveryAccepted, PartEnded
from services.settlement.escrows.ending import share_ended
from services.settlement.escrows.model import Escrow, Portion, State
from services.settlement.escrows.moving import DealMoney, stand
from services.settlement.escrows.settling import share_accepted
from services.settlement.escrows.shares import Shares, legs_of, share_supplement
from services.settlement.escrows.standing import convert, keep
from services.settlement.holds.commands import draw, draw_converted
from services.settlement.holds.model import Deposits, DepositsState, Hold, HoldState, Side
from services.settlement.ledger.model import PLATFORM, Draft, Kind, Leg, decide
from tests.unit.orders.examples import NOW
from tests.unit.settlement.plays import Deadline, Pay, Play, write_plays

RICH = 10**15


@dataclass(frozen=True)
class Line:
    """A line of a statement, with its invoices: of the goods that it pays, and of the fee that it takes."""

    deal_id: str
    accepted: DeliveryAccepted | None
    shares: Shares
    goods: Money | None
    fee: Money
    value: Money


@dataclass
class Book:
    """A ledger in memory, and the statements of all deals."""

    balances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    lines: list[Line] = field(default_factory=list)
    journals: int = 0

    def post(self, *legs: Leg) -> str:
        """Move money, if anything moves; nothing may lack."""
        moved = [leg for leg in legs if leg.amount]
        if moved:
            amounts = Draft(key="k", kind="k", subject="s", legs=tuple(moved)).amounts if moved else {}
            assert decide(self.balances, amounts) is None
            for account, amount in amounts.items():
                self.balances[account] += amount
            self.journals += 1
        return f"journal_{self.journals}"

    def on(self, owner: str, kind: Kind) -> int:
        """What is on an account."""
        return self.balances[f"{owner}:{kind}:CNY"]


class Holds:
    """Takes the place of the session where holds are drawn from: keeps the parts that they are divided into."""

    def __init__(self, holds: list[Hold]) -> None:
        self.all = holds

    def add_all(self, holds: list[Hold]) -> None:
        """Keep parts."""
        self.all.extend(holds)

    def active(self) -> dict[Side, Hold]:
        """Those that still stand."""
        return {Side(hold.side): hold for hold in self.all if hold.state is HoldState.ACTIVE}


class Player:
    """Plays one deal on the book."""

    def __init__(self, book: Book, play: Play) -> None:
        self.book, self.play, signed = book, play, play.signed
        self.deposits = Deposits(
            id=signed.deal_id,
            buyer_id=signed.buyer_id,
            seller_id=signed.seller_id,
            buyer_deposit=play.buyer_deposit,
            seller_deposit=play.seller_deposit,
            state=DepositsState.HELD,
        )
        owed = [(side, *self.deposits.of(side)) for side in Side if self.deposits.of(side)[1]]
        for _, party, amount in owed:
            book.post(Leg(party, Kind.AVAILABLE, -amount), Leg(party, Kind.FROZEN, amount))
        self.holds = Holds([Hold.place(signed.deal_id, party, side, amount) for side, party, amount in owed])
        self.escrow = open_in_memory(signed, play)
        self.pending: list[DeliveryAccepted] = []
        self.waits = signed.release == "invoice"

    @property
    def money(self) -> DealMoney:
        """The rows of the deal."""
        return DealMoney(self.escrow, self.deposits, self.holds.active())

    def run(self, chance: random.Random, *, prompt: float = 0.3) -> None:
        """All that happens; invoices that release a delivery are recorded at some later time, at 1 at once."""
        for step in self.play.steps:
            if isinstance(step, Pay):
                self.pay(step.portion)
            elif isinstance(step, Deadline):
                self.escrow.lapse()
            elif isinstance(step, PartEnded):
                self.end(step)
            elif self.waits and step.gross:
                self.pending.append(step)
            else:
                self.deliver(step)
            while self.pending and chance.random() < prompt:
                self.deliver(self.pending.pop(chance.randrange(len(self.pending))))
            self.check()
        for step in self.pending:
            self.deliver(step)
            self.check()
        self.check_end()

    def pay(self, portion: Portion) -> None:
        """The buyer pays."""
        amount = self.escrow.price(portion)
        converted = convert(stand(self.escrow, self.money), amount)
        self.escrow.pay_in(portion, amount)
        buyer = self.deposits.buyer_id
        journal = self.book.post(
            Leg(buyer, Kind.AVAILABLE, converted - amount),
            Leg(buyer, Kind.FROZEN, -converted),
            Leg(buyer, Kind.ESCROW, amount),
        )
        draw_converted(self.holds, self.holds.active().get(Side.BUYER), journal, converted)

    def deliver(self, accepted: DeliveryAccepted) -> None:
        """A delivery is settled, and what it lacks is paid by supplement or missed."""
        if accepted.value:
            self.escrow.pay_out()
        value, shares = share_accepted(self.money, self.escrow, accepted)
        self.move(shares)
        self.escrow.resolve(shares, value)
        self.write(shares, accepted=accepted, value=value)
        if shares.shortfall and self.play.pays_supplements:
            extra = share_supplement(shares.shortfall, self.play.fee_rate)
            self.move(extra)
            self.write(extra)

    def end(self, ended: PartEnded) -> None:
        """A part ends."""
        value, shares = share_ended(self.money, self.escrow, Side(ended.by) if ended.by else None, ended)
        self.move(shares)
        self.escrow.resolve(shares, value)
        self.write(shares, value=value)

    def move(self, shares: Shares) -> None:
        """Post, and draw from the holds."""
        legs = legs_of(shares, buyer_id=self.deposits.buyer_id, seller_id=self.deposits.seller_id)
        journal, active, nothing = self.book.post(*legs), self.holds.active(), Money.zero("CNY")
        drawn = {"converted": shares.from_deposit, "forfeited": shares.buyer_forfeited}
        draw(self.holds, active.get(Side.BUYER), journal, released=shares.buyer_released, **drawn)
        drawn = {"converted": nothing, "forfeited": shares.seller_forfeited}
        draw(self.holds, active.get(Side.SELLER), journal, released=shares.seller_released, **drawn)

    def write(self, shares: Shares, *, accepted: DeliveryAccepted | None = None, value: Money | None = None) -> None:
        """A line and its invoices."""
        goods = accepted.gross if accepted else None
        fee = shares.fee + shares.forfeit_fee
        line = Line(self.escrow.id, accepted, shares, goods, fee, value or Money.zero("CNY"))
        self.book.lines.append(line)

    def check(self) -> None:
        """What is true at each moment: nothing below zero, holds are what is open, and no more than backs the rest."""
        escrow = self.escrow
        assert escrow.rest.amount >= 0 and 0 <= escrow.resolved <= escrow.gross.amount
        assert escrow.funded + escrow.missed <= escrow.gross.amount
        active = self.holds.active()
        for side, hold in active.items():
            counts = side is Side.BUYER and escrow.deposit_use == "counts"
            open = escrow.payable if counts else escrow.open
            assert hold.open <= keep(self.deposits.of(side)[1], open=open, gross=escrow.gross).amount
        assert sum(each.open for each in active.values()) == sum(each.open for each in self.holds.all)

    def check_end(self) -> None:
        """What is true when all has happened: nothing is left, and every hold was resolved once."""
        escrow = self.escrow
        assert escrow.state in (State.CLOSED, State.LAPSED), (escrow.id, escrow.resolved, escrow.gross)
        assert escrow.rest.amount == 0 and escrow.resolved == escrow.gross.amount == escrow.funded + escrow.missed
        assert not self.holds.active()
        for hold in self.holds.all:
            parts = (hold.released, hold.converted, hold.forfeited, hold.divided)
            assert sum(parts) == hold.amount and hold.open == 0
            assert (hold.state is HoldState.RESOLVED) == (hold.resolved_by is not None)
            assert hold.state is not HoldState.DIVIDED or hold.divided == hold.amount


def open_in_memory(signed: DealSigned, play: Play) -> Escrow:
    """The row of an escrow as ``open_escrow`` makes it."""
    by_piece = bool(signed.pieces)
    whole = None if by_piece else signed.quantity
    return Escrow(
        id=signed.deal_id,
        buyer_id=signed.buyer_id,
        seller_id=signed.seller_id,
        gross=signed.gross,
        funded=0,
        missed=0,
        resolved=0,
        paid_out=0,
        returned=0,
        shortfall=0,
        fee_rate=play.fee_rate,
        forfeit_fee_rate=play.forfeit_fee_rate,
        deposit_use=signed.deposit_use,
        release=signed.release,
        unpaid_pieces=signed.pieces,
        quantity=whole,
        paid=whole - whole if whole else None,
        unpaid=whole,
        pay_by=signed.due_at,
        due_at=signed.due_at,
        state=State.AWAITING,
    )


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Book, list[Play]]]:
    """Ten thousand deliveries, played once."""
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    with clock.frozen(NOW):
        book, plays, chance = Book(), write_plays(seed, 10_000), random.Random(seed + 1)
        for party in ("buyer", "mill"):
            money = Money(RICH, "CNY")
            book.post(Leg(PLATFORM, Kind.CLEARING_BANK, -money), Leg(party, Kind.AVAILABLE, money))
        for play in plays:
            try:
                Player(book, play).run(chance)
            except Exception as error:
                raise AssertionError(f"seed {seed}, {play}") from error
        yield book, plays


def sum_of(lines: list[Line], name: str) -> int:
    """The sum of one share over lines."""
    return total([getattr(line.shares, name) for line in lines], "CNY").amount


def test_every_deal_was_played_to_its_end(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    assert sum(play.deliveries for play in plays) >= 10_000
    assert (book.on("buyer", Kind.ESCROW), book.on("buyer", Kind.FROZEN), book.on("mill", Kind.FROZEN)) == (0, 0, 0)
    assert min(balance for account, balance in book.balances.items() if Kind.CLEARING_BANK not in account) >= 0
    assert sum(book.balances.values()) == 0


def test_lines_are_the_ledger_to_the_cent(played: tuple[Book, list[Play]]) -> None:
    book, _ = played
    lines = book.lines
    paid = sum(sum_of(lines, name) for name in ("from_escrow", "from_deposit", "from_supplement"))
    by_buyer, by_seller = sum_of(lines, "buyer_forfeited"), sum_of(lines, "seller_forfeited")
    to_mill = sum_of([line for line in lines if line.shares.buyer_forfeited], "forfeit_fee")
    to_buyer = sum_of([line for line in lines if line.shares.seller_forfeited], "forfeit_fee")
    assert book.on("mill", Kind.AVAILABLE) - RICH == paid - sum_of(lines, "fee") + by_buyer - by_seller - to_mill
    assert book.on("buyer", Kind.AVAILABLE) - RICH == -paid - by_buyer + by_seller - to_buyer
    assert book.on(PLATFORM, Kind.FEE) == sum_of(lines, "fee") + sum_of(lines, "forfeit_fee")


def test_lines_are_the_invoices_to_the_cent(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    accepted = [step for play in plays for step in play.steps if isinstance(step, DeliveryAccepted)]
    delivered = [line for line in book.lines if line.accepted]
    assert len(delivered) == len(accepted)
    assert total([line.goods for line in delivered if line.goods], "CNY") == total([a.gross for a in accepted], "CNY")
    for line in delivered:
        assert line.shares.paid + line.shares.shortfall == line.goods == line.accepted.net + line.accepted.tax
    assert total([line.fee for line in book.lines], "CNY").amount == book.on(PLATFORM, Kind.FEE)


def half_up(amount: Fraction) -> int:
    """Rounded half up, by other means than the service's."""
    return math.floor(amount + Fraction(1, 2))


def work_out(play: Play, stages: Sequence[DeliveryAccepted]) -> tuple[int, int, int]:
    """Net, tax and gross in fen of what was settled of a delivery, by fractions (TRADE.md 3.0, Money)."""
    first, *_ = stages
    weight = sum((Fraction(stage.settled.to(first.price.unit).value) for stage in stages), Fraction(0))
    stated, rate = half_up(Fraction(first.price.value) * weight * 100), Fraction(first.tax_rate)
    if play.tax_basis == "tax_included":
        net = half_up(stated / (1 + rate))
        return net, stated - net, stated
    tax = half_up(stated * rate)
    return stated, tax, stated + tax


def test_each_delivery_comes_to_what_its_weight_costs_whatever_its_stages(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    by_deal = {play.signed.deal_id: play for play in plays}
    stages: dict[str, dict[str, DeliveryAccepted]] = defaultdict(dict)
    for line in book.lines:
        if line.accepted:
            stages[line.accepted.delivery_id][line.accepted.stage] = line.accepted
    assert sum(set(each) == {"undisputed", "decided"} for each in stages.values()) > 100
    for each in stages.values():
        told = list(each.values())
        amounts = [total([getattr(stage, name) for stage in told], "CNY").amount for name in ("net", "tax", "gross")]
        assert tuple(amounts) == work_out(by_deal[told[0].deal_id], told)
        assert min(stage.gross.amount for stage in told) >= 0


def test_fees_are_rounded_half_up_at_the_half(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    rates = {play.signed.deal_id: play for play in plays}
    halves = 0
    for line in book.lines:
        play = rates[line.deal_id]
        forfeited = line.shares.buyer_forfeited + line.shares.seller_forfeited
        for amount, rate, fee in (
            (line.shares.paid.amount, play.fee_rate, line.shares.fee),
            (forfeited.amount, play.forfeit_fee_rate, line.shares.forfeit_fee),
        ):
            millionths = amount * int(rate * 10**6)
            assert fee.amount == (2 * millionths + 10**6) // (2 * 10**6)
            halves += millionths % 10**6 == 500_000
    assert halves > 100


def test_values_come_to_the_gross_of_each_deal(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    values: dict[str, int] = defaultdict(int)
    for line in book.lines:
        values[line.deal_id] += line.value.amount
    assert values == {play.signed.deal_id: play.signed.gross.amount for play in plays}


def test_everything_that_can_happen_has_happened(played: tuple[Book, list[Play]]) -> None:
    book, plays = played
    moved = {name: sum_of(book.lines, name) for name in Shares.__struct_fields__}
    assert all(moved.values()), moved
    steps = [step for play in plays for step in play.steps]
    assert {type(step) for step in steps} == {Pay, Deadline, DeliveryAccepted, PartEnded}
    assert len({step.rule for step in steps if isinstance(step, DeliveryAccepted)}) == 7
    assert {step.by for step in steps if isinstance(step, PartEnded)} == {"buyer", "seller", None}
    assert {(p.signed.deposit_use, p.signed.release) for p in plays} >= {("counts", "invoice"), ("held", "settlement")}
    assert all(play.signed.supplement == timedelta(days=3) for play in plays)
