"""A piece that is sold on."""

from __future__ import annotations

from collections.abc import Iterator

from tests.journeys.stories.telling import (
    carry_and_accept,
    ends,
    ends_with,
    ids_of,
    sign_and_pay,
)
from tests.journeys.town import Town


@ends_with(buyer_available=-7_700, mill_available=-7_700, platform_fee=2 * 7_700)
def a_coil_is_sold_on_once_it_was_received(town: Town) -> Iterator[None]:
    """The buyer sells the coil back to the mill, from its own yard: certificate, heat and trail stay with it."""
    resale = town.played_by(mill="buyer", buyer="mill", warehouse="buyer")
    resale.known = dict(town.known)
    resale.open_gate()
    deal = yield from sign_and_pay(town)
    (coil,) = ids_of(deal)
    with town.refuses(409, "not_received_yet"):
        resale.mill.desk.post("/v1/offers", {"market": "steel", "piece_ids": [coil], "terms": resale.terms()})
    before = town.mill.desk.get(f"/v1/pieces/{coil}")["attributes"]
    yield from carry_and_accept(town, deal, [coil], received=20_000)
    ends(town, deal, "completed")
    again = resale.take(resale.list_pieces([coil]), piece_ids=[coil])
    yield
    resale.wait_for(again["id"], "effective")
    resale.sign(again["id"])
    yield
    resale.pay(again["id"])
    yield
    again = resale.wait_for(again["id"], "delivering")
    yield from carry_and_accept(resale, again, [coil], received=20_000)
    resale.wait_for(again["id"], "completed")
    piece = town.mill.desk.get(f"/v1/pieces/{coil}")
    assert (piece["owner_id"], piece["attributes"]) == (town.mill.party_id, before)
    trail = town.mill.desk.get(f"/v1/trails/{coil}")
    assert [event["bizStep"] for event in trail["events"]] == ["departing", "departing"]
