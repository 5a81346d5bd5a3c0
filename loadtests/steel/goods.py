"""Goods of a trade: the mill's coils, its file of them, and what it offers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from loadtests.steel.certificate import write_certificate
from loadtests.steel.trade import Periods, Trade

MARKET = "steel"
CSV_HEAD = "品名,牌号,标准,厚度(mm),宽度(mm),镀层,卷号,炉号,净重(kg),毛重(kg),质保书类型,质保书号,仓库,电子标签\n"


@dataclass(frozen=True)
class Coil:
    """A coil as the mill knows it; weights in kilograms."""

    number: str
    net_kg: int
    grade: str = "Q355B"
    thickness: str = "5.50"
    width: str = "1500"
    heat: str = "H2603-0117"
    epc: str = ""

    def row(self, warehouse_id: str) -> str:
        """Its line of the mill's file."""
        return (
            f"热轧卷板,{self.grade},GB/T 1591,{self.thickness},{self.width},,{self.number},{self.heat},"
            f"{self.net_kg},{self.net_kg + 40},3.1,MTC-{self.heat},{warehouse_id},{self.epc}\n"
        )


class Goods(Trade):
    """Coils, their file, and offers of them."""

    def coils(self, weights_kg: list[int]) -> list[Coil]:
        """Coils of these net weights, each with a tag (SGTIN-96) of its own."""
        return [
            Coil(f"C{self.number:05d}-{index:02d}", weight, epc=f"3034257BF4{self.number:06X}{index:08X}")
            for index, weight in enumerate(weights_kg, 1)
        ]

    def certify(self, coils: list[Coil]) -> None:
        """The mill attaches the certificate of each heat that has none yet."""
        done = self.known.setdefault("certified", set())
        mill = self.mill.party_id
        for heat in sorted({coil.heat for coil in coils} - {heat for maker, heat in done if maker == mill}):
            number = f"MTC-{heat}"
            query = urlencode({"number": number, "type": "3.1", "heats": heat})
            file = write_certificate(number, [heat])
            self.mill.desk.post(f"/v1/certificates?{query}", file, content_type="application/pdf")
            done.add((mill, heat))

    def upload(self, coils: list[Coil]) -> dict[str, Any]:
        """The mill sends its file, again while the catalog has not heard of the warehouse yet; what is there stays."""
        self.certify(coils)
        text = CSV_HEAD + "".join(coil.row(self.warehouse.party_id) for coil in coils)

        def send() -> dict[str, Any] | None:
            path = f"/v1/pieces/imports?market={MARKET}"
            report = self.mill.desk.post(path, text.encode(), content_type="text/csv; charset=utf-8")
            return None if report["errors"] else report

        report = self.until(send, "a file without errors")
        self.settle()
        return report

    def pieces(self) -> list[dict[str, Any]]:
        """The mill's pieces, in the order of their numbers."""
        return sorted(self.mill.desk.every("/v1/pieces"), key=lambda piece: piece["number"])

    def terms(self, **changed: Any) -> dict[str, Any]:
        """The terms of an offer; ``changed`` overrides any of them."""
        terms = {
            "price": {"value": "3850.00", "currency": "CNY", "unit": "TNE"},
            "tax_basis": "tax_included",
            "tax_rate": "0.13",
            "buyer_deposit_percent": "10",
            "seller_deposit_percent": "5",
            "weighing_rule": "WITHIN_TOL_SELLER_ELSE_BUYER",
            "tolerance": "0.003",
            "deposit_use": "counts",
            "place": "天津新港 Tianjin Xingang",
            "delivery_mode": "self_pickup",
            "deliver_by": (self.now() + timedelta(days=20)).isoformat(),
            "valid_until": (self.now() + timedelta(days=3)).isoformat(),
            "periods": {name: getattr(self.periods, name) for name in Periods.__dataclass_fields__},
        }
        return terms | changed

    def list_pieces(self, piece_ids: list[str], **changed: Any) -> dict[str, Any]:
        """The mill offers named pieces."""
        body = {
            "market": MARKET,
            "piece_ids": piece_ids,
            "title": "热轧卷板 HR coil Q355B",
            "terms": self.terms(**changed),
        }
        offer = self.until(lambda: self.mill.desk.post("/v1/offers", body), "its pieces on offer")
        self.settle()
        return offer

    def list_weight(self, tonnes: str, *, minimum: str, step: str, **changed: Any) -> dict[str, Any]:
        """The mill offers by weight, in tonnes."""
        body = {
            "market": MARKET,
            "quantity": _tonnes(tonnes),
            "minimum": _tonnes(minimum),
            "step": _tonnes(step),
            "warehouse_id": self.warehouse.party_id,
            "title": "螺纹钢 rebar HRB400E",
            "terms": self.terms(**changed),
        }
        offer = self.until(lambda: self.mill.desk.post("/v1/offers", body), "its weight on offer")
        self.settle()
        return offer

    def find(self, offer_id: str, **query: Any) -> dict[str, Any]:
        """The buyer finds an offer by searching."""
        return self.until(
            lambda: next(
                (hit for hit in self.buyer.desk.get("/v1/search", **query)["items"] if hit["offer_id"] == offer_id),
                None,
            ),
            "the offer among the hits",
        )


def _tonnes(value: str) -> dict[str, str]:
    return {"value": value, "unit": "TNE"}
