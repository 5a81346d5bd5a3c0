"""A deal from its listing to its end, as it should go."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

from chassis.values import Exact, Money, Quantity, UnitPrice
from events.logistics import DeliveryCancelled, DeliveryStarted
from events.orders import (
    DealCompleted,
    DealDescribed,
    DealPiece,
    DealSigned,
    DealStruck,
    DeliveryAccepted,
    OfferDescribed,
    PiecesPassed,
)
from events.settlement import DepositsHeld, EscrowFunded
from tests.services.orders.conftest import BEGINNING, Stand, describe_piece, tonnes


def test_a_deal_from_listing_to_completion(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    assert (offer["state"], offer["remaining"]["value"], offer["version"]) == ("listed", "16.5", 1)
    assert offer["title"] == "Hot rolled coil · 热轧卷 × 2"
    stand.told()

    deal = stand.take(offer, *ids).ok()
    assert (deal["state"], deal["gross"]) == ("deposits_pending", {"amount": 6352500, "currency": "CNY"})
    described, struck = stand.told()
    assert isinstance(described, OfferDescribed)
    assert (described.state, described.version, described.piece_ids, described.taken_piece_ids) == ("taken", 2, [], ids)
    assert struck == DealStruck(
        deal_id=deal["id"],
        offer_id=offer["id"],
        buyer_id="buyer",
        seller_id="mill",
        buyer_deposit=Money(635250, "CNY"),
        seller_deposit=Money(317625, "CNY"),
        due_at=BEGINNING + timedelta(minutes=30),
    )

    stand.hear(DepositsHeld(deal_id=deal["id"]))
    assert stand.deal(deal["id"])["state"] == "effective"
    agreement = stand.get(f"/v1/agreements/{deal['id']}").ok()
    assert sha256(agreement["body"].encode()).hexdigest() == agreement["sha256"]
    body = json.loads(agreement["body"])
    assert (body["seller"]["name"], body["terms"]["price"]["value"]) == ("Mill", "3850.00")
    assert [piece["number"] for piece in body["pieces"]] == ["A1", "A2"]

    assert stand.sign(deal["id"], "mill").ok()["state"] == "partly_signed"
    assert stand.told() == []
    assert stand.sign(deal["id"], "buyer").ok()["state"] == "signed"
    due = BEGINNING + timedelta(days=2)
    signed = {"deal_id": deal["id"], "market": "steel", "buyer_id": "buyer", "seller_id": "mill"}
    frozen = {"net": Quantity(Exact("8.25"), "TNE"), "gross": Money(3176250, "CNY")}
    assert stand.told() == [
        DealSigned(
            **signed,
            gross=Money(6352500, "CNY"),
            due_at=due,
            pay=timedelta(days=2),
            pieces=[DealPiece(piece_id=f"piece_{number}", number=number, **frozen) for number in ("A1", "A2")],
            quantity=Quantity(Exact("16.5"), "TNE"),
            deposit_use="counts",
            offer_id=deal["offer_id"],
            taken_at=BEGINNING,
            price=UnitPrice(Exact("3850"), "CNY", "TNE"),
            tax_basis="tax_included",
            tax_rate=Exact("0.13"),
            place="Tianjin",
            delivery_mode="self_pickup",
        )
    ]

    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(6352500, "CNY")))
    [paid] = stand.told()
    assert isinstance(paid, DealDescribed)
    assert (paid.state, paid.quantity) == ("delivering", Quantity(Exact("16.5"), "TNE"))

    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "16480", "16470")
    weighed = stand.deal(deal["id"])["deliveries"][0]
    assert (weighed["state"], weighed["settled"], weighed["gross"]["amount"]) == (
        "weighed", {"value": "16480", "unit": "KGM"}, 6344800,
    )  # fmt: skip
    assert stand.told() == []

    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert (accepted["state"], accepted["is_last"]) == ("accepted", True)
    told, settling = stand.told()
    assert (
        isinstance(told, DeliveryAccepted)
        and told.is_last
        and told.net + told.tax == told.gross == Money(6344800, "CNY")
    )
    assert isinstance(settling, DealDescribed) and settling.state == "settling"

    stand.pay_out(deal["id"], accepted)
    done = stand.deal(deal["id"])
    assert (done["state"], done["due_at"]) == ("completed", None)
    passed, last, completed, described = stand.told()
    sides = {"buyer_id": "buyer", "seller_id": "mill"}
    assert passed == PiecesPassed(deal_id=deal["id"], **sides, piece_ids=ids)
    assert completed == DealCompleted(deal_id=deal["id"], buyer_id="buyer", seller_id="mill", piece_ids=ids)
    assert described.state == "completed"
    assert (last.version, last.taken_piece_ids) == (3, [])
    assert stand.broken() == {}


def test_sold_pieces_are_the_buyers_to_sell_once_the_catalog_says_so_and_never_the_sellers_again(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_1").ok())
    assert stand.deal(deal["id"])["state"] == "completed"

    assert stand.list_offer("piece_A1").problem() == "piece_not_free"
    stand.hear(describe_piece("piece_A1", 2, number="A1", owner_id="mill", net_kg="8251"))
    assert stand.list_offer("piece_A1").problem() == "piece_not_free"
    stand.hear(describe_piece("piece_A1", 3, number="A1", owner_id="buyer"))
    assert stand.list_offer("piece_A1").problem() == "piece_not_yours"
    assert stand.list_offer("piece_A1", party="buyer").ok()["state"] == "listed"
    assert stand.broken() == {}


def test_five_pieces_on_two_trucks_are_settled_truck_by_truck(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2", "A3", "A4", "A5")
    stand.start(deal, "delivery_1", "piece_A1", "piece_A2")
    stand.start(deal, "delivery_2", "piece_A3", "piece_A4", "piece_A5")
    stand.told()
    stand.weigh(deal, "delivery_2", "24750", "24600")
    stand.weigh(deal, "delivery_1", "16500", "16490")
    first = stand.accept(deal["id"], "delivery_2").ok()
    assert (first["settled"]["value"], first["is_last"]) == ("24600", False)
    assert stand.deal(deal["id"])["state"] == "delivering"
    stand.pay_out(deal["id"], first)
    second = stand.accept(deal["id"], "delivery_1").ok()
    assert (second["settled"]["value"], second["is_last"]) == ("16500", True)
    assert [event.is_last for event in stand.told() if isinstance(event, DeliveryAccepted)] == [False, True]
    stand.pay_out(deal["id"], second)
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}


def test_a_truck_that_is_called_off_leaves_its_pieces_to_another(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    nothing = Quantity(Exact("0"), "KGM")
    stand.hear(
        DeliveryStarted(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"], quantity=nothing),
        DeliveryCancelled(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"]),
    )
    stand.start(deal, "delivery_2")
    stand.weigh(deal, "delivery_2", "8250", "8250")
    assert stand.accept(deal["id"], "delivery_2").ok()["is_last"]
    assert [each["state"] for each in stand.deal(deal["id"])["deliveries"]] == ["cancelled", "accepted"]
    assert stand.broken() == {}


def test_a_quantity_is_sold_by_weight_in_steps_and_delivered_in_parts(stand: Stand) -> None:
    offer = stand.list_weight("103", minimum="10", step="5").ok()
    deal = stand.take(offer, quantity={"value": "40000", "unit": "KGM"}).ok()
    assert deal["quantity"] == {"value": "40", "unit": "TNE"}
    assert stand.get(f"/v1/offers/{offer['id']}").ok()["remaining"]["value"] == "63"
    rest = stand.take(offer, party="trader", quantity=tonnes("63")).ok()
    assert rest["state"] == "deposits_pending"

    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    for number, loaded in enumerate(("25000", "15000")):
        stand.start(deal, f"delivery_{number}", kg=loaded)
        stand.weigh(deal, f"delivery_{number}", loaded, loaded)
        accepted = stand.accept(deal["id"], f"delivery_{number}").ok()
        assert accepted["is_last"] == (number == 1)
        stand.pay_out(deal["id"], accepted)
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}


def test_deposits_of_nothing_and_a_price_a_piece_work_too(stand: Stand) -> None:
    terms = {"price": {"value": "31000", "currency": "CNY", "unit": "H87"}, "weighing_rule": "LABEL"}
    deal = stand.make_paid("A1", "A2", **terms, buyer_deposit_percent="0", seller_deposit_percent="0")
    assert (deal["gross"]["amount"], deal["buyer_deposit"]["amount"], deal["seller_deposit"]["amount"]) == (
        6200000,
        0,
        0,
    )
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "16480", "16480")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert accepted["settled"] == {"value": "2", "unit": "H87"}
    assert accepted["gross"] == deal["gross"]
    assert stand.broken() == {}


def test_the_buyer_need_not_accept_when_its_inspection_ends(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8240")
    stand.told()
    assert stand.advance(timedelta(days=3) - timedelta(seconds=1)) == 0
    assert stand.advance(timedelta(seconds=1)) == 1
    assert stand.deal(deal["id"])["deliveries"][0]["state"] == "accepted"
    assert [type(event) for event in stand.told()] == [DeliveryAccepted, DealDescribed]


def test_settlement_is_reminded_until_the_money_has_moved(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.told()
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    first = stand.told()[0]
    assert stand.advance(timedelta(seconds=60)) == 1
    assert stand.told() == [first]
    stand.pay_out(deal["id"], accepted)
    stand.told()
    assert stand.advance(timedelta(days=90)) == 0
    assert stand.told() == []
