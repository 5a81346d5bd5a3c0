"""Price lists: hundreds of rows at once, what becomes of each, and that nothing happens twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from chassis.auth import Caller
from chassis.uploads.fields import Outcome, TotalWords, Values
from chassis.uploads.headings import guess_columns
from chassis.uploads.tables import Table
from events.catalog import LicenceNeeded
from events.identity import Licence
from events.orders import OfferDescribed
from services.orders.offers.bulk import list_offers
from services.orders.offers.price_reasons import WORDS
from services.orders.offers.price_rows import FIELDS, check_row
from tests.services.orders.said import BEGINNING, describe_party, describe_product, tonnes
from tests.services.orders.stand import Stand

SELLER = Caller("user_mill_seller", "mill", frozenset({"seller"}))
DELIVERY = (BEGINNING + timedelta(days=20)).isoformat()
HEADINGS = ["报价编号", "产品编号", "买方", "单价", "含税", "数量", "起订量", "交货地", "仓库", "交货期", "有效期至"]


def make_row(number: str, /, **said: str) -> dict[str, str]:
    """A row of a price list as it stands in a file, by the names of its fields."""
    row = {
        "number": number, "product": "P-1", "price": "3850", "quantity": "100", "place": "Tianjin", "warehouse": "Warehouse",
        "deliver_by": DELIVERY,
    }  # fmt: skip
    return {name: text for name, text in {**row, **said}.items() if text}


def read(rows: Sequence[dict[str, str]]) -> tuple[list[Values], list[tuple[int, str, str]]]:
    """The rows whose cells are right, as an upload hands them over, and what is wrong with the others."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(FIELDS, guess_columns(FIELDS, names), check=check_row, totals=TotalWords())
    checked = table.read([(n + 2, [row.get(name, "") for name in names]) for n, row in enumerate(rows)])
    table.close()
    return [values for _, values in checked.rows], [(each.row, each.column, each.reason) for each in checked.mistakes]


def store(stand: Stand, *rows: dict[str, str], caller: Caller = SELLER) -> Outcome:
    """Take rows in, whose cells are right, in one transaction."""
    values, mistakes = read(rows)
    assert mistakes == []
    return stand.database.run(lambda session: list_offers(session, caller, "steel", values))


def counts(outcome: Outcome) -> tuple[int, int, int]:
    """How many were created, updated and left unchanged."""
    return outcome.created, outcome.updated, outcome.unchanged


def offer_of(stand: Stand, number: str) -> dict[str, Any]:
    """The offer that has a number, as its seller sees it."""
    items = stand.get(f"/v1/offers?seller_id=mill&number={number}", party="mill").ok()["items"]
    return items[0]


@pytest.fixture
def market(stand: Stand) -> Stand:
    """A market with a product of the mill."""
    stand.hear(describe_product("product_1", step="0.5", minimum="5"))
    stand.told()
    return stand


def test_new_rows_are_listed_as_one_by_one(market: Stand) -> None:
    assert counts(
        store(market, make_row("N1", tax_basis="不含税", minimum="10"), make_row("N2", buyer="Buyer; trader"))
    ) == (2, 0, 0)
    listed = market.list_offer(
        product_id="product_1", quantity=tonnes("100"), minimum=tonnes("10"), warehouse_id="warehouse", number="N3",
        terms={"tax_basis": "tax_excluded", "price": {"value": "3850", "currency": "CNY", "unit": "TNE"}, "valid_until": None},
    ).ok()  # fmt: skip
    first, second = offer_of(market, "N1"), offer_of(market, "N2")
    assert {**first, "id": "", "number": ""} == {**listed, "id": "", "number": ""}
    assert (second["audience"], second["minimum"]) == (["buyer", "trader"], tonnes("5"))
    told = market.told()
    assert all(isinstance(each, OfferDescribed) for each in told)
    assert [(each.number, each.audience, each.version) for each in told] == [
        ("N1", None, 1), ("N2", ["buyer", "trader"], 1), ("N3", None, 1),
    ]  # fmt: skip
    assert told[0].terms == told[2].terms
    assert market.take(second, quantity=tonnes("7.5")).ok()["offer_id"] == second["id"]
    assert market.take(second, party="warehouse", quantity=tonnes("7.5")).problem() == "not_found"
    assert market.broken() == {}


