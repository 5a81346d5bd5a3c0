"""A small market with everything that a product may need: documents, lots, licences, variants, moderation, equivalents."""

from __future__ import annotations

from typing import Any

import msgspec

from chassis.auth import Caller
from chassis.values import read_wire, write_wire
from services.catalog.markets.commands import publish_packs
from services.catalog.markets.loader import FOLDER, load_pack
from services.catalog.markets.pack import Pack
from tests.services.catalog.conftest import Catalog
from tests.world import Answer, Client

MARKET = "lab"
SDS = {"rule": "sds", "languages": ["zh", "en"], "issued_on": "2026-01-10"}


def _named(name: str) -> dict[str, str]:
    return {"zh": f"{name} zh", "en": name}


def _attribute(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "label": _named(name), "headings": [name], "type": "text", "required": False, **said}


def _type(name: str, **said: Any) -> dict[str, Any]:
    title = {"zh": "{name} {purity|}", "en": "{name} {purity|}"}
    kept = {"name": name, "label": _named(name), "attribute": "kind", "codes": [name], "title": title}
    return {**kept, "requires": ["name"], **said}


def _rule(name: str, **said: Any) -> dict[str, Any]:
    return {"name": name, "label": _named(name), "source": "the house", **said}


KINDS = ("reagent", "narcotic", "shirt", "plate", "machine")
ATTRIBUTES = [
    _attribute("kind", type="choice", choices="kinds", required=True),
    _attribute("name"),
    _attribute("purity", type="number", unit="P1", most="100", decimals=2),
    _attribute("thickness", type="number", unit="MMT", decimals=3),
    _attribute("grade", equivalents="steel_grades"),
    _attribute("size", type="choice", choices="sizes"),
    _attribute("colour", searchable=False),
    _attribute("note", comparable=False),
    _attribute("batch_note", level="lot"),
    _attribute("expires_on", type="date", level="lot"),
    _attribute("mileage", type="number", level="piece"),
]
TYPES = [
    _type(
        "reagent",
        has=["purity", "note", "batch_note", "expires_on"],
        tracked="lot",
        documents=["sds", "leaflet", "analysis"],
        carriage=["fresh"],
        units={"base": "KGM", "trade": ["KGM", "TNE"], "step": "0.5", "minimum": "1"},
    ),
    _type("narcotic", has=["purity"], licences=["narcotics"], tracked="lot"),
    _type("shirt", has=["size", "colour", "note"], variants=["size", "colour"]),
    _type("plate", has=["grade", "thickness"], requires=["name", "grade"]),
    _type("machine", has=["note", "mileage"], tracked="piece", documents=["title"]),
]
DOCUMENTS = [
    _rule("sds", carried_by="product", required=True, languages=["zh", "en"], most_age_days=365),
    _rule("leaflet", carried_by="product", required=False),
    _rule("analysis", carried_by="lot", required=True, expires=True, types="analyses"),
    _rule("title", carried_by="piece", required=True),
]


def make_pack(*, moderated: tuple[str, ...] = (), market: str = MARKET, **changed: Any) -> Pack:
    """The pack of the market; ``moderated`` types are looked at by the operator."""
    steel = msgspec.to_builtins(load_pack(FOLDER / "steel.toml"), enc_hook=write_wire)
    content = {name: steel[name] for name in ("terms", "fees", "conversions", "columns", "clauses")} | {
        "market": market,
        "name": _named(market),
        "title": {"zh": "{name}", "en": "{name}"},
        "attributes": ATTRIBUTES,
        "types": TYPES,
        "choices": {
            "kinds": [{"code": kind, "name": _named(kind)} for kind in KINDS],
            "sizes": [{"code": size, "name": _named(size)} for size in ("s", "m", "l")],
            "analyses": [{"code": "works", "name": _named("works"), "also": ["works test"]}],
        },
        "documents": DOCUMENTS,
        "licences": [_rule("narcotics", scheme="narcotics", held_by=["seller", "buyer"], scope="name", hides=True)],
        "carriage": [_rule("fresh", fefo=True, expiry="expires_on", expiry_floor_days=30)],
        "moderation": {"types": list(moderated), "reason": _named("looked at")} if moderated else None,
        **changed,
    }
    return msgspec.convert(content, Pack, dec_hook=read_wire)


class Products:
    """A catalog with the small market, and the calls that tests make of products."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.publish()

    def publish(self, **changed: Any) -> None:
        """Publish the market, or it with what is changed."""
        pack = make_pack(**changed)
        database = self.catalog.world.databases["catalog"]
        database.run(lambda session: publish_packs(session, Caller.system("catalog"), [pack]))
        self.catalog.world.settle()

    def add(self, number: str = "P-1", by: Client | None = None, **said: Any) -> Answer:
        """Describe a product; what is not one of its own fields is an attribute."""
        own = {name: said.pop(name) for name in ("texts", "gtin", "state", "market") if name in said}
        attributes = {"kind": "shirt", "name": "Shirt"} | said
        body = {"market": MARKET, "number": number, "attributes": attributes, **own}
        return (by or self.catalog.mill).post("/v1/products", body)

    def publish_product(self, number: str = "P-1", by: Client | None = None, **said: Any) -> Any:
        """Describe a product and let everybody see it."""
        return self.add(number, by, state="published", **said).ok()

    def see(self, id: str, by: Client | None = None) -> Answer:
        """A product as somebody sees it."""
        return (by or self.catalog.mill).get(f"/v1/products/{id}")

    def move(self, id: str, move: str, by: Client | None = None, **body: Any) -> Answer:
        """Make a move of a product."""
        return (by or self.catalog.mill).post(f"/v1/products/{id}/{move}", body)

    def attach(self, path: str, file: bytes, by: Client | None = None, **said: Any) -> Answer:
        """Add a document or a picture."""
        content_type = said.pop("content_type", "application/pdf")
        return (by or self.catalog.mill).post(path, file, content_type=content_type, params=said)

    def count(self) -> dict[str, int]:
        """How many rows there are of what a refusal must not make."""
        tables = (
            "product",
            "product_change",
            "lot",
            "lot_change",
            "document",
            "part_number",
            "stated_equivalent",
            "outbox",
        )
        sql = self.catalog.world.sql
        return {table: sql("catalog", f"SELECT count(*) FROM {table}")[0][0] for table in tables}
