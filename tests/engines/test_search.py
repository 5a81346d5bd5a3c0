"""One golden suite over both search engines: the same questions find the same offers in the same order.

tantivy always runs. Elasticsearch is reached by HAIHE_TEST_ELASTICSEARCH; without it those tests are skipped, or fail
when HAIHE_REQUIRE_ENGINES=1.
"""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chassis import clock
from chassis.values import Exact, Quantity, UnitPrice
from events.orders import OfferDescribed, Periods, Terms
from services.catalog.markets.loader import load_packs
from services.catalog.parties.queries import Name
from services.catalog.products.model import Piece
from services.catalog.search.documents import make_change
from services.catalog.search.elastic_engine import ElasticEngine
from services.catalog.search.engine import Change, Document, Gone, Question, SearchEngine, SearchUnavailable, Sort
from services.catalog.search.queries import BadCursor, Wanted, search_offers
from services.catalog.search.tantivy_engine import TantivyEngine
from services.catalog.search.words import clauses_of

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
PACK = load_packs()["steel"]
EXCLUDED = "tax_excluded"
NAMES = {
    "party_mill": Name("party_mill", 1, "天津第一钢厂", True),
    "party_other": Name("party_other", 1, "Other Steel GmbH", True),
    "party_bad": Name("party_bad", 3, "停牌钢铁", False),
    "party_port": Name("party_port", 1, "滨海仓库", True),
    "party_yard": Name("party_yard", 1, "Wuxi Yard 3", True),
}


def piece(kind: str, grade: str, thickness: str, width: str, number: str, **more: str) -> Piece:
    size = {"thickness_mm": thickness, "width_mm": width}
    attributes = {"kind": kind, "grade": grade, **size, "heat_no": "SECRET", **more}
    return Piece(id=number, version=1, title=PACK.title_of(attributes), attributes=attributes, number=number)


def change(
    number: int,
    title: str,
    *pieces: Piece,
    price: str = "4000",
    unit: str = "TNE",
    tax_basis: Any = "tax_included",
    place: str = "天津",
    seller: str = "party_mill",
    warehouse: str = "party_port",
    market: str = "steel",
    state: str = "listed",
    valid: timedelta = timedelta(days=5),
    version: int = 1,
) -> Change:
    terms = Terms(
        price=UnitPrice(Exact(price), "CNY", unit),
        tax_basis=tax_basis,
        tax_rate=Exact("0.13"),
        buyer_deposit_percent=Exact(10),
        seller_deposit_percent=Exact(5),
        weighing_rule="LABEL",
        tolerance=Exact("0.003"),
        place=place,
        delivery_mode="self_pickup",
        deliver_by=NOW + timedelta(days=20),
        valid_until=NOW + valid,
        periods=Periods(deposit=timedelta(1), sign=timedelta(1), pay=timedelta(1), inspect=timedelta(1)),
    )
    offer = OfferDescribed(
        offer_id=f"offer_{number:026d}",
        version=version,
        terms_version=1,
        market=market,
        seller_id=seller,
        state=state,
        title=title,
        terms=terms,
        piece_ids=[piece.id for piece in pieces],
        remaining=Quantity(Exact("20"), "TNE"),
        warehouse_id=warehouse,
    )
    return make_change(offer, pieces, NAMES, load_packs().get(market))


def coil(kind: str, grade: str, thickness: str, width: str, number: str, **more: str) -> Piece:
    """A coil of a kind that is named by the first word of its code."""
    return piece(f"{kind}_coil", grade, thickness, width, number, **more)