def test_rows_that_come_again_change_nothing(market: Stand) -> None:
    rows = [make_row(f"N{n}", buyer="Buyer" if n % 2 else "") for n in range(20)]
    store(market, *rows)
    before = market.snapshot()
    assert counts(store(market, *rows)) == (0, 0, 20)
    assert market.snapshot() == before


def test_what_differs_is_revised_and_takers_must_have_seen_new_terms_only(market: Stand) -> None:
    store(market, make_row("N1"), make_row("N2"), make_row("N3"))
    market.told()
    outcome = store(market, make_row("N1", price="3800"), make_row("N2", quantity="60.5"), make_row("N3"))
    assert counts(outcome) == (0, 2, 1)
    cheaper, less = offer_of(market, "N1"), offer_of(market, "N2")
    assert (cheaper["version"], cheaper["terms"]["price"]["value"], cheaper["remaining"]) == (2, "3800", tonnes("100"))
    assert (less["version"], less["listed"], less["remaining"]) == (1, tonnes("60.5"), tonnes("60.5"))
    assert [(each.number, each.version, each.terms_version) for each in market.told()] == [("N1", 2, 2), ("N2", 2, 1)]
    until = (BEGINNING + timedelta(days=3)).isoformat()
    assert counts(store(market, {"number": "N2", "valid_until": until})) == (0, 1, 0)
    assert offer_of(market, "N2")["valid_until"] == "2026-03-05T08:00:00Z"
    market.advance(timedelta(days=3))
    assert offer_of(market, "N2")["state"] == "expired"
    assert market.broken() == {}


def test_the_quantity_is_what_shall_be_left_to_sell(market: Stand) -> None:
    store(market, make_row("N1"))
    market.take(offer_of(market, "N1"), quantity=tonnes("30")).ok()
    assert counts(store(market, make_row("N1", quantity="70"))) == (0, 0, 1)
    assert counts(store(market, make_row("N1"))) == (0, 1, 0)
    again = offer_of(market, "N1")
    assert (again["state"], again["listed"], again["remaining"]) == ("partly_taken", tonnes("130"), tonnes("100"))
    assert market.broken() == {}


def test_nothing_left_to_sell_withdraws_and_the_number_is_free(market: Stand) -> None:
    store(market, make_row("N1"))
    assert counts(store(market, make_row("N1", quantity="0"))) == (0, 1, 0)
    assert offer_of(market, "N1")["state"] == "withdrawn"
    before = market.snapshot()
    assert counts(store(market, make_row("N1", quantity="0"))) == (0, 0, 1)
    assert market.snapshot() == before
    assert counts(store(market, make_row("N1"))) == (1, 0, 0)
    assert market.broken() == {}


def test_offers_of_pieces_are_repriced_and_withdrawn_by_their_number(market: Stand) -> None:
    ids = market.make_coils("A1", "A2")
    offer = market.list_offer(*ids, number="COILS").ok()
    market.take(offer, ids[0]).ok()
    market.told()
    assert counts(store(market, {"number": "COILS", "price": "3900"})) == (0, 1, 0)
    [told] = market.told()
    assert (told.piece_ids, told.taken_piece_ids, told.terms_version) == ([ids[1]], [ids[0]], 2)
    refused = store(market, {"number": "COILS", "quantity": "3"}).refused
    assert refused == [(0, "quantity", "the offer is of pieces, which say this themselves")]
    assert counts(store(market, {"number": "COILS", "quantity": "0"})) == (0, 1, 0)
    [told] = market.told()
    assert (told.state, told.piece_ids, told.taken_piece_ids) == ("withdrawn", [], [ids[0]])
    assert market.list_offer(ids[1]).ok()["state"] == "listed"
    assert market.broken() == {}


