"""A town of companies that trade with each other day after day: each test makes its own deals on one world.

Deals are brought to a stage by the public API alone; ``Books`` says what a test moved, over all accounts there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from loadtests.api import Actor, ApiRefused
from loadtests.steel import Coil, Company, SteelTrade, company_code
from tests.world import World

RICH = 10**11


@dataclass
class Town(SteelTrade):
    """Companies, their coils and their deals; the roles ``mill``, ``buyer`` and ``warehouse`` may be played by others."""

    world: World | None = None
    everybody: dict[str, Company] = field(default_factory=dict)

    def played_by(self, **roles: str) -> Town:
        """The same town, where other companies play some roles."""
        cast = {role: self.everybody[name] for role, name in roles.items()}
        return replace(self, companies=self.companies | cast)

    def settle_in(self) -> None:
        """Three rich companies with a gate, and some who lack something."""
        self.admit_all()
        self.admit("pauper", "Empty Pockets Trading")
        self.admit("lean", "Lean Rolling Mill")
        self.everybody = self.companies
        for role in self.everybody:
            self.hand_out_tokens(role)
        self.settle()
        for role in ("mill", "buyer"):
            self.top_up(role, RICH)
        self.open_gate()
        self.settle()

    def hand_out_tokens(self, role: str) -> None:
        """Give a desk its tokens without asking for its password each time: that is what passwords cost most."""
        company = self.everybody[role]
        roles = ("purchaser", "seller", "signatory", "finance", "warehouse", "admin", "reader")
        company.desk.sign_in = lambda: self.world.token(*roles, party_id=company.party_id, user_id=f"user_{role}")

    def admit_many(self, count: int, *, amount: int) -> list[str]:
        """Companies that only buy, each with so much money; their ids."""
        party_ids = []
        for number in range(count):
            account = {"holder": f"Crowd {number}", "number": f"6333{number:012d}", "bank": "Sample", "currency": "CNY"}
            body = {
                "name": f"Crowd {number}",
                "country": "CN",
                "identifiers": [{"scheme": "uscc", "value": company_code(5_000 + number)}],
                "bank_accounts": [account],
                "admin": {"email": f"crowd.{number}@sample.haihe.example", "name": "Crowd"},
            }
            party_ids.append(self.operator.post("/v1/parties", body)["id"])
        self.settle()
        for number, party_id in enumerate(party_ids):
            token = self.world.token("finance", party_id=party_id)
            credit = {
                "bank_reference": f"CROWD-{number}",
                "value_date": self.now().date().isoformat(),
                "payer_account": f"6333{number:012d}",
                "payer_name": f"Crowd {number}",
                "amount": {"amount": amount, "currency": "CNY"},
                "remittance": self.world.client(token).get("/v1/accounts").ok()["reference"],
            }
            assert self.operator.post("/v1/bank-credits", credit)["state"] == "credited"
        return party_ids

    # Goods

    def make_coils(self, *weights_kg: int) -> list[dict[str, Any]]:
        """New coils of the mill, in the order of their weights."""
        first = self.known.get("coils", 0) + 1
        self.known["coils"] = first + len(weights_kg)
        made = [Coil(f"T{n:06d}", kg, epc=f"3034257BF4{n:014X}") for n, kg in enumerate(weights_kg, first)]
        self.upload(made)
        numbers = {coil.number for coil in made}
        return sorted((p for p in self.mill.desk.every("/v1/pieces") if p["number"] in numbers), key=by_number)

    def offer_coils(self, *weights_kg: int, **terms: Any) -> dict[str, Any]:
        """An offer of new coils."""
        return self.list_pieces([coil["id"] for coil in self.make_coils(*weights_kg)], **terms)

    def periods_of(self, **periods: str) -> dict[str, str]:
        """The town's periods with some changed, for the terms of an offer."""
        return {name: getattr(self.periods, name) for name in self.periods.__dataclass_fields__} | periods

    # A deal at each stage

    def strike(self, *weights_kg: int, **terms: Any) -> dict[str, Any]:
        """A deal over all coils of a new offer, before anybody has heard of it."""
        offer = self.offer_coils(*(weights_kg or (20_000,)), **terms)
        return self.take(offer, piece_ids=offer_pieces(offer))

    def make_effective(self, *weights_kg: int, **terms: Any) -> dict[str, Any]:
        """A deal whose deposits are held."""
        return self.wait_for(self.strike(*weights_kg, **terms)["id"], "effective")

    def make_signed(self, *weights_kg: int, **terms: Any) -> dict[str, Any]:
        """A deal that both have signed and whose escrow is open."""
        deal = self.make_effective(*weights_kg, **terms)
        self.sign(deal["id"])
        self.until(lambda: self.buyer.desk.get(f"/v1/escrows/{deal['id']}"), "the escrow to be open")
        return self.wait_for(deal["id"], "signed")

    def make_paid(self, *weights_kg: int, **terms: Any) -> dict[str, Any]:
        """A deal that is to be delivered."""
        deal = self.make_signed(*weights_kg, **terms)
        self.pay(deal["id"])
        return self.wait_for(deal["id"], "delivering")

    def load_truck(self, deal: dict[str, Any], *piece_ids: str) -> dict[str, Any]:
        """A truck for coils of a deal (all of them unless some are named), weighed at the loading end."""
        chosen = list(piece_ids) or [piece["piece_id"] for piece in deal["pieces"]]
        delivery = self.start_delivery(deal["id"], piece_ids=chosen)
        self.weigh(delivery["id"], "loading", self.weight_of(deal, chosen))
        return delivery

    def make_weighed(self, *weights_kg: int, **terms: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """A deal whose one truck has left and was weighed at its end: both weigh the same."""
        deal = self.make_paid(*weights_kg, **terms)
        delivery = self.load_truck(deal)
        self.leave(delivery["id"])
        self.weigh(delivery["id"], "receiving", self.weight_of(deal, [p["piece_id"] for p in deal["pieces"]]))
        return self.deal(deal["id"]), delivery

    def leave(self, delivery_id: str, reason: str = "the tags are dead") -> dict[str, Any]:
        """The warehouse says by hand that a truck has left."""
        left = self.warehouse.desk.post(f"/v1/deliveries/{delivery_id}/depart", {"reason": reason})
        self.settle()
        return left

    def weight_of(self, deal: dict[str, Any], piece_ids: list[str]) -> int:
        """What coils of a deal weigh, in kilograms."""
        tonnes = [Decimal(piece["net"]["value"]) for piece in deal["pieces"] if piece["piece_id"] in piece_ids]
        return int(sum(tonnes) * 1000)

    # Time and books

    def let_pass(self, **time: float) -> None:
        """Let time pass and do what is due."""
        self.world.advance(timedelta(**time))
        self.settle()

    def balances_of_all(self) -> dict[str, int]:
        """Every account of the platform and of its companies."""
        names = {company.party_id: role for role, company in self.everybody.items()}
        accounts = self.operator.every("/v1/accounts")
        return {
            f"{names.get(each['owner_id'], each['owner_id'])} {each['kind']}": each["balance"]["amount"]
            for each in accounts
        }

    @contextmanager
    def moves(self, **expected: int) -> Iterator[None]:
        """Within the block money moved on these accounts (``mill_available``, ``platform_fee``) by as much, on no other."""
        before = self.balances_of_all()
        yield
        after = self.balances_of_all()
        moved = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        assert moved == {name.replace("_", " ", 1): amount for name, amount in expected.items() if amount}
        assert self.world.broken() == {}

    @contextmanager
    def refuses(self, status: int, problem: str) -> Iterator[dict[str, Any]]:
        """Within the block a call is refused with a problem; nothing has changed in any database. Holds the problem's body."""
        before, body = self.world.contents(), {}
        with pytest.raises(ApiRefused) as caught:
            yield body
        assert (caught.value.status, caught.value.problem) == (status, problem), caught.value
        body.update(caught.value.body)
        assert self.world.contents() == before

    def desk_of(self, role: str, *roles: str) -> Actor:
        """A user of a company who has only these roles."""
        party_id = self.everybody[role].party_id
        token = self.world.token(*roles, party_id=party_id, user_id=f"user_{role}")
        return Actor(self.api, role, lambda: token, party_id)


def by_number(piece: dict[str, Any]) -> str:
    """The order in which a mill counts its coils."""
    return piece["number"]


def offer_pieces(offer: dict[str, Any]) -> list[str]:
    """The free pieces of an offer."""
    return [piece["piece_id"] for piece in offer["pieces"]]


@contextmanager
def unheard(town: Town, *topics: str) -> Iterator[None]:
    """Within the block nobody hears what these topics say."""
    for topic in topics:
        town.world.broker.hold_back(topic)
    yield
    for topic in topics:
        town.world.broker.release(topic)
    town.settle()


def end_of(town: Town, deal_id: str) -> tuple[str, str | None]:
    """Where a deal ended and why, after all waits are over; nothing is set aside anywhere."""
    for _ in range(40):
        deal = town.deal(deal_id)
        if deal["state"] in ("completed", "cancelled", "defaulted"):
            break
        town.let_pass(days=2)
    town.let_pass(minutes=11)
    for service in town.world.services:
        assert town.world.sql(service, "SELECT * FROM parked_key") == [], service
    deal = town.deal(deal_id)
    return deal["state"], deal["reason"]
