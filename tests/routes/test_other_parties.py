"""Nobody sees or touches another party's things: every route is asked by a stranger with every id of a finished trade."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import pytest

from chassis.auth import PLATFORM_ROLES
from loadtests.steel import Coil, SteelTrade
from services.logistics.epcis.fields import FIELDS
from services.logistics.epcis.vocabulary import BIZ_STEP, DISPOSITION
from tests.journeys.conftest import make_trade
from tests.routes.test_every_route import DOCUMENT, SCHEMAS, sample_body
from tests.world import Answer, World

ID = re.compile(r"\b[a-z_]+_[0-9a-hjkmnp-tv-z]{26}\b")
SCOPED = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if operation["x-party-scoped"] and "x-dialect" not in operation
]
EPCIS = [
    (method.upper(), path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if operation["x-party-scoped"] and operation.get("x-dialect") == "/epcis/v2"
]
EPCIS_LISTS = [route for route in EPCIS if route[0] == "GET" and "{" not in route[1]]
EPCIS_THINGS = [route for route in EPCIS if "{" in route[1] and "{token}" not in route[1]]
GIVEN = [route for route in SCOPED if route[0] == "GET" and "{" not in route[1]]
LISTS = [route for route in GIVEN if "application/json" in route[2]["responses"]["200"]["content"]]
FILES = [route for route in GIVEN if route not in LISTS]
THINGS = [route for route in SCOPED if route[0] == "GET" and "{" in route[1]]
MOVES = [route for route in SCOPED if route[0] != "GET" and not set(route[2]["x-roles"]) <= set(PLATFORM_ROLES)]
NAMES = {"ids": lambda route: f"{route[0]} {route[1]}"}
DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
"""A picture of one dot, as PNG."""
STANDARD_WORDS = {*FIELDS, *BIZ_STEP.words, *DISPOSITION.words}
OF_NO_PARTY = {"/v1/reconciliations"}
"""Lists of what is the platform's own: no company has any, so a company is a stranger there by nature."""


