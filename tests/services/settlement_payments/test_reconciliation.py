"""Stripe's books and ours: compared each night, equal to the cent after any bad day, and named where they are not."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from infra.check.snapshot import Violation, take_snapshot
from services.settlement import SERVICE
from services.settlement.payments import stripe_money
from services.settlement.payments.model import Intent, State
from services.settlement.reconciliation.measuring import DIFFERENCES, meter_differences
from tests.services.settlement_payments.money import dispute, fetch, lose_webhooks

METHODS = ("pm_card_visa", "pm_card_visa", "pm_card_chargeDeclined", "pm_card_bypassPending", "pm_card_createDispute")
FAULTS = ("status", "status_after_commit", "lose_answer", "drop")
NIGHT = timedelta(days=1)
FIRST = "reconciliation_20260303T030000Z"


def ended(stand):
    """The reconciliations that have ended, as an operator sees them, oldest first."""
    runs = fetch(stand, "/v1/reconciliations")["items"]
    return [run for run in reversed(runs) if run["ended_at"]]


def reconcile(stand):
    """Let the next reconciliation come; what it found."""
    before = len(ended(stand))
    (due_at,) = stand.rows("SELECT due_at FROM reconciliation WHERE state = 'scheduled'")[0]
    stand.advance(due_at - stand.frozen.at)
    assert len(ended(stand)) == before + 1
    return ended(stand)[-1]


def differing(run):
    return [(each["subject"], each["at_stripe"], each["ours"]) for each in run["differences"]]


def transactions_of(stand, payment_id):
    movements = stripe_money.look_at_money(stand.stripe, stand.see(payment_id)["intent_id"])
    return {movement["kind"]: movement["id"] for movement in movements}


def test_a_day_without_trouble_agrees_and_the_clearing_account_is_what_stripe_holds(stand):
    for amount in (10_000, 12_345):
        stand.pay(amount)
    stand.pay(payment_method="pm_card_chargeDeclined")
    stand.pay(5_000, "CNY")
    stand.settle()
    run = reconcile(stand)
    assert (run["id"], run["state"], run["compared"], run["differences"]) == (FIRST, "agreed", 3, [])
    balance = stand.stripe.v1.balance.retrieve()
    held = {part.currency.upper(): part.amount for part in balance.pending}
    assert held == {"EUR": 22_345 - 320 - 388, "CNY": 5_000 - 175}
    assert {currency: -stand.balances()[f"platform:clearing_card:{currency}"] for currency in held} == held
    assert fetch(stand, "/v1/reconciliations?state=scheduled")["items"][0]["due_at"] == "2026-03-04T03:00:00Z"
    assert fetch(stand, f"/v1/reconciliations/{FIRST}") == run


def test_each_way_to_differ_is_named(stand, monkeypatch):
    kept, lost, uncharged = stand.pay(10_000), stand.pay(2_000), stand.pay(3_000)
    stand.settle()
    foreign = stand.stripe.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    (theirs,) = stripe_money.look_at_money(stand.stripe, foreign.id)
    ours, gone, unknown = (transactions_of(stand, id)["charge"] for id in (kept, lost, uncharged))
    stand.plant(f"UPDATE card_movement SET amount = 9_999 WHERE id = '{ours}'")
    stand.plant(f"DELETE FROM card_movement WHERE id = '{gone}'")
    stand.plant(f"UPDATE card_movement SET id = 'txn_nowhere', created = 5 WHERE id = '{unknown}'")
    stand.plant(f"UPDATE card_movement SET payment_id = 'other' WHERE id = '{ours}'")
    found = differing(reconcile(stand))
    assert set(found) == {
        (ours, 9_680, 9_679),
        (gone, 2_000 - 88, 0),
        (unknown, 3_000 - 117, 0),
        (theirs["id"], 700 - 50, 0),
        ("txn_nowhere", 0, 3_000 - 117),
        (kept, 0, 10_000),
        (lost, 0, 2_000),
        ("clearing:EUR", 15_000 - 320 - 117, 15_000 - 320 - 88 - 117),
    }


def test_only_an_operator_sees_reconciliations(stand):
    for role in ("finance", "admin"):
        assert stand.send("GET", "/v1/reconciliations", role=role).status_code == 403
        assert stand.send("GET", f"/v1/reconciliations/{FIRST}", role=role).status_code == 403
    assert stand.send("GET", f"/v1/reconciliations/{FIRST}", role="reader").status_code == 404
    assert stand.send("GET", "/v1/reconciliations", role="reader").json["items"] == []


def test_what_nobody_told_is_found_posted_and_confirmed(stand):
    """The webhook of a dispute is lost and the sweep hears nothing of it either: the night finds it."""
    payment_id = stand.pay()
    stand.settle()
    lose_webhooks(stand)
    dispute(stand, payment_id)
    stand.advance(timedelta(hours=2))
    assert stand.balances()["party_a:available:EUR"] == 10_000
    first = reconcile(stand)
    taken = transactions_of(stand, payment_id)["dispute"]
    assert differing(first) == [(taken, -11_500, 0)]
    assert [each["payment_id"] for each in first["differences"]] == [payment_id]
    assert broken_in_check(stand) == [(f"{FIRST} {taken}",)]
    stand.settle()
    assert stand.balances()["party_a:available:EUR"] == 0
    second = reconcile(stand)
    assert (second["id"], second["state"]) == ("reconciliation_20260303T031500Z", "agreed")
    assert broken_in_check(stand) == []
    assert reconcile(stand)["id"] == "reconciliation_20260304T030000Z"


def broken_in_check(stand):
    """What ``haihe check`` says of reconciliations."""
    snapshot = take_snapshot(SERVICE, stand.settings_of_database(), [], grace_s=1e9)
    named: list[Violation] = [each for each in snapshot.violations if each.name == "card_payments_reconciled"]
    return [tuple(each.ids) for each in named]


def test_what_stays_different_is_looked_at_each_night_and_as_far_back(stand):
    stand.pay()
    stand.settle()
    foreign = stand.stripe.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    (theirs,) = stripe_money.look_at_money(stand.stripe, foreign.id)
    runs = [reconcile(stand) for _ in range(3)]
    assert [differing(run) for run in runs] == [[(theirs["id"], 650, 0)]] * 3
    assert [run["id"][-16:] for run in runs] == ["20260303T030000Z", "20260303T031500Z", "20260304T030000Z"]


def test_the_metric_says_how_many_are_open(stand):
    class Context:
        database = stand.database

    stand.stripe.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    )
    meter_differences(Context).step()
    assert DIFFERENCES._value.get() == 0
    reconcile(stand)
    meter_differences(Context).step()
    assert DIFFERENCES._value.get() == 1


def test_pages_are_read_on_from_where_they_end(stand, monkeypatch):
    monkeypatch.setattr(stripe_money, "MOVEMENTS_A_PAGE", 2)
    for _ in range(5):
        stand.pay()
    stand.settle()
    run = reconcile(stand)
    assert (run["state"], run["compared"]) == ("agreed", 5)
    assert stand.rows("SELECT count(*) FROM errand WHERE kind = 'reconcile_cards'") == [(3,)]


def test_a_place_that_stripe_has_lost_begins_the_list_again(stand, monkeypatch):
    assert stripe_money.list_movements(stand.stripe, since=0, after="txn_gone") == {"lost": True}
    stand.pay()
    stand.settle()
    stand.plant("UPDATE reconciliation SET state = 'asking', after = 'txn_gone', compared = 7")
    stand.advance(NIGHT)
    stand.advance(timedelta(hours=1))
    assert [(run["state"], run["compared"]) for run in ended(stand)] == [("agreed", 1)]


def test_while_stripe_does_not_answer_it_is_asked_every_hour(stand):
    stand.pay()
    stand.settle()
    stand.script(on="request", path="/v1/balance_transactions", fault="drop", times=1_000)
    stand.advance(NIGHT)
    for _ in range(3):
        stand.advance(timedelta(hours=1))
    assert ended(stand) == []
    assert stand.rows("SELECT DISTINCT state FROM errand WHERE kind = 'reconcile_cards'") == [("done",)]
    stand.admin_clear()
    stand.advance(timedelta(hours=1))
    assert [run["state"] for run in ended(stand)] == ["agreed"]


def test_where_cards_are_off_nobody_is_asked(make_stand, stand):
    off = make_stand(stripe_key="")
    off.advance(NIGHT)
    assert ended(off) == []
    assert off.rows("SELECT DISTINCT state FROM errand") == [("done",)]


@pytest.mark.parametrize(("hour", "due_at"), [(8, "2026-03-03T08:00:00Z"), (9, "2026-03-02T09:00:00Z")])
def test_the_hour_is_a_setting(make_stand, hour, due_at):
    stand = make_stand(reconcile_hour=hour)
    stand.set_up()
    (run,) = fetch(stand, "/v1/reconciliations")["items"]
    assert (run["state"], run["due_at"]) == ("scheduled", due_at)
    reconcile(stand)
    assert [each["due_at"][11:] for each in fetch(stand, "/v1/reconciliations?state=scheduled")["items"]] == [
        due_at[11:]
    ]


@pytest.mark.parametrize("seed", range(4))
def test_after_any_bad_day_the_books_agree(stand, seed):
    """Faults, lost and doubled webhooks, late banks, refunds and disputes at random: in the end every cent agrees."""
    chance = random.Random(seed)
    for _ in range(12):
        stand.script(
            on="request", method=chance.choice(["POST", "GET"]), fault=chance.choice(FAULTS), times=chance.randint(1, 3)
        )
        action = chance.choice(["drop", "duplicate", "reorder"])
        stand.script(on="webhook", action=action, times=chance.randint(1, 2))
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
    give_back(stand, chance)
    for _ in range(6):
        stand.advance(timedelta(minutes=31))
        stand.deliver()
    assert reconcile(stand)["differences"] == []
    assert stand.broken() == []


def settle_banks(stand, chance):
    stand.admin_clear()
    for intent in stand.stripe.v1.payment_intents.list({"limit": 100}).data:
        if intent.status == "processing":
            decline = {"decline": "do_not_honor"} if chance.random() < 0.5 else {}
            stand.admin(f"payment_intents/{intent.id}/settle", **decline)


def give_back(stand, chance):
    """Some payments are refunded by us, some by hand at Stripe, and disputes end either way."""
    stand.script(on="webhook", action=chance.choice(["drop", "duplicate", "reorder"]), times=3)
    for charge in stand.stripe.v1.charges.list({"limit": 100}).data:
        match chance.choice(["ours", "by hand", "dispute", "leave"]):
            case "ours" if charge.captured:
                path = f"/v1/card-payments/{charge.transfer_group}/refund"
                stand.send("POST", path, party="platform", role="operator")
            case "by hand" if charge.captured and not charge.disputed:
                stand.stripe.v1.refunds.create({"charge": charge.id, "amount": 20})
            case "dispute" if charge.captured and not charge.disputed:
                stand.admin(f"charges/{charge.id}/dispute")
    for disputed in stand.stripe.v1.disputes.list({"limit": 100}).data:
        said = chance.choice(["winning_evidence", "losing_evidence"])
        stand.stripe.v1.disputes.update(disputed.id, {"evidence": {"uncategorized_text": said}})


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


def test_what_stripe_pays_out_to_our_bank_is_cleared_and_no_more(stand):
    stand.pay(10_000)
    stand.settle()
    credit = {
        "value_date": "2026-03-02",
        "payer_account": "IE00STRIPE",
        "payer_name": "Stripe",
        "remittance": "STRIPE PAYOUT",
    }
    paths = {}
    for amount in (9_681, 9_680):
        said = credit | {"bank_reference": f"payout-{amount}", "amount": {"amount": amount, "currency": "EUR"}}
        recorded = stand.send("POST", "/v1/bank-credits", said, role="operator").json
        assert recorded["state"] == "suspense"
        paths[amount] = f"/v1/bank-credits/{recorded['id']}"
    refused = stand.send("POST", f"{paths[9_681]}/card-payout", role="operator")
    assert (refused.status_code, refused.json["held"]) == (409, {"amount": 9_680, "currency": "EUR"})
    assert stand.send("POST", f"{paths[9_680]}/card-payout", role="finance").status_code == 403
    cleared = stand.send("POST", f"{paths[9_680]}/card-payout", role="operator").json
    assert (cleared["state"], cleared["party_id"]) == ("credited", "platform")
    assert stand.send("POST", f"{paths[9_680]}/card-payout", role="operator").status_code == 409
    assert stand.send("POST", f"{paths[9_681]}/return", role="operator").status_code == 200
    assert {id: balance for id, balance in stand.balances().items() if balance} == {
        "party_a:available:EUR": 10_000, "platform:card_fees:EUR": -320, "platform:clearing_bank:EUR": -9_680,
    }  # fmt: skip
    assert reconcile(stand)["state"] == "agreed" and stand.broken() == []