HOT = coil("hot_rolled", "Q235B", "5.5", "1250", "C-2306-0123A")
YARD: dict[str, Any] = {"place": "无锡", "warehouse": "party_yard"}
PLATE = piece("heavy_plate", "Q355B", "20", "2000", "P8", length_mm="8000")
ABROAD = piece("heavy_plate", "S355J2+N", "30", "2500", "P9", length_mm="12000")
WIDE = coil("hot_rolled", "Q355B", "5.5", "1500", "C2")
THIN, THICK = coil("hot_rolled", "Q235B", "3", "1250", "C10"), coil("hot_rolled", "SPHC", "5.5", "1250", "C11")
ZINC = coil("galvanized", "DX51D", "1.2", "1250", "C6", coating="Z275")
GOLDEN: list[Change] = [
    change(1, "热轧卷板 Q235B", HOT, price="3850"),
    change(2, "热轧卷 Q355B", WIDE, price="4010", place="唐山", seller="party_other"),
    change(3, "热轧卷板 SPHC", coil("hot_rolled", "SPHC", "2.75", "1250", "C3"), price="3.9", unit="KGM"),
    change(4, "冷轧卷板 SPCC-SD", coil("cold_rolled", "SPCC", "1", "1250", "C4"), price="4600", place="上海"),
    change(5, "冷轧", coil("cold_rolled", "DC01", "0.8", "1000", "C5"), price="4100", tax_basis=EXCLUDED, place="上海"),
    change(6, "镀锌卷板 DX51D+Z275", ZINC, price="5100", place="广州"),
    change(7, "酸洗 SPHC", coil("hot_rolled_pickled", "SPHC", "3", "1250", "C7"), price="4200"),
    change(8, "中厚板 Q355B", PLATE, price="3990", **YARD),
    change(9, "Heavy plate", ABROAD, price="5600", seller="party_other", **{**YARD, "place": "Rotterdam"}),
    change(10, "热轧两卷", THIN, THICK, price="3850"),
    change(11, "不锈钢卷板", coil("stainless", "304L", "2", "1219", "C12"), price="14200", **YARD),
    change(12, "螺纹钢 HRB400E Φ20 按吨", price="3300", place="唐山"),
    change(13, "热轧卷板 Q235B 已撤", HOT, state="withdrawn"),
    change(14, "热轧卷板 Q235B 过期", HOT, valid=timedelta(0)),
    change(15, "热轧卷板 Q235B 停牌", HOT, seller="party_bad"),
    change(16, "热轧板、冷轧卷 整批", price="3700", place="天津港"),
    change(17, "松木板 5.5*1250", market="timber", price="900"),
    change(18, "Ｑ２３５Ｂ　开平板", price="3950", place="天津"),
]

