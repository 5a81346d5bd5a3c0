"""Certificates: what is kept, what a piece without one is, and who may fetch it."""

from __future__ import annotations

import hashlib
import struct
import zlib
from datetime import timedelta
from typing import Any

import pytest

from chassis import clock
from chassis.values import Exact, Quantity
from events.catalog import PieceDescribed
from events.orders import DealCompleted, DealDescribed, DealPiece
from tests.services.catalog.conftest import BUYER, MILL, STORE, Catalog, pdf, row, sheet

HEAT = "H26-118"


def png() -> bytes:
    """A picture of one dot."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def deal(*piece_ids: str, version: int = 1, **changed: Any) -> DealDescribed:
    """A paid deal as orders describes it."""
    weight = Quantity(Exact("23450"), "KGM")
    said = {
        "market": "steel", "state": "delivering", "buyer_id": BUYER, "seller_id": MILL, "weighing_rule": "LABEL",
        "pieces": [DealPiece(piece_id=id, number=id, net=weight) for id in piece_ids], "quantity": weight,
        "deliver_by": clock.now() + timedelta(20), "load": timedelta(3), "receive": timedelta(7), "warehouse_id": STORE,
    }  # fmt: skip
    return DealDescribed(deal_id="deal_1", version=version, **said | changed)


def test_a_piece_is_blocked_until_its_certificate_names_its_heat(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"), row("C-2", heat="H26-119"), row("C-3", certificate="ZB-78"))).ok()
    assert {piece["blocked"] for piece in catalog.pieces().values()} == {"certificate_missing"}

    certificate = catalog.certify((HEAT,))
    body = pdf(f"Inspection certificate 3.1, heats {HEAT}.")
    assert (certificate.status, certificate.body) == (
        201,
        {
            "id": certificate.body["id"],
            "number": "ZB-77",
            "revision": 1,
            "type": "3.1",
            "heats": [HEAT],
            "media_type": "application/pdf",
            "size": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
            "added_at": "2026-03-02T08:00:00Z",
            "replaced_at": None,
        },
    )
    blocked = {number: piece["blocked"] for number, piece in catalog.pieces().items()}
    assert blocked == {"C-1": None, "C-2": "certificate_names_other_heat", "C-3": "certificate_missing"}
    told = {event.number: event.blocked for event in catalog.told(PieceDescribed)}
    assert told == blocked
    id = catalog.pieces()["C-1"]["id"]
    (change,) = catalog.mill.get(f"/v1/pieces/{id}/changes").ok()["items"]
    assert (change["version"], change["changes"]) == (2, {"blocked": ["certificate_missing", None]})


def test_a_piece_that_comes_after_its_certificate_is_free_at_once(catalog: Catalog) -> None:
    catalog.certify((HEAT, "H-2")).ok()
    catalog.upload(sheet(row("C-1"), row("C-2", heat="H-3"))).ok()
    assert [piece["blocked"] for piece in catalog.pieces().values()] == ["certificate_names_other_heat", None]
    assert catalog.upload(sheet(row("C-2", heat="H-2"))).ok()["updated"] == 1
    assert catalog.pieces()["C-2"]["blocked"] is None


def test_a_newer_version_replaces_a_certificate_which_is_kept(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"))).ok()
    catalog.certify((HEAT,)).ok()
    catalog.certify(("H26-119",)).ok()
    assert catalog.pieces()["C-1"]["blocked"] == "certificate_names_other_heat"
    catalog.certify((HEAT, "H26-119")).ok()
    assert catalog.pieces()["C-1"]["blocked"] is None
    listed = catalog.mill.get("/v1/certificates", number="ZB-77").ok()["items"]
    assert [(each["revision"], each["replaced_at"] is None) for each in listed] == [(3, True), (2, False), (1, False)]
    assert catalog.mill.get("/v1/certificates", number="ZB-78").ok()["items"] == []
    assert catalog.other.get("/v1/certificates").ok()["items"] == []


def test_the_very_same_certificate_changes_nothing_and_a_file_is_kept_once(catalog: Catalog) -> None:
    first = catalog.certify((HEAT,)).ok()
    before = catalog.world.count_rows()
    assert catalog.certify((HEAT,)).ok() == first and catalog.world.count_rows() == before
    body = pdf(f"Inspection certificate 3.1, heats {HEAT}.")
    catalog.certify((HEAT,), number="ZB-78", body=body).ok()
    catalog.certify((HEAT,), catalog.other, body=body).ok()
    assert catalog.world.sql("catalog", "SELECT count(*) FROM certificate_file")[0][0] == 1
    assert catalog.world.sql("catalog", "SELECT count(*) FROM certificate")[0][0] == 3


def test_another_makers_certificate_frees_nothing(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"))).ok()
    catalog.certify((HEAT,), catalog.other).ok()
    assert catalog.pieces()["C-1"]["blocked"] == "certificate_missing"


def test_heats_must_stand_in_the_text_of_a_pdf(catalog: Catalog) -> None:
    before = catalog.world.count_rows()
    answer = catalog.certify((HEAT, "H99"), body=pdf("Heat H26-118 and heat H990"))
    assert (answer.status, answer.problem(), answer.body["heats"]) == (422, "heat_not_in_file", ["H99"])
    assert answer.body["detail"] == "the text of the file does not name H99"
    assert catalog.world.count_rows() == before
    catalog.certify((HEAT, "h99"), body=pdf("Heats H26-118, H99.")).ok()


def test_a_scanned_pdf_and_a_picture_are_taken_at_their_makers_word(catalog: Catalog) -> None:
    catalog.certify((HEAT,), body=pdf("")).ok()
    answer = catalog.certify((HEAT,), number="ZB-78", body=png(), content_type="image/png").ok()
    assert answer["media_type"] == "image/png"


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        ({"body": b"%PDF-1.4 nothing"}, 422, "not_a_certificate_file"),
        ({"body": b"%PDF-1.4 nothing %%EOF"}, 422, "not_a_certificate_file"),
        ({"body": b"MZ\x90"}, 422, "not_a_certificate_file"),
        ({"body": png()}, 422, "not_a_certificate_file"),
        ({"body": png()[:-8], "content_type": "image/png"}, 422, "not_a_certificate_file"),
        ({"body": pdf("x"), "content_type": "image/jpeg"}, 422, "not_a_certificate_file"),
        ({"body": pdf("x"), "content_type": "text/html"}, 415, "unsupported_media_type"),
        ({"body": b"%PDF-" + b"x" * (10 << 20)}, 413, "too_large"),
        ({"type": "9.9"}, 422, "unknown_certificate_type"),
        ({"number": "2.30506E+11"}, 422, "not_an_identifier"),
        ({"heats": ["=1+1"]}, 422, "not_an_identifier"),
        ({"heats": []}, 422, "invalid_field"),
    ],
)
def test_what_is_no_certificate_is_refused(catalog: Catalog, changed: Any, status: int, problem: str) -> None:
    before = catalog.world.count_rows()
    rest = {name: value for name, value in changed.items() if name != "heats"}
    answer = catalog.certify(tuple(changed.get("heats", (HEAT,))), **rest)
    assert answer.status == status and (status == 413 or answer.problem() == problem), answer
    assert catalog.world.count_rows() == before


def test_who_may_fetch_a_certificate(catalog: Catalog) -> None:
    catalog.upload(sheet(row("C-1"), row("C-2"))).ok()
    ids = {number: piece["id"] for number, piece in catalog.pieces().items()}
    path = f"/v1/pieces/{ids['C-1']}/certificate"
    assert (catalog.mill.get(path).status, catalog.mill.get(path).problem()) == (404, "no_certificate")
    catalog.certify((HEAT,)).ok()
    body = pdf(f"Inspection certificate 3.1, heats {HEAT}.")

    for caller in (catalog.mill, catalog.store, catalog.operator):
        answer = caller.get(path)
        assert (answer.status, answer.body, answer.headers["Content-Type"]) == (200, body, "application/pdf")
        assert "ZB-77.pdf" in answer.headers["Content-Disposition"]
    for caller in (catalog.buyer, catalog.other):
        assert caller.get(path).problem() == "not_found"

    catalog.hear(deal(ids["C-1"]))
    assert catalog.buyer.get(path).body == body
    assert catalog.buyer.get(f"/v1/pieces/{ids['C-2']}/certificate").status == 404
    assert catalog.buyer.get(f"/v1/pieces/{ids['C-1']}").status == 404 and catalog.other.get(path).status == 404

    catalog.hear(deal(ids["C-1"], version=2, state="defaulted"))
    assert catalog.buyer.get(path).status == 404
    catalog.hear(DealCompleted(deal_id="deal_1", buyer_id=BUYER, seller_id=MILL, piece_ids=[ids["C-1"]]))
    assert catalog.buyer.get(path).body == body and catalog.store.get(path).status == 404


def test_only_a_seller_sends_certificates(catalog: Catalog) -> None:
    assert catalog.certify((HEAT,), catalog.buyer).status == 403
    assert catalog.certify((HEAT,), catalog.public).status == 401
