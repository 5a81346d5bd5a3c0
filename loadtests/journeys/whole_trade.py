"""The whole trade from upload to payout: four coils on two trucks past the gate, or a weight that wears no tags."""

from __future__ import annotations

import time
from random import Random
from typing import Any

from loadtests.journeys.fair import Fair
from loadtests.journeys.load_trade import LoadTrade

COILS = 4
COIL_KG = range(18_000, 24_000, 5)
TONNES = range(20, 60)
# Less than the tolerance of 3 ‰, so that the seller's weight stands, and more, so that the buyer's does.
LOST_KG, MUCH_LOST_KG = 40, 400


def trade_coils(trade: LoadTrade, fair: Fair, chance: Random) -> None:
    """Named coils on two trucks, with notes, reads at the gate, tickets at both ends, and the mill's tax invoices."""
    coils = trade.coils([chance.choice(COIL_KG) for _ in range(COILS)])
    trade.upload(coils)
    pieces = trade.pieces_of(coils)
    ids = [piece["id"] for piece in pieces]
    offer = trade.list_pieces(ids)
    trade.find(offer["id"], q="热轧 Q355B", seller=trade.mill.party_id, limit=100)
    began = time.perf_counter()
    deal = _agree(trade, trade.strike(offer, piece_ids=ids)["id"])
    trade.open_gate()
    loads = list(zip(coils, pieces, strict=True))
    for load, lost_kg in ((loads[: COILS // 2], LOST_KG), (loads[COILS // 2 :], MUCH_LOST_KG)):
        for _ in trade.deliver(deal, load, lost_kg=lost_kg):
            pass
    for invoice in trade.mill.desk.every("/v1/invoices", deal_id=deal["id"], kind="goods"):
        trade.record_invoice(invoice)
    _cash(trade, deal["id"], began)


def trade_weight(trade: LoadTrade, fair: Fair, chance: Random) -> None:
    """All of an offer by weight; the warehouse says by hand that the truck has left."""
    tonnes = chance.choice(TONNES)
    offer = trade.list_weight(str(tonnes), minimum="5", step="1")
    began = time.perf_counter()
    deal = _agree(trade, trade.strike(offer, quantity={"value": str(tonnes), "unit": "TNE"})["id"])
    trade.open_gate()
    delivery = trade.start_delivery(deal["id"], quantity=deal["quantity"])
    trade.weigh(delivery["id"], "loading", tonnes * 1000)
    trade.depart(delivery["id"])
    trade.weigh(delivery["id"], "receiving", tonnes * 1000 - LOST_KG)
    trade.accept(deal["id"], delivery["id"])
    _cash(trade, deal["id"], began)


def _agree(trade: LoadTrade, deal_id: str) -> dict[str, Any]:
    """Both sign, the buyer pays; the deal, ready to be delivered."""
    trade.sign(deal_id)
    trade.pay(deal_id)
    return trade.wait_for(deal_id, "delivering")


def _cash(trade: LoadTrade, deal_id: str, began: float) -> None:
    """Once the deal is settled, the mill withdraws what it earned by it."""
    trade.wait_for(deal_id, "completed")
    found = trade.until(lambda: trade.mill.desk.get("/v1/statements", deal_id=deal_id)["items"], "the statement")
    trade.pay_out("mill", found[0]["paid"]["amount"] - found[0]["totals"]["fee"]["amount"])
    trade.tell("take to payout", time.perf_counter() - began)
