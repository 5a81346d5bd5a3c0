"""The steel trade as its people play it: a mill, a buyer and a warehouse, from admission to payout, over the public API alone.

Each step is a function on ``SteelTrade``; ``play`` runs all of them and yields what happened. ``settle`` is how a caller waits for
news to spread: a test's world steps its loops, over HTTP one polls.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from stdnum.cn import uscc

from loadtests.api import Actor, Api, ApiRefused, new_key, session_of, token_of

MARKET = "steel"
CSV_HEAD = "品名,牌号,标准,厚度(mm),宽度(mm),镀层,卷号,炉号,净重(kg),毛重(kg),质保书类型,质保书号,仓库,电子标签\n"


@dataclass(frozen=True)
class Coil:
    """A coil as the mill knows it; weights in kilograms."""

    number: str
    net_kg: int
    grade: str = "Q355B"
    thickness: str = "5.50"
    width: str = "1500"
    heat: str = "H2603-0117"
    epc: str = ""

    def row(self, warehouse_id: str) -> str:
        """Its line of the mill's file."""
        return (
            f"热轧卷板,{self.grade},GB/T 1591,{self.thickness},{self.width},,{self.number},{self.heat},"
            f"{self.net_kg},{self.net_kg + 40},3.1,MTC-{self.heat},{warehouse_id},{self.epc}\n"
        )


@dataclass
class Step:
    """What one step of the trade came to, for people."""

    name: str
    who: str
    state: str = ""
    money: str = ""
    goods: str = ""


@dataclass(frozen=True)
class Periods:
    """How long each waiting state lasts, as ISO 8601 durations; seconds where a test waits for them to end."""

    deposit: str = "PT30M"
    sign: str = "P1D"
    pay: str = "P3D"
    inspect: str = "P3D"
    load: str = "P3D"
    receive: str = "P7D"


def company_code(number: int) -> str:
    """A unified social credit code with right check digits, for sample companies (region 120116 is Tianjin Binhai)."""
    organisation = f"{number:08d}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    check = (11 - sum(int(d) * w for d, w in zip(organisation, weights, strict=True)) % 11) % 11
    body = f"91120116{organisation}{'X' if check == 10 else check}"
    return body + uscc.calc_check_digit(body)


@dataclass
class Company:
    """A company and its people."""

    party_id: str
    name: str
    account_id: str
    account_number: str
    admin: Actor
    desk: Actor
    email: str
    password: str
    reference: str = ""


