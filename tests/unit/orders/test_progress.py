"""Whatever is paid, delivered and ended in whatever order, the values of the parts make the deal's gross."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Money, Quantity, UnitPrice
from events.orders import DealPiece
from services.orders.deals.amounts import share_up_to
from services.orders.deals.delivery import Delivery, DeliveryState
from services.orders.deals.ended import EndedPart
from services.orders.deals.model import Deal, Trader
from services.orders.deals.parts import Part
from services.orders.deals.progress import Progress
from services.orders.deals.states import State
from tests.unit.orders.examples import NOW, exacts, make_frozen_terms

NETS = st.lists(exacts("0.001", "99.999", 3), min_size=1, max_size=8)
PRICES = exacts("10", "9999.99", 2)
KINDS = st.lists(st.sampled_from(["delivered", "ended"]), min_size=8, max_size=8)


def strike(nets: Sequence[Exact], price: Exact, *, by_weight: bool) -> Deal:
    trader = Trader(party_id="p", name="p", country="CN", identifiers=[])
    pieces = [DealPiece(piece_id=f"p{i}", number=str(i), net=Quantity(net, "TNE")) for i, net in enumerate(nets)]
    terms = make_frozen_terms(price=UnitPrice(price, "CNY", "TNE"))
    taken = Quantity(Exact(sum(nets)), "TNE")
    deal = Deal.strike(
        "d", buyer=trader, seller=trader, terms=terms, pieces=[] if by_weight else pieces, taken=taken, now=NOW
    )
    deal.state, deal.penalty_rate, deal.due_at = State.SIGNED, Decimal("0.2"), NOW
    return deal


def resolve(progress: Progress, part: Part, kind: str) -> Money:
    """Deliver a part or end it; its value."""
    value = progress.value_of(part)
    if kind == "ended":
        progress.ended.append(
            EndedPart(piece_ids=part.piece_ids, quantity=part.quantity, value=value, is_paid=True, forfeit=value)
        )
        return value
    covered = progress.covered_by(part)
    delivery = Delivery(state=DeliveryState.ACCEPTED, piece_ids=part.piece_ids, quantity=part.quantity, covered=covered)
    delivery.value = value
    progress.deliveries.append(delivery)
    return value


@given(NETS, PRICES, KINDS, st.data())
def test_by_pieces(nets: list[Exact], price: Exact, kinds: list[str], data: st.DataObject) -> None:
    deal = strike(nets, price, by_weight=False)
    progress, ids = Progress(deal, [], []), data.draw(st.permutations([piece.piece_id for piece in deal.pieces]))
    paid = data.draw(st.integers(0, len(ids)))
    values = []
    for place, id in enumerate(ids[:paid]):
        part = deal.carried(Part([id], deal.quantity))
        deal.fund(part, deal.worth_of([id]), NOW)
        values.append(resolve(progress, part, kinds[place]))
    unpaid = progress.unpaid
    assert sorted(unpaid.piece_ids) == sorted(ids[paid:])
    assert not progress.undelivered
    assert sum(value.amount for value in values) + progress.value_unpaid(unpaid).amount == deal.gross.amount


@given(NETS, PRICES, KINDS, st.data())
def test_by_weight(nets: list[Exact], price: Exact, kinds: list[str], data: st.DataObject) -> None:
    deal = strike(nets, price, by_weight=True)
    progress, values = Progress(deal, [], []), []
    paid = data.draw(st.integers(0, len(nets)))
    waiting: list[Part] = []
    for place, net in enumerate(nets[:paid]):
        part = Part([], Quantity(net, "TNE"))
        upto = Quantity(Exact(sum(nets[: place + 1])), "TNE")
        deal.fund(part, share_up_to(deal.gross, upto, deal.quantity) - deal.in_escrow, NOW)
        waiting.append(part)
        if data.draw(st.booleans()):
            values += [resolve(progress, each, kinds[place]) for each in waiting]
            waiting = []
    values += [resolve(progress, each, "delivered") for each in reversed(waiting)]
    assert all(value.amount >= 0 for value in values)
    assert not progress.undelivered
    assert sum(value.amount for value in values) == deal.in_escrow.amount
    assert deal.in_escrow + progress.value_unpaid(progress.unpaid) == deal.gross


@given(NETS, PRICES, st.integers(1, 3), KINDS)
def test_trucks_with_more_than_is_left(nets: list[Exact], price: Exact, times: int, kinds: list[str]) -> None:
    deal = strike(nets, price, by_weight=True)
    deal.fund(deal.whole, deal.gross, NOW)
    progress, values = Progress(deal, [], []), []
    for net in nets:
        carried = Part([], Quantity(Exact(net * times), "TNE"))
        values.append(resolve(progress, carried, "delivered").amount)
    assert sum(values) == deal.gross.amount
    assert progress.is_over


@given(NETS, PRICES, KINDS)
def test_forfeits_of_parts_stay_within_the_deposit(nets: list[Exact], price: Exact, kinds: list[str]) -> None:
    deal = strike(nets, price, by_weight=False)
    progress = Progress(deal, [], [])
    for piece in deal.pieces:
        forfeit = progress.forfeit_of(deal.worth_of([piece.piece_id]), "seller")
        assert forfeit.amount >= 0
        nothing = Money.zero("CNY")
        progress.ended.append(
            EndedPart(by="seller", piece_ids=[], quantity=piece.net, value=nothing, is_paid=False, forfeit=forfeit)
        )
    assert progress.forfeited_by("seller") <= deal.seller_deposit
    assert not progress.forfeited_by("buyer")
