"""Documents and pictures: what they are by their content, what they let go, when they end, and what a scanner finds."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from chassis.auth import Caller
from events.catalog import PieceDescribed, ProductDescribed
from events.orders import DealCompleted
from services.catalog import set_up
from services.catalog.documents.files import MAX_BYTES
from tests.services.catalog.conftest import BUYER, MILL, Catalog, pdf, row, sheet
from tests.services.catalog.product_market import SDS, Products
from tests.services.catalog.test_products_finding import describe_piece

EVIL = b"X5O!-harmful"
WEBP = b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 " + bytes(4)
MP4 = struct.pack(">I4s8s", 16, b"ftyp", b"isomiso2") + struct.pack(">I4s", 8, b"moov")
JPEG = b"\xff\xd8\xff\xe0" + bytes(20) + b"\xff\xd9"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20) + b"IEND\xaeB`\x82"


def reagent(products: Products) -> str:
    """A published product that must have a safety data sheet in both languages."""
    return products.publish_product("A-1", kind="reagent", name="Acetone")["id"]


def blocked(products: Products, id: str) -> str | None:
    """Why a product may not be listed."""
    return products.see(id).ok()["blocked"]


def test_a_product_is_free_once_its_document_is_there_in_every_language(products: Products) -> None:
    id = reagent(products)
    path = f"/v1/products/{id}/documents"
    assert blocked(products, id) == "sds_missing"
    file = pdf("SDS")
    first = products.attach(path, file, **(SDS | {"languages": ["zh"]})).ok()
    assert first == {
        "id": first["id"], "subject": "product", "subject_id": id, "use": "document", "rule": "sds", "number": "sds",
        "revision": 1, "type": None, "languages": ["zh"], "issued_on": "2026-01-10", "valid_from": None,
        "valid_until": None, "name": "sds", "media_type": "application/pdf", "size": len(file),
        "sha256": sha256(file).hexdigest(), "scan": "unscanned", "added_at": "2026-03-02T08:00:00Z", "replaced_at": None,
    }  # fmt: skip
    assert blocked(products, id) == "sds_missing_en"
    products.attach(path, pdf("SDS en"), **(SDS | {"languages": ["en"], "number": "sds-en"})).ok()
    assert blocked(products, id) is None
    told = [event.blocked for event in products.catalog.told(ProductDescribed)]
    assert told == ["sds_missing", "sds_missing_en", None]
    answer = products.catalog.buyer.get(f"/v1/documents/{first['id']}/file")
    assert (answer.body, answer.headers["Content-Type"]) == (file, "application/pdf")
    assert answer.headers["Content-Disposition"].endswith("sds.pdf")


def test_a_document_that_grows_too_old_blocks_its_product_by_itself(products: Products) -> None:
    id = reagent(products)
    products.attach(f"/v1/products/{id}/documents", pdf("SDS"), **SDS).ok()
    assert blocked(products, id) is None
    products.catalog.world.advance(timedelta(days=400))
    products.catalog.mill = products.catalog.caller(MILL, "seller")
    assert blocked(products, id) == "sds_expired"
    assert [event.blocked for event in products.catalog.told(ProductDescribed)][-1] == "sds_expired"
    products.attach(f"/v1/products/{id}/documents", pdf("New"), **(SDS | {"issued_on": "2027-03-01"})).ok()
    assert blocked(products, id) is None


def test_a_new_version_replaces_the_old_one_which_is_kept_for_its_owner(products: Products) -> None:
    id = reagent(products)
    path = f"/v1/products/{id}/documents"
    old = products.attach(path, pdf("one"), **SDS).ok()
    before = products.count()
    assert products.attach(path, pdf("one"), **SDS).ok() == old
    assert products.count() == before
    new = products.attach(path, pdf("two"), **SDS).ok()
    assert (new["revision"], new["number"]) == (2, old["number"])
    mill, buyer = products.catalog.mill, products.catalog.buyer
    assert [item["revision"] for item in mill.get(path).ok()["items"]] == [2, 1]
    assert [item["revision"] for item in buyer.get(path).ok()["items"]] == [2]
    assert buyer.get(f"/v1/documents/{old['id']}/file").status == 404
    assert mill.get(f"/v1/documents/{old['id']}/file").body == pdf("one")
    assert products.catalog.other.post(f"/v1/documents/{new['id']}/withdraw").status == 404
    assert mill.post(f"/v1/documents/{new['id']}/withdraw").ok()["replaced_at"] is not None
    assert blocked(products, id) == "sds_missing"
    assert products.attach(path, pdf("three"), **SDS).ok()["revision"] == 3


@pytest.mark.parametrize(
    ("body", "content_type", "status", "problem"),
    [
        (b"MZ\x90\x00", "application/pdf", 422, "not_a_file"),
        (pdf("x")[:-10], "application/pdf", 422, "not_a_file"),
        (pdf("x"), "image/png", 422, "not_a_file"),
        (PNG[:-4], "image/png", 422, "not_a_file"),
        (JPEG[:-2], "image/jpeg", 422, "not_a_file"),
        (WEBP + b"more", "image/webp", 422, "not_a_file"),
        (b"", "application/pdf", 422, "not_a_file"),
        (pdf("x"), "text/html", 415, "unsupported_media_type"),
        (b"%PDF-" + bytes(MAX_BYTES) + b"%%EOF", "application/pdf", 413, None),
    ],
)
def test_what_a_file_is_follows_from_its_content(
    products: Products, body: bytes, content_type: str, status: int, problem: str | None
) -> None:
    id = reagent(products)
    before = products.count()
    answer = products.attach(f"/v1/products/{id}/documents", body, content_type=content_type, **SDS)
    assert answer.status == status
    assert problem is None or answer.problem() == problem
    assert products.count() == before


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (SDS | {"rule": "passport"}, "unknown_document"),
        (SDS | {"rule": "analysis"}, "unknown_document"),
        ({"rule": "sds", "languages": ["zh"]}, "incomplete_document"),
        ({"rule": "sds", "issued_on": "2026-01-10"}, "incomplete_document"),
        (SDS | {"issued_on": "2026-06-01"}, "incomplete_document"),
        (SDS | {"valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}, "incomplete_document"),
    ],
)
def test_what_is_said_of_a_document_is_what_its_rule_asks(
    products: Products, said: dict[str, Any], problem: str
) -> None:
    id = reagent(products)
    before = products.count()
    assert products.attach(f"/v1/products/{id}/documents", pdf("x"), **said).problem() == problem
    assert products.count() == before


def test_a_lot_is_free_with_its_document_until_that_ends(products: Products) -> None:
    id = reagent(products)
    mill = products.catalog.mill
    lot = mill.post(f"/v1/products/{id}/lots", {"number": "L-1"}).ok()["id"]
    path, said = f"/v1/lots/{lot}/documents", {"rule": "analysis", "valid_until": "2026-03-20T00:00:00Z"}
    assert products.attach(path, pdf("x"), **said).problem() == "unknown_document_type"
    assert products.attach(path, pdf("x"), rule="analysis", type="works").problem() == "incomplete_document"
    added = products.attach(path, pdf("x"), type="works test", **said).ok()
    assert (added["type"], mill.get(f"/v1/lots/{lot}").ok()["blocked"]) == ("works", None)
    assert products.catalog.buyer.get(path).ok()["items"] == [added]
    products.catalog.world.advance(timedelta(days=30))
    mill = products.catalog.caller(MILL, "seller")
    assert mill.get(f"/v1/lots/{lot}").ok()["blocked"] == "analysis_expired"


def test_a_piece_is_free_once_its_paper_is_there(products: Products) -> None:
    describe_piece(products, MILL, {})
    (piece,) = products.catalog.pieces().values()
    assert piece["blocked"] == "title_missing"
    path = f"/v1/pieces/{piece['id']}/documents"
    assert products.attach(path, pdf("title"), products.catalog.other, rule="title").status == 404
    added = products.attach(path, pdf("title"), rule="title").ok()
    assert products.catalog.pieces()["SN-1"]["blocked"] is None
    assert [event.blocked for event in products.catalog.told(PieceDescribed)] == ["title_missing", None]
    assert products.catalog.buyer.get(f"/v1/documents/{added['id']}").status == 404
    assert products.catalog.buyer.get(f"/v1/documents/{added['id']}/file").status == 404
    sold = DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[piece["id"]])
    products.catalog.hear(sold)
    refused = products.catalog.mill.post(f"/v1/documents/{added['id']}/withdraw")
    assert refused.problem() == "not_the_owner"
    assert products.catalog.pieces(products.catalog.buyer)["SN-1"]["blocked"] is None


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(WEBP, "image/webp"), (MP4, "video/mp4"), (JPEG, "image/jpeg"), (PNG, "image/png")],
)
def test_pictures_and_films_are_kept_once_and_served_as_they_are(
    products: Products, body: bytes, content_type: str
) -> None:
    one, other = products.publish_product("S-1")["id"], products.publish_product("S-2", name="x")["id"]
    for id in (one, other):
        added = products.attach(f"/v1/products/{id}/media", body, content_type=content_type, number="front").ok()
        assert (added["use"], added["rule"], added["revision"]) == ("media", "picture", 1)
    assert products.catalog.world.sql("catalog", "SELECT count(*) FROM certificate_file")[0][0] == 1
    (item,) = products.catalog.buyer.get(f"/v1/products/{one}/media").ok()["items"]
    assert products.catalog.buyer.get(f"/v1/documents/{item['id']}/file").body == body
    assert products.catalog.buyer.get(f"/v1/products/{one}/documents").ok()["items"] == []


def test_nobody_adds_to_or_sees_the_papers_of_what_is_not_shown(products: Products) -> None:
    id = products.add("A-1", kind="reagent", name="Acetone").ok()["id"]
    added = products.attach(f"/v1/products/{id}/documents", pdf("SDS"), **SDS).ok()
    buyer = products.catalog.buyer
    paths = [f"/v1/products/{id}/documents", f"/v1/products/{id}/media", f"/v1/documents/{added['id']}"]
    assert {buyer.get(path).status for path in [*paths, f"{paths[2]}/file"]} == {404}
    assert products.attach(paths[0], pdf("x"), products.catalog.other, **SDS).status == 404
    products.move(id, "publish").ok()
    assert products.attach(paths[0], pdf("x"), products.catalog.other, **SDS).problem() == "not_the_owner"


class _Clamd(socketserver.BaseRequestHandler):
    """Speaks INSTREAM as clamd does."""

    def handle(self) -> None:
        stream = self.request.makefile("rb")
        assert stream.read(10) == b"zINSTREAM\0"
        body = b""
        while size := int.from_bytes(stream.read(4)):
            body += stream.read(size)
        self.request.sendall(b"stream: Test.Harm FOUND\0" if EVIL in body else b"stream: OK\0")


class _Scanner(BaseHTTPRequestHandler):
    """Takes bytes over HTTP and answers what is in them."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b'{"found": "Test.Harm"}' if EVIL in body else b'{"found": null}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def scanner(catalog: Catalog, scheme: str) -> Iterator[None]:
    """A scanner that the catalog asks within the block."""
    made: Any = socketserver.TCPServer if scheme == "clamd" else HTTPServer
    with made(("127.0.0.1", 0), _Clamd if scheme == "clamd" else _Scanner) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        catalog.world.scanner = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        catalog.world.start(catalog.world.broker)
        try:
            yield
        finally:
            catalog.world.scanner = ""
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("scheme", ["clamd", "http"])
def test_a_harmful_file_is_given_to_nobody_and_frees_nothing(products: Products, scheme: str) -> None:
    id = reagent(products)
    path = f"/v1/products/{id}/documents"
    with scanner(products.catalog, scheme):
        bad = products.attach(path, b"%PDF-1.4 " + EVIL + b" %%EOF", **SDS).ok()
        assert (bad["scan"], blocked(products, id)) == ("unscanned", None)
        products.catalog.world.settle()
        assert products.catalog.mill.get(f"/v1/documents/{bad['id']}").ok()["scan"] == "bad"
        assert products.catalog.mill.get(f"/v1/documents/{bad['id']}/file").problem() == "harmful_file"
        assert products.catalog.buyer.get(f"/v1/documents/{bad['id']}/file").problem() == "harmful_file"
        assert blocked(products, id) == "sds_missing"
        good = products.attach(path, pdf("SDS"), **SDS).ok()
        products.catalog.world.settle()
        assert products.catalog.mill.get(f"/v1/documents/{good['id']}").ok()["scan"] == "clean"
        assert blocked(products, id) is None
    assert [event.blocked for event in products.catalog.told(ProductDescribed)] == [
        "sds_missing",
        None,
        "sds_missing",
        None,
    ]


