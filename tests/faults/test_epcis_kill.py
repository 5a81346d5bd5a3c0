"""Kill −9 in the middle of captures over real processes: each document is there wholly or not at all, and none twice."""

from __future__ import annotations

import random
import threading
from typing import Any

import pytest

from loadtests.api import Actor, Api, ApiRefused
from loadtests.steel import SteelTrade
from tests.faults.conftest import Place

pytestmark = pytest.mark.xdist_group("faults")
DOCUMENTS, EVENTS = 24, 200
VICTIMS = {4: "web", 8: "postgres/backend", 12: "web", 16: "postgres", 20: "web/one"}


def write_document(number: int) -> dict[str, Any]:
    """A document of events that no other has."""
    events = [
        {
            "type": "ObjectEvent",
            "eventID": f"urn:uuid:{number}-{place}",
            "eventTime": "2026-01-02T00:00:00Z",
            "eventTimeZoneOffset": "+00:00",
            "epcList": [f"urn:epc:id:sgtin:0614141.107346.{number * EVENTS + place}"],
            "action": "OBSERVE",
        }
        for place in range(EVENTS)
    ]
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-02T00:00:00Z",
        "epcisBody": {"eventList": events},
    }


def test_captures_survive_the_death_of_web_and_database(place: Place, api: Api, operator: Actor) -> None:
    trade = SteelTrade(api, operator, number=8, wait_s=120)
    desk = trade.admit("mill", "Capturing Rolling Mill").desk
    draw = random.Random(6)

    def capture(number: int) -> bool:
        try:
            desk.post("/epcis/v2/capture", write_document(number))
        except (ApiRefused, OSError) as error:
            assert not isinstance(error, ApiRefused) or error.status >= 500, error
            return False
        return True

    for number in range(DOCUMENTS):
        if victim := VICTIMS.get(number):
            killer = threading.Thread(target=place.kill, args=(victim, draw))
            killer.start()
            capture(number)
            killer.join()
        trade.until(lambda number=number: capture(number), f"document {number} to be in")
    place.wait_until_ready()
    jobs = desk.get("/epcis/v2/capture", perPage=100)
    assert all(job["success"] for job in jobs)
    kept: list[str] = []
    for number in range(DOCUMENTS):
        for event in range(0, EVENTS, 37):
            found = desk.get(f"/epcis/v2/events/urn%3Auuid%3A{number}-{event}")
            kept += [one["eventID"] for one in found["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
    assert kept == [f"urn:uuid:{number}-{event}" for number in range(DOCUMENTS) for event in range(0, EVENTS, 37)]
    assert place.haihe("check", "--settled")["broken"] == []
