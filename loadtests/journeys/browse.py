"""Somebody looks around: searches, opens what was found, and looks at the company's own deals and money."""

from __future__ import annotations

from random import Random
from typing import Any

from loadtests.api import ApiRefused
from loadtests.journeys.fair import Fair
from loadtests.journeys.load_trade import LoadTrade

SEARCHES: tuple[dict[str, Any], ...] = (
    {"q": "热轧"},
    {"q": "热轧 Q355B"},
    {"q": "HR coil"},
    {"q": "新港", "grade": "Q355B"},
    {"grade": "Q355B", "thickness_min": "5", "thickness_max": "6"},
    {"q": "rebar HRB400E"},
    {"q": "螺纹钢"},
    {"q": "nothing has this name"},
)


def browse(trade: LoadTrade, fair: Fair, chance: Random) -> None:
    """A search, up to two of its hits, the newest deals, the balance."""
    desk = trade.buyer.desk
    hits = desk.get("/v1/search", limit=20, **chance.choice(SEARCHES))["items"]
    for hit in chance.sample(hits, min(2, len(hits))):
        look_at(trade, hit["offer_id"])
        trade.pause(chance.uniform(0.1, 0.5))
    desk.get("/v1/deals", limit=20)
    desk.get("/v1/accounts")


def look_at(trade: LoadTrade, offer_id: str) -> dict[str, Any] | None:
    """An offer, or None when it is wholly taken now."""
    try:
        return trade.buyer.desk.get(f"/v1/offers/{offer_id}")
    except ApiRefused as refused:
        if refused.status != 404:
            raise
        return None
