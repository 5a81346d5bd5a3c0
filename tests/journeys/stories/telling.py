"""How a story is told: what it moves in the end, and the steps that many stories share.

A story yields between its steps, where a test may let processes die. 20 t at 3,850.00 come to 77,000.00; deposits are 10 %
and 5 %; a coil of 10 t is worth 38,500.00. The platform takes 1 ‰ of what a seller is paid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.journeys.town import Town

GROSS, COIL = 7_700_000, 3_850_000
BUYERS, SELLERS = 770_000, 385_000
"""Deposits for both coils."""
Play = Callable[[Town], Iterator[None]]


@dataclass(frozen=True)
class Story:
    """What happens, and what each account has more or less of afterwards, in fen."""

    play: Play
    moves: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.play.__name__


STORIES: list[Story] = []


def ends_with(**moves: int) -> Callable[[Play], Play]:
    """Tell a story that moves these amounts and no others."""

    def note(play: Play) -> Play:
        STORIES.append(Story(play, moves))
        return play

    return note


def sold(gross: int, fee: int, **more: int) -> dict[str, int]:
    """What a sale moves, and more (added): the buyer's price, the seller's less the fee."""
    moves = {"buyer_available": -gross, "mill_available": gross - fee, "platform_fee": fee}
    return {name: moves.get(name, 0) + more.get(name, 0) for name in moves | more}


def sign_and_pay(town: Town, *weights_kg: int, **terms: Any) -> Iterator[None]:
    """A deal that is to be delivered; returned at the end."""
    deal = town.make_effective(*weights_kg, **terms)
    yield
    town.sign(deal["id"])
    yield
    town.pay(deal["id"])
    yield
    return town.wait_for(deal["id"], "delivering")


def ids_of(deal: dict[str, Any]) -> list[str]:
    return [piece["piece_id"] for piece in deal["pieces"]]


def carry(town: Town, deal: dict[str, Any], piece_ids: list[str], *, received: int | None) -> Iterator[None]:
    """One truck to the buyer's scale (unless ``received`` is None); its delivery is returned."""
    delivery = town.load_truck(deal, *piece_ids)
    yield
    town.leave(delivery["id"])
    yield
    if received is not None:
        town.weigh(delivery["id"], "receiving", received)
        yield
    return delivery


def carry_and_accept(town: Town, deal: dict[str, Any], piece_ids: list[str], *, received: int) -> Iterator[None]:
    """One truck, accepted by the buyer."""
    delivery = yield from carry(town, deal, piece_ids, received=received)
    town.accept(deal["id"], delivery["id"])
    yield
    return delivery


def deliver_all(town: Town, received: int, **terms: Any) -> Iterator[None]:
    """A deal over 20 t on one truck, weighed and accepted; both are returned."""
    deal = yield from sign_and_pay(town, **terms)
    delivery = yield from carry_and_accept(town, deal, ids_of(deal), received=received)
    return deal, delivery


def ends(town: Town, deal: dict[str, Any], state: str, *parts: tuple[str, str | None, str]) -> dict[str, Any]:
    """The deal has ended so, with these parts not delivered: kind, whose fault, reason."""
    ended = town.wait_for(deal["id"], state)
    assert [(part["kind"], part["by"], part["reason"]) for part in ended["ended_parts"]] == list(parts)
    assert ended == town.mill.desk.get(f"/v1/deals/{deal['id']}")
    return ended
