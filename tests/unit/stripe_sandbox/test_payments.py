"""Card money in the sandbox, through Stripe's own SDK: intents, refunds, transfers, payouts and the balance."""

import pytest
import stripe


def balance(client, **options):
    found = client.v1.balance.retrieve(options=options)
    return [{part.currency: part.amount for part in parts} for parts in (found.available, found.pending)]


def test_a_confirmed_card_succeeds_and_its_money_is_pending_less_the_fee(client, pay):
    intent = pay(metadata={"payment_id": "cardpayment_1"}, transfer_group="cardpayment_1")
    assert (intent.status, intent.amount_received) == ("succeeded", 10_000)
    assert intent.metadata.to_dict() == {"payment_id": "cardpayment_1"}
    found = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    booked = found.latest_charge.balance_transaction
    assert (booked.amount, booked.fee, booked.net, booked.status) == (10_000, 320, 9_680, "pending")
    assert [charge.id for charge in client.v1.charges.list({"transfer_group": "cardpayment_1"}).data] == [
        found.latest_charge.id
    ]
    assert balance(client) == [{}, {"eur": 9_680}]


@pytest.mark.parametrize(
    ("card", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
    ],
)
def test_a_declined_card_is_a_card_error_and_the_intent_says_why(client, pay, card, code, decline_code):
    with pytest.raises(stripe.CardError) as refused:
        pay(payment_method=card)
    assert (refused.value.http_status, refused.value.code) == (402, code)
    assert refused.value.error.decline_code == decline_code
    intent = client.v1.payment_intents.retrieve(refused.value.error.payment_intent.id)
    assert (intent.status, intent.amount_received) == ("requires_payment_method", 0)
    assert intent.last_payment_error.decline_code == decline_code
    assert client.v1.charges.retrieve(intent.latest_charge).status == "failed"
    assert client.v1.balance_transactions.list().data == []


def test_a_declined_intent_can_be_confirmed_with_another_card(client, pay):
    with pytest.raises(stripe.CardError) as refused:
        pay(payment_method="pm_card_chargeDeclined")
    intent_id = refused.value.error.payment_intent.id
    assert client.v1.payment_intents.confirm(intent_id, {"payment_method": "pm_card_visa"}).status == "succeeded"


def test_manual_capture_takes_at_most_what_was_authorised(client, pay):
    intent = pay(capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 10_000)
    with pytest.raises(stripe.InvalidRequestError, match="greater than the capturable amount"):
        client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 10_001})
    captured = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 4_000})
    assert (captured.status, captured.amount_received) == ("succeeded", 4_000)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.capture(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"


def test_an_authorisation_expires_after_seven_days(client, pay, admin):
    intent = pay(capture_method="manual")
    admin("clock", advance_s=7 * 24 * 3600 - 60)
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_capture"
    assert admin("clock", advance_s=60)["expired"] == 1
    expired = client.v1.payment_intents.retrieve(intent.id)
    assert (expired.status, expired.cancellation_reason) == ("canceled", "automatic")
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.capture(intent.id)


def test_authentication_waits_for_the_cardholder_or_fails_when_asked_to(client, pay):
    assert pay(payment_method="pm_card_authenticationRequired").status == "requires_action"
    with pytest.raises(stripe.CardError) as refused:
        pay(payment_method="pm_card_authenticationRequired", error_on_requires_action=True)
    assert refused.value.code == "authentication_required"


def test_cancel_ends_an_intent_that_did_not_succeed(client, pay):
    open_intent = pay(confirm=False)
    assert open_intent.status == "requires_confirmation"
    assert client.v1.payment_intents.cancel(open_intent.id).status == "canceled"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.cancel(pay().id)


def test_a_scripted_bank_answers_late(client, pay, admin):
    admin("scripts", on="card", outcome="processing", times=2)
    first, second = pay(), pay()
    assert (first.status, first.amount_received) == ("processing", 0)
    admin(f"payment_intents/{first.id}/settle")
    admin(f"payment_intents/{second.id}/settle", decline="do_not_honor")
    assert client.v1.payment_intents.retrieve(first.id).status == "succeeded"
    assert client.v1.payment_intents.retrieve(second.id).last_payment_error.decline_code == "do_not_honor"
    assert balance(client) == [{}, {"eur": 9_680}]


def test_refunds_never_exceed_what_was_captured_and_leave_transfers_alone(client, pay):
    account = client.v1.accounts.create({"type": "custom", "country": "DE"})
    intent = pay(payment_method="pm_card_bypassPending")
    transfer = {
        "amount": 6_000,
        "currency": "eur",
        "destination": account.id,
        "source_transaction": intent.latest_charge,
    }
    client.v1.transfers.create(transfer)
    assert client.v1.refunds.create({"payment_intent": intent.id, "amount": 4_000}).amount == 4_000
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 6_001})
    assert client.v1.refunds.create({"charge": intent.latest_charge}).amount == 6_000
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": intent.latest_charge})
    assert refused.value.code == "charge_already_refunded"
    assert balance(client)[0] == {"eur": 10_000 - 320 - 6_000 - 10_000}
    assert balance(client, stripe_account=account.id)[0] == {"eur": 6_000}