def test_an_offer_that_is_over_is_closed_and_listed_anew(market: Stand) -> None:
    until = (BEGINNING + timedelta(days=1)).isoformat()
    store(market, make_row("N1", valid_until=until), make_row("N2", valid_until=until))
    market.take(offer_of(market, "N2"), quantity=tonnes("100")).ok()
    market.frozen.advance(timedelta(days=1))
    market.told()
    assert counts(store(market, make_row("N1"), make_row("N2"))) == (2, 0, 0)
    assert [(each.number, each.state) for each in market.told()] == [
        ("N1", "expired"), ("N2", "expired"), ("N1", "listed"), ("N2", "listed"),
    ]  # fmt: skip
    assert market.broken() == {}


REFUSED = {
    "product_unknown": ({"product": "P-9"}, "product", "you have no product of this number"),
    "product_foreign": ({"product": "product_foreign"}, "product", "you have no product of this number"),
    "product_draft": ({"product": "P-2"}, "product", "only a published product is offered: this one is draft"),
    "product_blocked": ({"product": "P-3"}, "product", "the product may not be offered: document_missing"),
    "market": ({"product": "P-4"}, "product", "the product is of the market autos"),
    "licence": ({"product": "P-5"}, "product", "your company lacks the licence hazardous_chemicals for 3, 8"),
    "licence_plain": ({"product": "P-6"}, "product", "your company lacks the licence gsp"),
    "no_product": ({"product": ""}, "product", "a new offer needs this"),
    "no_price": ({"price": ""}, "price", "a new offer needs this"),
    "warehouse": ({"warehouse": "Nowhere"}, "warehouse", "no company is called Nowhere"),
    "warehouse_suspended": ({"warehouse": "gone"}, "warehouse", "Gone is suspended"),
    "buyers": ({"buyer": "Double"}, "buyer", "several companies are called Double: write one of double_1, double_2"),
    "own": ({"buyer": "Mill"}, "buyer", "your own company sees it anyway"),
    "minimum": ({"quantity": "4"}, "quantity", "at least 5 TNE"),
    "step": ({"quantity": "10.2"}, "quantity", "a multiple of 0.5 TNE"),
    "lot": ({"minimum": "101"}, "minimum", "between nothing and 100 TNE"),
    "unit": ({"unit": "H87", "weighing_rule": "LABEL"}, "quantity", "its units are TNE, KGM"),
    "price_unit": ({"unit": "GRM"}, "unit", "one of TNE, KGM, H87"),
    "currency": ({"currency": "USD"}, "currency", "one of CNY"),
    "tax_rate": ({"tax_rate": "5%"}, "tax_rate", "one of 0.13, 0.09, 0"),
    "validity": ({"valid_until": "2026-03-02T08:00:00+00:00"}, "valid_until",
                 "an offer is valid between 0:00:01 and 30 days, 0:00:00 from now"),
    "delivery": ({"deliver_by": "2030-01-01"}, "deliver_by",
                 "delivery is due after the offer's validity and within 730 days"),
    "scale": ({"weighing_rule": "THIRD_PARTY"}, "weighing_rule", "who weighs is to be named"),
    "taken": ({"number": "TAKEN", "price": "3800"}, "number",
              "the offer is taken: wait for its deals or use another number"),
    "other_product": ({"number": "OPEN", "product": "P-7"}, "product",
                      "the offer is of another product: withdraw it and list another"),
    "other_buyer": ({"number": "OPEN", "buyer": "Buyer"}, "buyer",
                    "the offer is to other buyers: withdraw it and list another"),
    "other_warehouse": ({"number": "OPEN", "warehouse": "Trader"}, "warehouse",
                        "the goods lie in another warehouse: withdraw the offer and list another"),
    "other_unit": ({"number": "OPEN", "unit": "KGM"}, "unit",
                   "the price is for a TNE: withdraw the offer and list another"),
    "other_currency": ({"number": "OPEN", "currency": "USD"}, "currency",
                       "the price is in CNY: withdraw the offer and list another"),
    "below_minimum": ({"number": "OPEN", "minimum": "60", "quantity": "50", "price": "1"}, "quantity",
                      "less than the least that may be taken, 60 TNE"),
}  # fmt: skip
"""What is refused: how a good row is changed, the column that is named, and the reason."""