class Finished:
    """A world in which a trade was played, the ids that its parties saw, and a stranger with every role.

    ``named`` are the ids by the field that told them, ``listed`` those of the items of a list.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.trade: SteelTrade = make_trade(world)
        self.seen: set[str] = set()
        self.named: dict[str, set[str]] = {}
        self.listed: dict[str, set[str]] = {}
        self.trade.api.seen = lambda method, path, body, status, answer: self._look(answer)
        for _ in self.trade.play():
            pass
        self._make_what_the_trade_does_not()
        desks = [self.trade.companies[name].desk for name in ("mill", "buyer", "warehouse")]
        self.insiders = [world.client(actor.sign_in()) for actor in (*desks, self.trade.operator)]
        for ask in self.insiders:
            for _, path, _ in LISTS:
                self._list(path, ask.get(path))
        self.trade.api.seen = None
        own = self.trade.admit("stranger", "Nosy Trading")
        world.settle()
        self.stranger = own.desk
        self.shared = {own.party_id, *self._ids(own.desk.get("/v1/offers")), *self._ids(own.desk.get("/v1/parties"))}

    def _make_what_the_trade_does_not(self) -> None:
        amount = {"amount": 100_00, "currency": "CNY"}
        self.trade.buyer.desk.post("/v1/card-payments", {"amount": amount})
        if not self.trade.mill.desk.every("/v1/certificates"):
            heat = self.trade.coils([1000])[0].heat
            said = urlencode({"number": f"MTC-{heat}", "type": "3.1", "heats": heat})
            self.trade.mill.desk.post(f"/v1/certificates?{said}", DOT, content_type="image/png")
        self._make_a_deal_that_goes_wrong()
        self._record_a_licence()
        self._send_a_price_list()
        self._describe_products()
        self._send_products()
        gate = self.trade.known["gate"]["id"]
        self.trade.warehouse.desk.post(f"/v1/gates/{gate}/readers", {"name": "East", "kind": "http"})
        self.trade.mill.desk.post("/v1/saved-searches", {"name": "coils", "wanted": {"text": "coil"}})
        self._capture_and_share_events()
        self._publish_and_recall()
        self._take_stock()

    def _take_stock(self) -> None:
        """A coil in a bay, found there by a handheld."""
        trade, desk = self.trade, self.trade.warehouse.desk
        coil = Coil("W3", 9_000, epc="3034257BF4FFFFFF00000003")
        trade.upload([coil])
        self.world.settle()
        zone = desk.post("/v1/zones", {"name": "Bay 4"})
        take = desk.post("/v1/stock-takes", {"zone_id": zone["id"]})
        reads = [{"sequence": 1, "at": self.world.clock.now().isoformat(), "epc": coil.epc}]
        desk.post(f"/v1/stock-takes/{take['id']}/reads", {"handheld": "h1", "reads": reads})
        desk.post(f"/v1/stock-takes/{take['id']}/close")

    def _publish_and_recall(self) -> None:
        """The mill has made something that the buyer received: it describes the place, shows the lot and calls it back."""
        item, plant = "https://id.gs1.org/01/09506000134352/21/1", "https://id.gs1.org/414/9506000111117"
        made = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "ObjectEvent",
            "eventTime": "2026-01-02T00:00:00Z",
            "eventTimeZoneOffset": "+00:00",
            "epcList": [item],
            "action": "ADD",
            "bizStep": "commissioning",
            "readPoint": {"id": plant},
            "ilmd": {"cbvmda:lotNumber": "L1"},
        }
        got = {name: value for name, value in made.items() if name != "ilmd"}
        got |= {"action": "OBSERVE", "bizStep": "receiving", "eventTime": "2026-01-03T00:00:00Z"}
        self.trade.mill.desk.post("/epcis/v2/events", made)
        self.trade.buyer.desk.post("/epcis/v2/events", got)
        self.trade.mill.desk.post("/v1/places", {"id": plant, "name": "Mill"})
        lot = "https://id.gs1.org/01/09506000134352/10/L1"
        self.trade.mill.desk.post("/v1/publications", {"id": lot, "texts": {"en": {"title": "Ours"}}})
        recall = {"id": lot, "grade": "II", "reason": "cracked", "instruction": "Send it back."}
        self.trade.mill.desk.post("/v1/lot-recalls", {**recall, "due_at": "2099-01-01T00:00:00Z"})

    def _capture_and_share_events(self) -> None:
        """What the mill captured beside what the gates saw, and the warehouse's events for the buyer."""
        event = {
            "type": "ObjectEvent",
            "eventTime": "2026-01-02T00:00:00Z",
            "eventTimeZoneOffset": "+00:00",
            "eventID": "urn:uuid:of-the-mill",
            "epcList": ["urn:epc:id:sgtin:0614141.107346.2018"],
            "action": "OBSERVE",
            "bizStep": "packing",
            "disposition": "in_progress",
            "readPoint": {"id": "urn:epc:id:sgln:0614141.07346.1234"},
            "bizLocation": {"id": "urn:epc:id:sgln:0614141.07346.0"},
        }
        document = {
            "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-02T00:00:00Z",
            "epcisBody": {"eventList": [event]},
        }
        self.trade.mill.desk.post("/epcis/v2/capture", document)
        self.trade.warehouse.desk.post("/v1/event-shares", {"party_id": self.trade.buyer.party_id})

    def _record_a_licence(self) -> None:
        licence = {
            "party_id": self.trade.mill.party_id,
            "scheme": "waste_metal",
            "number": "WM-1",
            "valid_from": "2026-01-01T00:00:00Z",
            "valid_until": "2030-01-01T00:00:00Z",
            "evidence": "the register of the city",
        }
        self.trade.operator.post("/v1/licences", licence)

    def _send_a_price_list(self) -> None:
        """An offer with a number that is directed to the buyer, and a file of which one row is wrong."""
        tonnes = {"value": "10", "unit": "TNE"}
        offer = {
            "market": "steel",
            "number": "PRICED",
            "audience": [self.trade.buyer.party_id],
            "title": "rebar",
            "warehouse_id": self.trade.warehouse.party_id,
            "terms": self.trade.terms(),
        }
        self.trade.mill.desk.post("/v1/offers", {**offer, **dict.fromkeys(("quantity", "minimum", "step"), tonnes)})
        said = urlencode({"kind": "offers", "market": "steel", "file_name": "prices.csv"})
        sent = self.trade.mill.desk.post(
            f"/v1/offer-uploads/files?{said}",
            b"number,price\nPRICED,3999\nNOBODY,3999\n",
            content_type="application/octet-stream",
        )
        self.world.settle()
        self.trade.mill.desk.post(f"/v1/offer-uploads/{sent['id']}/apply")
        self.world.settle()
        self.named.setdefault("part", set()).add("1")

    def _send_products(self) -> None:
        """A file of products of which one row is wrong."""
        said = urlencode({"kind": "products", "market": "steel", "file_name": "products.csv"})
        sent = self.trade.mill.desk.post(
            f"/v1/uploads/files?{said}",
            b"number,kind,grade,standard,length_mm,diameter_mm\nSENT,rebar,HRB400,GB/T 1499.2-2024,12000,16\nBAD,cake,,,,\n",
            content_type="application/octet-stream",
        )
        self.world.settle()
        self.trade.mill.desk.post(f"/v1/uploads/{sent['id']}/apply")
        self.world.settle()

    def _describe_products(self) -> None:
        """Two drafts, which nobody else sees, one with a lot, papers, a part number and something that it replaces."""
        desk, coal = (
            self.trade.mill.desk,
            {"kind": "thermal_coal", "grade": "Q3800", "assay_basis": "ar", "packing": "bulk"},
        )
        coal |= {"producer": "Adaro", "origin": "ID", "calorific_kcal": "3800", "total_moisture_percent": "36"}
        coal |= {"ash_percent": "5", "volatile_percent": "38", "sulphur_percent": "0.3", "size_mm": "0-50"}
        said = {"market": "bulk", "attributes": coal}
        one, other = (desk.post("/v1/products", {**said, "number": number})["id"] for number in ("COAL-1", "COAL-2"))
        desk.post(f"/v1/products/{one}/revise", {"version": 1, "attributes": {"ash_percent": "6"}})
        lot = desk.post(f"/v1/products/{one}/lots", {"number": "SHIP-1", "attributes": {"assay_date": "2026-02-03"}})
        desk.post(f"/v1/products/{one}/lots", {"number": "SHIP-1", "attributes": {"assay_date": "2026-02-04"}})
        desk.post(f"/v1/products/{one}/part-numbers", {"number": "OUR-77"})
        desk.post(f"/v1/products/{one}/equivalents", {"other_id": other})
        piece = desk.every("/v1/pieces")[0]["id"]
        for path in (f"products/{one}/documents", f"lots/{lot['id']}/documents", f"pieces/{piece}/documents"):
            desk.post(f"/v1/{path}", DOT, content_type="image/png")

    def _make_a_deal_that_goes_wrong(self) -> None:
        """A stray coil at the gate, a correction and a cancellation that wait for an answer, and a truck too heavy."""
        trade = self.trade
        trade.top_up("mill", 10_000_000)
        coils = [Coil(f"W{n}", kg, epc=f"3034257BF4FFFFFF0000000{n}") for n, kg in ((1, 20_000), (2, 10_000))]
        trade.upload(coils)
        heavy, other = (piece["id"] for piece in trade.mill.desk.every("/v1/pieces") if piece["number"] in ("W1", "W2"))
        if trade.mill.desk.get(f"/v1/pieces/{heavy}")["number"] != "W1":
            heavy, other = other, heavy
        deal = trade.take(trade.list_pieces([heavy, other]), piece_ids=[heavy, other])
        trade.wait_for(deal["id"], "effective")
        trade.sign(deal["id"])
        trade.pay(deal["id"])
        trade.wait_for(deal["id"], "delivering")
        cancellation = {"piece_ids": [other], "reason": "agreed", "note": "sold elsewhere"}
        trade.mill.desk.post(f"/v1/deals/{deal['id']}/cancellations", cancellation)
        truck = trade.start_delivery(deal["id"], piece_ids=[heavy])["id"]
        trade.weigh(truck, "loading", 20_000)
        trade.pass_gate([coil.epc for coil in coils])
        trade.wait_for_delivery(truck, "departed")
        first = trade.weigh(truck, "receiving", 20_100)
        trade.weigh(truck, "receiving", 20_090, replaces=first["id"])
        trade.accept(deal["id"], truck)

    def _list(self, path: str, answer: Answer) -> None:
        if answer.status == 200 and path != "/v1/me":
            self._look(answer.body)
            items = answer.body.get("items", [])
            self.listed.setdefault(path, set()).update(item["id"] for item in items if "id" in item)

    def _look(self, answer: object) -> None:
        ids = self._ids(answer)
        self.seen |= ids
        for id in ids:
            self.named.setdefault(f"{id.rpartition('_')[0]}_id", set()).add(id)
        for name, value in _fields(answer):
            if name == "id" or name.endswith("_id"):
                self.named.setdefault(name, set()).add(value)
                self.seen.add(value)

    @staticmethod
    def _ids(answer: object) -> set[str]:
        return set(ID.findall(json.dumps(answer, default=str)))

    def foreign(self) -> list[str]:
        """What the stranger must not see."""
        return sorted(self.seen - self.shared)

    def samples(self, path: str) -> list[str]:
        """The path with each thing of that kind which somebody was shown in place of its parameters."""
        before, _, rest = path.partition("{")
        name, _, after = rest.partition("}")
        ids = self.listed.get(before.rstrip("/")) or self.named.get(name, set())
        paths = [before + id + after for id in sorted(ids)]
        return [made for each in paths for made in self.samples(each)] if "{" in after else paths

    def is_there(self, path: str) -> bool:
        """Whether somebody of the trade is answered with more than a refusal."""
        return any(ask.get(path).status == 200 for ask in self.insiders)