def test_transfers_are_bounded_by_their_charge_and_can_be_reversed(client, pay):
    account = client.v1.accounts.create({"type": "custom", "country": "DE"})
    charge = pay(transfer_group="deal_1").latest_charge
    params = {"currency": "eur", "destination": account.id, "source_transaction": charge}
    transfer = client.v1.transfers.create({"amount": 7_000, **params})
    assert transfer.transfer_group == "deal_1"
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.transfers.create({"amount": 3_001, **params})
    assert refused.value.code == "balance_insufficient"
    client.v1.transfers.reversals.create(transfer.id, {"amount": 2_000})
    client.v1.transfers.reversals.create(transfer.id)
    assert client.v1.transfers.retrieve(transfer.id).reversed
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.transfers.reversals.create(transfer.id, {"amount": 1})
    assert balance(client, stripe_account=account.id)[0] == {"eur": 0}


def test_only_available_money_is_paid_out_and_it_arrives_after_two_days(client, pay, admin):
    pay()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payouts.create({"amount": 9_680, "currency": "eur"})
    assert refused.value.code == "balance_insufficient"
    admin("clock", advance_s=2 * 24 * 3600)
    payout = client.v1.payouts.create({"amount": 9_680, "currency": "eur"})
    assert (payout.status, balance(client)[0]) == ("pending", {"eur": 0})
    assert client.v1.payouts.cancel(payout.id).status == "canceled"
    payout = client.v1.payouts.create({"amount": 9_680, "currency": "eur"})
    assert admin("clock", advance_s=2 * 24 * 3600)["arrived"] == 1
    assert client.v1.payouts.retrieve(payout.id).status == "paid"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"amount": 49}, "amount_too_small"),
        ({"amount": 100_000_000}, "amount_too_large"),
        ({"amount": -1}, "parameter_invalid_integer"),
        ({"amount": "1e3"}, "parameter_invalid_integer"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"currency": ""}, "parameter_missing"),
        ({"currency": "xxx"}, None),
        ({"payment_method": "pm_card_unknown"}, "resource_missing"),
    ],
)
def test_odd_parameters_are_refused_and_leave_nothing(client, pay, members, code):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        pay(**members)
    assert (refused.value.http_status, refused.value.code) == (400, code)
    assert client.v1.payment_intents.list().data == []
    assert client.v1.events.list().data == []


def test_lists_page_forwards_and_backwards(client, pay):
    made = [pay().id for _ in range(5)][::-1]
    first = client.v1.payment_intents.list({"limit": 2})
    assert ([row.id for row in first.data], first.has_more) == (made[:2], True)
    assert [row.id for row in client.v1.payment_intents.list({"limit": 2}).auto_paging_iter()] == made
    before = client.v1.payment_intents.list({"limit": 2, "ending_before": made[3]})
    assert ([row.id for row in before.data], before.has_more) == (made[1:3], True)
    assert client.v1.payment_intents.list({"created": {"gt": 4_000_000_000}}).data == []
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.list({"limit": 101})


def test_a_stranger_gets_nothing(sandbox):
    stranger = stripe.StripeClient("sk_test_other", base_addresses={"api": sandbox.url})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.payment_intents.list()


def test_unknown_ids_and_routes_are_404(client):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_intents.retrieve("pi_unknown")
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        client.v1.products.list()
