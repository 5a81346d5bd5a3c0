"""Our payments, Stripe's books and the ledger: equal to the cent on any day, and named where they are not."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from services.settlement.payments.model import Intent, State
from services.settlement.payments.reconciliation import Difference, compare, reconcile
from services.settlement.payments.stripe_client import Movement

METHODS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_bypassPending")
FAULTS = ("status", "status_after_commit", "lose_answer", "drop")


def found(stand):
    return stand.database.look(lambda session: reconcile(stand.stripe, session))


def test_a_day_without_trouble_agrees_and_sums_the_fees(stand):
    for amount in (10_000, 12_345):
        stand.pay(amount)
    stand.pay(payment_method="pm_card_chargeDeclined")
    stand.pay(5_000, "CNY")
    stand.settle()
    result = found(stand)
    assert result.differences == []
    assert result.fees == {"EUR": 320 + 388, "CNY": 175}


def test_each_way_to_differ_is_named(stand):
    refunded, lost = stand.pay(10_000), stand.pay(2_000)
    stand.settle()
    stand.stripe.v1.refunds.create({"payment_intent": stand.see(refunded)["intent_id"], "amount": 1_000})
    stand.plant(f"DELETE FROM card_payment WHERE id = '{lost}'")
    foreign = stand.stripe.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    assert found(stand).differences == [
        Difference(subject=subject, currency="EUR", at_stripe=at_stripe, ours=ours)
        for subject, at_stripe, ours in sorted(
            [(refunded, 9_000, 10_000), (lost, 2_000, 0), (str(foreign.latest_charge), 700, 0)]
        )
        + [("clearing:EUR", 11_700, 12_000)]
    ]
    assert stand.broken() == [lost]


def test_a_payment_whose_answer_is_under_way_is_a_difference_until_it_is_recorded(stand):
    stand.script(on="request", method="POST", fault="lose_answer", times=3)
    payment_id = stand.pay()
    stand.errands.step()
    assert [difference.subject for difference in found(stand).differences] == [payment_id, "clearing:EUR"]
    stand.advance(timedelta(minutes=1))
    assert found(stand).differences == []


@pytest.mark.parametrize("seed", range(4))
def test_after_any_bad_day_the_books_agree(stand, seed):
    """Faults, lost and doubled webhooks and late banks at random: in the end all three agree on every cent."""
    chance = random.Random(seed)
    for _ in range(12):
        stand.script(
            on="request", method=chance.choice(["POST", "GET"]), fault=chance.choice(FAULTS), times=chance.randint(1, 3)
        )
        action = chance.choice(["drop", "duplicate", "reorder"])
        stand.script(on="webhook", type="payment_intent.*", action=action, times=chance.randint(1, 2))
        if chance.random() < 0.3:
            stand.script(on="card", outcome="processing")
        stand.pay(chance.randint(50, 90_000), payment_method=chance.choice(METHODS))
        for step in chance.sample([stand.errands.step, stand.timers.step, stand.deliver], 2):
            step()
        stand.frozen.advance(timedelta(seconds=chance.randint(0, 300)))
    settle_banks(stand, chance)
    for _ in range(12):
        stand.advance(timedelta(minutes=10))
        stand.deliver()
    assert set(stand.rows("SELECT DISTINCT state FROM card_payment")) <= {("succeeded",), ("failed",)}
    assert found(stand).differences == []
    assert stand.broken() == []


def settle_banks(stand, chance):
    with stand.sandbox.store.transaction():
        for script in stand.sandbox.store.oldest_first("scripts"):
            stand.sandbox.store.drop("scripts", script["id"])
    for intent in stand.stripe.v1.payment_intents.list({"limit": 100}).data:
        if intent.status == "processing":
            decline = {"decline": "do_not_honor"} if chance.random() < 0.5 else {}
            stand.admin(f"payment_intents/{intent.id}/settle", **decline)


def test_compare_counts_refunds_against_the_charge_that_they_came_from():
    charge = Movement(id="txn_1", amount=500, fee=45, currency="EUR", charge_id="ch_1", payment_id="p1")
    refund = Movement(id="txn_2", amount=-500, fee=0, currency="EUR", charge_id="ch_1", payment_id=None)
    assert compare([refund, charge], {}, {}).differences == []
    assert compare([charge], {("p1", "EUR"): 500}, {"EUR": -500}).differences == []


@pytest.mark.parametrize(
    "planted",
    [
        "UPDATE card_payment SET state = 'failed'",
        "UPDATE card_payment SET amount_amount = amount_amount + 1",
        "UPDATE card_payment SET party_id = 'party_z'",
        "DELETE FROM card_payment",
        "DELETE FROM posting WHERE amount > 0",
    ],
)
def test_a_planted_violation_is_seen(stand, planted):
    payment_id = stand.pay()
    stand.settle()
    assert stand.broken() == []
    stand.plant(planted)
    assert stand.broken() == [payment_id]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("succeeded", State.SUCCEEDED),
        ("processing", State.PROCESSING),
        ("requires_capture", State.PROCESSING),
        ("requires_payment_method", State.FAILED),
        ("canceled", State.FAILED),
    ],
)
def test_what_a_status_means(status, state):
    assert Intent(id="pi_1", status=status, amount=1, amount_received=0, currency="eur").state is state
