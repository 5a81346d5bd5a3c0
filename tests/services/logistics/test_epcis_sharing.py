"""Who sees an event: whose it is, who is party to it, and to whom it was given. To anybody else it is not there."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from events.identity import PartyDescribed, PartyIdentifier
from events.logistics import EpcisEventCaptured
from tests.services.logistics.conftest import Answer, Stand
from tests.services.logistics.epcis_client import SGTIN, Partner, write_event

CAPTURED = "logistics.epcis.events.v1"
PGLN = "urn:epc:id:pgln:0614141.00000"
PLACE = "urn:epc:id:sgln:4012345.00001.0"
PALLET, OUTER = "urn:epc:id:sscc:0614141.1234567890", "urn:epc:id:sscc:0614141.1234567891"


@pytest.fixture
def mill(stand: Stand) -> Partner:
    """The company whose events they are, beside others who are known."""
    for id, identifiers in {
        "mill": [("gs1_prefix", "0614141")],
        "buyer": [("gln", "0614141000005")],
        "carrier": [("gs1_prefix", "4012345")],
        "stranger": [("lei", "529900T8BM49AURSDO55")],
    }.items():
        hear_company(stand, id, identifiers)
    return Partner(stand)


def hear_company(stand: Stand, id: str, identifiers: list[tuple[str, str]], version: int = 1) -> None:
    stand.hear(
        PartyDescribed(
            party_id=id,
            version=version,
            name=id.capitalize(),
            country="CN",
            state="admitted",
            identifiers=[PartyIdentifier(scheme, value) for scheme, value in identifiers],
            bank_accounts=[],
        )
    )


def test_a_link_is_told_as_a_urn_where_its_company_prefix_is_known(mill: Partner) -> None:
    known, unknown = "https://id.gs1.org/01/00614141123452/21/7", "https://id.gs1.org/01/09521141123454/21/7"
    mill.job(mill.capture(write_event(1, eventID="urn:uuid:1", epcList=[known, unknown])))
    (event,) = mill.event("urn:uuid:1", GS1_EPC_Format="Always_EPC_URN").json["epcisBody"]["queryResults"][
        "resultsBody"
    ]["eventList"]
    assert event["epcList"] == ["urn:epc:id:sgtin:0614141.012345.7", unknown]


def other(partner: Partner, party: str, role: str = "reader") -> Partner:
    return Partner(partner.stand, party, role)


def sees(partner: Partner, event_id: str) -> bool:
    """Whether an event is there for a company, by its id and in its list of events."""
    answer = partner.event(event_id)
    assert answer.status_code in (200, 404)
    listed = partner.ask("GET", "/events?perPage=100").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert (answer.status_code == 200) == (event_id in [event["eventID"] for event in listed])
    return answer.status_code == 200


def share(partner: Partner, party: str, role: str = "seller", **body: Any) -> Answer:
    return partner.stand.send("POST", "/v1/event-shares", {"party_id": party, **body}, party=partner.party, role=role)


def revoke(partner: Partner, id: str, role: str = "seller") -> Answer:
    return partner.stand.send("POST", f"/v1/event-shares/{id}/revoke", party=partner.party, role=role)


def pack(number: int, parent: str, children: list[str], action: str = "ADD", **changed: Any) -> dict[str, Any]:
    """An AggregationEvent."""
    event = write_event(number, type="AggregationEvent", parentID=parent, childEPCs=children, action=action, **changed)
    return {name: value for name, value in event.items() if name != "epcList"}


# --- parties ------------------------------------------------------------------------------------------------------------


def test_to_a_stranger_an_event_is_not_there(mill: Partner) -> None:
    job = mill.job(mill.capture(write_event(1, eventID="urn:uuid:1")))
    assert sees(mill, "urn:uuid:1")
    assert not sees(other(mill, "stranger"), "urn:uuid:1")
    assert other(mill, "stranger").ask("GET", f"/capture/{job['captureID']}").status_code == 404
    assert other(mill, "stranger").ask("GET", "/capture").json == []
    assert sees(other(mill, "platform", "operator"), "urn:uuid:1")


@pytest.mark.parametrize(
    ("named", "who"),
    [
        ({"destinationList": [{"type": "owning_party", "destination": PGLN}]}, "buyer"),
        (
            {"destinationList": [{"type": "owning_party", "destination": "https://id.gs1.org/417/0614141000005"}]},
            "buyer",
        ),
        ({"sourceList": [{"type": "possessing_party", "source": "urn:haihe:party:buyer"}]}, "buyer"),
        ({"destinationList": [{"type": "location", "destination": PLACE}]}, "carrier"),
    ],
)
def test_a_company_that_an_event_names_sees_it(mill: Partner, named: dict[str, Any], who: str) -> None:
    mill.job(mill.capture(write_event(1, eventID="urn:uuid:1", **named), write_event(2, eventID="urn:uuid:2")))
    first, second = mill.stand.told(CAPTURED)
    assert isinstance(first, EpcisEventCaptured)
    assert {one.event_id: one.party_ids for one in (first, second)} == {"urn:uuid:1": [who], "urn:uuid:2": []}
    assert sees(other(mill, who), "urn:uuid:1")
    assert not sees(other(mill, who), "urn:uuid:2")
    assert not sees(other(mill, "stranger"), "urn:uuid:1")


def test_a_number_of_its_own_beats_the_prefix_of_another(mill: Partner) -> None:
    destination = [{"type": "owning_party", "destination": PGLN}]
    carrier = other(mill, "carrier", "warehouse")
    carrier.job(carrier.capture(write_event(1, eventID="urn:uuid:1", destinationList=destination)))
    assert sees(other(mill, "buyer"), "urn:uuid:1")
    assert not sees(mill, "urn:uuid:1")


def test_a_name_that_nobody_has_shows_nothing_to_nobody(mill: Partner) -> None:
    named = {"sourceList": [{"type": "owning_party", "source": "urn:haihe:party:nobody"}]}
    mill.job(mill.capture(write_event(1, eventID="urn:uuid:1", **named)))
    assert not sees(other(mill, "nobody"), "urn:uuid:1")
    assert mill.stand.rows("SELECT * FROM epcis_party") == []


def test_nobody_takes_an_id_away_from_another(mill: Partner) -> None:
    squatter = other(mill, "stranger", "warehouse")
    squatter.job(squatter.capture(write_event(9, eventID="urn:uuid:1")))
    event = write_event(1, eventID="urn:uuid:1")
    assert mill.job(mill.capture(event))["success"]
    made = mill.ask("POST", "/events", write_event(2, eventID="urn:uuid:2") | {"@context": []})
    assert made.status_code == 201
    (kept,) = mill.event("urn:uuid:1").json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]
    assert kept["epcList"] == ["https://id.gs1.org/01/10614141073464/21/1"]
    assert squatter.ask("POST", "/events", write_event(2, eventID="urn:uuid:2") | {"@context": []}).status_code == 201


# --- shares -------------------------------------------------------------------------------------------------------------


def test_all_events_from_a_time_on_are_shared_and_taken_back(mill: Partner) -> None:
    early = write_event(1, eventID="urn:uuid:1", eventTime="2026-01-01T00:00:00Z")
    late = write_event(2, eventID="urn:uuid:2", eventTime="2026-02-01T00:00:00Z")
    mill.job(mill.capture(early, late))
    given = share(mill, "buyer", from_time="2026-01-15T00:00:00Z").ok()
    assert given == {
        "id": given["id"],
        "giver_id": "mill",
        "party_id": "buyer",
        "scope": "all",
        "epc": None,
        "from_time": "2026-01-15T00:00:00Z",
        "created_at": "2026-03-02T08:00:00Z",
        "revoked_at": None,
    }
    mill.stand.told()
    mill.job(mill.capture(write_event(3, eventID="urn:uuid:3")))
    assert [told.party_ids for told in mill.stand.told(CAPTURED)] == [["buyer"]]
    buyer = other(mill, "buyer")
    assert [sees(buyer, f"urn:uuid:{n}") for n in (1, 2, 3)] == [False, True, True]
    assert not any(sees(other(mill, "stranger"), f"urn:uuid:{n}") for n in (1, 2, 3))
    assert revoke(mill, given["id"]).ok()["revoked_at"] == "2026-03-02T08:00:00Z"
    assert not any(sees(buyer, f"urn:uuid:{n}") for n in (1, 2, 3))
    assert revoke(mill, given["id"]).problem() == "share_revoked"


def test_what_a_company_is_party_to_it_sees_whatever_is_revoked(mill: Partner) -> None:
    named = {"destinationList": [{"type": "owning_party", "destination": PGLN}]}
    mill.job(mill.capture(write_event(1, eventID="urn:uuid:1", **named)))
    first, second = share(mill, "buyer", epc=SGTIN.format(1)).ok(), share(mill, "buyer").ok()
    for one in (first, second):
        revoke(mill, one["id"]).ok()
    assert sees(other(mill, "buyer"), "urn:uuid:1")


def test_only_the_giver_takes_back_and_only_both_sides_see_the_share(mill: Partner) -> None:
    given = share(mill, "buyer").ok()
    path = f"/v1/event-shares/{given['id']}"
    assert revoke(other(mill, "buyer"), given["id"]).problem() == "not_the_giver"
    assert revoke(other(mill, "stranger"), given["id"]).problem() == "not_found"
    assert mill.stand.get(path, party="buyer").ok() == mill.stand.get(path, party="mill").ok() == given
    assert mill.stand.get(path, party="stranger").problem() == "not_found"
    assert mill.stand.get("/v1/event-shares", party="stranger").ok()["items"] == []
    assert mill.stand.get("/v1/event-shares", party="buyer").ok()["items"] == [given]


def test_a_share_is_of_ones_own_events_and_for_a_company_that_is_known(mill: Partner) -> None:
    buyer = other(mill, "buyer", "warehouse")
    buyer.job(buyer.capture(write_event(1, eventID="urn:uuid:1")))
    share(mill, "stranger").ok()
    share(mill, "stranger", epc=SGTIN.format(1)).ok()
    assert not sees(other(mill, "stranger"), "urn:uuid:1")
    assert share(mill, "mill").problem() == "own_events"
    assert share(mill, "nobody").problem() == "not_yet_known"
    assert share(mill, "buyer", role="finance").problem() == "missing_role"
    assert share(mill, "buyer", epc="no uri").problem() == "invalid_field"


# --- chains of custody --------------------------------------------------------------------------------------------------


def journey() -> list[dict[str, Any]]:
    """An item is made, packed on a pallet, the pallet into an outer one; both move; the item is taken out; the pallet goes on."""
    item, mate = SGTIN.format(1), SGTIN.format(2)
    times = (f"2026-02-{day:02}T00:00:00Z" for day in range(1, 20))
    return [
        one | {"eventID": f"urn:uuid:{place}", "eventTime": next(times)}
        for place, one in enumerate(
            [
                write_event(1, bizStep="commissioning", action="ADD"),
                write_event(2, epcList=[PALLET], bizStep="commissioning", action="ADD"),
                pack(3, PALLET, [item, mate]),
                pack(4, OUTER, [PALLET]),
                write_event(5, epcList=[OUTER]),
                pack(6, OUTER, [PALLET], action="DELETE"),
                write_event(7, epcList=[OUTER]),
                write_event(8, epcList=[PALLET]),
                pack(9, PALLET, [item], action="DELETE"),
                write_event(10, epcList=[PALLET]),
                write_event(11, epcList=[mate]),
                write_event(12, epcList=[item]),
            ]
        )
    ]


ALONG = {0, 2, 3, 4, 5, 7, 8, 11}
"""Not the pallet before the item was on it, nor the outer one after the pallet, nor the pallet and its mate afterwards."""


def seen_of_journey(partner: Partner) -> set[int]:
    return {place for place in range(12) if sees(partner, f"urn:uuid:{place}")}


def test_the_chain_of_custody_of_an_item_and_nothing_else(mill: Partner) -> None:
    mill.job(mill.capture(*journey()))
    given = share(mill, "buyer", epc="https://example.com/01/10614141073464/21/1").ok()
    assert (given["scope"], given["epc"]) == ("chain", "https://example.com/01/10614141073464/21/1")
    assert seen_of_journey(other(mill, "buyer")) == ALONG
    assert seen_of_journey(other(mill, "stranger")) == set()
    revoke(mill, given["id"]).ok()
    assert seen_of_journey(other(mill, "buyer")) == set()
    assert mill.stand.rows("SELECT * FROM epcis_party") == []


@pytest.mark.parametrize("order", ["as it happened", "backwards", "one document"])
def test_events_that_come_after_the_share_in_any_order(mill: Partner, order: str) -> None:
    share(mill, "buyer", epc=SGTIN.format(1)).ok()
    mill.stand.told()
    events = journey() if order != "backwards" else journey()[::-1]
    for document in [events] if order == "one document" else [[event] for event in events]:
        mill.job(mill.capture(*document))
    assert seen_of_journey(other(mill, "buyer")) == ALONG


def test_a_packing_that_was_an_error_gives_nothing_along(mill: Partner) -> None:
    """What names the pallet is still along: only what the outer one did alone is not."""
    share(mill, "buyer", epc=SGTIN.format(1)).ok()
    mill.job(mill.capture(*journey()))
    error = {"errorDeclaration": {"declarationTime": "2026-03-01T00:00:00Z", "reason": "did_not_occur"}}
    mill.job(mill.capture(journey()[3] | error))
    assert seen_of_journey(other(mill, "buyer")) == ALONG - {4}


def test_a_share_of_a_chain_has_a_beginning_too(mill: Partner) -> None:
    mill.job(mill.capture(*journey()))
    share(mill, "buyer", epc=SGTIN.format(1), from_time="2026-02-05T00:00:00Z").ok()
    assert seen_of_journey(other(mill, "buyer")) == ALONG - {0, 2, 3}


def test_packing_and_moving_at_the_same_moment_is_along_the_chain(mill: Partner) -> None:
    for number in range(10):
        pallet = f"{PALLET[:-3]}{number + 100}"
        share(mill, "buyer", epc=SGTIN.format(number)).ok()
        packed = pack(1, pallet, [SGTIN.format(number)], eventID=f"urn:uuid:packed-{number}")
        moved = write_event(2, epcList=[pallet], eventID=f"urn:uuid:moved-{number}", eventTime="2026-03-02T07:30:00Z")
        both = [threading.Thread(target=mill.capture, args=(event,)) for event in (packed, moved)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        assert all(sees(other(mill, "buyer"), f"urn:uuid:{what}-{number}") for what in ("packed", "moved"))


def test_a_lot_is_followed_by_its_class(mill: Partner) -> None:
    lot = "urn:epc:class:lgtin:4012345.011111.4444"
    quantity = {"quantityList": [{"epcClass": lot, "quantity": 5}], "epcList": []}
    share(mill, "buyer", epc=lot).ok()
    mill.job(mill.capture(write_event(1, eventID="urn:uuid:1", **quantity), write_event(2, eventID="urn:uuid:2")))
    assert [sees(other(mill, "buyer"), f"urn:uuid:{n}") for n in (1, 2)] == [True, False]
