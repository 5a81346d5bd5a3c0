"""The repository as the other topics use it: events that gates and people make are kept once, told, and taken back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chassis.problems import NotFound
from services.logistics.epcis.commands import Captured, Thing, capture_error_declaration, capture_events
from services.logistics.epcis.contexts import STANDARD
from services.logistics.epcis.fields import Event
from services.logistics.epcis.preparing import MOST_KEY_BYTES, prepare_event, write_key
from services.logistics.epcis.read_json import read_event
from tests.services.logistics.conftest import Stand
from tests.services.logistics.epcis_client import SGTIN, write_event

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CAPTURED = "logistics.epcis.events.v1"


def event(number: int = 1, **changed: Any) -> Event:
    """An event; what is changed to None is left out."""
    told = {name: value for name, value in write_event(number, **changed).items() if value is not None}
    return read_event({"@context": [STANDARD, {"ex": "https://example.com/"}]} | told, {}, "$")


def capture(stand: Stand, *events: Event, **options: Any) -> list[Captured]:
    return stand.database.run(lambda session: capture_events(session, events, owner_id="mill", **options))


def declare(stand: Stand, event_id: str, owner_id: str = "mill", **options: Any) -> Captured:
    def work(session: Session) -> Captured:
        return capture_error_declaration(
            session, event_id, owner_id=owner_id, reason="incorrect_data", at=AT, **options
        )

    return stand.database.run(work)


def test_everything_that_an_event_names_is_a_key() -> None:
    prepared = prepare_event(
        event(
            type="TransformationEvent",
            epcList=None,
            action=None,
            inputEPCList=[SGTIN.format(1), SGTIN.format(1)],
            outputQuantityList=[{"epcClass": "urn:epc:class:lgtin:4012345.011111.4444", "quantity": 1}],
            transformationID="urn:uuid:t",
            bizTransactionList=[{"type": "po", "bizTransaction": "urn:x:po:1"}],
            sourceList=[{"type": "owning_party", "source": "urn:epc:id:pgln:0614141.00000"}],
            destinationList=[{"type": "location", "destination": "urn:epc:id:sgln:0614141.07346.0"}],
        )
    )
    assert dict(prepared.keys) == {
        "inputEPC": "https://id.gs1.org/01/10614141073464/21/1",
        "outputEPCClass": "https://id.gs1.org/01/04012345111118/10/4444",
        "transformationID": "urn:uuid:t",
        "bizTransaction": "urn:x:po:1",
        "source": "https://id.gs1.org/417/0614141000005",
        "destination": "https://id.gs1.org/414/0614141073467",
    }
    assert len(prepared.keys) == 6


def test_what_sensor_data_names_is_canonical_and_lots_may_be_numbers() -> None:
    device, report = "urn:epc:id:giai:4000001.111", {"type": "Temperature", "value": 1, "uom": "CEL"}
    sensed = {"sensorMetadata": {"deviceID": device}, "sensorReport": [report | {"bizRules": device}]}
    prepared = prepare_event(
        event(action="ADD", sensorElementList=[sensed, {"sensorReport": [report]}], ilmd={"cbvmda:lotNumber": 17})
    )
    told = msgspec.json.decode(prepared.fields)["sensorElementList"]
    link = "https://id.gs1.org/8004/4000001111"
    assert (told[0]["sensorMetadata"]["deviceID"], told[0]["sensorReport"][0]["bizRules"]) == (link, link)
    assert told[1] == {"sensorReport": [report]}
    assert ("lot", "https://id.gs1.org/01/10614141073464/10/17") in prepared.keys


def test_only_what_an_event_needs_of_its_document_is_kept_with_it() -> None:
    spaces = {f"a{n}": f"urn:a:{n}" for n in range(3)}
    told = write_event(1, **{"@context": [STANDARD, spaces], "a1:x": {"a1:y": 1}})
    unhashed = frozenset({"{urn:a:1}y", "{urn:a:1}z", "{urn:a:2}x"})
    prepared = prepare_event(read_event(told, {}, "$", unhashed))
    assert (prepared.namespaces, prepared.unhashed) == ('{"a1":"urn:a:1"}', ("{urn:a:1}y",))


@pytest.mark.parametrize(
    ("changed", "thing"),
    [
        ({"type": "TransactionEvent", "parentID": "urn:x:p", "bizTransactionList": []}, "urn:x:p"),
        ({"epcList": ["urn:x:b", "urn:x:a"], "quantityList": [{"epcClass": "urn:x:0"}]}, "urn:x:a"),
        ({"epcList": [], "quantityList": [{"epcClass": "urn:x:c"}]}, "urn:x:c"),
        ({"epcList": [], "eventID": "urn:uuid:1"}, "urn:uuid:1"),
    ],
)
def test_what_an_event_is_about(changed: dict[str, Any], thing: str) -> None:
    assert prepare_event(event(**changed)).thing == thing


def test_a_key_that_is_too_long_is_its_digest() -> None:
    assert write_key("a" * MOST_KEY_BYTES) == "a" * MOST_KEY_BYTES
    assert write_key("é" * MOST_KEY_BYTES).startswith("sha-256;")
    assert len({write_key("a" * (MOST_KEY_BYTES + n)) for n in range(1, 4)}) == 3


def test_events_are_kept_once_with_their_things_and_parties(stand: Stand) -> None:
    things = [[Thing(SGTIN.format(1), "piece_1", "delivery_1", "deal_1")], []]
    events = [event(1), event(2, eventID="urn:uuid:2")]
    first = capture(stand, *events, things=things, parties=[["buyer", "mill"], []])
    assert [(one.event_id, one.is_error, one.is_new, one.is_same) for one in first] == [
        (prepare_event(events[0]).hash, False, True, True),
        ("urn:uuid:2", False, True, True),
    ]
    told = stand.told(CAPTURED)
    assert [(one.id, one.party_ids) for one in told] == [(first[0].id, ["buyer"]), (first[1].id, [])]
    again = capture(stand, event(2, eventID="urn:uuid:2"), event(3, eventID="urn:uuid:2"), event(4))
    assert [(one.id == first[1].id, one.is_new, one.is_same) for one in again] == [
        (True, False, True),
        (True, False, False),
        (False, True, True),
    ]
    assert len(stand.told(CAPTURED)) == 1
    assert stand.rows("SELECT event, piece_id FROM epcis_thing") == [(first[0].id, "piece_1")]
    assert stand.rows("SELECT party_id, event, why FROM epcis_party") == [("buyer", first[0].id, "party")]


def test_what_fails_leaves_nothing(stand: Stand) -> None:
    def work(session: Session) -> None:
        capture_events(session, [event(1)], owner_id="mill")
        raise NotFound

    with pytest.raises(NotFound):
        stand.database.run(work)
    assert stand.rows("SELECT (SELECT count(*) FROM epcis_event), (SELECT count(*) FROM epcis_key)") == [(0, 0)]
    assert stand.told(CAPTURED) == []


def test_an_event_is_taken_back_once(stand: Stand) -> None:
    things = [[Thing(SGTIN.format(1), "piece_1", None, None)]]
    (kept,) = capture(stand, event(1, **{"ex:note": "x"}), things=things, parties=[["buyer"]])
    stand.told()
    taken = declare(stand, kept.event_id, corrective_event_ids=["urn:uuid:9"])
    assert (taken.event_id, taken.is_error, taken.is_new, taken.is_same) == (kept.event_id, True, True, True)
    (told,) = stand.told(CAPTURED)
    assert (told.is_error, told.party_ids) == (True, ["buyer"])
    assert told.document["errorDeclaration"] == {
        "declarationTime": "2026-03-02T09:00:00.000Z",
        "reason": "incorrect_data",
        "correctiveEventIDs": ["urn:uuid:9"],
    }
    assert not declare(stand, kept.event_id).is_new
    rows = stand.rows("SELECT hash, error_reason, corrective_event_ids, error_time FROM epcis_event ORDER BY is_error")
    assert rows == [(rows[0][0], None, None, None), (rows[0][0], "incorrect_data", ["urn:uuid:9"], AT)]
    assert stand.rows("SELECT count(*) FROM epcis_thing WHERE piece_id = 'piece_1'") == [(2,)]


def test_nobody_takes_back_what_another_captured(stand: Stand) -> None:
    (kept,) = capture(stand, event(1))
    for event_id, owner_id in ((kept.event_id, "buyer"), ("urn:uuid:9", "mill")):
        with pytest.raises(NotFound):
            declare(stand, event_id, owner_id=owner_id)
    assert stand.rows("SELECT count(*) FROM epcis_event") == [(1,)]


@pytest.mark.parametrize("table", ["epcis_event", "epcis_key"])
def test_events_and_what_they_name_are_only_added_to(stand: Stand, table: str) -> None:
    capture(stand, event(1))
    for statement in (f"UPDATE {table} SET event_time = now()", f"DELETE FROM {table}"):
        with pytest.raises(IntegrityError, match="only ever added to"):
            stand.owner.run(lambda session, said=statement: session.connection().exec_driver_sql(said))