def _fields(answer: object) -> Iterator[tuple[str, str]]:
    if isinstance(answer, dict):
        for name, value in answer.items():
            yield from [(name, value)] if isinstance(value, str) else _fields(value)
    elif isinstance(answer, list):
        for each in answer:
            yield from _fields(each)


@pytest.fixture(scope="module")
def finished(built_world: World):
    with built_world.at():
        built_world.begin()
        yield Finished(built_world)
        built_world.rest()


def _paths(finished: Finished, path: str) -> list[str]:
    """The path with every id that the stranger must not see, of its kind or not."""
    if path.count("{") > 1:
        before, _, after = path.partition("}")
        deals = finished.samples(before + "}")
        return [made for deal in deals for made in _paths(finished, deal + after)]
    return sorted({re.sub(r"{[^}]+}", id, path) for id in finished.foreign()} | set(finished.samples(path)))


def test_the_trade_showed_many_ids(finished: Finished) -> None:
    nouns = {id.rpartition("_")[0] for id in finished.seen}
    assert len(finished.seen) > 30 and {"deal", "offer", "piece", "delivery", "statement", "payout", "gate"} <= nouns


@pytest.mark.parametrize("route", [r for r in LISTS if r[1] not in OF_NO_PARTY], **NAMES)
def test_every_list_has_something_to_hide(finished: Finished, route: tuple) -> None:
    """A route that the arrangement makes nothing for would pass unasked: make it in ``Finished``."""
    told = [ask.get(route[1]) for ask in finished.insiders]
    assert any(finished.named["id"] & {value for _, value in _fields(answer.body)} for answer in told), route[1]


