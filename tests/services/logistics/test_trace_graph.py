"""Traces over HTTP: what the store answers, and to whom; as a graph, a table and a picture."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import openpyxl
import pytest
from sqlalchemy import text

from chassis.access import kid_of
from chassis.auth import Caller, sign_token
from services.logistics.epcis.commands import capture_error_declaration, capture_events
from services.logistics.epcis.read_json import read_event
from services.logistics.trace import loading
from tests.services.logistics.conftest import BEGINNING, Stand

GTIN, OTHER = "09506000134352", "09506000134369"
PLANT, SHOP = "https://id.gs1.org/414/9506000111116", "geo:39.0842,117.2009"


def item(serial: object, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/21/{serial}"


def lot(number: str, gtin: str = GTIN) -> str:
    return f"https://id.gs1.org/01/{gtin}/10/{number}"


def unit(number: int) -> str:
    """An SSCC with its check digit."""
    digits = f"095060001{number:08}"
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"https://id.gs1.org/00/{digits}{-(3 * odd + even) % 10}"


def told(minutes: float, type: str, **said: Any) -> dict[str, Any]:
    """An event as JSON, so many minutes after the beginning."""
    at = (BEGINNING + timedelta(minutes=minutes)).isoformat()
    return {"type": type, "eventTime": at, "eventTimeZoneOffset": "+08:00", **said}


def capture(stand: Stand, *events: dict[str, Any], owner: str = "maker", parties: tuple[str, ...] = ()) -> list[str]:
    """Keep events as a company's; the eventIDs."""
    read = [read_event(event, {}, "$") for event in events]
    kept = stand.database.run(
        lambda session: capture_events(session, read, owner_id=owner, parties=[parties] * len(read))
    )
    return [one.event_id for one in kept]


def make(minutes: float, inputs: list[str], outputs: list[str], **said: Any) -> dict[str, Any]:
    return told(minutes, "TransformationEvent", inputEPCList=inputs, outputEPCList=outputs, **said)


def pack(minutes: float, parent: str, children: list[str], action: str = "ADD", **said: Any) -> dict[str, Any]:
    return told(minutes, "AggregationEvent", parentID=parent, childEPCs=children, action=action, **said)


def born(minutes: float, things: list[str], number: str | None = None, **said: Any) -> dict[str, Any]:
    made = {"ilmd": {"cbvmda:lotNumber": number}} if number else {}
    said = {"bizStep": "commissioning", **said}
    return told(minutes, "ObjectEvent", epcList=things, action="ADD", **made, **said)


def trace(stand: Stand, id: str, *, party: str = "maker", **asked: Any) -> Any:
    return stand.get(f"/v1/traces?{urlencode({'id': id, **asked})}", party=party)


def found(view: dict[str, Any], *roles: str) -> set[str]:
    return {node["id"] for node in view["nodes"] if node["role"] in (roles or ("root", "product"))}


@pytest.fixture
def bakery(stand: Stand) -> Stand:
    """Flour lot F7 in a sack becomes two loaves of lot L1, packed with a stone into a case, shipped to a shop."""
    capture(
        stand,
        born(0, [item("flour", OTHER)], "F7", readPoint={"id": PLANT}, bizLocation={"id": PLANT}),
        pack(1, unit(1), [item("flour", OTHER)]),
        make(5, [unit(1)], [item(1), item(2)], ilmd={"cbvmda:lotNumber": "L1"}, bizStep="creating_class_instance"),
        pack(8, unit(2), [item(1), item(2), item("stone", OTHER)], bizStep="packing"),
        told(
            20,
            "ObjectEvent",
            epcList=[unit(2)],
            action="OBSERVE",
            bizStep="shipping",
            disposition="in_transit",
            readPoint={"id": SHOP},
            bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:example:note:7"}],
        ),
    )
    return stand


