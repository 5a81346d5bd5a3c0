"""Who does not sign, pay, deliver, fetch or weigh in time."""

from __future__ import annotations

from collections.abc import Iterator

from tests.journeys.stories.telling import (
    BUYERS,
    COIL,
    GROSS,
    SELLERS,
    carry,
    carry_and_accept,
    ends,
    ends_with,
    ids_of,
    sign_and_pay,
    sold,
)
from tests.journeys.town import Town


@ends_with(buyer_available=SELLERS, mill_available=-SELLERS)
def the_buyer_has_signed_alone(town: Town) -> Iterator[None]:
    deal = town.make_effective()
    yield
    town.sign(deal["id"], "buyer")
    yield
    town.let_pass(days=1, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "seller", "not_signed"))


@ends_with(buyer_available=-BUYERS, mill_available=BUYERS)
def the_mill_has_signed_alone(town: Town) -> Iterator[None]:
    deal = town.make_effective()
    yield
    town.sign(deal["id"], "mill")
    yield
    town.let_pass(days=1, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "buyer", "not_signed"))


@ends_with(**sold(COIL, 3_850, buyer_available=-BUYERS // 2, mill_available=BUYERS // 2))
def the_buyer_pays_for_one_coil_of_two(town: Town) -> Iterator[None]:
    """It has the coil that it paid for, and loses its deposit on the other."""
    deal = town.make_effective(10_000, 10_000)
    yield
    town.sign(deal["id"])
    first, second = ids_of(deal)
    yield
    town.pay(deal["id"], piece_ids=[first])
    yield
    deal = town.wait_for(deal["id"], "delivering")
    town.let_pass(days=3, seconds=1)
    yield
    yield from carry_and_accept(town, deal, [first], received=10_000)
    ended = ends(town, deal, "completed", ("defaulted", "buyer", "not_paid"))
    assert ended["ended_parts"][0]["piece_ids"] == [second]


@ends_with(buyer_available=SELLERS, mill_available=-SELLERS)
def the_seller_delivers_nothing(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town)
    town.let_pass(days=20, seconds=1)
    ends(town, deal, "defaulted", ("defaulted", "seller", "not_delivered"))


@ends_with(**sold(COIL, 3_850, buyer_available=SELLERS // 2, mill_available=-SELLERS // 2))
def the_seller_delivers_one_coil_of_two(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town, 10_000, 10_000)
    first, second = ids_of(deal)
    yield from carry_and_accept(town, deal, [first], received=10_000)
    town.let_pass(days=20, seconds=1)
    yield
    ended = ends(town, deal, "completed", ("defaulted", "seller", "not_delivered"))
    assert ended["ended_parts"][0]["piece_ids"] == [second]
    owners = {id: town.operator.get(f"/v1/pieces/{id}")["owner_id"] for id in (first, second)}
    assert owners == {first: town.buyer.party_id, second: town.mill.party_id}


@ends_with()
def the_buyer_does_not_fetch(town: Town) -> Iterator[None]:
    """The seller issued its note in time: nobody forfeits, the money goes back."""
    deal = yield from sign_and_pay(town)
    town.issue_note(deal["id"], piece_ids=ids_of(deal))
    yield
    town.let_pass(days=20, seconds=1)
    ends(town, deal, "cancelled", ("cancelled", None, "not_fetched"))


@ends_with(**sold(GROSS, 7_700))
def the_receiving_weight_is_not_recorded_in_time(town: Town) -> Iterator[None]:
    deal = yield from sign_and_pay(town)
    delivery = yield from carry(town, deal, ids_of(deal), received=None)
    town.let_pass(days=7, seconds=1)
    yield
    town.accept(deal["id"], delivery["id"])
    ends(town, deal, "completed")