@dataclass
class SteelTrade:
    """One trade between three companies; ``settle`` lets news spread, ``now`` is the platform's time."""

    api: Api
    operator: Actor
    settle: Callable[[], None] = lambda: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    number: int = 1
    wait_s: float = 30.0
    pause: Callable[[float], None] = time.sleep
    password: str = "sample-Passw0rd-only"
    domain: str = "sample.haihe.example"
    first_pause_s: float = 0.02
    periods: Periods = field(default_factory=Periods)
    companies: dict[str, Company] = field(default_factory=dict)
    known: dict[str, Any] = field(default_factory=dict)

    # Who

    def admit(self, role: str, name: str, **more: Any) -> Company:
        """The operator admits a company (``more``: its group); its first user chooses a password and every role."""
        number = self.number * 10 + len(self.companies) + 1
        email = f"{role}.{self.number}@{self.domain}"
        account = {"holder": name, "number": f"6222{number:012d}", "bank": "Sample Bank of Tianjin", "currency": "CNY"}
        admitted = self.operator.post(
            "/v1/parties",
            {
                "name": name,
                "country": "CN",
                "identifiers": [{"scheme": "uscc", "value": company_code(number)}],
                "bank_accounts": [account],
                "admin": {"email": email, "name": f"{name} desk"},
                **more,
            },
        )
        invitation = admitted["admin"]
        self.api.call(
            "POST", "/v1/passwords", {"token": invitation["invitation"], "password": self.password}, key=new_key()
        )
        admin = self.seat(role, email, admitted["id"])
        roles = ["purchaser", "seller", "signatory", "finance", "warehouse", "admin", "reader"]
        admin.post(f"/v1/users/{invitation['user_id']}/roles", {"roles": roles})
        desk = self.seat(role, email, admitted["id"])
        company = Company(
            admitted["id"],
            name,
            admitted["bank_accounts"][0]["id"],
            account["number"],
            admin,
            desk,
            email,
            self.password,
        )
        self.companies[role] = company
        return company

    def seat(self, role: str, email: str, party_id: str) -> Actor:
        """A user of a company, about to sign in."""
        return Actor(self.api, role, session_of(self.api, email, self.password), party_id)

    def machine(self, name: str, api_key: str) -> Actor:
        """A machine of the warehouse, about to fetch its token."""
        return Actor(self.api, name, token_of(self.api, api_key), self.warehouse.party_id)

    def __getattr__(self, role: str) -> Company:
        """The company of a role: ``trade.mill``, ``trade.buyer``, ``trade.warehouse``."""
        companies = self.__dict__.get("companies", {})
        if role in companies:
            return companies[role]
        raise AttributeError(role)

    def admit_all(self) -> None:
        """A mill, a buyer, and a third party's warehouse."""
        self.admit("mill", f"Bohai Rolling Mill {self.number}")
        self.admit("buyer", f"Tianjin Fabrication {self.number}")
        self.admit("warehouse", f"Xingang Warehouse {self.number}")
        self.settle()

    # Money in

    def top_up(self, role: str, amount: int, *, reference: str = "") -> dict[str, Any]:
        """A bank credit for a company, as the bank reports it; ``amount`` in minor units."""
        company = self.companies[role]
        self.known["credits"] = self.known.get("credits", 0) + 1
        quoted = self.until(lambda: company.desk.get("/v1/accounts").get("reference"), "its reference")
        return self.operator.post(
            "/v1/bank-credits",
            {
                "bank_reference": reference or f"BK{self.number:08d}-{self.known['credits']:04d}",
                "value_date": self.now().date().isoformat(),
                "payer_account": company.account_number,
                "payer_name": company.name,
                "amount": {"amount": amount, "currency": "CNY"},
                "remittance": f"top-up {quoted}",
            },
        )

    def balance(self, role: str, kind: str = "available") -> int:
        """What a company has, in minor units."""
        accounts = self.companies[role].desk.get("/v1/accounts")["items"]
        return sum(each["balance"]["amount"] for each in accounts if each["kind"] == kind)

    def balances(self) -> dict[str, int]:
        """Available money of all companies."""
        return {role: self.balance(role) for role in self.companies}

    # Goods and offer

    def coils(self, weights_kg: list[int]) -> list[Coil]:
        """Coils of these net weights, each with a tag (SGTIN-96) of its own."""
        return [
            Coil(f"C{self.number:05d}-{index:02d}", weight, epc=f"3034257BF4{self.number:06X}{index:08X}")
            for index, weight in enumerate(weights_kg, 1)
        ]

    def upload(self, coils: list[Coil]) -> dict[str, Any]:
        """The mill sends its file, again while the catalog has not heard of the warehouse yet; what is there stays."""
        text = CSV_HEAD + "".join(coil.row(self.warehouse.party_id) for coil in coils)

        def send() -> dict[str, Any] | None:
            path = f"/v1/pieces/imports?market={MARKET}"
            report = self.mill.desk.post(path, text.encode(), content_type="text/csv; charset=utf-8")
            return None if report["errors"] else report

        report = self.until(send, "a file without errors")
        self.settle()
        return report

    def pieces(self) -> list[dict[str, Any]]:
        """The mill's pieces, in the order of their numbers."""
        return sorted(self.mill.desk.every("/v1/pieces"), key=lambda piece: piece["number"])

    def terms(self, **changed: Any) -> dict[str, Any]:
        """The terms of an offer; ``changed`` overrides any of them."""
        terms = {
            "price": {"value": "3850.00", "currency": "CNY", "unit": "TNE"},
            "tax_basis": "tax_included",
            "tax_rate": "0.13",
            "buyer_deposit_percent": "10",
            "seller_deposit_percent": "5",
            "weighing_rule": "WITHIN_TOL_SELLER_ELSE_BUYER",
            "tolerance": "0.003",
            "place": "天津新港 Tianjin Xingang",
            "delivery_mode": "self_pickup",
            "deliver_by": (self.now() + timedelta(days=20)).isoformat(),
            "valid_until": (self.now() + timedelta(days=3)).isoformat(),
            "periods": {name: getattr(self.periods, name) for name in Periods.__dataclass_fields__},
        }
        return terms | changed

    def list_pieces(self, piece_ids: list[str], **changed: Any) -> dict[str, Any]:
        """The mill offers named pieces."""
        body = {
            "market": MARKET,
            "piece_ids": piece_ids,
            "title": "热轧卷板 HR coil Q355B",
            "terms": self.terms(**changed),
        }
        offer = self.until(lambda: self.mill.desk.post("/v1/offers", body), "its pieces on offer")
        self.settle()
        return offer

    def list_weight(self, tonnes: str, *, minimum: str, step: str, **changed: Any) -> dict[str, Any]:
        """The mill offers by weight, in tonnes."""
        body = {
            "market": MARKET,
            "quantity": _tonnes(tonnes),
            "minimum": _tonnes(minimum),
            "step": _tonnes(step),
            "warehouse_id": self.warehouse.party_id,
            "title": "螺纹钢 rebar HRB400E",
            "terms": self.terms(**changed),
        }
        offer = self.until(lambda: self.mill.desk.post("/v1/offers", body), "its weight on offer")
        self.settle()
        return offer

    def find(self, offer_id: str, **query: Any) -> dict[str, Any]:
        """The buyer finds an offer by searching."""
        return self.until(
            lambda: next(
                (hit for hit in self.buyer.desk.get("/v1/search", **query)["items"] if hit["offer_id"] == offer_id),
                None,
            ),
            "the offer among the hits",
        )

    # Deal

    def take(self, offer: dict[str, Any], **what: Any) -> dict[str, Any]:
        """The buyer takes from an offer at the version it has seen."""
        return self.until(
            lambda: self.buyer.desk.post(f"/v1/offers/{offer['id']}/takes", {"version": offer["version"], **what}),
            "the take",
        )

    def deal(self, deal_id: str, role: str = "buyer") -> dict[str, Any]:
        """A deal as a company sees it."""
        return self.companies[role].desk.get(f"/v1/deals/{deal_id}")

    def wait_for(self, deal_id: str, *states: str) -> dict[str, Any]:
        """The deal, once it is in one of some states."""

        def look() -> dict[str, Any] | None:
            deal = self.deal(deal_id)
            return deal if deal["state"] in states else None

        return self.until(look, f"deal {deal_id} to be {' or '.join(states)}")

    def sign(self, deal_id: str, *roles: str) -> dict[str, Any]:
        """Signatories sign what they have read."""
        for role in roles or ("mill", "buyer"):
            desk = self.companies[role].desk
            agreement = self.until(lambda desk=desk: desk.get(f"/v1/agreements/{deal_id}"), "the agreement")
            signed = desk.post(f"/v1/agreements/{deal_id}/sign", {"sha256": agreement["sha256"]})
        self.settle()
        return signed

    def pay(self, deal_id: str) -> dict[str, Any]:
        """The buyer pays into escrow."""
        paid = self.until(lambda: self.buyer.desk.post(f"/v1/escrows/{deal_id}/pay"), "the escrow to be open")
        self.settle()
        return paid

    # Goods out

    def open_gate(self) -> tuple[dict[str, Any], Actor]:
        """The warehouse sets up its gate and the key of the gate's reader."""
        gate = self.warehouse.desk.post(
            "/v1/gates", {"name": "South gate", "place": "天津新港 Tianjin Xingang", "closing_ms": 1000}
        )
        body = {"name": "South gate reader", "roles": ["warehouse"], "device": gate["id"]}
        key = self.until(lambda: self.warehouse.desk.post("/v1/api-keys", body), "the reader's key")
        reader = self.machine("gate", key["api_key"])
        self.known |= {"gate": gate, "reader": reader, "sequence": 0}
        return gate, reader

    def start_delivery(self, deal_id: str, **what: Any) -> dict[str, Any]:
        """The warehouse sets up a truck for pieces or a quantity of a deal."""
        body = {
            "deal_id": deal_id,
            "gate_id": self.known["gate"]["id"],
            "plate": "津A·12345",
            "driver": "Li Wei",
            **what,
        }
        delivery = self.until(lambda: self.warehouse.desk.post("/v1/deliveries", body), "the delivery to start")
        self.settle()
        return delivery

    def depart(self, delivery_id: str) -> dict[str, Any]:
        """The warehouse says by hand that a truck whose load wears no tags has left."""
        path, reason = f"/v1/deliveries/{delivery_id}/depart", {"reason": "the load wears no tags"}
        left = self.until(lambda: self.warehouse.desk.post(path, reason), "the truck to leave")
        self.settle()
        return left

    def pass_gate(self, epcs: list[str], *, ghosts: list[str] = (), times: int = 4) -> None:
        """The gate reads the truck's tags several times over; ghosts are read once and weakly."""
        reads, at = [], self.now()
        for _ in range(times):
            for epc in epcs:
                reads.append(self._read(epc, -48, at))
        reads += [self._read(epc, -79, at) for epc in ghosts]
        path = f"/v1/gates/{self.known['gate']['id']}/reads"
        self.known["reader"].post(path, {"reads": reads}, key="")
        self.known["reader"].post(path, {"reads": reads[: len(reads) // 2]}, key="")  # the reader sends some again
        self.settle()

    def _read(self, epc: str, rssi_dbm: int, at: datetime) -> dict[str, Any]:
        self.known["sequence"] += 1
        return {
            "sequence": self.known["sequence"],
            "epc": epc,
            "antenna": 1,
            "rssi_dbm": rssi_dbm,
            "at": at.isoformat(),
        }

    def weigh(self, delivery_id: str, end: str, net_kg: int | str, *, role: str = "") -> dict[str, Any]:
        """A weigh ticket at one end; the net weight in kilograms."""
        tare = Decimal(15000)
        body = {
            "end": end,
            "scale": f"{end}-scale-1",
            "plate": "津A·12345",
            "gross": _kilograms(Decimal(net_kg) + tare),
            "tare": _kilograms(tare),
            "net": _kilograms(Decimal(net_kg)),
            "weighed_at": self.now().isoformat(),
        }
        desk = self.companies[role or ("warehouse" if end == "loading" else "buyer")].desk
        ticket = self.until(lambda: desk.post(f"/v1/deliveries/{delivery_id}/tickets", body), "the ticket")
        self.settle()
        return ticket

    def wait_for_delivery(self, delivery_id: str, *states: str) -> dict[str, Any]:
        """The delivery, once it is in one of some states."""

        def look() -> dict[str, Any] | None:
            delivery = self.buyer.desk.get(f"/v1/deliveries/{delivery_id}")
            return delivery if delivery["state"] in states else None

        return self.until(look, f"delivery {delivery_id} to be {' or '.join(states)}")

    def accept(self, deal_id: str, delivery_id: str) -> dict[str, Any]:
        """The buyer accepts a weighed delivery."""
        path = f"/v1/deals/{deal_id}/deliveries/{delivery_id}/accept"
        accepted = self.until(lambda: self.buyer.desk.post(path), "the delivery to be acceptable")
        self.settle()
        return accepted

    # Money out

    def pay_out(self, role: str, amount: int) -> dict[str, Any]:
        """A company withdraws to its registered account, and the bank does it."""
        company = self.companies[role]
        body = {"amount": {"amount": amount, "currency": "CNY"}, "bank_account_id": company.account_id}
        payout = self.until(lambda: company.desk.post("/v1/payouts", body), "the payout")
        self.operator.post(f"/v1/payouts/{payout['id']}/send", {"bank_reference": f"OUT-{payout['id'][-8:]}"})
        return self.operator.post(f"/v1/payouts/{payout['id']}/confirm")

    # The whole

    def until(self, ask: Callable[[], Any], what: str) -> Any:
        """What ``ask`` answers once it answers something: a 503, something unheard of or a lost secret is asked again."""
        deadline, pause_s = time.monotonic() + self.wait_s, self.first_pause_s
        while True:
            try:
                if answer := ask():
                    return answer
                problem = "nothing yet"
            except ApiRefused as refused:
                if refused.status not in (503, 404) and refused.problem not in ("illegal_move", "answer_not_kept"):
                    raise
                problem = str(refused)
            if time.monotonic() > deadline:
                raise TimeoutError(f"waited {self.wait_s:g} s for {what}: {problem}")
            self.settle()
            self.pause(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)

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


def _tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "TNE"}


def _kilograms(value: Decimal) -> dict[str, str]:
    return {"value": f"{value:f}", "unit": "KGM"}


def _yuan(minor: int) -> str:
    return f"¥{Decimal(minor).scaleb(-2):,.2f}"