def test_a_lot_is_followed_to_what_was_made_of_it_and_where_that_is(bakery: Stand) -> None:
    view = trace(bakery, lot("F7", OTHER), direction="forward").ok()
    assert found(view) == {lot("F7", OTHER), item("flour", OTHER), item(1), item(2)}
    assert found(view, "carrier") == {unit(1), unit(2)}
    loaf = next(node for node in view["nodes"] if node["id"] == item(1))
    assert (loaf["seen"]["place"], loaf["seen"]["is_there"], loaf["kind"], loaf["label"]) == (
        SHOP,
        False,
        "item",
        f"GTIN {GTIN} serial 1",
    )
    shop = next(place for place in view["places"] if place["id"] == SHOP)
    assert (shop["latitude"], shop["longitude"]) == (39.0842, 117.2009)
    shipped = next(event for event in view["events"] if event["biz_step"] == "shipping")
    assert shipped["papers"] == [{"type": "desadv", "id": "urn:example:note:7"}]
    assert view["is_whole"] is True


def test_a_loaf_is_followed_back_by_every_way_to_name_it(bakery: Stand) -> None:
    names = [
        item(1),
        "urn:epc:id:sgtin:9506000.013435.1",
        f"https://shop.example/gtin/{GTIN}/ser/1?x=1",
        f"(01){GTIN}(21)1",
        f"]C101{GTIN}211",
        f"01{GTIN}211\x1d10L1",
    ]
    views = [trace(bakery, name, direction="back").ok() for name in names]
    assert all(view == views[0] for view in views)
    assert found(views[0]) == {item(1), lot("L1"), unit(1), item("flour", OTHER), lot("F7", OTHER)}
    assert len(views[0]["visited"]) == 1


def test_what_is_inside_now_and_at_a_past_time(bakery: Stand) -> None:
    capture(bakery, pack(30, unit(2), [item(1)], "DELETE"))
    before, now = (
        trace(bakery, unit(2), at=(BEGINNING + timedelta(minutes=minutes)).isoformat()).ok() for minutes in (25, 60)
    )

    def inside(view: dict[str, Any]) -> dict[str, bool]:
        edges = [edge for edge in view["edges"] if edge["relation"] == "inside" and edge["target"] == unit(2)]
        return {edge["source"]: edge["until"] is None for edge in edges}

    assert inside(before) == {item(1): True, item(2): True, item("stone", OTHER): True}
    assert inside(now) == {item(1): False, item(2): True, item("stone", OTHER): True}


def test_a_paper_leads_to_the_things_under_it(bakery: Stand) -> None:
    view = trace(bakery, "urn:example:note:7", direction="back").ok()
    assert {item(1), item(2), lot("F7", OTHER)} <= found(view)
    assert {(edge["source"], edge["target"]) for edge in view["edges"] if edge["relation"] == "under"} == {
        ("urn:example:note:7", unit(2))
    }


def test_what_was_taken_back_does_not_count_and_nobody_takes_back_for_another(bakery: Stand) -> None:
    (wrong,) = capture(bakery, make(40, [item(1)], [item("toast", OTHER)]))
    fake = make(40, [item(1)], [item("toast", OTHER)]) | {
        "eventID": wrong,
        "errorDeclaration": {"declarationTime": BEGINNING.isoformat()},
    }
    capture(bakery, fake, owner="rival")
    assert item("toast", OTHER) in found(trace(bakery, item(1)).ok())
    bakery.database.run(
        lambda session: capture_error_declaration(
            session, wrong, owner_id="maker", reason="did_not_occur", at=BEGINNING + timedelta(hours=1)
        )
    )
    assert item("toast", OTHER) not in found(trace(bakery, item(1)).ok())


def test_a_part_that_the_caller_may_not_see_is_not_there(bakery: Stand) -> None:
    assert trace(bakery, item(1), party="stranger").problem() == "not_found"
    assert bakery.get("/v1/traces", party="stranger").ok()["nodes"] == []
    capture(bakery, make(50, [item(2)], [item("sandwich", OTHER)]), owner="shop")
    capture(bakery, pack(51, unit(9), [item("sandwich", OTHER)]), owner="shop", parties=("maker",))
    view = trace(bakery, item("flour", OTHER), direction="forward").ok()
    assert item("sandwich", OTHER) not in str(view) and unit(9) not in str(view)
    seen = trace(bakery, item(2), party="shop").ok()
    assert found(seen) == {item(2), item("sandwich", OTHER)}
    assert found(trace(bakery, item("sandwich", OTHER)).ok(), "root", "carrier") == {item("sandwich", OTHER), unit(9)}
    everything = trace(bakery, item("flour", OTHER), party="platform", direction="forward")
    assert everything.problem() == "not_found"
    operator = bakery.get(f"/v1/traces?id={item(2)}&direction=forward", party="platform", role="operator").ok()
    assert unit(9) in found(operator, "carrier")