NEWEST = [18, 17, 16, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]
QUESTIONS: list[tuple[str, dict[str, Any], list[int]]] = [
    ("everything", {}, NEWEST),
    ("a kind in Chinese", {"text": "热轧卷板"}, [10, 3, 2, 1]),
    ("the trade's short name, two characters", {"text": "热卷"}, [10, 3, 2, 1]),
    ("three characters are one word", {"text": "热轧卷"}, [10, 3, 2, 1]),
    ("two characters in another word", {"text": "冷轧"}, [16, 5, 4]),
    ("two characters at the end", {"text": "酸洗"}, [7]),
    ("one character", {"text": "锌"}, [6]),
    ("two words, both must be there", {"text": "冷轧 整批"}, [16]),
    ("a kind in English", {"text": "hot rolled coil"}, [10, 7, 3, 2, 1]),
    ("hyphen and plural", {"text": "Hot-Rolled Coils"}, [10, 7, 3, 2, 1]),
    ("an English abbreviation", {"text": "hrc"}, [10, 3, 2, 1]),
    ("English words in any order", {"text": "plate heavy"}, [9, 8]),
    ("a grade", {"text": "Q235B"}, [18, 10, 1]),
    ("a grade in lower case", {"text": "q235b"}, [18, 10, 1]),
    ("a grade in full width", {"text": "Ｑ２３５Ｂ"}, [18, 10, 1]),
    ("the beginning of a grade", {"text": "Q355"}, [8, 2]),
    ("the number in a grade", {"text": "355"}, [9, 8, 2]),
    ("a grade with a sign", {"text": "S355J2+N"}, [9]),
    ("a grade and its coating", {"text": "DX51D+Z275"}, [6]),
    ("a grade that ends in a letter", {"text": "304L"}, [11]),
    ("a grade that lacks its letter", {"text": "304"}, [11]),
    ("grade and Chinese run together", {"text": "Q355B热轧卷"}, [2]),
    ("a dimension", {"text": "5.5*1250"}, [17, 10, 1]),
    ("a dimension with the times sign", {"text": "5.5×1250"}, [17, 10, 1]),
    ("a dimension with an x", {"text": "5.5x1250"}, [17, 10, 1]),
    ("a dimension of a coil", {"text": "5.5*1500*C"}, [2]),
    ("a dimension of a plate", {"text": "20*2000*8000"}, [8]),
    ("a width alone", {"text": "1219"}, [11]),
    ("a thickness with its unit", {"text": "2.75mm"}, [3]),
    ("noughts that do not count", {"text": "5.50 热卷"}, [10, 2, 1]),
    ("grade and thickness", {"text": "Q235B 5.5"}, [10, 1]),
    ("a diameter in Cyrillic", {"text": "Ф20 螺纹"}, [12]),
    ("the number of a coil", {"text": "2306-0123a"}, [1]),
    ("the name of a seller", {"text": "other steel"}, [9, 2]),
    ("nothing of that name", {"text": "电工钢"}, []),
    ("the ends of two words are no word", {"text": "板冷"}, []),
    ("signs only", {"text": "!!! ***"}, []),
    ("the engines' own languages", {"text": '*:* OR _exists_:body "~ {}'}, []),
    ("an identifier that is not shown", {"text": "SECRET"}, []),
    ("a filter on grade", {"grade": "q355b"}, [8, 2]),
    ("a whole grade, not its beginning", {"grade": "Q355"}, []),
    ("a thickness from and to", {"thickness_min": "2.75", "thickness_max": "3"}, [10, 7, 3]),
    ("a thickness from", {"thickness_min": "20"}, [9, 8]),
    ("a thickness up to", {"thickness_max": "1"}, [5, 4]),
    ("just over a thickness", {"thickness_min": "5.501", "thickness_max": "19.999"}, []),
    ("grade and thickness of one piece", {"grade": "Q235B", "thickness_min": "5", "thickness_max": "6"}, [1]),
    ("a town", {"place": "天津"}, [18, 17, 16, 10, 7, 3, 1]),
    ("a warehouse", {"place": "wuxi yard"}, [11, 9, 8]),
    ("a town in words and filter", {"text": "冷轧", "place": "上海"}, [5, 4]),
    ("a seller", {"seller_id": "party_other"}, [9, 2]),
    ("a market", {"market": "timber"}, [17]),
    ("two filters", {"market": "steel", "grade": "SPHC"}, [10, 7, 3]),
    ("the cheapest, tax and unit counted", {"text": "卷", "sort": Sort.CHEAPEST}, [16, 1, 10, 3, 2, 7, 4, 5, 6, 11]),
    ("the dearest first", {"grade": "SPHC", "sort": Sort.DEAREST}, [7, 3, 10]),
]  # fmt: skip


def require(name: str) -> str:
    """An engine's address; without it the test is skipped, or fails where engines are required."""
    if not (address := os.environ.get(name)):
        if os.environ.get("HAIHE_REQUIRE_ENGINES") == "1":
            pytest.fail(f"{name} is not set")
        pytest.skip(f"{name} is not set: no such engine to test against")
    return address


@pytest.fixture(params=["tantivy", "elasticsearch"], scope="module")
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """An engine without an index."""
    if request.param == "tantivy":
        made: SearchEngine = TantivyEngine(tmp_path_factory.mktemp("index"))
        yield made
        made.close()
        return
    alias = f"haihe-test-{secrets.token_hex(4)}"
    made = ElasticEngine(require("HAIHE_TEST_ELASTICSEARCH"), alias)
    yield made
    made.drop()
    made.close()


@pytest.fixture(scope="module")
def golden(engine: SearchEngine) -> SearchEngine:
    """The engine with the offers of the golden suite: written singly and late, as events come."""
    with engine.rebuilt() as fill:
        fill(GOLDEN[::2])
    for one in GOLDEN[1::2]:
        engine.write([one])
    engine.refresh()
    return engine


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


def find(engine: SearchEngine, **wanted: Any) -> list[int]:
    for name in ("thickness_min", "thickness_max"):
        if name in wanted:
            wanted[name] = Decimal(wanted[name])
    found = search_offers(engine, Wanted(limit=100, **wanted))
    assert found.total == len(found.items) and found.next is None
    return [int(hit.offer_id.removeprefix("offer_")) for hit in found.items]


@pytest.mark.parametrize(("wanted", "expected"), [q[1:] for q in QUESTIONS], ids=[q[0] for q in QUESTIONS])
def test_golden(golden: SearchEngine, wanted: dict[str, Any], expected: list[int]) -> None:
    assert find(golden, **wanted) == expected


