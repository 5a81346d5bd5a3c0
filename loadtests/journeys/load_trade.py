"""One user's trade among companies that many users share: the steel trade's steps, with what a load needs besides."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from loadtests.api import Actor, SharingActor, keep_key, keep_session
from loadtests.steel import Coil, SteelTrade

DOMAIN = "load.haihe.example"


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
        """Fresh coils of one heat, with numbers and tags that no earlier run has used."""
        self.number = new_number()
        tags = [f"3034257BF4{self.number:06X}{secrets.randbits(32):08X}" for _ in weights_kg]
        numbers = [f"C{self.number:07d}-{index:02d}" for index, _ in enumerate(weights_kg, 1)]
        heat = f"H{self.number:07d}"
        return [Coil(number, kg, heat=heat, epc=tag) for number, kg, tag in zip(numbers, weights_kg, tags, strict=True)]

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