def test_strange_names_and_questions_are_refused(bakery: Stand) -> None:
    for name in ("LOT-7", "(01)09506000134353(21)1", "urn:epc:id:sgtin:1.2.3", "piece_9"):
        assert trace(bakery, name).problem() == ("not_found" if name == "piece_9" else "not_a_name"), name
    assert trace(bakery, item(1), direction="sideways").problem() == "invalid_field"
    assert trace(bakery, item(1), depth=0).problem() == "invalid_field"
    assert trace(bakery, item("nobody")).problem() == "not_found"


def test_without_a_name_it_offers_what_the_latest_events_are_about(bakery: Stand) -> None:
    view = bakery.get("/v1/traces", party="maker").ok()
    assert found(view) == {item(1), item(2), item("stone", OTHER), unit(1), unit(2), item("flour", OTHER)}
    assert (view["edges"], view["events"]) == ([], [])


def test_places_are_described_by_each_company_for_itself(bakery: Stand) -> None:
    body = {"id": PLANT, "name": "Mill 1", "city": "天津", "country": "CN", "latitude": 39.1, "longitude": 117.2}
    said = bakery.send("POST", "/v1/places", body, party="maker").ok()
    bakery.send("POST", "/v1/places", body | {"name": "Not yours"}, party="rival").ok()
    again = bakery.send("POST", "/v1/places", body | {"name": "Mill One"}, party="maker").ok()
    assert again["id"] == said["id"]
    assert [one["name"] for one in bakery.get("/v1/places", party="maker").ok()["items"]] == ["Mill One"]
    view = trace(bakery, item("flour", OTHER), direction="back").ok()
    assert view["places"] == [
        {"id": PLANT, "name": "Mill One", "city": "天津", "country": "CN", "latitude": 39.1, "longitude": 117.2}
    ]


def test_a_chain_of_ten_thousand_items_is_traced_whole_without_a_false_hit(stand: Stand) -> None:
    """Six levels: raw lot → batch → 10,000 items in 500 cases on 50 pallets in 5 containers; a third of it is of the bad lot."""
    bad, good = item("drum-bad", OTHER), item("drum-good", OTHER)
    events = [born(0, [bad], "BAD"), born(0, [good], "GOOD")]
    events += [make(1, [bad], [item("mix-0", OTHER)]), make(1, [good], [item(f"mix-{n}", OTHER) for n in (1, 2)])]
    planted = set()
    for batch in range(100):
        serials = [item(f"i{batch * 100 + n}") for n in range(100)]
        events.append(make(2, [item(f"mix-{batch % 3}", OTHER)], serials))
        planted.update(serials if batch % 3 == 0 else [])
        events += [pack(3, unit(1000 + batch * 5 + n), serials[n * 20 : n * 20 + 20]) for n in range(5)]
    events += [pack(4, unit(2000 + n), [unit(1000 + n * 10 + m) for m in range(10)]) for n in range(50)]
    events += [pack(5, unit(3000 + n), [unit(2000 + n * 10 + m) for m in range(10)]) for n in range(5)]
    for start in range(0, len(events), 500):
        capture(stand, *events[start : start + 500])
    stand.owner.run(lambda session: session.execute(text("ANALYZE")) and None)
    view = trace(stand, lot("BAD", OTHER), direction="forward").ok()
    things = found(view) - {lot("BAD", OTHER), bad, item("mix-0", OTHER)}
    assert things == planted and len(planted) == 3_400 and view["is_whole"]
    whole = trace(stand, unit(3000), direction="back").ok()
    assert len(found(whole)) == 1 + 10 + 100 + 2_000 + 3 + 2 + 2


