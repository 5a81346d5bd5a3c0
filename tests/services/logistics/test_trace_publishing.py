"""Public pages: nothing but what the owner publishes, for people and machines, without a token."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from events.identity import PartyDescribed, PartyIdentifier
from tests.services.logistics.conftest import Stand
from tests.services.logistics.test_trace_graph import GTIN, OTHER, born, capture, download, item, lot, pack, told, unit

PLANT = "https://id.gs1.org/414/9506000111116"
WORDS = {"zh": {"title": "有机面包", "text": "今早烘焙。"}, "en": {"title": "Organic <bread>", "text": "Baked today."}}


def visit(stand: Stand, path: str, **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return stand.app.test_client().get(f"/dl/{path}", headers=sent)


def publish(stand: Stand, id: str = lot("L1"), *, party: str = "maker", **changed: Any) -> Any:
    body = {"id": id, "steps": ["commissioning", "packing"], "precision": "city", "texts": WORDS, **changed}
    return stand.send("POST", "/v1/publications", body, party=party, role="seller")


@pytest.fixture
def oven(stand: Stand) -> Stand:
    place = {"id": PLANT, "name": "Secret plant 7", "city": "天津", "country": "CN"}
    stand.send("POST", "/v1/places", place, party="maker").ok()
    where = {"readPoint": {"id": PLANT}}
    capture(
        stand,
        born(0, [item(1), item(2)], "L1", **where),
        pack(60, unit(1), [item(1)], bizStep="packing", **where),
        told(90, "ObjectEvent", epcList=[unit(1)], action="OBSERVE", bizStep="shipping", **where),
    )
    capture(
        stand,
        told(95, "ObjectEvent", epcList=[item(1)], action="OBSERVE", bizStep="packing"),
        owner="shop",
        parties=("maker",),
    )
    return stand


def test_nothing_published_is_nothing_there(oven: Stand) -> None:
    for path in (f"01/{GTIN}/21/1", f"01/{GTIN}/10/L1", f"01/{GTIN}", "00/" + unit(1)[-18:], "01/1", "x", "99/1/2"):
        answer = visit(oven, path)
        assert (answer.status_code, answer.get_json()["type"]) == (404, "urn:haihe:problem:not_found"), path


def test_people_read_the_page_in_their_language(oven: Stand) -> None:
    publish(oven).ok()
    english, chinese = (visit(oven, f"01/{GTIN}/21/1", Accept_Language=one) for one in ("en-GB,zh;q=0.5", "zh-CN"))
    assert 'lang="en"' in english.text and "<h1>Organic &lt;bread&gt;</h1>" in english.text
    assert 'lang="zh-CN"' in chinese.text and "今早烘焙。" in chinese.text
    assert english.text.count("<li>") == 2 and "Made · 天津, CN" in english.text and "Packed · 天津, CN" in english.text
    assert "Shipped" not in english.text and "Secret" not in english.text and PLANT not in english.text
    assert "<dd>L1</dd>" in english.text and "<dd>1</dd>" in english.text
    assert visit(oven, f"01/{GTIN}/21/1?lang=zh", Accept_Language="en").text == chinese.text
    kept = english.headers
    assert (kept["Cache-Control"], kept["Vary"]) == ("public, max-age=300", "Accept, Accept-Language")
    assert kept["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "Content-Disposition" not in kept and kept["Content-Type"] == "text/html; charset=utf-8"
    for tag in (kept["ETag"], f'"x", W/{kept["ETag"]}'):
        again = visit(oven, f"01/{GTIN}/21/1", Accept_Language="en", If_None_Match=tag)
        assert (again.status_code, again.data) == (304, b"")


def test_machines_read_a_link_set(oven: Stand) -> None:
    document = {
        "url": "https://docs.example/cert.pdf?a=1",
        "kind": "certificationInfo",
        "titles": {"en": "Certificate"},
    }
    publish(oven, documents=[document]).ok()
    answer = visit(oven, f"gtin/{GTIN}/lot/L1", Accept="application/linkset+json")
    assert answer.content_type == "application/linkset+json"
    (links,) = answer.get_json()["linkset"]
    assert links["anchor"] == f"http://127.0.0.1:8080/dl/01/{GTIN}/10/L1"
    assert links["https://ref.gs1.org/voc/certificationInfo"] == [
        {"href": "https://docs.example/cert.pdf?a=1", "title": "Certificate"}
    ]
    assert links["https://ref.gs1.org/voc/defaultLink"][0]["hreflang"] == ["en", "zh"]
    assert 'href="https://docs.example/cert.pdf?a=1"' in visit(oven, f"01/{GTIN}/10/L1").text


def test_the_finest_publication_counts_and_a_withdrawn_one_is_gone(oven: Stand) -> None:
    capture(oven, born(1, [item(7)], "L2"))
    publish(oven, f"https://id.gs1.org/01/{GTIN}", texts={"en": {"title": "Any bread"}}).ok()
    first = publish(oven).ok()
    publish(oven, item(2), texts={"en": {"title": "Loaf two"}}, steps=[]).ok()
    titles = {path: visit(oven, f"01/{GTIN}/{path}").text for path in ("21/1", "21/2", "21/7", "10/L1", "10/NONE")}
    assert [
        name in text for name, text in zip(("Organic", "Loaf two", "Any bread"), titles.values(), strict=False)
    ] == [True] * 3
    assert "Any bread" in titles["10/NONE"]
    assert "Packed" not in titles["21/2"]
    withdrawn = oven.send("POST", f"/v1/publications/{first['id']}/withdraw", party="maker", role="seller").ok()
    assert withdrawn["state"] == "withdrawn"
    assert "Any bread" in visit(oven, f"01/{GTIN}/10/L1").text
    oven.send("POST", f"/v1/publications/{first['id']}/show", party="maker", role="seller").ok()
    assert "有机面包" in visit(oven, f"01/{GTIN}/10/L1?lang=zh").text


def test_only_the_maker_publishes_and_only_what_has_a_page(oven: Stand) -> None:
    before = oven.snapshot()
    assert publish(oven, party="shop").problem() == "not_yours_to_publish"
    assert publish(oven, item(1), party="shop").problem() == "not_yours_to_publish"
    assert publish(oven, f"https://id.gs1.org/01/{GTIN}", party="shop").problem() == "not_yours_to_publish"
    assert publish(oven, "urn:example:anything").problem() == "not_publishable"
    assert publish(oven, "bread").problem() == "not_a_name"
    for url in ("http://a.example/x", "javascript:alert(1)", 'https://a.example/"onclick=x', "https://a.example/ x"):
        refused = publish(oven, documents=[{"url": url, "titles": {}}])
        assert (refused.problem(), refused.body["field"]) == ("invalid_field", "$.documents[0].url")
    assert oven.snapshot() == before
    made = publish(oven).ok()
    again = publish(oven, texts={"en": {"title": "Newer"}}).ok()
    assert (again["id"], again["texts"]) == (made["id"], {"en": {"title": "Newer", "text": ""}})
    assert oven.get(f"/v1/publications/{made['id']}", party="shop").status == 404
    assert oven.get("/v1/publications", party="shop").ok()["items"] == []
    capture(oven, born(9, [item("s", OTHER)], "S1"), owner="shop")
    product = f"https://id.gs1.org/01/{OTHER}"
    publish(oven, product, party="shop").ok()
    capture(oven, born(10, [item("m", OTHER)], "M1"))
    assert publish(oven, product).problem() == "already_published"


def test_the_code_leads_to_the_page(oven: Stand) -> None:
    made = publish(oven).ok()
    assert made["url"] == f"http://127.0.0.1:8080/dl/01/{GTIN}/10/L1"
    code = download(oven, f"/v1/publications/{made['id']}/qr")
    picture = ElementTree.fromstring(code.data)
    assert picture.find("{http://www.w3.org/2000/svg}title").text == made["url"]
    assert code.headers["Content-Type"] == "image/svg+xml"


def test_a_serial_number_shows_its_own_lot_and_not_the_one_in_the_address(oven: Stand) -> None:
    publish(oven).ok()
    capture(oven, born(1, [item(7)], "L2"))
    assert visit(oven, f"01/{GTIN}/10/L1/21/7").status_code == 404
    assert visit(oven, f"01/{GTIN}/10/L2/21/1").status_code == 200
    capture(oven, born(-900, [item(1), item("own")], "FAKE"), owner="rival")
    publish(oven, lot("FAKE"), party="rival", texts={"en": {"title": "Buy elsewhere"}}).ok()
    assert "Organic" in visit(oven, f"01/{GTIN}/21/1").text
    said = {"version": 1, "name": "Bakery", "country": "CN", "state": "admitted", "bank_accounts": []}
    prefix = PartyIdentifier(scheme="gs1_prefix", value="9506000")
    oven.hear(PartyDescribed(party_id="maker", identifiers=[prefix], **said))
    assert publish(oven, lot("FAKE"), party="rival").problem() == "not_yours_to_publish"


def test_a_page_says_of_places_what_its_owner_says_alone(oven: Stand) -> None:
    other = {"id": PLANT, "name": "Their name for it", "city": "上海", "country": "CN"}
    oven.send("POST", "/v1/places", other, party="shop").ok()
    seen = told(-5, "ObjectEvent", epcList=[item(1)], action="OBSERVE", bizStep="packing", readPoint={"id": PLANT})
    capture(oven, seen, owner="shop", parties=("maker",))
    publish(oven, precision="name").ok()
    page = visit(oven, f"01/{GTIN}/21/1", Accept_Language="en").text
    assert "Made · Secret plant 7, 天津, CN" in page and "Their name" not in page


def test_odd_lots_and_hostile_addresses(oven: Stand) -> None:
    odd = 'A/10"<b>'
    capture(oven, born(1, [item("odd")], odd))
    publish(oven, f"https://id.gs1.org/01/{GTIN}/10/A%2F10%22%3Cb%3E").ok()
    page = visit(oven, f"01/{GTIN}/10/A%2F10%22%3Cb%3E")
    assert page.status_code == 200 and "A/10&quot;&lt;b&gt;" in page.text and "<b>" not in page.text
    for path in (
        "01/" + "9" * 5_000,
        f"01/{GTIN}/10/" + "x" * 21,
        f"01/{GTIN}//21/1",
        "..%2f..%2fetc",
        "01/%00",
        "%F0%9F",
    ):
        assert visit(oven, path).status_code == 404, path
    assert visit(oven, f"01/{GTIN}?unknown=1").status_code == 422
