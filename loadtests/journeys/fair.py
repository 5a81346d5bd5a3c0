"""The companies that the users of one load generator trade as, made over the public API when they are first needed.

There are some mills and one warehouse for all, buyers that users share when they are many, and a few popular offers
whose takers never sign: their coils come back after seconds, so that there is always something to fight for.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from loadtests.api import Actor, Api, ApiRefused, KeptToken, SharingActor, keep_key, keep_session
from loadtests.journeys.refusals import NUMBER_IS_TAKEN
from loadtests.steel import Coil, Company, Periods, SteelTrade

DOMAIN = "load.haihe.example"
MILLS = 2
MOST_BUYERS = 20
# Enough for days of trading: nobody is to be refused for want of money.
MONEY = 10**13
POPULAR_COILS = 30
POPULAR_TONNES = "120"
# What is taken and never signed comes back after this time.
POPULAR_PERIODS = Periods(sign="PT4S")
MOST_TRIES = 5


def new_number() -> int:
    """A number for companies and coils that no other process, machine or run is likely to use."""
    return 1 + secrets.randbelow(9_999_999)


@dataclass
class Account:
    """What a fair has done so far: its companies, what they paid in (minor units), takes that were answered with a
    deal, and the platform's time when it began.
    """

    parties: list[str] = field(default_factory=list)
    mills: list[str] = field(default_factory=list)
    paid_in: int = 0
    takes: int = 0
    began: str = ""


class CameToNothing(Exception):
    """A deal ended in another way than its people meant it to."""


@dataclass
class LoadTrade(SteelTrade):
    """A trade whose companies are shared with other users; its tokens are kept and its gate is set up once.

    ``tell`` is told how long what people wait for took, in seconds.
    """

    domain: str = DOMAIN
    first_pause_s: float = 0.1
    tell: Callable[[str, float], None] = lambda name, seconds: None
    account: Account = field(default_factory=Account)

    def seat(self, role: str, email: str, party_id: str) -> Actor:
        """A user of a company, whose token many use."""
        return SharingActor(self.api, role, keep_session(email, self.password), party_id)

    def machine(self, name: str, api_key: str) -> Actor:
        """A machine of the warehouse, whose token is renewed in time."""
        return SharingActor(self.api, name, keep_key(api_key), self.warehouse.party_id)

    def coils(self, weights_kg: list[int]) -> list[Coil]:
        """Fresh coils, with numbers and tags that no earlier run has used."""
        self.number = new_number()
        tags = [f"3034257BF4{self.number:06X}{secrets.randbits(32):08X}" for _ in weights_kg]
        numbers = [f"C{self.number:07d}-{index:02d}" for index, _ in enumerate(weights_kg, 1)]
        return [Coil(number, kg, epc=tag) for number, kg, tag in zip(numbers, weights_kg, tags, strict=True)]

    def pieces_of(self, coils: list[Coil]) -> list[dict[str, Any]]:
        """What became of fresh coils of the mill, in their order."""
        numbers = {coil.number for coil in coils}

        def look() -> list[dict[str, Any]] | None:
            newest = self.mill.desk.get("/v1/pieces", held_as="owner", limit=100)["items"]
            mine = [piece for piece in newest if piece["number"] in numbers]
            return mine if len(mine) == len(numbers) else None

        return sorted(self.until(look, "its pieces"), key=lambda piece: piece["number"])

    def strike(self, offer: dict[str, Any], **what: Any) -> dict[str, Any]:
        """Takes from an offer and waits until both deposits are held; the deal. Raises CameToNothing."""
        began = time.perf_counter()
        taken = self.take(offer, **what)
        self.account.takes += 1
        deal = self.wait_for(taken["id"], "effective", "cancelled")
        if deal["state"] == "cancelled" and deal["reason"] != "not_signed":
            raise CameToNothing(f"deal {deal['id']}: {deal['reason']}")
        self.tell("take to effective", time.perf_counter() - began)
        return deal

    def open_gate(self) -> tuple[dict[str, Any], Actor]:
        """The gate of this user, set up on first use: one truck passes at a time."""
        return (self.known["gate"], self.known["reader"]) if "gate" in self.known else super().open_gate()

    def await_money(self, role: str, amount: int) -> None:
        """Until a company's top-up has arrived on its balance."""
        self.until(lambda: self.balance(role) >= amount, f"the money of {self.companies[role].name}")


