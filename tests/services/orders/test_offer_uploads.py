"""Price lists over HTTP: sent, checked, applied and told of by row and column; taken out again as a file."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from chassis.uploads import job
from chassis.uploads.loop import UploadLoop
from services.orders import IMPORTERS
from services.orders.offers import uploading
from services.orders.offers.price_rows import FIELDS
from tests.services.orders.said import BEGINNING, describe_product, tonnes
from tests.services.orders.stand import Stand

HEADINGS = ["报价编号", "产品编号", "买方", "单价", "含税", "数量", "交货地", "仓库", "交货期限"]
DELIVERY = (BEGINNING + timedelta(days=20)).date().isoformat()
ROWS, BAD = 600, 6


def make_file(rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> bytes:
    """A CSV file as a Chinese spreadsheet writes it."""
    text = io.StringIO()
    csv.writer(text).writerows([headings, *rows])
    return text.getvalue().encode("gb18030")


def make_rows() -> list[list[str]]:
    """Six hundred offers, every hundredth with a mistake."""
    rows = []
    for n in range(ROWS):
        buyer, product, price = ("Buyer" if n % 3 == 0 else "", "P-1", str(3000 + n))
        if n % 100 == 42:
            product, price = [("P-9", price), ("P-1", "0"), ("P-2", price)][n // 100 % 3]
        rows.append([f"N{n:03}", product, buyer, price, "含税", "100", "天津", "Warehouse", DELIVERY])
    return rows


def begin(stand: Stand, file: bytes, *, language: str = "zh", party: str = "mill") -> str:
    """Send a file and let its columns be found; the path of the upload."""
    path = f"/v1/offer-uploads/files?kind=offers&market=steel&file_name=prices.csv&language={language}"
    sent = stand.send_file(path, file, party=party).ok()
    work(stand)
    return f"/v1/offer-uploads/{sent['id']}"


def work(stand: Stand, member: str = "worker-1") -> None:
    """Let the worker do what there is to do."""
    loop = UploadLoop(IMPORTERS, stand.database, member)
    while loop.step():
        pass
    loop.close()


def run(stand: Stand, path: str, what: str) -> dict[str, Any]:
    """Check or apply an upload, and how it stands then."""
    stand.send("POST", f"{path}/{what}", party="mill", role="seller").ok()
    work(stand)
    return stand.get(path, party="mill", role="seller").ok()


def counts(upload: dict[str, Any]) -> tuple[int, int, int, int]:
    """Created, updated, unchanged and refused rows."""
    return upload["created"], upload["updated"], upload["unchanged"], upload["refused"]


@pytest.fixture
def market(stand: Stand) -> Stand:
    """A market with a product of the mill, and one that may not be offered."""
    stand.hear(describe_product("product_1"), describe_product("product_2", number="P-2", state="retired"))
    stand.told()
    return stand


def test_one_row_in_a_hundred_is_bad_and_is_told_by_row_column_value_and_reason(market: Stand) -> None:
    path = begin(market, make_file(make_rows()))
    found = market.get(path, party="mill", role="seller").ok()
    assert (found["state"], found["missing"]) == ("opened", [])
    assert [column["field"] for column in found["columns"]] == [
        "number", "product", "buyer", "price", "tax_basis", "quantity", "place", "warehouse", "deliver_by",
    ]  # fmt: skip
    before = market.snapshot()
    checked = run(market, path, "check")
    assert (checked["state"], counts(checked)) == ("checked", (ROWS - BAD, 0, 0, BAD))
    assert market.snapshot() == before
    applied = run(market, path, "apply")
    assert (applied["state"], counts(applied)) == ("applied", (ROWS - BAD, 0, 0, BAD))
    expected = {
        "zh": {
            "P-9": "贵公司没有此编号的产品",
            "0": "单价须大于 0",
            "P-2": "只能报价已发布的产品：此产品状态为 已下架",
        },
        "en": {
            "P-9": "you have no product of this number",
            "0": "a price is more than nothing",
            "P-2": "only a published product is offered: this one is retired",
        },
    }
    for language, reasons in expected.items():
        told = market.fetch(f"{path}/errors/file?format=csv&language={language}", party="mill", role="seller")
        lines = list(csv.reader(io.StringIO(told.get_data().decode("utf-8-sig"))))[1:]
        assert [tuple(line) for line in lines] == [
            (str(44 + 100 * n), "单价" if value == "0" else "产品编号", value, reasons[value])
            for n, value in enumerate(["P-9", "0", "P-2"] * 2)
        ]
    told = market.told()
    assert len(told) == len({each.offer_id for each in told}) == ROWS - BAD
    assert [each.audience for each in told[:4]] == [["buyer"], None, None, ["buyer"]]
    assert market.broken() == {}


def test_the_same_file_again_changes_nothing_and_another_price_revises(market: Stand) -> None:
    rows = make_rows()
    run(market, begin(market, make_file(rows)), "apply")
    before = market.snapshot()
    assert counts(run(market, begin(market, make_file(rows)), "apply")) == (0, 0, ROWS - BAD, BAD)
    assert market.snapshot() == before
    rows[0][3] = "2999"
    assert counts(run(market, begin(market, make_file(rows)), "apply")) == (0, 1, ROWS - BAD - 1, BAD)
    [offer] = market.get("/v1/offers?number=N000", party="mill").ok()["items"]
    assert (offer["version"], offer["terms"]["price"]["value"]) == (2, "2999")


class Killed(BaseException):
    """The process ends."""


@pytest.mark.parametrize("dies_in", [1, 3, 6])
def test_killed_in_the_middle_and_run_again_nothing_is_twice_and_nothing_lost(
    market: Stand, monkeypatch: pytest.MonkeyPatch, dies_in: int
) -> None:
    monkeypatch.setattr(job, "BATCH", 100)
    monkeypatch.setattr(job, "RECORDS_A_STEP", 100)
    path = begin(market, make_file(make_rows()))
    market.send("POST", f"{path}/apply", party="mill", role="seller").ok()
    batches, list_offers = itertools.count(1), uploading.list_offers

    def die(*said: Any) -> Any:
        done = list_offers(*said)
        if next(batches) == dies_in:
            raise Killed
        return done

    monkeypatch.setattr(uploading, "list_offers", die)
    with pytest.raises(Killed):
        work(market)
    stopped = market.get(path, party="mill", role="seller").ok()
    assert (stopped["state"], stopped["rows"]) == ("applying", 100 * (dies_in - 1))
    assert market.rows("SELECT count(*) FROM offer") == [(99 * (dies_in - 1),)]
    market.frozen.advance(timedelta(minutes=2))
    work(market, "worker-2")
    applied = market.get(path, party="mill", role="seller").ok()
    assert (applied["state"], applied["rows"], counts(applied)) == ("applied", ROWS, (ROWS - BAD, 0, 0, BAD))
    assert market.rows("SELECT count(*), count(DISTINCT number) FROM offer") == [(ROWS - BAD, ROWS - BAD)]
    assert len(market.told()) == ROWS - BAD
    assert len(market.get(f"{path}/errors", party="mill", role="seller").ok()["items"]) == BAD
    assert market.broken() == {}


def test_a_price_list_is_the_sellers_own_business(market: Stand) -> None:
    path = begin(market, make_file(make_rows()[:3]))
    for method, more in (("GET", ""), ("GET", "/errors"), ("POST", "/apply"), ("POST", "/cancel")):
        assert market.send(method, path + more, party="trader", role="seller").problem() == "not_found"
    assert market.send("POST", f"{path}/apply", party="mill", role="purchaser").problem() == "missing_role"
    other = begin(market, make_file(make_rows()[:3]), party="trader")
    market.send("POST", f"{other}/apply", party="trader", role="seller").ok()
    work(market)
    assert counts(market.get(other, party="trader", role="seller").ok()) == (0, 0, 0, 3)
    assert market.get("/v1/offers").ok()["items"] == []


@pytest.mark.parametrize("format", ["csv", "xlsx", "jsonl"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_open_offers_come_out_as_a_price_list_that_changes_nothing_when_sent_back(
    market: Stand, format: str, language: str
) -> None:
    run(market, begin(market, make_file(make_rows()[:20])), "apply")
    market.list_offer(*market.make_coils("A1"), number="COILS").ok()
    market.list_weight("10", number="=1+1", audience=["buyer", "trader"]).ok()
    market.list_weight("10").ok()
    gone = market.list_weight("10", number="GONE").ok()
    market.send("POST", f"/v1/offers/{gone['id']}/withdraw", party="mill", role="seller").ok()
    [taken] = market.get("/v1/offers?number=N001", party="mill").ok()["items"]
    market.take(taken, quantity=tonnes("60")).ok()
    before = market.snapshot()
    path = f"/v1/offers/export?format={format}&language={language}&market=steel"
    response = market.fetch(path, party="mill", role="seller")
    assert response.headers["Content-Disposition"].endswith(f"offers.{format}")
    file = response.get_data()
    back = run(market, begin(market, file), "apply")
    assert (back["state"], counts(back)) == ("applied", (0, 0, 22, 0))
    assert market.snapshot() == before
    assert market.fetch(path, party="trader", role="seller").get_data().count(b"N0") == 0
    assert market.get("/v1/offers/export", party="mill", role="purchaser").problem() == "missing_role"


def test_an_export_has_every_column_in_the_readers_language(market: Stand) -> None:
    run(market, begin(market, make_file(make_rows()[:1])), "apply")
    text = market.fetch("/v1/offers/export?language=zh", party="mill", role="seller").get_data().decode("utf-8-sig")
    heading, row = csv.reader(io.StringIO(text))
    assert heading == [field.label["zh"] for field in FIELDS]
    assert dict(zip(heading, row, strict=True)) == {
        "报价编号": "N000", "产品编号": "P-1", "买方": "buyer", "单价": "3000", "币种": "CNY", "计价单位": "TNE", "含税": "含税",
        "税率": "0.13", "数量": "100", "起订量": "5", "递增量": "1", "交货地": "天津", "仓库": "warehouse", "交货方式": "自提",
        "交货期限": "2026-03-22T23:59:59+00:00", "有效期至": "2026-03-07T08:00:00+00:00",
        "计重规则": "WITHIN_TOL_SELLER_ELSE_BUYER",
    }  # fmt: skip
