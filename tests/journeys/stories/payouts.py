"""How money leaves escrow and the platform."""

from __future__ import annotations

from collections.abc import Iterator

from tests.journeys.stories.telling import (
    GROSS,
    deliver_all,
    ends,
    ends_with,
    sold,
)
from tests.journeys.town import Town


@ends_with(**sold(GROSS, 7_700))
def escrow_waits_for_the_invoice(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_000, release="invoice")
    assert town.balance("buyer", "escrow") == GROSS
    (invoice,) = town.mill.desk.every("/v1/invoices", deal_id=deal["id"], kind="goods")
    wrong = invoice | {"gross": {"amount": invoice["gross"]["amount"] + 1, "currency": "CNY"}}
    with town.refuses(422, "invoice_differs") as problem:
        town.record_invoice(wrong)
    assert problem["difference"] == {"amount": 1, "currency": "CNY"}
    yield
    town.record_invoice(invoice)
    ends(town, deal, "completed")


@ends_with(**sold(GROSS, 7_700))
def the_bank_returns_the_payout(town: Town) -> Iterator[None]:
    deal, _ = yield from deliver_all(town, 20_000)
    ends(town, deal, "completed")
    money = {"amount": GROSS - 7_700, "currency": "CNY"}
    payout = town.mill.desk.post("/v1/payouts", {"amount": money, "bank_account_id": town.mill.account_id})
    yield
    town.operator.post(f"/v1/payouts/{payout['id']}/send", {"bank_reference": f"OUT-{payout['id'][-8:]}"})
    yield
    back = town.operator.post(f"/v1/payouts/{payout['id']}/return", {"reason": "the account is closed"})
    assert back["state"] == "returned"
