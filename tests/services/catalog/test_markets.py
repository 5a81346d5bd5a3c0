"""Markets over HTTP: packs that an operator publishes, versions that stay, and what is made of them for people and machines."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from chassis.auth import Caller
from chassis.values import Exact
from events.catalog import MarketDescribed
from infra.cli.main import haihe
from services.catalog.markets import queries
from services.catalog.markets.commands import publish_packs
from services.catalog.markets.loader import FOLDER, load_packs
from services.catalog.markets.pack import Pack
from services.catalog.markets.queries import UnknownMarket, find_published, list_packs, pack_of, packs_of, version_of
from tests.callers import Answer, Client
from tests.services.catalog.conftest import Catalog, row, sheet
from tests.unit.catalog.tea import TEA

STEEL = (FOLDER / "steel.toml").read_text()


def publish(by: Client, text: str, **params: Any) -> Answer:
    return by.post("/v1/markets", text.encode(), content_type="application/toml", params=params)


def versions(catalog: Catalog, market: str = "tea") -> list[tuple[int, str]]:
    items = catalog.public.get(f"/v1/markets/{market}/versions").ok()["items"]
    return [(item["version"], item["source"]) for item in items]


def told(catalog: Catalog, market: str) -> list[int]:
    return [event.version for event in catalog.told(MarketDescribed) if event.market == market]


def in_database(catalog: Catalog, work: Any) -> Any:
    return catalog.world.databases["catalog"].look(work)


def test_an_operator_adds_a_market_and_changes_it(catalog: Catalog) -> None:
    made = {"market": "tea", "version": 1, "is_new": True, "checked_only": False}
    assert publish(catalog.operator, TEA).ok() == made
    assert publish(catalog.operator, TEA).ok() == made | {"is_new": False}
    seen = catalog.public.get("/v1/markets/tea").ok()
    assert (seen["version"], seen["name"]) == (1, {"zh": "茶叶云", "en": "Tea"})
    assert [rule["name"] for rule in seen["licences"]] == ["food_trade", "organic"]

    dearer = TEA.replace('fee_rate = "0.002"', 'fee_rate = "0.003"', 1)
    assert publish(catalog.operator, dearer).ok()["version"] == 2
    assert versions(catalog) == [(2, "operator"), (1, "operator")] and told(catalog, "tea") == [1, 2]
    assert catalog.public.get("/v1/markets/tea").ok()["fees"]["fee_rate"] == "0.003"
    assert catalog.public.get("/v1/markets/tea", version=1).ok()["fees"]["fee_rate"] == "0.002"
    assert catalog.public.get("/v1/markets/tea", version=3).problem() == "not_found"


def test_a_pack_that_was_only_checked_is_not_published(catalog: Catalog) -> None:
    assert publish(catalog.operator, TEA, check="true").ok() == {
        "market": "tea", "version": 1, "is_new": True, "checked_only": True,
    }  # fmt: skip
    assert catalog.public.get("/v1/markets/tea").problem() == "not_found" and told(catalog, "tea") == []
    assert publish(catalog.operator, STEEL, check="true").ok()["is_new"] is False


@pytest.mark.parametrize(
    ("before", "after", "field", "reason"),
    [
        ('requires = ["pack_g", "gtin"]', 'requires = ["pack"]', "$.types[1].requires", "there is no attribute 'pack'"),
        ("[fees]", "[fees]\nfee = '1'", "$.fees.fee", "there is no such key"),
        ('market = "tea"', "market = ", "$", "is not TOML in UTF-8: Invalid value (at line 1, column 10)"),
    ],
)
def test_a_pack_with_a_mistake_is_refused_and_nothing_changes(
    catalog: Catalog, before: str, after: str, field: str, reason: str
) -> None:
    publish(catalog.operator, TEA).ok()
    for params in ({}, {"check": "true"}):
        refused = publish(catalog.operator, TEA.replace(before, after, 1), **params)
        assert (refused.status, refused.problem()) == (422, "bad_pack")
        assert (refused.body["field"], refused.body["detail"]) == (field, reason)
    assert versions(catalog) == [(1, "operator")] and told(catalog, "tea") == [1]


def test_only_an_operator_publishes(catalog: Catalog) -> None:
    for caller in (catalog.mill, catalog.buyer, catalog.store):
        assert publish(caller, TEA).status == 403
    assert publish(catalog.public, TEA).status == 401
    assert catalog.operator.post("/v1/markets", {"market": "tea"}).status == 415
    assert catalog.public.get("/v1/markets/tea").problem() == "not_found"


def test_a_release_leaves_a_market_alone_that_an_operator_published(catalog: Catalog) -> None:
    fees = msgspec.structs.replace(load_packs()["steel"].fees, fee_rate=Exact("0.002"))
    release = msgspec.structs.replace(load_packs()["steel"], fees=fees)
    publish(catalog.operator, STEEL.replace('fee_rate = "0.001"', 'fee_rate = "0.0005"', 1)).ok()
    run = catalog.world.databases["catalog"].run
    run(lambda session: publish_packs(session, Caller.system("catalog"), [release]))
    assert catalog.public.get("/v1/markets/steel").ok()["fees"]["fee_rate"] == "0.0005"
    assert versions(catalog, "steel") == [(2, "operator"), (1, "release")]

    publish(catalog.operator, STEEL).ok()
    run(lambda session: publish_packs(session, Caller.system("catalog"), [release]))
    assert versions(catalog, "steel") == [(3, "operator"), (2, "operator"), (1, "release")]


def test_what_is_looked_up_is_the_version_that_is_asked_for(catalog: Catalog) -> None:
    publish(catalog.operator, TEA).ok()
    publish(
        catalog.operator, TEA.replace('en = "Garden" }', 'en = "Estate" }', 1).replace('"estate"', '"garden of"')
    ).ok()

    def look(session: Any) -> list[Pack]:
        packs = [pack_of(session, "tea", version) for version in (1, 2, None)]
        assert find_published(session, "tea").version == 2 and pack_of(session, "tea") is packs[2]
        assert packs_of(session, ["tea", "nothing"]) == {"tea": packs[2]} and packs[2] in list_packs(session)
        for market, version in (("nothing", None), ("tea", 3)):
            with pytest.raises(UnknownMarket):
                pack_of(session, market, version)
        return packs

    first, second, latest = in_database(catalog, look)
    assert second is latest and [pack.by_name["garden"].label.en for pack in (first, second)] == ["Garden", "Estate"]
    queries._packs.clear()
    found = in_database(catalog, lambda session: [version_of(session, pack) for pack in (first, second, latest)])
    assert found == [1, 2, 2]


def test_an_upload_is_checked_by_what_the_operator_published_last(catalog: Catalog) -> None:
    light = STEEL.replace('least = "1"\nmost = "100000"', 'least = "1"\nmost = "20000"', 1)
    catalog.upload(sheet(row("C-1"))).ok()
    publish(catalog.operator, light).ok()
    report = catalog.upload(sheet(row("C-2"))).ok()
    assert [error["detail"] for error in report["errors"]] == ["is not between 1 and 20000"]
    assert set(catalog.pieces()) == {"C-1"}


def test_schema_form_and_templates(catalog: Catalog) -> None:
    publish(catalog.operator, TEA).ok()
    answer = catalog.public.get("/v1/markets/tea/schema", type="leaf")
    assert answer.headers["Content-Type"] == "application/schema+json"
    schema = answer.body
    assert schema["$id"] == "urn:haihe:market:tea:1:product" and schema["oneOf"] == [{"$ref": "#/$defs/leaf"}]

    form = catalog.public.get("/v1/markets/tea/form").ok()
    assert [each["type"] for each in form["forms"]] == ["leaf", "retail"]
    assert form["forms"][0]["fields"][1]["label"] == {"zh": "茶园", "en": "Garden"}

    table = catalog.public.get("/v1/markets/tea/template", type="leaf", format="csv", language="en")
    assert table.body.startswith(b"\xef\xbb\xbf")
    assert next(csv.reader(io.StringIO(table.body.decode("utf-8-sig")))) == [
        "Product no.",
        "Kind",
        "Garden",
        "GTIN",
        "Labels",
    ]
    book = load_workbook(io.BytesIO(catalog.public.get("/v1/markets/tea/template", type="leaf", of="piece").body))
    assert [cell.value for cell in book.worksheets[0][1]][:2] == ["箱号", "净重(kg)"]

    for what in ("schema", "form", "template"):
        refused = catalog.public.get(f"/v1/markets/tea/{what}", type="leaves")
        assert (refused.status, refused.problem()) == (422, "unknown_type")
        assert catalog.public.get(f"/v1/markets/timber/{what}", type="leaf").problem() == "not_found"


def test_what_was_filled_into_a_template_is_taken_in(catalog: Catalog) -> None:
    body = catalog.public.get("/v1/markets/steel/template", type="coil", of="piece", format="csv").body
    headings = body.decode("utf-8-sig").strip().split(",")
    cells = {
        "卷号": "C-9", "净重(kg)": "23450", "毛重(kg)": "23480", "仓库": "滨海仓库", "品名": "热轧卷板", "牌号": "Q235B",
        "标准": "GB/T 3274-2017", "厚度(mm)": "5.5", "宽度(mm)": "1500", "炉号": "H26-1", "质保书类型": "3.1", "质保书号": "Z-1",
    }  # fmt: skip
    line = ",".join(cells.get(heading, "") for heading in headings)
    report = catalog.upload(body + line.encode() + b"\r\n").ok()
    assert (report["created"], report["errors"]) == (1, [])
    assert catalog.pieces()["C-9"]["title"] == {
        "zh": "热轧卷板 Q235B 5.5*1500*C",
        "en": "Hot rolled coil Q235B 5.5*1500*C",
    }


def test_markets_and_versions_are_paged(catalog: Catalog) -> None:
    for rate in range(2, 6):
        publish(catalog.operator, TEA.replace('"0.002"', f'"0.00{rate}"', 1)).ok()
    first = catalog.public.get("/v1/markets/tea/versions", limit=3).ok()
    rest = catalog.public.get("/v1/markets/tea/versions", limit=3, cursor=first["next"]).ok()
    assert [item["version"] for item in first["items"] + rest["items"]] == [4, 3, 2, 1] and rest["next"] is None
    assert catalog.public.get("/v1/markets/timber/versions").problem() == "not_found"


def test_a_market_is_published_and_shown_at_the_terminal(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = catalog.world.databases["catalog"].engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("HAIHE_CATALOG_DATABASE", url)
    monkeypatch.setenv("HAIHE_IDENTITY_DATABASE", url)
    (tmp_path / "tea.toml").write_text(TEA)

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(haihe, ["market", *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    file = str(tmp_path / "tea.toml")
    assert run("publish", file) == "Market tea is now version 1.\n"
    assert run("publish", file) == "Market tea is version 1 already.\n"
    assert versions(catalog) == [(1, "operator")] and told(catalog, "tea") == [1]
    shown = run("show", "tea").splitlines()
    assert shown[0] == "tea, version 1: 茶叶云 / Tea"
    assert "leaf: 散茶 / Leaf tea, goods, tracked by lot: black, green" in shown
    assert "  * best_before: 保质期至 / Best before (date, of a lot)" in shown
    assert "licence organic: 有机产品认证 / Organic certificate [GB/T 19630]" in shown
    assert msgspec.json.decode(run("show", "tea", "--json"))["market"] == "tea"
    with pytest.raises(UnknownMarket):
        run("show", "coffee")
