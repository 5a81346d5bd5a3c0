"""Uploads of products and pieces: every market's goods go in, come out again in each kind of file, and change nothing then."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from chassis.uploads import job
from chassis.uploads.writers import write_table
from events.catalog import PieceDescribed, ProductDescribed
from services.catalog.imports import product_rows
from services.catalog.markets.loader import load_packs
from services.catalog.markets.samples import make_samples
from tests.callers import Client
from tests.services.catalog.conftest import HEADING, Catalog, row, sheet

MARKETS = sorted(load_packs())


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "BATCH", 50)
    monkeypatch.setattr(job, "BATCHES_A_STEP", 2)


def upload(
    catalog: Catalog, body: bytes, *, kind: str, market: str = "steel", language: str = "en", by: Client | None = None
) -> str:
    """Send a file as a whole and let it be opened; its id."""
    params = {"kind": kind, "market": market, "file_name": "goods", "language": language}
    sent = (by or catalog.mill).post("/v1/uploads/files", body, content_type="application/octet-stream", params=params)
    catalog.world.settle()
    return sent.ok()["id"]


def run(catalog: Catalog, id: str, move: str = "apply", by: Client | None = None) -> dict[str, Any]:
    (by or catalog.mill).post(f"/v1/uploads/{id}/{move}").ok()
    catalog.world.settle()
    return (by or catalog.mill).get(f"/v1/uploads/{id}").ok()


def counts(done: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(done[name] for name in ("state", "rows", "created", "updated", "unchanged", "refused"))


def write_products(market: str, count: int, seed: int = 1) -> bytes:
    """A file of seeded goods, in the words that are kept."""
    pack = load_packs()[market]
    fields = product_rows.list_fields(pack)
    rows = []
    for sample in make_samples(pack, seed, count):
        said = sample.at(pack, "product") | {"number": sample.number, "state": "published", "text_zh": "好货"}
        rows.append([said.get(field.name, "") for field in fields])
    return b"".join(write_table("csv", [field.name for field in fields], rows))


@pytest.mark.parametrize("market", MARKETS)
def test_products_of_every_market_go_in_and_out_and_in_unchanged(catalog: Catalog, market: str) -> None:
    count = 60
    opened = upload(catalog, write_products(market, count), kind="products", market=market)
    checked = run(catalog, opened, "check")
    assert counts(checked) == ("checked", count, count, 0, 0, 0), catalog.mill.get(f"/v1/uploads/{opened}/errors").ok()
    assert catalog.mill.get("/v1/products").ok()["items"] == []
    assert counts(run(catalog, opened)) == ("applied", count, count, 0, 0, 0)
    told = catalog.told(ProductDescribed)
    assert len({event.number for event in told}) == count == len(told)
    for format, language, encoding in (("csv", "zh", "gb18030"), ("xlsx", "en", "utf-8"), ("jsonl", "zh", "utf-8")):
        asked = {"market": market, "format": format, "language": language, "encoding": encoding}
        body = catalog.mill.get("/v1/products/export", **asked).ok()
        again = upload(catalog, body, kind="products", market=market)
        opened_again = catalog.mill.get(f"/v1/uploads/{again}").ok()
        assert opened_again["missing"] == [] and [c["heading"] for c in opened_again["columns"] if not c["field"]] == []
        done = run(catalog, again)
        assert counts(done) == ("applied", count, 0, 0, count, 0), catalog.mill.get(f"/v1/uploads/{again}/errors").ok()
    assert len(catalog.told(ProductDescribed)) == count


def test_a_product_that_is_said_otherwise_is_changed(catalog: Catalog) -> None:
    body = write_products("steel", 3).decode("utf-8-sig")
    run(catalog, upload(catalog, body.encode(), kind="products"))
    done = run(catalog, upload(catalog, body.replace("好货", "更好的货", 1).encode(), kind="products"))
    assert counts(done) == ("applied", 3, 0, 1, 2, 0)


def test_what_is_wrong_with_products_is_told_in_chinese(catalog: Catalog) -> None:
    (heading, first, second, *_) = csv.reader(io.StringIO(write_products("steel", 4).decode("utf-8-sig")))
    first[heading.index("gtin")], second[heading.index("kind")] = "123", "月饼"
    second[heading.index("state")] = "也许"
    body = b"".join(write_table("csv", heading, [first, second, second[:1] + [""] * (len(second) - 1)]))
    id = upload(catalog, body, kind="products", language="zh")
    assert counts(run(catalog, id))[1:] == (3, 0, 0, 0, 3)
    told = catalog.mill.get(f"/v1/uploads/{id}/errors").ok()["items"]
    reasons = [(each["row"], each["column"], each["reason"]) for each in told]
    assert {(2, "gtin"), (3, "kind"), (3, "state"), (4, "kind")} <= {reason[:2] for reason in reasons}
    assert (3, "state", "不是以下之一：草稿、发布") in reasons
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in reason) for _, _, reason in reasons), reasons


EPC = "3034257BF400B7800004CB2F"


def test_pieces_go_in_and_out_and_in_unchanged(catalog: Catalog) -> None:
    body = sheet(
        row("C-1", epc=EPC), row("C-2", net="20000", gross="20001"), row("C-3", warehouse="无此仓库"), row("C-1")
    )
    id = upload(catalog, body, kind="pieces", language="zh")
    assert counts(run(catalog, id)) == ("applied", 4, 2, 0, 0, 2)
    assert [
        (e["row"], e["column"], e["reason"]) for e in catalog.mill.get(f"/v1/uploads/{id}/errors").ok()["items"]
    ] == [
        (4, "仓库", "没有此名称、证号或编号的公司（新公司需稍候）"),
        (5, "卷号", "与第 2 行重复"),
    ]
    assert {event.number for event in catalog.told(PieceDescribed)} == {"C-1", "C-2"}
    for format in ("csv", "xlsx", "jsonl"):
        exported = catalog.mill.get("/v1/pieces/export", market="steel", format=format, language="en").ok()
        assert counts(run(catalog, upload(catalog, exported, kind="pieces"))) == ("applied", 2, 0, 0, 2, 0)
    assert len(catalog.told(PieceDescribed)) == 2


def test_pieces_name_the_product_that_they_are_of(catalog: Catalog) -> None:
    coil = {
        "kind": "hot_rolled_coil",
        "grade": "Q235B",
        "standard": "GB/T 3274-2017",
        "thickness_mm": "5.5",
        "width_mm": "1250",
    }
    made = catalog.mill.post("/v1/products", {"market": "steel", "number": "HRC-1", "attributes": coil}).ok()
    body = sheet(f"{row('C-1')},HRC-1", f"{row('C-2')},HRC-9", heading=f"{HEADING},产品编号")
    id = upload(catalog, body, kind="pieces")
    assert counts(run(catalog, id)) == ("applied", 2, 1, 0, 0, 1)
    assert catalog.pieces()["C-1"]["product_id"] == made["id"]
    (wrong,) = catalog.mill.get(f"/v1/uploads/{id}/errors").ok()["items"]
    assert (wrong["column"], wrong["reason"]) == ("产品编号", "your company has no product with this number")
    exported = catalog.mill.get("/v1/pieces/export", market="steel").ok()
    assert counts(run(catalog, upload(catalog, exported, kind="pieces"))) == ("applied", 1, 0, 0, 1, 0)


def test_an_export_holds_nothing_of_others_and_runs_nothing(catalog: Catalog) -> None:
    run(catalog, upload(catalog, write_products("steel", 5), kind="products"))
    body = write_products("steel", 2, seed=9).decode("utf-8-sig").replace("好货", "=1+1", 1)
    run(catalog, upload(catalog, body.encode(), kind="products", by=catalog.other), by=catalog.other)
    rows = list(
        csv.DictReader(io.StringIO(catalog.other.get("/v1/products/export", market="steel").ok().decode("utf-8-sig")))
    )
    assert sorted(each["产品编号"] for each in rows) == ["STEEL-9-000001", "STEEL-9-000002"]
    assert sorted(each["中文说明"] for each in rows) == ["'=1+1", "好货"]
    again = catalog.other.get("/v1/products/export", market="steel").ok()
    assert counts(run(catalog, upload(catalog, again, kind="products", by=catalog.other), by=catalog.other))[2:] == (
        0,
        0,
        2,
        0,
    )
    assert catalog.other.get("/v1/pieces/export", market="steel").ok().decode("utf-8-sig").count("\r\n") == 1
    assert catalog.other.get("/v1/products/export", market="vellum").problem() == "unknown_market"