def test_a_harmful_certificate_blocks_its_pieces_again(catalog: Catalog) -> None:
    with scanner(catalog, "clamd"):
        catalog.upload(sheet(row())).ok()
        body = pdf(f"3.1 H26-118 {EVIL.decode()}")
        catalog.certify(("H26-118",), body=body).ok()
        assert catalog.pieces()["C-001"]["blocked"] is None
        id = catalog.pieces()["C-001"]["id"]
        catalog.world.settle()
        assert catalog.pieces()["C-001"]["blocked"] == "certificate_missing"
        assert catalog.mill.get(f"/v1/pieces/{id}/certificate").problem() == "harmful_file"


def test_a_scanner_that_cannot_be_reached_is_asked_again(products: Products) -> None:
    id = reagent(products)
    world = products.catalog.world
    world.scanner = "clamd://127.0.0.1:9"
    world.start(world.broker)
    added = products.attach(f"/v1/products/{id}/documents", pdf("SDS"), **SDS).ok()
    world.settle()
    world.scanner = ""
    assert products.catalog.mill.get(f"/v1/documents/{added['id']}").ok()["scan"] == "unscanned"
    with scanner(products.catalog, "clamd"):
        world.advance(timedelta(minutes=10))
        mill = products.catalog.caller(MILL, "seller")
        assert mill.get(f"/v1/documents/{added['id']}").ok()["scan"] == "clean"


def test_files_of_before_there_was_a_scanner_are_scanned_once_one_is_set(products: Products) -> None:
    world = products.catalog.world
    added = products.attach(f"/v1/products/{reagent(products)}/documents", pdf("SDS"), **SDS).ok()
    world.settle()
    owed = "SELECT count(*) FROM errand WHERE kind = 'scan_file' AND state = 'owed'"
    with scanner(products.catalog, "clamd"):
        assert world.sql("catalog", owed)[0][0] == 0
        for _ in range(2):
            world.databases["catalog"].run(
                lambda session: set_up(session, Caller.system("catalog"), world.settings("catalog"))
            )
        assert world.sql("catalog", owed)[0][0] == 1
        world.settle()
        assert products.catalog.mill.get(f"/v1/documents/{added['id']}").ok()["scan"] == "clean"
