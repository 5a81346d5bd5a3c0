"""The bad days of a trade as stories: each plays one deal step by step, and says what money it moves in the end.

A story yields between its steps, where a test may let processes die. 20 t at 3,850.00 come to 77,000.00; deposits are 10 %
and 5 %; a coil of 10 t is worth 38,500.00. The platform takes 1 ‰ of what a seller is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.town import Town

GROSS, COIL = 7_700_000, 3_850_000
BUYERS, SELLERS = 770_000, 385_000
"""Deposits for both coils."""
Play = Callable[[Town], Iterator[None]]


@dataclass(frozen=True)
class Story:
    """What happens, and what each account has more or less of afterwards, in fen."""

    play: Play
    moves: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.play.__name__


STORIES: list[Story] = []


def ends_with(**moves: int) -> Callable[[Play], Play]:
    """Tell a story that moves these amounts and no others."""

    def note(play: Play) -> Play:
        STORIES.append(Story(play, moves))
        return play

    return note


def sold(gross: int, fee: int, **more: int) -> dict[str, int]:
    """What a sale moves, and more (added): the buyer's price, the seller's less the fee."""
    moves = {"buyer_available": -gross, "mill_available": gross - fee, "platform_fee": fee}
    return {name: moves.get(name, 0) + more.get(name, 0) for name in moves | more}


def sign_and_pay(town: Town, *weights_kg: int, **terms: Any) -> Iterator[None]:
    """A deal that is to be delivered; returned at the end."""
    deal = town.make_effective(*weights_kg, **terms)
    yield
    town.sign(deal["id"])
    yield
    town.pay(deal["id"])
    yield
    return town.wait_for(deal["id"], "delivering")


def ids_of(deal: dict[str, Any]) -> list[str]:
    return [piece["piece_id"] for piece in deal["pieces"]]


def carry(town: Town, deal: dict[str, Any], piece_ids: list[str], *, received: int | None) -> Iterator[None]:
    """One truck to the buyer's scale (unless ``received`` is None); its delivery is returned."""
    delivery = town.load_truck(deal, *piece_ids)
    yield
    town.leave(delivery["id"])
    yield
    if received is not None:
        town.weigh(delivery["id"], "receiving", received)
        yield
    return delivery


def carry_and_accept(town: Town, deal: dict[str, Any], piece_ids: list[str], *, received: int) -> Iterator[None]:
    """One truck, accepted by the buyer."""
    delivery = yield from carry(town, deal, piece_ids, received=received)
    town.accept(deal["id"], delivery["id"])
    yield
    return delivery


def deliver_all(town: Town, received: int, **terms: Any) -> Iterator[None]:
    """A deal over 20 t on one truck, weighed and accepted; both are returned."""
    deal = yield from sign_and_pay(town, **terms)
    delivery = yield from carry_and_accept(town, deal, ids_of(deal), received=received)
    return deal, delivery


def ends(town: Town, deal: dict[str, Any], state: str, *parts: tuple[str, str | None, str]) -> dict[str, Any]:
    """The deal has ended so, with these parts not delivered: kind, whose fault, reason."""
    ended = town.wait_for(deal["id"], state)
    assert [(part["kind"], part["by"], part["reason"]) for part in ended["ended_parts"]] == list(parts)
    assert ended == town.mill.desk.get(f"/v1/deals/{deal['id']}")
    return ended


# Signatures and payment


@ends_with(buyer_available=SELLERS, mill_available=-SELLERS)
def the_buyer_has_signed_alone(town: Town) -> Iterator[None]:
    deal = town.make_effective()
    yield
    town.sign(deal["id"], "buyer")
    yield
    town.let_pass(days=1, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "seller", "not_signed"))


@ends_with(buyer_available=-BUYERS, mill_available=BUYERS)
def the_mill_has_signed_alone(town: Town) -> Iterator[None]:
    deal = town.make_effective()
    yield
    town.sign(deal["id"], "mill")
    yield
    town.let_pass(days=1, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "buyer", "not_signed"))