def test_the_table_has_a_row_for_each_event_of_each_thing(bakery: Stand) -> None:
    answer = download(bakery, f"/v1/traces/table?id={item(1)}&direction=back")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    loaf = [(row["event_type"], row["business_step"], row["inside"]) for row in rows if row["thing"] == item(1)]
    assert loaf == [("TransformationEvent", "creating_class_instance", ""), ("AggregationEvent", "packing", unit(2))]
    made = next(row for row in rows if row["thing"] == item(1))
    assert (made["made_from"], made["label"], made["level"]) == (unit(1), f"GTIN {GTIN} serial 1", "0")
    sheet = download(bakery, f"/v1/traces/table?id={item(1)}&format=xlsx&direction=back")
    cells = list(openpyxl.load_workbook(io.BytesIO(sheet.data)).active.iter_rows(values_only=True))
    assert len(cells) == len(rows) + 1 and cells[0][3] == "thing"


def test_a_formula_in_an_event_is_none_in_the_table(stand: Stand) -> None:
    capture(stand, born(0, [item(1)], bizStep="https://example.org/step", readPoint={"id": "x:=cmd()"}))
    capture(stand, told(1, "ObjectEvent", epcList=["=HYPERLINK:1"], action="OBSERVE"))
    answer = download(stand, f"/v1/traces/table?id={item(1)}")
    assert b",=" not in answer.data and b"x:=cmd()" in answer.data


def test_the_picture_says_what_it_shows_and_escapes_what_events_say(bakery: Stand) -> None:
    capture(bakery, pack(60, unit(7), [item(1), 'urn:x:<script>alert(1)</script>&"']))
    bakery.send("POST", "/v1/places", {"id": PLANT, "name": "卷" * 20}, party="maker", role="seller").ok()
    answer = download(bakery, f"/v1/traces/picture?id={unit(7)}&direction=back")
    picture = ElementTree.fromstring(answer.data)
    space = "{http://www.w3.org/2000/svg}"
    assert (picture.get("role"), picture.get("aria-labelledby")) == ("img", "t d")
    assert picture.find(f"{space}title").text.startswith("Trace of SSCC")
    assert "things and lots" in picture.find(f"{space}desc").text
    assert b"<script" not in answer.data and b"href" not in answer.data
    assert answer.headers["Content-Type"] == "image/svg+xml"
    assert max(len(one.text) for one in picture.iter(f"{space}text") if "卷" in one.text) == 14
    legend = [one.text for one in picture.findall(f"{space}text")]
    assert legend[2:] == ["made into", "lot of", "inside"] and float(picture.get("width")) >= 960
    said = " ".join(picture.itertext())
    assert "sack" not in said and f"GTIN {OTHER} lot F7"[-27:] in said


def test_the_picture_of_many_things_stays_small(stand: Stand) -> None:
    things = [item(n) for n in range(400)]
    capture(stand, pack(1, unit(1), things), *(make(2 + n, [things[n]], [item(f"x{n}")]) for n in range(300)))
    told = download(stand, f"/v1/traces/picture?id={unit(1)}&direction=forward").data.decode()
    assert told.count("<rect class") == 5 and "not drawn" not in told
    assert ("100 × item" in told, told.count("300 × item"), told.count("300 × run")) == (True, 2, 1)
    kinds = [f"urn:x:{n}" if n % 2 else f"https://id.gs1.org/{ai}/{n:018}" for n in range(300) for ai in ("00",)]
    chains = [make(n, [kinds[n]], [kinds[n + 1]]) for n in range(299)]
    capture(stand, *chains)
    told = download(stand, "/v1/traces/picture?id=urn:x:1&direction=forward&depth=50").data.decode()
    assert told.count("<rect class") <= 120 and "The trace goes on beyond its limits." in told
    assert len(download(stand, "/v1/traces/picture", party="stranger").data.splitlines()) == 1


def download(stand: Stand, path: str, *, party: str = "maker") -> Any:
    caller = Caller(f"user_{party}", party, frozenset({"reader"}))
    token = sign_token(stand.signing_key, kid_of(stand.signing_key.public_key().public_bytes_raw()), caller)
    answer = stand.app.test_client().get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200, answer.data
    return answer


def test_a_trace_of_more_events_than_one_takes_in_is_refused(bakery: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MOST_EVENTS", 3)
    assert trace(bakery, item(1)).problem() == "trace_too_large"
    capture(bakery, *(make(50 + n, [item(f"r{n}")], [item(f"s{n}")]) for n in range(9)), owner="rival")
    assert trace(bakery, item("r1"), party="rival").status == 200
