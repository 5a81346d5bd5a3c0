"""The deal: taken, signed, paid for, and accepted load by load."""

from __future__ import annotations

from typing import Any

from loadtests.steel.trade import Trade


class Deals(Trade):
    """What buyer and mill do about a deal."""

    def take(self, offer: dict[str, Any], **what: Any) -> dict[str, Any]:
        """The buyer takes from an offer at the version it has seen."""
        return self.until(
            lambda: self.buyer.desk.post(f"/v1/offers/{offer['id']}/takes", {"version": offer["version"], **what}),
            "the take",
        )

    def deal(self, deal_id: str, role: str = "buyer") -> dict[str, Any]:
        """A deal as a company sees it."""
        return self.companies[role].desk.get(f"/v1/deals/{deal_id}")

    def wait_for(self, deal_id: str, *states: str) -> dict[str, Any]:
        """The deal, once it is in one of some states."""

        def look() -> dict[str, Any] | None:
            deal = self.deal(deal_id)
            return deal if deal["state"] in states else None

        return self.until(look, f"deal {deal_id} to be {' or '.join(states)}")

    def sign(self, deal_id: str, *roles: str) -> dict[str, Any]:
        """Signatories sign what they have read."""
        for role in roles or ("mill", "buyer"):
            desk = self.companies[role].desk
            agreement = self.until(lambda desk=desk: desk.get(f"/v1/agreements/{deal_id}"), "the agreement")
            signed = desk.post(f"/v1/agreements/{deal_id}/sign", {"sha256": agreement["sha256"]})
        self.settle()
        return signed

    def pay(self, deal_id: str, **what: Any) -> dict[str, Any]:
        """The buyer pays into escrow: for named pieces or a quantity, or else for all that is left."""
        path = f"/v1/escrows/{deal_id}/pay"
        paid = self.until(lambda: self.buyer.desk.post(path, what), "the escrow to be open")
        self.settle()
        return paid

    def accept(self, deal_id: str, delivery_id: str) -> dict[str, Any]:
        """The buyer accepts a weighed delivery."""
        path = f"/v1/deals/{deal_id}/deliveries/{delivery_id}/accept"
        accepted = self.until(lambda: self.buyer.desk.post(path), "the delivery to be acceptable")
        self.settle()
        return accepted