class Fair:
    """The companies and popular offers of one process; ``enter`` is how a user comes to them.

    ``pause`` and ``now`` are the waiting and the time of whoever uses it; a test's world brings its own.
    """

    def __init__(
        self,
        operator: KeptToken,
        *,
        settle: Callable[[], None] = lambda: None,
        pause: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
        most_buyers: int = MOST_BUYERS,
    ) -> None:
        self.account = Account()
        self.coil_offers: list[str] = []
        self.weight_offers: list[str] = []
        self._operator = operator
        self._options: dict[str, Any] = {"settle": settle, "pause": pause, "wait_s": 30.0} | (
            {"now": now} if now else {}
        )
        self._password = secrets.token_urlsafe(12)
        self._most_buyers = most_buyers
        self._mills: list[Company] = []
        self._buyers: list[Company] = []
        self._warehouse: Company | None = None
        self._begun = 0
        self._turn = itertools.count()
        self._opening = threading.Lock()

    def enter(self, api: Api) -> LoadTrade:
        """A trade for one user over its own connection; the first one opens the fair."""
        with self._opening:
            if not self.weight_offers:
                self._open(api)
        turn = next(self._turn)
        trade = self._trade(api, mill=self._mills[turn % MILLS], warehouse=self._warehouse)
        trade.companies["buyer"] = _over(self._find_buyer(api, trade, turn), api)
        return trade

    def _open(self, api: Api) -> None:
        if self._warehouse is None:
            self._warehouse = self._admit(api, "warehouse", "Load Warehouse")
        while len(self._mills) < MILLS:
            self._mills.append(self._admit(api, "mill", "Load Mill", money=MONEY))
        trade = self._trade(api, mill=self._mills[0], warehouse=self._warehouse)
        coils = trade.coils([21_000 + 10 * n for n in range(POPULAR_COILS)])
        trade.upload(coils)
        trade.periods = POPULAR_PERIODS
        offered = trade.list_pieces([piece["id"] for piece in trade.pieces_of(coils)])
        self.coil_offers.append(offered["id"])
        self.weight_offers.append(trade.list_weight(POPULAR_TONNES, minimum="5", step="1")["id"])

    def _find_buyer(self, api: Api, trade: LoadTrade, turn: int) -> Company:
        """A new buyer while there are few, else one that others trade as too."""
        with self._opening:
            is_new = self._begun < self._most_buyers
            self._begun += is_new
        if is_new:
            try:
                self._buyers.append(self._admit(api, "buyer", "Load Buyer", money=MONEY))
                return self._buyers[-1]
            except BaseException:
                self._begun -= 1
                raise
        trade.until(lambda: self._buyers, "a first buyer")
        return self._buyers[turn % len(self._buyers)]

    def _admit(self, api: Api, role: str, name: str, *, money: int = 0) -> Company:
        """A new company with money; another number is tried when somebody had this one. Raises ApiRefused."""
        for tried in range(MOST_TRIES):
            trade = self._trade(api)
            try:
                company = trade.admit(role, f"{name} {trade.number}")
                break
            except ApiRefused as refused:
                if refused.problem not in NUMBER_IS_TAKEN or tried == MOST_TRIES - 1:
                    raise
        self.account.parties.append(company.party_id)
        if role == "mill":
            self.account.mills.append(company.party_id)
        self.account.began = self.account.began or trade.operator.get(f"/v1/parties/{company.party_id}")["admitted_at"]
        if money:
            trade.settle()
            trade.top_up(role, money, reference=f"LOAD-{secrets.token_hex(8)}")
            self.account.paid_in += money
            trade.await_money(role, money)
        return company

    def _trade(self, api: Api, **companies: Company) -> LoadTrade:
        operator = SharingActor(api, "operator", self._operator, "platform")
        seated = {role: _over(company, api) for role, company in companies.items()}
        options = self._options | {"number": new_number(), "password": self._password, "account": self.account}
        return LoadTrade(api, operator, companies=seated, **options)


def _over(company: Company, api: Api) -> Company:
    """A company whose people call over another connection."""
    return replace(company, admin=company.admin.over(api), desk=company.desk.over(api))
