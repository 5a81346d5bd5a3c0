"""Fees, refunds and disputes: each cent that Stripe moves is posted once, whoever tells of it, when and how often."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chassis.auth import Caller
from services.settlement.payments import moving, stripe_money
from tests.services.settlement_payments.money import charge_of, decide, dispute, lose_webhooks, refund

SYSTEM = Caller.system("settlement")
FEE, DISPUTE_FEE = 320, 1_500
REFUNDS = {"on": "request", "method": "POST", "path": "/v1/refunds"}


@pytest.fixture
def paid(stand):
    payment_id = stand.pay()
    stand.settle()
    stand.deliver()
    stand.settle()
    return payment_id


def hear(stand):
    """Let every webhook come in, and do what it asks for."""
    while stand.deliver():
        stand.settle()
    stand.settle()


def euros(stand):
    """What is on each account that is not empty, without the currency."""
    return {id.removesuffix(":EUR"): balance for id, balance in stand.balances().items() if balance}


def holds(stand):
    """What Stripe holds for us, pending or not."""
    balance = stand.stripe.v1.balance.retrieve()
    return sum(part.amount for part in [*balance.available, *balance.pending])


def assert_books(stand, **accounts):
    assert euros(stand) == {name.replace("__", ":"): amount for name, amount in accounts.items()}
    assert -euros(stand).get("platform:clearing_card", 0) == holds(stand)
    assert stand.broken() == []


def returned(stand, payment_id):
    found = stand.see(payment_id)
    return found["state"], found["returned"]["amount"], found["failure_code"]


PAID = {"party_a__available": 10_000, "platform__card_fees": -FEE, "platform__clearing_card": FEE - 10_000}
REFUNDED = {"platform__card_fees": -FEE, "platform__clearing_card": FEE}
DISPUTED = {"platform__card_fees": -FEE - DISPUTE_FEE, "platform__clearing_card": FEE + DISPUTE_FEE}
WON = {
    "party_a__available": 10_000,
    "platform__card_fees": -FEE - DISPUTE_FEE,
    "platform__clearing_card": FEE + DISPUTE_FEE - 10_000,
}


def test_the_fee_of_a_charge_is_the_platforms(stand, paid):
    assert_books(stand, **PAID)


def test_a_fee_that_stripe_has_not_booked_yet_is_asked_for_again(stand):
    payment_id = stand.pay()
    stand.errands.step()
    charge_id = charge_of(stand, payment_id)
    with stand.sandbox.store.transaction():
        charge = stand.sandbox.store.get("charges", charge_id)
        stand.sandbox.store.put("charges", {**charge, "balance_transaction": None})
    stand.settle()
    assert "platform:card_fees" not in euros(stand)
    with stand.sandbox.store.transaction():
        stand.sandbox.store.put("charges", charge)
    stand.advance(timedelta(minutes=1))
    assert_books(stand, **PAID)


def test_a_refund_sets_the_money_aside_and_sends_it_back(stand, paid):
    answer = refund(stand, paid)
    assert (answer.status_code, answer.json["state"]) == (200, "refunding")
    assert euros(stand)["platform:refund_transit"] == 10_000
    assert "party_a:available" not in euros(stand) and stand.broken() == []
    stand.settle()
    hear(stand)
    assert returned(stand, paid) == ("succeeded", 10_000, None)
    assert_books(stand, **REFUNDED)
    again = refund(stand, paid)
    assert (again.status_code, again.json["type"]) == (409, "urn:haihe:problem:card_payment_returned")


def test_only_an_operator_refunds_and_only_once_at_a_time(stand, paid):
    for role in ("finance", "admin", "reader"):
        assert stand.send("POST", f"/v1/card-payments/{paid}/refund", role=role).status_code == 403
    refund(stand, paid)
    assert refund(stand, paid).json["type"] == "urn:haihe:problem:illegal_move"
    assert stand.rows("SELECT count(*) FROM errand WHERE kind = 'refund_card'") == [(1,)]


def test_what_is_spent_is_not_refunded(stand, paid):
    stand.spend("party_a", 1)
    answer = refund(stand, paid)
    assert (answer.status_code, answer.json["type"]) == (409, "urn:haihe:problem:insufficient_funds")
    assert answer.json["missing"] == {"amount": 1, "currency": "EUR"}
    assert returned(stand, paid) == ("succeeded", 0, None)
    assert stand.rows("SELECT count(*) FROM errand WHERE kind = 'refund_card'") == [(0,)]


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "status", "status": 500},
        {"fault": "status_after_commit", "status": 500},
        {"fault": "lose_answer", "times": 4},
        {"fault": "drop", "times": 4},
        {"fault": "lose_answer", "times": 40},
    ],
)
@pytest.mark.parametrize("told", ["duplicate", "drop"])
def test_a_refund_goes_back_once_whatever_becomes_of_the_answer(stand, paid, fault, told):
    stand.script(**REFUNDS, **fault)
    stand.script(on="webhook", action=told, times=20)
    refund(stand, paid)
    for _ in range(8):
        stand.settle()
        hear(stand)
        stand.frozen.advance(timedelta(minutes=6))
    assert returned(stand, paid) == ("succeeded", 10_000, None)
    assert_books(stand, **REFUNDED)
    assert len(stand.stripe.v1.refunds.list().data) == 1


def test_a_refund_that_nobody_can_ask_for_is_chased(stand, paid):
    stand.script(**REFUNDS, fault="drop", times=36)
    refund(stand, paid)
    for _ in range(12):
        stand.advance(timedelta(minutes=6))
    assert returned(stand, paid) == ("succeeded", 10_000, None)
    assert_books(stand, **REFUNDED)


def test_a_refund_that_stripe_refuses_gives_the_money_back(stand, paid):
    stand.stripe.v1.refunds.create({"payment_intent": stand.see(paid)["intent_id"], "amount": 500})
    refund(stand, paid)
    stand.settle()
    state, back, code = returned(stand, paid)
    assert (state, back) == ("succeeded", 500) and code
    assert_books(stand, party_a__available=9_500, platform__card_fees=-FEE, platform__clearing_card=FEE - 9_500)


def test_a_refund_of_what_is_disputed_meanwhile_is_refused(stand, paid):
    refund(stand, paid)
    dispute(stand, paid)
    stand.settle()
    assert returned(stand, paid) == ("succeeded", 10_000, "charge_disputed")
    assert_books(stand, **DISPUTED)


def test_a_dispute_that_is_heard_of_before_the_refund_is_refused_ends_it(stand, paid):
    refund(stand, paid)
    dispute(stand, paid)
    stand.deliver()
    stand.settle_but("refund_card")
    assert returned(stand, paid) == ("succeeded", 10_000, "returned_otherwise")
    assert_books(stand, **DISPUTED)
    stand.settle()
    assert_books(stand, **DISPUTED)


def test_a_refund_that_fails_later_is_the_partys_again(stand, paid):
    refund(stand, paid)
    stand.settle()
    (made,) = stand.stripe.v1.refunds.list().data
    stand.admin(f"refunds/{made.id}/fail")
    hear(stand)
    assert returned(stand, paid) == ("succeeded", 0, None)
    assert_books(stand, **PAID)
    assert refund(stand, paid).status_code == 200
    stand.settle()
    assert_books(stand, **REFUNDED)


@pytest.mark.parametrize("told", ["send", "duplicate", "reorder"])
@pytest.mark.parametrize(("evidence", "books"), [("winning_evidence", WON), ("losing_evidence", DISPUTED)])
def test_a_dispute_takes_the_money_and_only_a_won_one_returns_it(stand, paid, told, evidence, books):
    if told == "duplicate":
        stand.script(on="webhook", type="charge.dispute.*", action=told, times=10)
    if told == "reorder":
        stand.script(on="webhook", type="charge.dispute.funds_withdrawn", action=told)
    disputed = dispute(stand, paid)
    if told == "send":
        hear(stand)
        assert_books(stand, **DISPUTED)
        assert returned(stand, paid) == ("succeeded", 10_000, None)
    decide(stand, disputed, evidence)
    hear(stand)
    assert returned(stand, paid)[1] == (0 if evidence == "winning_evidence" else 10_000)
    assert_books(stand, **books)
    assert stand.rows("SELECT count(*) - count(DISTINCT id) FROM card_movement") == [(0,)]


def test_a_dispute_that_no_webhook_tells_of_is_brought_by_the_sweep(stand, paid):
    stand.script(on="webhook", action="drop", times=10)
    decide(stand, dispute(stand, paid), "winning_evidence")
    stand.advance(timedelta(minutes=6))
    assert_books(stand, **WON)


def test_a_dispute_before_the_success_is_known_is_found_with_it(stand):
    stand.script(on="request", method="POST", path="/v1/payment_intents", fault="lose_answer", times=3)
    stand.script(on="webhook", type="payment_intent.*", action="drop", times=10)
    payment_id = stand.pay(payment_method="pm_card_createDispute")
    stand.errands.step()
    hear(stand)
    assert stand.rows("SELECT DISTINCT state FROM card_event") == [("ignored",)]
    assert euros(stand) == {}
    stand.advance(timedelta(minutes=6))
    assert returned(stand, payment_id) == ("succeeded", 10_000, None)
    assert_books(stand, **DISPUTED)


@pytest.mark.parametrize("evidence", ["winning_evidence", "losing_evidence"])
def test_what_the_party_has_spent_the_platform_is_owed_until_it_is_won(stand, paid, evidence):
    stand.spend("party_a", 7_000)
    disputed = dispute(stand, paid)
    hear(stand)
    assert euros(stand)["platform:receivable"] == -7_000
    assert "party_a:available" not in euros(stand) and stand.broken() == []
    stand.give("party_a", 1_000)
    decide(stand, disputed, evidence)
    hear(stand)
    won = evidence == "winning_evidence"
    assert euros(stand).get("platform:receivable", 0) == (0 if won else -7_000)
    assert euros(stand)["party_a:available"] == (4_000 if won else 1_000)
    assert stand.broken() == []


def test_two_who_bring_the_same_dispute_at_once_post_it_once(stand, paid):
    """Both have asked Stripe before either has recorded: they meet at the payment's row."""
    dispute(stand, paid)
    found = {"movements": stripe_money.look_at_money(stand.stripe, stand.see(paid)["intent_id"])}

    def record(_):
        stand.database.run(lambda session: moving.record_money(session, SYSTEM, {"payment_id": paid}, found))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(record, range(4)))
    assert_books(stand, **DISPUTED)