def test_a_hit_says_what_a_buyer_needs_and_nothing_that_is_only_the_sellers(golden: SearchEngine) -> None:
    (hit,) = search_offers(golden, Wanted(text="DX51D")).items
    assert hit.offer_id == f"offer_{6:026d}" and hit.seller == "天津第一钢厂" and hit.warehouse == "滨海仓库"
    assert hit.price == UnitPrice(Exact("5100"), "CNY", "TNE") and hit.remaining == Quantity(Exact("20"), "TNE")
    assert (hit.terms_version, hit.pieces, hit.place) == (1, 1, "广州")
    assert hit.attributes == {
        "kind": ["galvanized_coil"],
        "grade": ["DX51D"],
        "thickness_mm": ["1.2"],
        "width_mm": ["1250"],
        "coating": ["Z275"],
    }


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 14, 15, 100])
def test_pages_are_the_whole_in_order(golden: SearchEngine, sort: Sort, limit: int) -> None:
    whole = [hit.offer_id for hit in search_offers(golden, Wanted(sort=sort, limit=100)).items]
    seen, cursor = [], None
    while True:
        found = search_offers(golden, Wanted(sort=sort, limit=limit, cursor=cursor))
        assert found.total == 15 and (len(found.items) == limit or found.next is None)
        seen += [hit.offer_id for hit in found.items]
        if (cursor := found.next) is None:
            break
    assert seen == whole and len(whole) == 15


def test_a_cursor_belongs_to_its_order(golden: SearchEngine) -> None:
    cursor = search_offers(golden, Wanted(limit=2)).next
    for strange, sort in ((cursor, Sort.CHEAPEST), ("bm9uc2Vuc2U", Sort.NEWEST), ("bmV3ZXN0Onp6OmE", Sort.NEWEST)):
        with pytest.raises(BadCursor):
            search_offers(golden, Wanted(cursor=strange, sort=sort))


def test_an_offer_is_hidden_from_the_moment_its_validity_ends(golden: SearchEngine) -> None:
    with clock.frozen(NOW + timedelta(days=5, milliseconds=-1)):
        assert len(find(golden)) == 15
    with clock.frozen(NOW + timedelta(days=5)):
        assert find(golden) == []


# What follows changes the index, each from a beginning of its own.


@pytest.fixture
def fresh(engine: SearchEngine) -> SearchEngine:
    with engine.rebuilt() as fill:
        fill([change(1, "one"), change(2, "two"), change(3, "three")])
    return engine


def titles(engine: SearchEngine) -> list[str]:
    engine.refresh()
    return [hit.title for hit in search_offers(engine, Wanted()).items]


def test_a_later_version_replaces_and_an_earlier_one_changes_nothing(fresh: SearchEngine) -> None:
    fresh.write([change(2, "two again", version=5)])
    fresh.write([change(2, "late", version=4)])
    fresh.write([change(2, "late too", version=3, state="withdrawn")])
    assert titles(fresh) == ["three", "two again", "one"]
    fresh.write([change(2, "two again", version=5), change(2, "older in one batch", version=2)])
    assert titles(fresh) == ["three", "two again", "one"]


def test_an_offer_that_is_withdrawn_taken_or_expired_is_gone(fresh: SearchEngine) -> None:
    ended = ((1, "withdrawn"), (2, "taken"), (3, "expired"))
    fresh.write([change(number, "x", version=2, state=state) for number, state in ended])
    assert titles(fresh) == []
    fresh.write([change(1, "back", version=3), Gone("offer_unknown", 1)])
    assert titles(fresh) == ["back"]


def test_the_old_index_answers_until_the_new_one_is_whole(fresh: SearchEngine) -> None:
    with fresh.rebuilt() as fill:
        fill([change(7, "new")])
        assert titles(fresh) == ["three", "two", "one"]
        fresh.write([change(4, "meanwhile")])
        assert titles(fresh) == ["meanwhile", "three", "two", "one"]
    assert [hit.title for hit in search_offers(fresh, Wanted()).items] == ["new"]
    fresh.write([change(8, "after")])
    assert titles(fresh) == ["after", "new"]


