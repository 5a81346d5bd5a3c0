"""Disputes in the sandbox, through Stripe's own SDK: the money goes at once, and comes back when the dispute is won."""

import pytest
import stripe


def held(client):
    """What Stripe holds for us, pending or not."""
    found = client.v1.balance.retrieve()
    return sum(part.amount for part in [*found.available, *found.pending])


def told(client, **filters):
    return [event.type for event in client.v1.events.list({"limit": 100, **filters}).data]


@pytest.fixture
def disputed(client, pay):
    intent = pay(payment_method="pm_card_createDispute")
    (found,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    return found


def decide(client, disputed, words):
    return client.v1.disputes.update(disputed.id, {"evidence": {"uncategorized_text": words}})


def test_a_dispute_takes_its_amount_and_a_fee(client, disputed):
    assert (disputed.status, disputed.amount, held(client)) == ("needs_response", 10_000, 9_680 - 11_500)
    (taken,) = disputed.balance_transactions
    assert (taken.type, taken.reporting_category, taken.amount, taken.fee) == ("adjustment", "dispute", -10_000, 1_500)
    assert taken.source == disputed.id
    found = client.v1.balance_transactions.retrieve(taken.id, {"expand": ["source"]})
    assert (found.source.object, found.source.charge) == ("dispute", disputed.charge)
    assert told(client)[:2] == ["charge.dispute.funds_withdrawn", "charge.dispute.created"]


def test_winning_evidence_brings_the_amount_back(client, disputed):
    won = decide(client, disputed, "winning_evidence")
    assert (won.status, held(client)) == ("won", 9_680 - 1_500)
    assert [row.reporting_category for row in won.balance_transactions] == ["dispute", "dispute_reversal"]
    assert told(client)[:2] == ["charge.dispute.closed", "charge.dispute.funds_reinstated"]


@pytest.mark.parametrize("way", ["losing_evidence", "close"])
def test_a_lost_dispute_brings_nothing_back(client, disputed, way):
    lost = client.v1.disputes.close(disputed.id) if way == "close" else decide(client, disputed, way)
    assert (lost.status, held(client), len(lost.balance_transactions)) == ("lost", 9_680 - 11_500, 1)
    assert told(client)[0] == "charge.dispute.closed"


def test_other_evidence_decides_nothing_and_a_closed_dispute_takes_none(client, disputed):
    assert decide(client, disputed, "we have sent it").status == "needs_response"
    decide(client, disputed, "losing_evidence")
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        decide(client, disputed, "winning_evidence")


def test_a_disputed_charge_is_neither_refunded_nor_disputed_again(client, admin, disputed):
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": disputed.charge})
    assert refused.value.code == "charge_disputed"
    with pytest.raises(Exception, match="400"):
        admin(f"charges/{disputed.charge}/dispute")


def test_a_refund_can_fail_later(client, admin, pay):
    made = client.v1.refunds.create({"payment_intent": pay().id})
    assert held(client) == 9_680 - 10_000
    failed = admin(f"refunds/{made.id}/fail")
    assert (failed["status"], held(client)) == ("failed", 9_680)
    row = client.v1.balance_transactions.retrieve(failed["failure_balance_transaction"])
    assert (row.type, row.amount) == ("refund_failure", 10_000)
    assert told(client)[0] == "refund.failed"
    assert client.v1.refunds.create({"charge": made.charge}).status == "succeeded"
