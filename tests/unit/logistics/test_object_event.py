"""EPCIS events as JSON, and their hash ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from services.logistics.epcis.object_event import hash_id, name_transactions, write_object_event, write_prehash

AT = datetime(2026, 3, 2, 8, 0, 1, 234_567, tzinfo=UTC)
SGTIN = "https://id.gs1.org/01/00614141007349/21/314159"
SSCC = "https://id.gs1.org/00/106141412345678908"


def event(**changes):
    given = {
        "at": AT,
        "epcs": [SGTIN, SSCC],
        "biz_step": "departing",
        "disposition": "in_transit",
        "read_point": "urn:haihe:gate:gate_1",
        "biz_location": "urn:haihe:warehouse:party_3",
        "transactions": name_transactions("delivery_1", "deal_1"),
    }
    return write_object_event(**{**given, **changes})


def test_the_whole_event() -> None:
    assert event() == {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
        "type": "ObjectEvent",
        "eventID": "ni:///sha-256;6f45e3cb6d8e90eb25138309a8046b0cacab7f926c2e44b9b7b4be2b7a05ff40?ver=CBV2.0",
        "eventTime": "2026-03-02T08:00:01.234Z",
        "eventTimeZoneOffset": "+00:00",
        "epcList": [SSCC, SGTIN],
        "action": "OBSERVE",
        "bizStep": "departing",
        "disposition": "in_transit",
        "readPoint": {"id": "urn:haihe:gate:gate_1"},
        "bizLocation": {"id": "urn:haihe:warehouse:party_3"},
        "bizTransactionList": [
            {"type": "desadv", "bizTransaction": "urn:haihe:delivery:delivery_1"},
            {"type": "po", "bizTransaction": "urn:haihe:deal:deal_1"},
        ],
    }


def test_the_text_that_is_hashed() -> None:
    assert write_prehash(event()) == (
        "eventType=ObjectEventeventTime=2026-03-02T08:00:01.234ZeventTimeZoneOffset=+00:00"
        f"epcListepc={SSCC}epc={SGTIN}"
        "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-departing"
        "disposition=https://ref.gs1.org/cbv/Disp-in_transit"
        "readPointid=urn:haihe:gate:gate_1bizLocationid=urn:haihe:warehouse:party_3"
        "bizTransactionListtype=https://ref.gs1.org/cbv/BTT-desadvbizTransaction=urn:haihe:delivery:delivery_1"
        "type=https://ref.gs1.org/cbv/BTT-pobizTransaction=urn:haihe:deal:deal_1"
    )


def test_order_and_time_zone_do_not_change_the_id_but_what_happened_does() -> None:
    same = event(
        epcs=[SSCC, SGTIN],
        at=AT.astimezone(timezone(timedelta(hours=8))),
        transactions=reversed(name_transactions("delivery_1", "deal_1")),
    )
    assert same["eventID"] == event()["eventID"]
    assert event(epcs=[SSCC])["eventID"] != event()["eventID"]
    assert hash_id(event() | {"recordTime": "2026-03-02T08:00:09.000Z"}) == event()["eventID"]


def test_what_is_not_known_is_not_written() -> None:
    unknown = event(disposition=None, transactions=[], biz_step="entering_exiting")
    assert "disposition" not in unknown
    assert "bizTransactionList" not in unknown
