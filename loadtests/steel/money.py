"""Money of a trade: what the bank credits, what a company has, and what it withdraws."""

from __future__ import annotations

from typing import Any

from loadtests.steel.trade import Trade


class Money(Trade):
    """Balances, and how money comes in and goes out."""

    def top_up(self, role: str, amount: int, *, reference: str = "") -> dict[str, Any]:
        """A bank credit for a company, as the bank reports it; ``amount`` in minor units."""
        company = self.companies[role]
        self.known["credits"] = self.known.get("credits", 0) + 1
        quoted = self.until(lambda: company.desk.get("/v1/accounts").get("reference"), "its reference")
        return self.operator.post(
            "/v1/bank-credits",
            {
                "bank_reference": reference or f"BK{self.number:08d}-{self.known['credits']:04d}",
                "value_date": self.now().date().isoformat(),
                "payer_account": company.account_number,
                "payer_name": company.name,
                "amount": {"amount": amount, "currency": "CNY"},
                "remittance": f"top-up {quoted}",
            },
        )

    def balance(self, role: str, kind: str = "available") -> int:
        """What a company has, in minor units."""
        accounts = self.companies[role].desk.get("/v1/accounts")["items"]
        return sum(each["balance"]["amount"] for each in accounts if each["kind"] == kind)

    def balances(self) -> dict[str, int]:
        """Available money of all companies."""
        return {role: self.balance(role) for role in self.companies}

    def pay_out(self, role: str, amount: int) -> dict[str, Any]:
        """A company withdraws to its registered account, and the bank does it."""
        company = self.companies[role]
        body = {"amount": {"amount": amount, "currency": "CNY"}, "bank_account_id": company.account_id}
        payout = self.until(lambda: company.desk.post("/v1/payouts", body), "the payout")
        self.operator.post(f"/v1/payouts/{payout['id']}/send", {"bank_reference": f"OUT-{payout['id'][-8:]}"})
        return self.operator.post(f"/v1/payouts/{payout['id']}/confirm")

    def record_invoice(self, invoice: dict[str, Any]) -> dict[str, Any]:
        """The mill's finance records the number of the tax invoice that it wrote for a delivery."""
        self.known["invoices"] = self.known.get("invoices", 0) + 1
        body = {
            "number": f"2612{self.number:08d}{self.known['invoices']:08d}",
            "issued_on": self.now().date().isoformat(),
            **{name: invoice[name] for name in ("net", "tax", "gross")},
        }
        recorded = self.mill.desk.post(f"/v1/invoices/{invoice['id']}/record", body)
        self.settle()
        return recorded
