"""Many want the same: named coils of one offer, or a weight of one. The takers never sign, so that it all comes back."""

from __future__ import annotations

from random import Random
from typing import Any

from loadtests.api import ApiRefused
from loadtests.journeys.browse import look_at
from loadtests.journeys.fair import Fair
from loadtests.journeys.load_trade import LoadTrade
from loadtests.journeys.refusals import SOMEBODY_WAS_FASTER

MOST_COILS = 3
TONNES = (5, 60)


def take_coils(trade: LoadTrade, fair: Fair, chance: Random) -> None:
    """Takes one to three coils that were free when it looked; others may have been faster."""
    offer = look_at(trade, chance.choice(fair.coil_offers))
    if offer is None:
        return
    free = [piece["piece_id"] for piece in offer["pieces"]]
    wanted = chance.sample(free, min(len(free), chance.randint(1, MOST_COILS)))
    _take(trade, chance, offer, piece_ids=wanted)


def take_weight(trade: LoadTrade, fair: Fair, chance: Random) -> None:
    """Takes some tonnes; others may have left less than that."""
    offer = look_at(trade, chance.choice(fair.weight_offers))
    if offer is not None:
        _take(trade, chance, offer, quantity={"value": str(chance.randint(*TONNES)), "unit": "TNE"})


def _take(trade: LoadTrade, chance: Random, offer: dict[str, Any], **what: Any) -> None:
    trade.pause(chance.uniform(0, 1))  # reads the offer
    try:
        trade.strike(offer, **what)
    except ApiRefused as refused:
        if refused.problem not in SOMEBODY_WAS_FASTER:
            raise