@pytest.mark.parametrize("route", [r for r in THINGS if r[1].partition("/{")[0] not in OF_NO_PARTY], **NAMES)
def test_every_thing_is_asked_for_by_an_id_that_is_there(finished: Finished, route: tuple) -> None:
    assert [path for path in finished.samples(route[1]) if finished.is_there(path)], route[1]


@pytest.mark.parametrize("route", [r for r in MOVES if "{" in r[1]], **NAMES)
def test_every_move_is_tried_on_a_thing_that_is_there(finished: Finished, route: tuple) -> None:
    """The thing itself is shown where its path ends with its first id, or under another noun by the same name, or in a
    thing that it belongs to.
    """
    # Two nouns may have things of one name, such as uploads: then that of the move's own noun is meant.
    shown = {path.partition("{")[2].partition("}")[0]: path for _, path, _ in THINGS if path.endswith("}")}
    own = {path for _, path, _ in THINGS}
    for name in re.findall(r"{([^}]+)}", route[1]):
        itself = f"{route[1].partition('{' + name)[0]}{{{name}}}"
        path = itself if itself in own else shown.get(name)
        samples = finished.samples(path) if path else []
        there = any(finished.is_there(path) for path in samples) if samples else finished.named.get(name)
        assert there, (route[1], name)
    assert finished.samples(route[1]), route[1]


@pytest.mark.parametrize("route", LISTS, **NAMES)
def test_no_list_or_count_holds_anything_of_others(finished: Finished, route: tuple) -> None:
    token = finished.stranger._token or finished.stranger.sign_in()
    answer = finished.world.client(token).get(route[1])
    assert answer.status == 200, answer
    told = Finished._ids(answer.body) | {value for _, value in _fields(answer.body)}
    assert told & set(finished.foreign()) == set()


@pytest.mark.parametrize("route", FILES, **NAMES)
def test_no_file_of_a_company_holds_a_line_of_others(finished: Finished, route: tuple) -> None:
    """What the stranger is given is a heading without rows; somebody of the trade is given rows."""
    heading = finished.world.client(finished.stranger.sign_in()).get(route[1])
    assert heading.status == 200 and len(heading.body.splitlines()) <= 1, heading
    assert any(len(ask.get(route[1]).body.splitlines()) > 1 for ask in finished.insiders), route[1]


