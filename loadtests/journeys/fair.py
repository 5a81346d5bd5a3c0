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
from dataclasses import replace
from datetime import datetime
from typing import Any

from loadtests.api import Api, ApiRefused, KeptToken, SharingActor
from loadtests.journeys.load_trade import Account, LoadTrade, new_number
from loadtests.journeys.refusals import NUMBER_IS_TAKEN
from loadtests.steel import Company, Periods

MILLS = 2
MOST_BUYERS = 20
# Enough for days of trading: nobody is to be refused for want of money.
MONEY = 10**13
POPULAR_COILS = 30
POPULAR_TONNES = "120"
# What is taken and never signed comes back after this time.
POPULAR_PERIODS = Periods(sign="PT4S")
MOST_TRIES = 5


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