def arrange_refusals(stand: Stand) -> None:
    """Everything that the refused rows speak of."""
    hazard = LicenceNeeded(scheme="hazardous_chemicals", held_by=["seller"], scope=["3", "8"])
    gsp = LicenceNeeded(scheme="gsp", held_by=["seller"])
    stand.hear(
        describe_product("product_foreign", number="P-1", owner_id="trader"),
        describe_product("product_2", number="P-2", state="draft"),
        describe_product("product_3", number="P-3", blocked="document_missing"),
        describe_product("product_4", number="P-4", market="autos"),
        describe_product("product_5", number="P-5", licences=[hazard]),
        describe_product("product_6", number="P-6", licences=[gsp]),
        describe_product("product_7", number="P-7"),
        describe_party("gone", state="suspended"),
        describe_party("double_1", name="Double"),
        describe_party("double_2", name="double "),
        describe_party("mill", 2, licences=[Licence(scheme="gsp", number="1", scope=[], valid_until=BEGINNING)]),
    )
    store(stand, make_row("OPEN"), make_row("TAKEN"))
    stand.take(offer_of(stand, "TAKEN"), quantity=tonnes("100")).ok()
    stand.told()


def test_each_refusal_names_column_and_reason_in_both_languages_and_stops_no_other_row(market: Stand) -> None:
    arrange_refusals(market)
    before = market.snapshot()
    rows = [make_row(f"R{n}", **changed) for n, (changed, _, _) in enumerate(REFUSED.values())]
    taken_in = [row for row in rows if row["number"] not in ("OPEN",)]
    outcome = store(market, *taken_in)
    open_ones = [store(market, row).refused for row in rows if row["number"] == "OPEN"]
    found = [(column, reason) for _, column, reason in [*outcome.refused, *(each for [each] in open_ones)]]
    said = sorted(REFUSED.values(), key=lambda each: each[0].get("number") == "OPEN")
    assert found == [(column, reason) for _, column, reason in said]
    assert counts(outcome) == (0, 0, 0)
    assert market.snapshot() == before
    for _, reason in found:
        told = WORDS.tell(reason, "zh")
        assert told != reason and any("\u4e00" <= sign <= "\u9fff" for sign in told), reason
        assert WORDS.tell(reason, "en") == reason


@pytest.mark.parametrize(
    ("cell", "column", "reason", "chinese"),
    [
        ({"price": "0"}, "price", "a price is more than nothing", "单价须大于 0"),
        ({"price": "abc"}, "price", "is not a number in plain digits, at most 12 before and 6 after the point",
         "不是普通数字（小数点前最多 12 位，后最多 6 位）"),
        ({"quantity": "-1"}, "quantity", "is less than nothing", "不能小于 0"),
        ({"tax_basis": "maybe"}, "tax_basis", "is none of tax_included, tax_excluded", "只能是：含税、不含税"),
        ({"delivery_mode": "by air"}, "delivery_mode", "is none of self_pickup, delivered", "只能是：自提、送到"),
        ({"deliver_by": "soon"}, "deliver_by",
         "is neither a day (2026-11-21) nor a time with its offset (2026-11-21T18:00:00+08:00)",
         "既不是日期（2026-11-21），也不是带时区的时间（2026-11-21T18:00:00+08:00）"),
        ({"valid_until": "2026-03-03T12:00:00"}, "valid_until",
         "is a time without its offset: write 2026-11-21T18:00:00+08:00", "时间缺少时区：请写成 2026-11-21T18:00:00+08:00"),
        ({"unit": "bag"}, "unit", "is no unit that the platform knows: write its code of UN/ECE Recommendation 20",
         "平台没有此单位：请填写 UN/ECE 第 20 号建议书代码"),
        ({"number": ""}, "number", "is missing", "缺少内容"),
        ({"valid_until": "2026-03-30"}, "deliver_by", "delivery is due after the offer's validity", "交货期限须晚于有效期"),
        ({"buyer": ";"}, "buyer", "names at least one company and at most 50", "须写明 1 至 50 家公司"),
    ],
)  # fmt: skip
def test_a_cell_that_says_nothing_sensible_is_told_in_both_languages(
    cell: dict[str, str], column: str, reason: str, chinese: str
) -> None:
    values, mistakes = read([make_row("N0"), make_row("N1", **cell)])
    assert len(values) == 1
    assert mistakes == [(3, column, reason)]
    assert WORDS.tell(reason, "zh") == chinese