@ends_with(**sold(COIL, 3_850, buyer_available=-BUYERS // 2, mill_available=BUYERS // 2))
def the_buyer_pays_for_one_coil_of_two(town: Town) -> Iterator[None]:
    """It has the coil that it paid for, and loses its deposit on the other."""
    deal = town.make_effective(10_000, 10_000)
    yield
    town.sign(deal["id"])
    first, second = ids_of(deal)
    yield
    town.pay(deal["id"], piece_ids=[first])
    yield
    deal = town.wait_for(deal["id"], "delivering")
    town.let_pass(days=3, seconds=1)
    yield
    yield from carry_and_accept(town, deal, [first], received=10_000)
    ended = ends(town, deal, "completed", ("defaulted", "buyer", "not_paid"))
    assert ended["ended_parts"][0]["piece_ids"] == [second]


# Delivery


@ends_with(buyer_available=SELLERS, mill_available=-SELLERS)
def the_seller_delivers_nothing(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town)
    town.let_pass(days=20, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "seller", "not_delivered"))


@ends_with(**sold(COIL, 3_850, buyer_available=SELLERS // 2, mill_available=-SELLERS // 2))
def the_seller_delivers_one_coil_of_two(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    first, second = ids_of(deal)
    yield from carry_and_accept(town, deal, [first], received=10_000)
    town.let_pass(days=20, seconds=1)
    yield
    ended = ends(town, deal, "completed", ("defaulted", "seller", "not_delivered"))
    assert ended["ended_parts"][0]["piece_ids"] == [second]
    owners = {id: town.operator.get(f"/v1/pieces/{id}")["owner_id"] for id in (first, second)}
    assert owners == {first: town.buyer.party_id, second: town.mill.party_id}


@ends_with()
def the_buyer_does_not_fetch(town: Town) -> Iterator[None]:
    """The seller issued its note in time: nobody forfeits, the money goes back."""
    deal = yield from sign_and_pay(town)
    town.issue_note(deal["id"], piece_ids=ids_of(deal))
    yield
    town.let_pass(days=20, seconds=1)
    ends(town, deal, "cancelled", ("cancelled", None, "not_fetched"))


@ends_with(**sold(GROSS, 7_700))
def the_receiving_weight_is_not_recorded_in_time(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town)
    delivery = yield from carry(town, deal, ids_of(deal), received=None)
    town.let_pass(days=7, seconds=1)
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")


# Weights


def _at_the_edge(received: int, gross: int, fee: int) -> None:
    """R − D at 3 ‰ of 20 t, which is 60 kg, and one kilogram either side."""

    def play(town: Town) -> Iterator[None]:
        deal, _ = yield from deliver_all(town, received, deposit_use="held")
        ends(town, deal, "completed")

    play.__name__ = f"the_buyer_weighs_{received}_kg"
    ends_with(**sold(gross, fee))(play)


_at_the_edge(19_941, GROSS, 7_700)
_at_the_edge(19_940, GROSS, 7_700)
_at_the_edge(19_939, 7_676_515, 7_677)
_at_the_edge(20_059, GROSS, 7_700)
_at_the_edge(20_060, GROSS, 7_700)
_at_the_edge(20_061, 7_723_485, 7_723)


@ends_with(**sold(7_661_500, 7_623 + 39))
def a_disputed_weight_is_agreed(town: Town) -> Iterator[None]:
    """1 % apart: 19.8 t are paid at once, the other 200 kg wait until both sides name the same weight, 19.9 t."""
    deal, delivery = yield from deliver_all(town, 19_800, dispute_limit="0.005")
    assert town.balance("buyer", "escrow") == GROSS - 7_623_000
    path = f"/v1/deals/{deal['id']}/deliveries/{delivery['id']}/agreed-weight"
    for role, weight in (("mill", "19950"), ("buyer", "19900"), ("mill", "19900")):
        town.companies[role].desk.post(path, {"weight": {"value": weight, "unit": "KGM"}})
        town.settle()
        yield
    ends(town, deal, "completed")


@ends_with(**sold(7_646_100, 7_623 + 23))
def a_third_party_decides_a_disputed_weight(town: Town) -> Iterator[None]:
    weigher = town.warehouse.party_id
    deal, delivery = yield from deliver_all(town, 19_800, dispute_limit="0.005", weigher_id=weigher)
    town.weigh(delivery["id"], "third_party", 19_860, role="warehouse")
    yield
    ends(town, deal, "completed")


@ends_with(**sold(7_696_150, 7_696))
def a_third_party_weighs_for_both(town: Town) -> Iterator[None]:
    """By the offer's rule no other scale counts: 19.99 t."""
    weigher = town.warehouse.party_id
    deal = yield from sign_and_pay(town, weighing_rule="THIRD_PARTY", weigher_id=weigher)
    delivery = yield from carry(town, deal, ids_of(deal), received=None)
    town.weigh(delivery["id"], "third_party", 19_990, role="warehouse")
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")


@ends_with(**sold(7_700_000 - 20 * 3_85, 7_692))
def only_the_excess_is_the_sellers_loss(town: Town) -> Iterator[None]:
    """80 kg less arrive; 60 kg are the tolerance, 20 kg are not paid."""
    deal, _ = yield from deliver_all(town, 19_920, weighing_rule="EXCESS_ONLY")
    ends(town, deal, "completed")


@ends_with(**sold(7_623_000, 7_623))
def a_wrong_ticket_is_corrected_by_both(town: Town) -> Iterator[None]:
    """The buyer's 19,980 kg were a slip: with both signatures it weighs 19,800 kg, beyond tolerance."""
    deal = yield from sign_and_pay(town)
    delivery = yield from carry(town, deal, ids_of(deal), received=19_980)
    path = f"/v1/deliveries/{delivery['id']}/tickets"
    (wrong,) = [ticket for ticket in town.delivery(delivery["id"])["tickets"] if ticket["end"] == "receiving"]
    better = town.weigh(delivery["id"], "receiving", 19_800, replaces=wrong["id"])
    yield
    town.mill.desk.post(f"{path}/{better['id']}/sign")
    town.settle()
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")


# More than was paid in


@ends_with(**sold(7_738_500, 7_700 + 39))
def it_is_heavier_and_the_buyer_pays_the_rest(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100)
    (owed,) = town.buyer.desk.every("/v1/supplements", deal_id=deal["id"])
    assert (owed["state"], owed["amount"]["amount"]) == ("awaiting", 38_500)
    yield
    town.buyer.desk.post(f"/v1/supplements/{owed['id']}/pay")
    town.settle()
    ends(town, deal, "completed")


@ends_with(**sold(GROSS, 7_700))
def it_is_heavier_and_the_buyer_does_not_pay(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100)
    town.let_pass(days=3, seconds=1)
    yield
    ends(town, deal, "completed", ("defaulted", "buyer", "supplement_not_paid"))


@ends_with(**sold(7_738_500, 7_739))
def it_is_heavier_and_the_deposit_covers_it(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_100, deposit_use="held")
    ends(town, deal, "completed")


# By agreement


def cancel(town: Town, deal: dict[str, Any], piece_ids: list[str], reason: str) -> Iterator[None]:
    """The mill proposes to cancel a part and the buyer agrees."""
    path = f"/v1/deals/{deal['id']}/cancellations"
    body = {"piece_ids": piece_ids, "reason": reason, "note": "the berth is closed"}
    proposed = town.mill.desk.post(path, body)
    yield
    town.buyer.desk.post(f"{path}/{proposed['id']}/agree")
    town.settle()
    yield


@ends_with(**sold(COIL, 3_850))
def both_agree_to_cancel_what_was_not_delivered(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    first, second = ids_of(deal)
    yield from carry_and_accept(town, deal, [first], received=10_000)
    yield from cancel(town, deal, [second], "agreed")
    ends(town, deal, "completed", ("cancelled", None, "agreed"))


@ends_with()
def force_majeure_by_agreement(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    yield from cancel(town, deal, ids_of(deal), "force_majeure")
    ends(town, deal, "cancelled", ("cancelled", None, "force_majeure"))


# Sold on


@ends_with(buyer_available=-7_700, mill_available=-7_700, platform_fee=2 * 7_700)
def a_coil_is_sold_on_once_it_was_received(town: Town) -> Iterator[None]:
    """The buyer sells the coil back to the mill, from its own yard: certificate, heat and trail stay with it."""
    resale = town.played_by(mill="buyer", buyer="mill", warehouse="buyer")
    resale.known = dict(town.known)
    resale.open_gate()
    deal = yield from sign_and_pay(town)
    (coil,) = ids_of(deal)
    with town.refuses(409, "not_received_yet"):
        resale.mill.desk.post("/v1/offers", {"market": "steel", "piece_ids": [coil], "terms": resale.terms()})
    before = town.mill.desk.get(f"/v1/pieces/{coil}")["attributes"]
    yield from carry_and_accept(town, deal, [coil], received=20_000)
    ends(town, deal, "completed")
    again = resale.take(resale.list_pieces([coil]), piece_ids=[coil])
    yield
    resale.wait_for(again["id"], "effective")
    resale.sign(again["id"])
    yield
    resale.pay(again["id"])
    yield
    again = resale.wait_for(again["id"], "delivering")
    yield from carry_and_accept(resale, again, [coil], received=20_000)
    resale.wait_for(again["id"], "completed")
    piece = town.mill.desk.get(f"/v1/pieces/{coil}")
    assert (piece["owner_id"], piece["attributes"]) == (town.mill.party_id, before)
    trail = town.mill.desk.get(f"/v1/trails/{coil}")
    assert [event["bizStep"] for event in trail["events"]] == ["departing", "departing"]


# Money out


@ends_with(**sold(GROSS, 7_700))
def escrow_waits_for_the_invoice(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_000, release="invoice")
    assert town.balance("buyer", "escrow") == GROSS
    (invoice,) = town.mill.desk.every("/v1/invoices", deal_id=deal["id"], kind="goods")
    wrong = invoice | {"gross": {"amount": invoice["gross"]["amount"] + 1, "currency": "CNY"}}
    with town.refuses(422, "invoice_differs") as problem:
        town.record_invoice(wrong)
    assert problem["difference"] == {"amount": 1, "currency": "CNY"}
    yield
    town.record_invoice(invoice)
    ends(town, deal, "completed")


@ends_with(**sold(GROSS, 7_700))
def the_bank_returns_the_payout(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_000)
    ends(town, deal, "completed")
    money = {"amount": GROSS - 7_700, "currency": "CNY"}
    payout = town.mill.desk.post("/v1/payouts", {"amount": money, "bank_account_id": town.mill.account_id})
    yield
    town.operator.post(f"/v1/payouts/{payout['id']}/send", {"bank_reference": f"OUT-{payout['id'][-8:]}"})
    yield
    back = town.operator.post(f"/v1/payouts/{payout['id']}/return", {"reason": "the account is closed"})
    assert back["state"] == "returned"
