"""Many products at a time: what becomes of each draft, in a number of statements that does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from chassis.auth import Caller
from events.catalog import ProductDescribed
from services.catalog.markets.loader import FOLDER, load_pack
from services.catalog.markets.queries import pack_of
from services.catalog.markets.samples import make_samples
from services.catalog.products.commands import NO_TYPE, OTHER_MARKET, REFUSALS_ZH, RETIRED, TWICE, describe_products
from services.catalog.products.draft import Draft, Outcome
from services.catalog.products.invariants import PRODUCT_INVARIANTS
from services.catalog.products.kinds import MISSING, STRANGE
from tests.services.catalog.conftest import MILL, pdf
from tests.services.catalog.product_market import SDS, Products
from tests.services.catalog.test_races import at_once

SELLER = Caller(f"user_{MILL}", MILL, frozenset({"seller"}))


def describe(products: Products, drafts: Sequence[Draft]) -> Outcome:
    """Let the mill describe products."""

    def work(session: Session) -> Outcome:
        return describe_products(session, SELLER, pack_of(session, "lab"), drafts)

    return products.catalog.world.databases["catalog"].run(work)


def shirt(number: str, state: str = "draft", **attributes: str) -> Draft:
    """A draft."""
    return Draft(number=number, attributes={"kind": "shirt", "name": "Shirt", **attributes}, state=state)  # type: ignore[arg-type]


@contextmanager
def counted(products: Products) -> Iterator[list[str]]:
    """The statements that are run within the block."""
    said: list[str] = []
    engine = products.catalog.world.databases["catalog"].engine

    def note(*told: object) -> None:
        said.append(str(told[2]))

    event.listen(engine, "before_cursor_execute", note)
    yield said
    event.remove(engine, "before_cursor_execute", note)


def test_each_draft_is_made_changed_left_or_refused_by_its_place(products: Products) -> None:
    assert describe(products, [shirt("S-1", size="m"), shirt("S-2")]).created == 2
    retired = products.see(describe(products, [shirt("S-3")]).ids[0] or "").ok()["id"]
    products.move(retired, "retire").ok()
    products.publish(market="other")
    products.add("S-4", market="other").ok()
    drafts = [
        shirt("S-1", size="l"),
        shirt("S-2"),
        shirt("S-3"),
        shirt("S-4"),
        shirt("S-5"),
        shirt("S-5", size="m"),
        shirt("S-6", purity="5"),
        Draft(number="S-7", attributes={"kind": "shirt"}),
        Draft(number="S-8", attributes={"name": "x"}),
    ]
    outcome = describe(products, drafts)
    assert (outcome.created, outcome.updated, outcome.unchanged) == (1, 1, 1)
    assert outcome.refused == [
        (2, "number", RETIRED),
        (3, "number", OTHER_MARKET),
        (5, "number", TWICE),
        (6, "purity", STRANGE),
        (7, "name", MISSING),
        (8, "kind", NO_TYPE),
    ]
    assert [id is not None for id in outcome.ids] == [True, True, False, False, True, False, False, False, False]
    assert {why for _, _, why in outcome.refused} <= REFUSALS_ZH.keys()
    again = describe(products, drafts[:2])
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


def test_what_is_sent_to_be_published_is_published_whatever_it_was(products: Products) -> None:
    describe(products, [shirt("S-1"), shirt("S-2", "published")])
    outcome = describe(products, [shirt("S-1", "published"), shirt("S-2", "draft")])
    assert (outcome.updated, outcome.unchanged) == (1, 1)
    states = {item["number"]: item["state"] for item in products.catalog.mill.get("/v1/products").ok()["items"]}
    assert states == {"S-1": "published", "S-2": "published"}


@pytest.mark.parametrize("kind", ["shirt", "reagent"])
def test_the_number_of_statements_does_not_grow_with_the_drafts(products: Products, kind: str) -> None:
    def drafts(count: int, purity: str) -> list[Draft]:
        said = {"purity": purity} if kind == "reagent" else {"note": purity}
        return [Draft(number=f"N-{i}", attributes={"kind": kind, "name": f"n{i}", **said}) for i in range(count)]

    spent = []
    for purity, counts in (("1", (3, 300)), ("2", (3, 300)), ("2", (3, 300))):
        for count in counts:
            with counted(products) as said:
                describe(products, drafts(count, purity))
            spent.append(len(said))
    assert max(spent) <= 12, spent
    assert max(spent[1::2]) <= max(spent[0::2]) + 1, spent
    assert len(products.catalog.told(ProductDescribed)) == 600
    (least, most) = products.catalog.world.sql("catalog", "SELECT min(version), max(version) FROM product")[0]
    assert (least, most) == (2, 2)


def test_what_is_told_of_many_is_what_is_told_of_one(products: Products) -> None:
    describe(products, [shirt("S-1", "published", size="m"), shirt("S-2", size="l")])
    described = products.catalog.told(ProductDescribed)
    products.catalog.world.republish()
    assert products.catalog.told(ProductDescribed) == sorted(described * 2, key=lambda event: event.subject)


def test_a_call_that_fails_leaves_nothing(products: Products) -> None:
    before = products.count()

    def work(session: Session) -> None:
        describe_products(session, SELLER, pack_of(session, "lab"), [shirt("S-1")])
        raise RuntimeError("the lights went out")

    with pytest.raises(RuntimeError):
        products.catalog.world.databases["catalog"].run(work)
    assert products.count() == before


PACKS = sorted(path for path in FOLDER.iterdir() if path.suffix == ".toml" or any(path.glob("*.toml")))


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.stem)
def test_the_goods_of_every_market_become_products_that_say_the_same_when_read_again(
    products: Products, path: Path
) -> None:
    database = products.catalog.world.databases["catalog"]
    market = load_pack(path).market

    def work(session: Session) -> Outcome:
        pack = pack_of(session, market)
        goods = make_samples(pack, 5, 200)
        drafts = [Draft(number=each.number, attributes=each.at(pack, "product"), state="published") for each in goods]
        read = [{name: pack.readers[name](value) for name, value in draft.attributes.items()} for draft in drafts]
        assert read == [draft.attributes for draft in drafts]
        return describe_products(session, SELLER, pack, drafts)

    outcome = database.run(work)
    assert (outcome.created, outcome.refused) == (200, [])
    told = products.catalog.told(ProductDescribed)
    assert len(told) == 200 and all(event.title["zh"] and event.title["en"] for event in told)
    assert {event.state for event in told} <= {"published", "submitted"}
    again = database.run(work)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 200)


def test_what_comes_at_once_is_each_in_the_history_and_nothing_locks_up(products: Products) -> None:
    id = products.add("A-1", kind="reagent", name="Acetone").ok()["id"]
    path = f"/v1/products/{id}"
    mill = products.catalog.mill
    calls = [
        *(lambda n=n: products.add("A-1", kind="reagent", name="Acetone", note=f"n{n}") for n in range(3)),
        *(lambda n=n: products.attach(f"{path}/documents", pdf(f"x{n}"), **SDS) for n in range(3)),
        *(lambda: mill.post(f"{path}/publish"), lambda: mill.post(f"{path}/retire")),
        *(
            lambda n=n: mill.post(f"{path}/lots", {"number": "L-1", "attributes": {"batch_note": f"{n}"}})
            for n in range(2)
        ),
        *(lambda: mill.post(f"{path}/revise", {"version": 1, "attributes": {"purity": "5"}}),),
    ]
    statuses = {answer.status for answer in at_once(*calls)}
    assert statuses <= {200, 201, 409}, statuses
    assert [products.catalog.world.sql("catalog", each.query) for each in PRODUCT_INVARIANTS] == [[]] * len(
        PRODUCT_INVARIANTS
    )
    versions = [event.version for event in products.catalog.told(ProductDescribed)]
    assert versions == list(range(1, len(versions) + 1))
