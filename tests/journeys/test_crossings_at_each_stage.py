"""Every stage of a deal against every speaker: news is held back while somebody acts and every deadline passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.town import Town, end_of, unheard

Act = Callable[[Town, dict[str, Any]], Any]
STAGES: dict[str, tuple[Callable[[Town], dict[str, Any]], Act]] = {
    "struck": (lambda town: town.make_effective(), lambda town, deal: town.sign(deal["id"])),
    "half signed": (
        lambda town: (deal := town.make_effective(), town.sign(deal["id"], "mill"))[0],
        lambda town, deal: town.sign(deal["id"], "buyer"),
    ),
    "signed": (lambda town: town.make_signed(), lambda town, deal: town.pay(deal["id"])),
    "paid": (lambda town: town.make_paid(), lambda town, deal: town.load_truck(deal)),
    "loaded": (
        lambda town: (deal := town.make_paid(), town.load_truck(deal))[0],
        lambda town, deal: town.leave(truck_of(town, deal)),
    ),
    "left": (
        lambda town: (deal := town.make_paid(), town.leave(town.load_truck(deal)["id"]))[0],
        lambda town, deal: town.weigh(truck_of(town, deal), "receiving", 20_000),
    ),
    "weighed": (
        lambda town: town.make_weighed()[0],
        lambda town, deal: town.accept(deal["id"], truck_of(town, deal)),
    ),
}
ENDS = {("completed", None), ("cancelled", "not_signed"), ("defaulted", "not_paid"), ("defaulted", "not_delivered")}


def truck_of(town: Town, deal: dict[str, Any]) -> str:
    (truck,) = town.buyer.desk.get("/v1/deliveries", deal_id=deal["id"])["items"]
    return truck["id"]


@pytest.mark.parametrize("speaker", ["orders", "settlement", "logistics", "catalog"])
def test_every_stage_against_a_silent_speaker(town: Town, speaker: str) -> None:
    """A deal at each stage; one speaker is unheard while somebody acts on each and every deadline passes."""
    town.top_up("buyer", 10**9)
    deals = {name: make(town) for name, (make, _) in STAGES.items()}
    before = town.balances_of_all()
    with unheard(town, speaker):
        for name, (_, act) in STAGES.items():
            act(town, deals[name])
        for _ in range(4):
            town.let_pass(days=3, minutes=1)
    ends = {name: end_of(town, deal["id"]) for name, deal in deals.items()}
    assert set(ends.values()) <= ENDS, ends
    after = town.balances_of_all()
    assert {name: amount for name, amount in after.items() if name.split()[-1] in ("frozen", "escrow") and amount} == {}
    assert sum(after.values()) == sum(before.values()) == 0
    assert town.world.broken() == {}
    for deal in deals.values():
        owner = town.operator.get(f"/v1/pieces/{deal['pieces'][0]['piece_id']}")["owner_id"]
        is_done = town.deal(deal["id"])["state"] == "completed"
        assert owner == (town.buyer if is_done else town.mill).party_id
