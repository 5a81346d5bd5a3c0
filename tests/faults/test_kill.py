"""Kill −9 of every part anywhere in a trade over real processes: it goes on to its end, and nothing is broken."""

from __future__ import annotations

import random
from typing import Any

import pytest

from loadtests.api import Actor, Api
from loadtests.steel import Periods, SteelTrade
from tests.faults.conftest import Place

pytestmark = pytest.mark.xdist_group("faults")

# Two of each in a trade: the supervisor gives a child up that dies five times a minute.
VICTIMS = ["web", "web/one", "worker", "worker", "postgres", "postgres/backend", "postgres/backend"]
GROSS, FEE = 24_849_825 + 16_830_275, 24_850 + 16_830


class SilentTrade(SteelTrade):
    """A trade whose buyer says nothing: its deliveries are accepted when inspection is over."""

    def accept(self, deal_id: str, delivery_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            (delivery,) = [each for each in self.deal(deal_id)["deliveries"] if each["id"] == delivery_id]
            return delivery if delivery["state"] in ("accepted", "settled") else None

        return self.until(look, f"delivery {delivery_id} to be accepted")


def play_under_fire(place: Place, trade: SteelTrade, seed: int) -> list[str]:
    """Play it, and kill something after each step, while its news is under way; what was killed after which step."""
    draw = random.Random(seed)
    victims = draw.sample(VICTIMS, len(VICTIMS))
    steps = trade.play()
    next(steps)
    killed = []
    for step in steps:
        if victims:
            killed.append(f"{victims[-1]} after {step.name}")
            victim = victims.pop()
            trade.until(lambda victim=victim: place.kill(victim, draw), f"{victim} to be there")
    place.wait_until_ready()
    return killed


@pytest.mark.parametrize(("kind", "seed"), [(SteelTrade, 1), (SilentTrade, 2)])
def test_a_trade_survives_the_death_of_every_part(
    place: Place, api: Api, operator: Actor, kind: type[SteelTrade], seed: int
) -> None:
    inspect = "PT1S" if kind is SilentTrade else "P3D"
    trade = kind(api, operator, number=seed, wait_s=60, periods=Periods(inspect=inspect))
    killed = play_under_fire(place, trade, seed)
    assert len(killed) == len(VICTIMS)
    deal = trade.buyer.desk.every("/v1/deals")[0]
    assert deal["state"] == "completed", killed
    assert trade.balances() == {"mill": 0, "buyer": 60_000_000 - GROSS, "warehouse": 0}
    assert trade.balance("buyer", "frozen") == trade.balance("buyer", "escrow") == trade.balance("mill", "frozen") == 0
    (payout,) = trade.mill.desk.every("/v1/payouts")
    assert (payout["state"], payout["amount"]["amount"]) == ("paid", 10_000_000 + GROSS - FEE)
    assert {piece["owner_id"] for piece in trade.buyer.desk.every("/v1/pieces")} == {trade.buyer.party_id}
    assert place.haihe("check", "--settled")["broken"] == []