def test_a_part_that_is_disputed_is_taken_alone(stand, paid):
    dispute(stand, paid, amount=2_500)
    hear(stand)
    assert returned(stand, paid) == ("succeeded", 2_500, None)
    assert refund(stand, paid).status_code == 409
    assert euros(stand)["party_a:available"] == 7_500 and stand.broken() == []


def test_money_that_moves_in_another_currency_is_left_to_the_operator(stand, paid):
    lose_webhooks(stand)
    disputed = dispute(stand, paid)
    with stand.sandbox.store.transaction():
        row = stand.sandbox.store.get("disputes", disputed)
        taken = {**row["balance_transactions"][0], "currency": "usd"}
        stand.sandbox.store.put("disputes", {**row, "balance_transactions": [taken]})
        booked = stand.sandbox.store.get("balance_transactions", taken["id"])
        stand.sandbox.store.put("balance_transactions", {**booked, "currency": "usd"})
    stand.advance(timedelta(days=1))
    stand.advance(timedelta(hours=1))
    assert euros(stand)["party_a:available"] == 10_000
    assert stand.broken() == [f"{run} {taken['id']}" for (run,) in stand.rows(LAST_RUN)]


LAST_RUN = "SELECT max(id) FROM reconciliation WHERE ended_at IS NOT NULL"