def test_chinese_headings_units_words_and_days_are_read() -> None:
    cells = [
        "N1",
        "P-1",
        "买方公司；trader",
        "3,850.50",
        "含税",
        "1,000",
        "5",
        "天津",
        "仓库",
        "2026/03/22",
        "2026-03-04",
    ]
    values, mistakes = read([dict(zip(HEADINGS, cells, strict=True))])
    assert mistakes == []
    [row] = values
    assert (row["buyer"], str(row["price"]), row["tax_basis"], str(row["quantity"])) == (
        ("买方公司", "trader"), "3850.50", "tax_included", "1000",
    )  # fmt: skip
    assert (row["deliver_by"].isoformat(), row["valid_until"].isoformat()) == (
        "2026-03-22T23:59:59+00:00", "2026-03-04T23:59:59+00:00",
    )  # fmt: skip


class Killed(Exception):
    """The process ends before its transaction does."""


def test_a_batch_that_was_rolled_back_is_sent_again_and_nothing_is_there_twice(market: Stand) -> None:
    rows, bad = [], []
    for n in range(400):
        wrong = n % 100 == 7
        rows.append(make_row(f"N{n:03}", product="P-9" if wrong else "P-1", price=str(3000 + n)))
        bad += [n] if wrong else []
    first, second = read(rows[:200])[0], read(rows[200:])[0]

    def die(session: Any) -> None:
        list_offers(session, SELLER, "steel", second)
        raise Killed

    done = market.database.run(lambda session: list_offers(session, SELLER, "steel", first))
    assert [place for place, _, _ in done.refused] == bad[:2]
    with pytest.raises(Killed):
        market.database.run(die)
    assert market.rows("SELECT count(*) FROM offer") == [(198,)]
    whole = store(market, *rows)
    assert (counts(whole), [place for place, _, _ in whole.refused]) == ((198, 0, 198), bad)
    before = market.snapshot()
    assert counts(store(market, *rows)) == (0, 0, 396)
    assert market.snapshot() == before
    assert market.rows("SELECT count(*), count(DISTINCT number) FROM offer") == [(396, 396)]
    assert len(market.told()) == 396
    assert market.broken() == {}


@pytest.mark.parametrize("change", [{}, {"price": "3999"}, {"quantity": "50"}])
def test_the_number_of_statements_does_not_depend_on_that_of_rows(market: Stand, change: dict[str, str]) -> None:
    """Counted for rows that are new, equal, and differing."""

    def count(rows: list[dict[str, str]]) -> int:
        sent: list[str] = []
        listen = lambda *said: sent.append(said[2])  # noqa: E731
        event.listen(market.database.engine, "before_cursor_execute", listen)
        store(market, *rows)
        event.remove(market.database.engine, "before_cursor_execute", listen)
        return len(sent)

    few = [make_row(f"F{n}") for n in range(2)]
    many = [make_row(f"M{n}", buyer="Buyer" if n % 3 else "") for n in range(300)]
    assert count(few) == count(many) <= 10
    assert count([{**row, **change} for row in few]) == count([{**row, **change} for row in many]) <= 10


def test_a_price_list_is_of_the_sellers_own_offers(market: Stand) -> None:
    store(market, make_row("N1"))
    market.hear(describe_product("product_t", number="P-1", owner_id="trader"))
    trader = Caller("user_trader_seller", "trader", frozenset({"seller"}))
    assert counts(store(market, make_row("N1", price="1"), caller=trader)) == (1, 0, 0)
    assert offer_of(market, "N1")["terms"]["price"]["value"] == "3850"
    assert [each["seller_id"] for each in market.get("/v1/offers?number=N1").ok()["items"]] == ["trader", "mill"]
