"""The way of the goods: the gate and its reader, trucks, weigh tickets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from loadtests.api import Actor
from loadtests.steel.people import People


class Carriage(People):
    """What the warehouse does, and the buyer's scale."""

    def open_gate(self) -> tuple[dict[str, Any], Actor]:
        """The warehouse sets up its gate and the key of the gate's reader."""
        gate = self.warehouse.desk.post(
            "/v1/gates", {"name": "South gate", "place": "天津新港 Tianjin Xingang", "closing_ms": 1000}
        )
        body = {"name": "South gate reader", "roles": ["warehouse"], "device": gate["id"]}
        key = self.until(lambda: self.warehouse.desk.post("/v1/api-keys", body), "the reader's key")
        reader = self.machine("gate", key["api_key"])
        self.known |= {"gate": gate, "reader": reader, "sequence": 0}
        return gate, reader

    def issue_note(self, deal_id: str, **what: Any) -> dict[str, Any]:
        """The mill issues a pick-up note for pieces or a quantity of a deal: one truck."""
        body = {"deal_id": deal_id, "plate": "津A·12345", "driver": "Li Wei", **what}
        return self.until(lambda: self.mill.desk.post("/v1/pickup-notes", body), "the pick-up note")

    def start_delivery(self, deal_id: str, **what: Any) -> dict[str, Any]:
        """The mill issues a pick-up note and the warehouse loads the truck that brings it."""
        return self.load(self.issue_note(deal_id, **what))

    def load(self, note: dict[str, Any], **what: Any) -> dict[str, Any]:
        """The warehouse confirms the loading of a note: of all its goods unless some are named."""
        body = {"note_id": note["id"], "code": note["code"], "gate_id": self.known["gate"]["id"], **what}
        delivery = self.until(lambda: self.warehouse.desk.post("/v1/deliveries", body), "the delivery to start")
        self.settle()
        return delivery

    def depart(self, delivery_id: str) -> dict[str, Any]:
        """The warehouse says by hand that a truck whose load wears no tags has left."""
        path, reason = f"/v1/deliveries/{delivery_id}/depart", {"reason": "the load wears no tags"}
        left = self.until(lambda: self.warehouse.desk.post(path, reason), "the truck to leave")
        self.settle()
        return left

    def pass_gate(self, epcs: list[str], *, ghosts: list[str] = (), times: int = 4) -> None:
        """The gate reads the truck's tags several times over; ghosts are read once and weakly."""
        reads, at = [], self.now()
        for _ in range(times):
            for epc in epcs:
                reads.append(self._read(epc, -48, at))
        reads += [self._read(epc, -79, at) for epc in ghosts]
        path = f"/v1/gates/{self.known['gate']['id']}/reads"
        self.known["reader"].post(path, {"reads": reads}, key="")
        self.known["reader"].post(path, {"reads": reads[: len(reads) // 2]}, key="")  # the reader sends some again
        self.settle()

    def _read(self, epc: str, rssi_dbm: int, at: datetime) -> dict[str, Any]:
        self.known["sequence"] += 1
        return {
            "sequence": self.known["sequence"],
            "epc": epc,
            "antenna": 1,
            "rssi_dbm": rssi_dbm,
            "at": at.isoformat(),
        }

    def weigh(self, delivery_id: str, end: str, net_kg: int | str, *, role: str = "", **more: Any) -> dict[str, Any]:
        """A weigh ticket at one end (``more``: which one it replaces); the net weight in kilograms."""
        tare = Decimal(15000)
        body = {
            "end": end,
            "scale": f"{end}-scale-1",
            "plate": "津A·12345",
            "gross": _kilograms(Decimal(net_kg) + tare),
            "tare": _kilograms(tare),
            "net": _kilograms(Decimal(net_kg)),
            "weighed_at": self.now().isoformat(),
            **more,
        }
        desk = self.companies[role or ("warehouse" if end == "loading" else "buyer")].desk
        ticket = self.until(lambda: desk.post(f"/v1/deliveries/{delivery_id}/tickets", body), "the ticket")
        self.settle()
        return ticket

    def delivery(self, delivery_id: str) -> dict[str, Any]:
        """A delivery as the buyer sees it."""
        return self.buyer.desk.get(f"/v1/deliveries/{delivery_id}")

    def wait_for_delivery(self, delivery_id: str, *states: str) -> dict[str, Any]:
        """The delivery, once it is in one of some states."""

        def look() -> dict[str, Any] | None:
            delivery = self.delivery(delivery_id)
            return delivery if delivery["state"] in states else None

        return self.until(look, f"delivery {delivery_id} to be {' or '.join(states)}")


def _kilograms(value: Decimal) -> dict[str, str]:
    return {"value": f"{value:f}", "unit": "KGM"}
