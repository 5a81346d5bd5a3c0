"""The trade from admission to payout, step by step: five coils on two trucks, the second outside tolerance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadtests.steel.carriage import Carriage
from loadtests.steel.deals import Deals
from loadtests.steel.goods import Coil, Goods
from loadtests.steel.money import Money

WEIGHTS_KG = (21480, 22105, 20960, 21775, 22340)
FIRST_TRUCK = 3
"""How many of the coils go on the first truck; the others go on the second."""


@dataclass
class Step:
    """What one step of the trade came to, for people."""

    name: str
    who: str
    state: str = ""
    money: str = ""
    goods: str = ""


class SteelTrade(Carriage, Deals, Goods, Money):
    """One trade between a mill, a buyer and a warehouse."""

    def play(self, weights_kg: tuple[int, ...] = WEIGHTS_KG) -> Iterator[Step]:
        """The trade from admission to payout, step by step."""
        yield from self.prepare()
        coils = self.coils(list(weights_kg))
        report = self.upload(coils)
        yield Step("coils uploaded", "mill", f"{report['created']} created", goods=f"{sum(weights_kg) / 1000:.3f} t")
        pieces = self.pieces()
        deal = yield from self.make_deal(pieces)
        trucks = list(zip(coils, pieces, strict=True))
        self.open_gate()
        yield from self.deliver(deal, trucks[:FIRST_TRUCK], lost_kg=120)
        yield from self.deliver(deal, trucks[FIRST_TRUCK:], lost_kg=400)
        yield from self.settle_up(deal)

    def prepare(self) -> Iterator[Step]:
        """Companies and their money."""
        self.admit_all()
        yield Step("companies admitted", "operator", "admitted", goods="a mill, a buyer, a warehouse")
        self.top_up("buyer", 60_000_000)
        self.top_up("mill", 10_000_000)
        has = f"buyer {_yuan(self.balance('buyer'))}, mill {_yuan(self.balance('mill'))}"
        yield Step("bank credits", "operator", "matched", has)

    def make_deal(self, pieces: list[dict[str, Any]]) -> Iterator[Step]:
        """Offered, found, taken, signed and paid; returns the deal."""
        offer = self.list_pieces([piece["id"] for piece in pieces])
        yield Step("offer listed", "mill", offer["state"], "3,850.00 CNY/t", f"{len(pieces)} coils")
        hit = self.find(offer["id"], q="热轧 Q355B")
        yield Step("offer found", "buyer", "1 hit", goods=str(hit["title"]))
        deal = self.take(offer, piece_ids=[piece["id"] for piece in pieces])
        yield Step("offer taken", "buyer", deal["state"], _yuan(deal["gross"]["amount"]), f"{len(pieces)} coils")
        deal = self.wait_for(deal["id"], "effective")
        frozen = f"frozen {_yuan(self.balance('buyer', 'frozen'))} + {_yuan(self.balance('mill', 'frozen'))}"
        yield Step("deposits held", "settlement", deal["state"], frozen)
        self.sign(deal["id"])
        deal = self.wait_for(deal["id"], "signed")
        yield Step("agreement signed", "mill, buyer", deal["state"])
        self.pay(deal["id"])
        deal = self.wait_for(deal["id"], "delivering")
        yield Step("escrow paid", "buyer", deal["state"], f"escrow {_yuan(self.balance('buyer', 'escrow'))}")
        return deal

    def deliver(self, deal: dict[str, Any], load: list[tuple[Coil, dict[str, Any]]], *, lost_kg: int) -> Iterator[Step]:
        """One truck: its note, loaded, seen at the gate, weighed at both ends, accepted and settled."""
        note = self.issue_note(deal["id"], piece_ids=[piece["id"] for _, piece in load])
        yield Step("pick-up note issued", "mill", note["state"], goods=f"{len(load)} coils, {note['plate']}")
        delivery = self.load(note)
        loaded = sum(coil.net_kg for coil, _ in load)
        self.weigh(delivery["id"], "loading", loaded)
        yield Step("truck loaded", "warehouse", delivery["state"], goods=f"{loaded:,} kg")
        self.pass_gate([coil.epc for coil, _ in load], ghosts=["3034257BF400000000FFFFFF"])
        left = self.wait_for_delivery(delivery["id"], "departed", "in_transit")
        yield Step("gate passed", "gate", left["state"], goods=f"{len(load)} tags read")
        self.weigh(delivery["id"], "receiving", loaded - lost_kg)
        yield Step("truck received", "buyer", "weighed", goods=f"{loaded - lost_kg:,} kg")
        self.accept(deal["id"], delivery["id"])
        line = self.until(lambda: self.line_of(deal["id"], delivery["id"]), "the delivery to be settled")
        yield Step("delivery settled", "settlement", "paid", _yuan(line["paid"]["amount"]), line["reason"])

    def line_of(self, deal_id: str, delivery_id: str) -> dict[str, Any] | None:
        """The line of a delivery in the settlement statement of its deal."""
        lines = [line for each in self.buyer.desk.every("/v1/statements", deal_id=deal_id) for line in each["lines"]]
        return next((line for line in lines if (line["delivery"] or {}).get("delivery_id") == delivery_id), None)

    def settle_up(self, deal: dict[str, Any]) -> Iterator[Step]:
        """Who got what: the statement, the mill's tax invoices, and its payout."""
        deal = self.wait_for(deal["id"], "completed")
        (statement,) = self.buyer.desk.every("/v1/statements", deal_id=deal["id"])
        totals = {name: money["amount"] for name, money in statement["totals"].items()}
        got = f"mill {_yuan(statement['paid']['amount'] - totals['fee'])}, buyer back {_yuan(totals['returned'])}"
        yield Step("deal settled", "settlement", deal["state"], got, f"platform {_yuan(totals['fee'])}")
        for invoice in self.mill.desk.every("/v1/invoices", deal_id=deal["id"], kind="goods"):
            recorded = self.record_invoice(invoice)
            yield Step("tax invoice recorded", "mill", recorded["state"], _yuan(recorded["gross"]["amount"]))
        payout = self.pay_out("mill", self.balance("mill"))
        yield Step("payout", "mill", payout["state"], _yuan(payout["amount"]["amount"]))


def _yuan(minor: int) -> str:
    return f"¥{Decimal(minor).scaleb(-2):,.2f}"