def test_a_rebuild_that_fails_leaves_the_old_index(fresh: SearchEngine) -> None:
    with pytest.raises(KeyError), fresh.rebuilt() as fill:
        fill([change(7, "new")])
        raise KeyError
    assert titles(fresh) == ["three", "two", "one"] and fresh.is_ready()
    fresh.write([change(4, "four")])
    assert titles(fresh) == ["four", "three", "two", "one"]


def test_many_of_one_price_are_paged_without_loss(fresh: SearchEngine) -> None:
    with fresh.rebuilt() as fill:
        fill([change(n, f"n{n}", price=str(100 + n % 2)) for n in range(700)])
    seen, cursor = [], None
    while True:
        found = search_offers(fresh, Wanted(sort=Sort.CHEAPEST, limit=90, cursor=cursor))
        seen += [int(hit.title[1:]) for hit in found.items]
        if (cursor := found.next) is None:
            break
    assert seen == [*range(0, 700, 2), *range(1, 700, 2)] and found.total == 700


def test_a_page_stays_in_its_place_while_offers_come_and_go(fresh: SearchEngine) -> None:
    first = search_offers(fresh, Wanted(limit=2))
    assert [hit.title for hit in first.items] == ["three", "two"]
    fresh.write([change(9, "nine"), change(3, "gone", version=2, state="taken")])
    fresh.refresh()
    assert [hit.title for hit in search_offers(fresh, Wanted(limit=2, cursor=first.next)).items] == ["one"]


def test_without_an_index_the_search_is_unavailable_not_empty(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    engines: list[SearchEngine] = [TantivyEngine(tmp_path / "none"), ElasticEngine("http://127.0.0.1:9", "none")]
    if address := os.environ.get("HAIHE_TEST_ELASTICSEARCH"):
        engines.append(ElasticEngine(address, "haihe-test-none"))
    for engine in engines:
        with pytest.raises(SearchUnavailable):
            engine.search(Question(now=1))
        with pytest.raises(SearchUnavailable):
            engine.write([change(1, "x")])
        engine.close()


def test_an_index_that_was_dropped_is_missed_and_made_again(fresh: SearchEngine) -> None:
    if isinstance(fresh, TantivyEngine):
        (fresh.folder / "current").unlink()
    else:
        fresh.drop()
    with pytest.raises(SearchUnavailable):
        fresh.write([change(4, "four")])
    with pytest.raises(SearchUnavailable):
        search_offers(fresh, Wanted())
    assert not fresh.is_ready()
    with fresh.rebuilt() as fill:
        fill([change(5, "five")])
    assert fresh.is_ready() and titles(fresh) == ["five"]


def test_one_process_writes_tantivy_and_any_number_read(tmp_path: Path) -> None:
    writer, reader = TantivyEngine(tmp_path), TantivyEngine(tmp_path)
    with writer.rebuilt() as fill:
        fill([change(1, "one")])
    with pytest.raises(SearchUnavailable, match="another process writes"):
        reader.write([change(2, "two")])
    writer.write([change(2, "two")])
    assert titles(reader) == ["two", "one"]
    with writer.rebuilt() as fill:
        fill([change(3, "three")])
    assert titles(reader) == ["three"]
    writer.close()
    reader.write([change(4, "four")])
    assert titles(writer) == titles(reader) == ["four", "three"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1-1", "1-2", "current", "lock"]
    reader.close()


def test_every_document_of_the_suite_holds_what_it_is_found_by() -> None:
    documents = [made for made in GOLDEN if isinstance(made, Document)]
    assert len(documents) == 16 and len(QUESTIONS) >= 30
    assert clauses_of("5.5×1250") == [("5.5", "1250")]


def test_a_killed_writer_leaves_what_it_committed_and_its_lock_is_free(tmp_path: Path) -> None:
    engine = TantivyEngine(tmp_path)
    with engine.rebuilt() as fill:
        fill([change(1, "one")])
    engine.close()
    ready, told = os.pipe()
    if (child := os.fork()) == 0:
        writer = TantivyEngine(tmp_path)
        writer.write([change(2, "two")])
        uncommitted = writer._open_writer()
        writer._put(uncommitted, change(3, "never committed"))
        os.write(told, b"x")
        signal.pause()
    os.read(ready, 1)
    with pytest.raises(SearchUnavailable):
        engine.write([change(4, "four")])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert titles(engine) == ["two", "one"]
    engine.write([change(4, "four")])
    assert titles(engine) == ["four", "two", "one"]
    engine.close()
