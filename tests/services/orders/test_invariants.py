"""Each invariant names what breaks it: its violation is planted past every rule."""

from __future__ import annotations

import pytest

from chassis.values import Money
from events.settlement import DepositsHeld, EscrowFunded
from services.orders import SERVICE
from tests.services.orders.conftest import Stand

PLANTS = {
    "offer_sums": "UPDATE offer SET listed_value = listed_value + 1 WHERE id = :offer",
    "offer_never_oversold": "UPDATE offer SET state = 'taken', due_at = NULL WHERE id = :offer",
    "offer_pieces": "UPDATE allotment SET net_value = net_value + 1 WHERE offer_id = :offer AND deal_id IS NULL",
    "piece_once": "UPDATE allotment SET deal_id = :other WHERE deal_id = :deal",
    "promise_has_deal": "UPDATE allotment SET passes_to = 'trader' WHERE deal_id = :deal",
    "deal_pieces": "UPDATE deal SET pieces = jsonb_set(pieces, '{0,net,value}', '\"9\"') WHERE id = :deal",
    "deal_amounts": "UPDATE deal SET net_amount = net_amount + 1, gross_amount = gross_amount + 1 WHERE id = :deal",
    "deal_end": "UPDATE deal SET forfeit_amount = 1, forfeit_currency = 'CNY' WHERE id = :deal",
    "deal_deadline": "UPDATE deal SET due_at = NULL WHERE id = :deal",
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
    ids = stand.make_coils("A1", "A2", "A3")
    offer = stand.list_offer(*ids).ok()
    deal, other = stand.take(offer, ids[0]).ok(), stand.take(offer, ids[1]).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    assert stand.broken() == {}
    stand.plant(PLANTS[name], offer=offer["id"], deal=deal["id"], other=other["id"])
    known = {offer["id"], deal["id"], other["id"], "delivery_1", *ids}
    broken = stand.broken()
    assert name in broken
    assert broken[name] and set(broken[name]) <= known
