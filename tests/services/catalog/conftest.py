"""The catalog alone, over HTTP: what identity and orders would say is said by the tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chassis import clock, messages
from chassis.brokers import Message
from chassis.brokers.memory import MemoryBroker
from chassis.envelope import Event
from chassis.values import Exact, Quantity, UnitPrice, read_wire
from events.identity import PartyDescribed, PartyIdentifier
from events.orders import OfferDescribed, Periods, Terms
from services.catalog import SERVICE
from tests.world import Answer, Client, World

MILL, OTHER, BUYER, STORE = "party_mill", "party_other", "party_buyer", "party_store"
NAMES = {MILL: "天津第一钢厂", OTHER: "Other Steel GmbH", BUYER: "Buyer Ltd", STORE: "滨海仓库"}
HEADING = "品名,牌号,标准,厚度(mm),宽度(mm),镀层,卷号,炉号,净重(kg),毛重(kg),质保书类型,质保书号,仓库,EPC"


def row(number: str = "C-001", **cells: str) -> str:
    """A line of an upload in the order of HEADING."""
    line = {
        "kind": "热轧卷板", "grade": "Q235B", "standard": "GB/T 3274-2017", "thickness": "5.5", "width": "1250",
        "coating": "", "number": number, "heat": "H26-118", "net": "23450", "gross": "23480", "type": "3.1",
        "certificate": "ZB-77", "warehouse": "滨海仓库", "epc": "", **cells,
    }  # fmt: skip
    return ",".join(line.values())


def sheet(*rows: str, heading: str = HEADING) -> bytes:
    """A file of rows."""
    return "\r\n".join((heading, *rows, "")).encode()


def pdf(text: str) -> bytes:
    """A PDF of one page with a line of text; without text it is a page as a scanner leaves it."""
    content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else "0 0 100 100 re f"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    made, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(made))
        made += f"{number} 0 obj\n{each}\nendobj\n".encode()
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 6\n0000000000 65535 f \n{table}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{len(made)}\n%%EOF\n"
    return made + end.encode()


class Catalog:
    """The catalog and those who use it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.mill = self.caller(MILL, "seller")
        self.other = self.caller(OTHER, "seller")
        self.buyer = self.caller(BUYER, "purchaser")
        self.store = self.caller(STORE, "warehouse")
        self.operator = self.caller("platform", "operator", kind="operator")
        self.public = world.client()
        self.ear = world.broker.subscribe("test", ["catalog"], "test")
        self.said: list[Message] = []

    def caller(self, party_id: str, *roles: str, **claims: Any) -> Client:
        """A user of a company."""
        token = self.world.token(*roles, party_id=party_id, user_id=f"user_{party_id}", **claims)
        return self.world.client(token, party_id=party_id)

    def upload(self, body: bytes, by: Client | None = None, content_type: str = "text/csv", **options: Any) -> Answer:
        """Send a file."""
        asked = {"params": {"market": "steel"}, **options}
        return (by or self.mill).post("/v1/pieces/imports", body, content_type=content_type, **asked)

    def certify(self, heats: tuple[str, ...], by: Client | None = None, **changed: Any) -> Answer:
        """Send a certificate."""
        asked = {"number": "ZB-77", "type": "3.1", "heats": list(heats)}
        body, content_type = changed.pop("body", None), changed.pop("content_type", "application/pdf")
        body = pdf(f"Inspection certificate 3.1, heats {', '.join(heats)}.") if body is None else body
        return (by or self.mill).post("/v1/certificates", body, content_type=content_type, params=asked | changed)

    def pieces(self, by: Client | None = None) -> dict[str, Any]:
        """What a caller sees of pieces, by number."""
        return {piece["number"]: piece for piece in (by or self.mill).get("/v1/pieces", limit=100).ok()["items"]}

    def hear(self, *events: Event) -> None:
        """Let others say something, and settle."""
        self.tell(*events)
        self.world.settle()

    def tell(self, *events: Event) -> None:
        """Let others say something that nobody has heard yet."""
        self.world.broker.publish([messages.wrap(event, event.type.partition(".")[0]) for event in events])

    def told(self, kind: type[Event]) -> list[Any]:
        """What the catalog has told others, of one kind, by what it is about and in order."""
        self.world.settle()
        while batch := self.ear.poll(500, 0):
            self.said += batch
        said = [message for message in self.said if message.headers["ce_type"] == kind.type]
        events = [msgspec.json.decode(message.value, type=kind, dec_hook=read_wire) for message in said]
        return sorted(events, key=lambda event: event.subject)

    def search(self, q: str | None = None, by: Client | None = None, **params: Any) -> Any:
        """What is found."""
        return (by or self.buyer).get("/v1/search", q=q, **params).ok()

    def find(self, q: str | None = None, **params: Any) -> list[str]:
        """The ids of what is found, on one page."""
        return [hit["offer_id"] for hit in self.search(q, **params)["items"]]


def party(id: str, version: int = 1, name: str | None = None, state: str = "admitted") -> PartyDescribed:
    """A company as identity describes it."""
    return PartyDescribed(
        party_id=id,
        version=version,
        name=name or NAMES[id],
        country="CN",
        state=state,
        identifiers=[PartyIdentifier(scheme="lei", value=f"LEI{id.upper()}")],
        bank_accounts=[],
    )


def offer(id: str, version: int = 1, *, price: str = "3850", unit: str = "TNE", **changed: Any) -> OfferDescribed:
    """An offer as orders describes it; members of its terms may be changed by their names too."""
    terms = {
        "price": UnitPrice(Exact(price), "CNY", unit),
        "tax_basis": "tax_included",
        "tax_rate": Exact("0.13"),
        "buyer_deposit_percent": Exact("10"),
        "seller_deposit_percent": Exact("5"),
        "weighing_rule": "LABEL",
        "tolerance": Exact("0.003"),
        "place": "天津",
        "delivery_mode": "self_pickup",
        "deliver_by": clock.now() + timedelta(days=20),
        "valid_until": clock.now() + timedelta(days=5),
        "periods": Periods(deposit=timedelta(minutes=30), sign=timedelta(1), pay=timedelta(3), inspect=timedelta(7)),
    }
    terms |= {name: changed.pop(name) for name in list(changed) if name in terms}
    said = {
        "terms_version": version, "market": "steel", "seller_id": MILL, "state": "listed", "title": "热轧卷板 Q235B",
        "piece_ids": [], "remaining": Quantity(Exact("23.45"), "TNE"), "warehouse_id": STORE, **changed,
    }  # fmt: skip
    return OfferDescribed(offer_id=id, version=version, terms=Terms(**terms), **said)


@pytest.fixture(scope="session")
def alone(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world that holds the catalog and nothing else."""
    world = World(cluster, [SERVICE], tmp_path_factory.mktemp("catalog"), prefix="alone")
    yield world
    world.rest()
    world.close()


@pytest.fixture
def catalog(alone: World) -> Iterator[Catalog]:
    """An empty catalog that has heard of four companies."""
    with alone.at():
        broker = MemoryBroker()
        broker.ensure_topics(["identity", "orders"])
        alone.begin(broker)
        made = Catalog(alone)
        made.hear(*(party(id) for id in NAMES))
        yield made
        alone.rest()


@pytest.fixture
def products(catalog: Catalog) -> Any:
    """The catalog with a small market of its own, whose products need whatever products may need."""
    from tests.services.catalog.product_market import Products

    return Products(catalog)


def later(minutes: float) -> datetime:
    """A time in some minutes."""
    return clock.now() + timedelta(minutes=minutes)