@pytest.mark.parametrize("route", THINGS, **NAMES)
def test_nothing_of_others_is_found_by_its_id(finished: Finished, route: tuple) -> None:
    ask = finished.world.client(finished.stranger.sign_in())
    for path in _paths(finished, route[1]):
        assert ask.get(path).status == 404, path


@pytest.mark.parametrize("route", [r for r in MOVES if "{" in r[1]], **NAMES)
def test_nothing_of_others_can_be_moved_by_its_id(finished: Finished, route: tuple) -> None:
    method, _, operation = route
    ask = finished.world.client(finished.stranger.sign_in())
    before = finished.world.count_rows()
    for path in _paths(finished, route[1]):
        media = next(iter(operation.get("requestBody", {"content": {"application/json": 0}})["content"]))
        key = f"stranger-{abs(hash(path))}"
        answer = ask.send(method, path, body=sample_body(operation), key=key, content_type=media)
        assert answer.status == 404, (path, answer)
    assert finished.world.count_rows() == before


@pytest.mark.parametrize("route", EPCIS_LISTS, **NAMES)
def test_no_list_of_epcis_holds_anything_of_others(finished: Finished, route: tuple) -> None:
    """What a stranger is told is what it would be told if nobody had captured anything: the words of the standard at most."""
    told = [ask.get(route[1]).body for ask in finished.insiders]
    answer = finished.world.client(finished.stranger.sign_in()).get(route[1])
    assert answer.status == 200, answer
    assert set(_members(answer.body)) <= STANDARD_WORDS
    assert route[1].endswith("/queries") or any(_members(body) for body in told), route[1]


@pytest.mark.parametrize("route", EPCIS_THINGS, **NAMES)
def test_nothing_of_others_is_in_epcis_by_its_name(finished: Finished, route: tuple) -> None:
    """Every name that somebody of the trade was told in a list, and every id of the trade: 404, or an empty list of events."""
    method, path, operation = route
    listed = path.partition("/{")[0]
    names = {name for ask in finished.insiders for name in _members(ask.get(listed).body)}
    ask = finished.world.client(finished.stranger.sign_in())
    before = finished.world.count_rows()
    for name in sorted({quote(name, safe="") for name in names} | set(finished.foreign()[:20])):
        media = next(iter(operation.get("requestBody", {"content": {"application/json": 0}})["content"]))
        answer = ask.send(method, re.sub(r"{[^}]+}", name, path), body=sample_body(operation), content_type=media)
        assert answer.status == 404 or (answer.status == 200 and _members(answer.body) in ([], ["events"])), (
            name,
            answer,
        )
    assert finished.world.count_rows() == before


def _members(body: object) -> list[str]:
    """The names of what an answer of EPCIS lists: values, jobs, or events by their ids."""
    if isinstance(body, list):
        return [one["captureID"] for one in body]
    assert isinstance(body, dict)
    results = body.get("epcisBody", {}).get("queryResults", {}).get("resultsBody", {})
    events = [event["eventID"] for event in results.get("eventList", [])]
    return events or [str(one) for one in body.get("member", [])]


def test_a_stranger_cannot_name_things_of_others_in_a_body(finished: Finished) -> None:
    """Every identifier field of every command is given every id of the trade: nothing may come of it."""
    ask = finished.world.client(finished.stranger.sign_in())
    before = {name: count for name, count in finished.world.count_rows().items() if not name.startswith("identity.")}
    for method, path, operation in SCOPED:
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if (
            method == "GET"
            or "{" in path
            or not schema
            or path.startswith(("/v1/users", "/v1/api-keys", "/v1/gates", "/v1/card"))
        ):
            continue
        for where, keys, _ in SCHEMAS.fields(schema):
            if not where.endswith(("_id", "_ids")):
                continue
            for id in finished.foreign():
                body = SCHEMAS.sample(schema) | {keys[0]: [id] if where.endswith("_ids") else id}
                answer = ask.send(method, path, body=body, key=f"body-{keys[0]}-{id}")
                assert answer.status in (403, 404, 409, 422, 503), (path, keys, id, answer)
    after = {name: count for name, count in finished.world.count_rows().items() if not name.startswith("identity.")}
    assert after == before
