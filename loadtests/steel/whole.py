"""The trade from admission to payout, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadtests.steel.carriage import Carriage
from loadtests.steel.deals import Deals
from loadtests.steel.goods import Coil, Goods
from loadtests.steel.money import Money


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

    def play(self, weights_kg: tuple[int, ...] = (21480, 22105, 20960, 21775, 22340)) -> Iterator[Step]:
        """The trade from admission to payout, step by step."""
        self.admit_all()
        yield Step("companies admitted", "operator", "admitted", goods="a mill, a buyer, a warehouse")
        self.top_up("buyer", 60_000_000)
        self.top_up("mill", 10_000_000)
        yield Step(
            "bank credits",
            "operator",
            "matched",
            f"buyer {_yuan(self.balance('buyer'))}, mill {_yuan(self.balance('mill'))}",
        )
        coils = self.coils(list(weights_kg))
        report = self.upload(coils)
        yield Step("coils uploaded", "mill", f"{report['created']} created", goods=f"{sum(weights_kg) / 1000:.3f} t")
        pieces = self.pieces()
        offer = self.list_pieces([piece["id"] for piece in pieces])
        yield Step("offer listed", "mill", offer["state"], "3,850.00 CNY/t", f"{len(pieces)} coils")
        hit = self.find(offer["id"], q="热轧 Q355B")
        yield Step("offer found", "buyer", "1 hit", goods=str(hit["title"]))
        deal = self.take(offer, piece_ids=[piece["id"] for piece in pieces])
        yield Step("offer taken", "buyer", deal["state"], _yuan(deal["gross"]["amount"]), f"{len(pieces)} coils")
        deal = self.wait_for(deal["id"], "effective")
        yield Step(
            "deposits held",
            "settlement",
            deal["state"],
            f"frozen {_yuan(self.balance('buyer', 'frozen'))} + {_yuan(self.balance('mill', 'frozen'))}",
        )
        self.sign(deal["id"])
        deal = self.wait_for(deal["id"], "signed")
        yield Step("agreement signed", "mill, buyer", deal["state"])
        self.pay(deal["id"])
        deal = self.wait_for(deal["id"], "delivering")
        yield Step("escrow paid", "buyer", deal["state"], f"escrow {_yuan(self.balance('buyer', 'escrow'))}")
        yield from self.deliver(deal, coils, pieces)
        deal = self.wait_for(deal["id"], "completed")
        statement = self.until(lambda: self.buyer.desk.every("/v1/statements"), "the statement")[0]
        yield Step(
            "deal settled",
            "settlement",
            deal["state"],
            f"mill {_yuan(self.balance('mill'))}, buyer {_yuan(self.balance('buyer'))}",
            f"statement {statement['id'][-6:]}",
        )
        payout = self.pay_out("mill", self.balance("mill"))
        yield Step("payout", "mill", payout["state"], _yuan(payout["amount"]["amount"]))

    def deliver(self, deal: dict[str, Any], coils: list[Coil], pieces: list[dict[str, Any]]) -> Iterator[Step]:
        """One truck: loaded, seen at the gate, weighed at both ends, accepted."""
        self.open_gate()
        delivery = self.start_delivery(deal["id"], piece_ids=[piece["id"] for piece in pieces])
        loaded = sum(coil.net_kg for coil in coils)
        self.weigh(delivery["id"], "loading", loaded)
        yield Step("truck loaded", "warehouse", delivery["state"], goods=f"{loaded:,} kg")
        self.pass_gate([coil.epc for coil in coils], ghosts=["3034257BF400000000FFFFFF"])
        left = self.wait_for_delivery(delivery["id"], "departed", "in_transit")
        yield Step("gate passed", "gate", left["state"], goods=f"{len(coils)} tags read")
        received = loaded - 120
        self.weigh(delivery["id"], "receiving", received)
        yield Step("truck received", "buyer", "weighed", goods=f"{received:,} kg")
        self.accept(deal["id"], delivery["id"])
        yield Step("delivery accepted", "buyer", "accepted", goods="seller's weight stands (3 ‰)")


def _yuan(minor: int) -> str:
    return f"¥{Decimal(minor).scaleb(-2):,.2f}"
