"""Each invariant names what breaks it: its violation is planted past every rule."""

from __future__ import annotations

import pytest

from events.settlement import DepositsHeld, PaymentMissed
from services.orders import SERVICE
from tests.services.orders.conftest import Stand

PLANTS = {
    "offer_sums": "UPDATE offer SET listed_value = listed_value + 1 WHERE id = :offer",
    "offer_never_oversold": "UPDATE offer SET state = 'taken', due_at = NULL WHERE id = :offer",
    "offer_pieces": "UPDATE allotment SET net_value = net_value + 1 WHERE offer_id = :offer AND deal_id IS NULL",
    "offer_audience": "UPDATE offer SET audience = '{trader}' WHERE id = :offer",
    "offer_product": "UPDATE offer SET product_id = 'product_1' WHERE id = :offer",
    "piece_once": "UPDATE allotment SET deal_id = :other WHERE deal_id = :deal",
    "promise_has_deal": "UPDATE allotment SET passes_to = 'trader' WHERE deal_id = :deal",
    "deal_pieces": "UPDATE deal SET pieces = jsonb_set(pieces, '{0,net,value}', '\"9\"') WHERE id = :deal",
    "deal_amounts": "UPDATE deal SET net_amount = net_amount + 1, gross_amount = gross_amount + 1 WHERE id = :deal",
    "deal_end": "UPDATE deal SET forfeit_amount = 1, forfeit_currency = 'CNY' WHERE id = :deal",
    "deal_deadline": "UPDATE deal SET due_at = NULL WHERE id = :deal",
    "deal_paid": "UPDATE deal SET funded_amount = funded_amount - 1 WHERE id = :deal",
    "deal_recall": "UPDATE deal SET recalled = '{}' WHERE id = :deal",
    "part_once": 'UPDATE delivery SET piece_ids = \'["piece_A1", "piece_A1"]\' WHERE deal_id = :deal',
    "part_value": "UPDATE deal SET pieces = jsonb_set(pieces, '{0,gross,amount}', '9') WHERE id = :deal",
    "parts_add_up": "UPDATE ended_part SET value_amount = value_amount + 1 WHERE deal_id = :deal",
    "delivery_lines": "UPDATE delivery_line SET gross_amount = gross_amount + 1",
    "delivery_amounts": "UPDATE delivery SET tax_amount = tax_amount + 1 WHERE deal_id = :deal",
    "delivery_pieces": "UPDATE delivery SET piece_ids = '[\"piece_of_nobody\"]' WHERE deal_id = :deal",
    "deliveries_cover": "UPDATE deal SET state = 'settling' WHERE id = :deal",
    "agreement_text": "UPDATE agreement SET body = body || ' ' WHERE id = :deal",
    "agreement_signed": "UPDATE agreement SET state = 'drawn' WHERE id = :deal",
}


def test_each_invariant_is_planted_here() -> None:
    assert {invariant.name for invariant in SERVICE.invariants} == set(PLANTS)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_violation_is_named(stand: Stand, name: str) -> None:
    ids = stand.make_coils("A1", "A2", "A3", "A4")
    offer = stand.list_offer(*ids).ok()
    deal, other = stand.take(offer, *ids[:2]).ok(), stand.take(offer, ids[2]).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    stand.pay(deal, ids[0])
    stand.start(deal, "delivery_1", ids[0])
    stand.weigh(deal, "delivery_1", "8250", "8250")
    if name in ("parts_add_up", "delivery_lines"):
        stand.accept(deal["id"], "delivery_1").ok()
        stand.hear(PaymentMissed(deal_id=deal["id"]))
    elif name == "deal_paid":
        stand.pay(deal, ids[1])
    assert stand.broken() == {}
    stand.plant(PLANTS[name], offer=offer["id"], deal=deal["id"], other=other["id"])
    known = {offer["id"], deal["id"], other["id"], "delivery_1", *ids}
    broken = stand.broken()
    assert name in broken
    assert broken[name] and set(broken[name]) <= known
