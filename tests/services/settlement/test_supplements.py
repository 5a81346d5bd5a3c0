"""What a delivery comes to beyond escrow and deposit: asked for with its own due date, paid once or missed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from events.settlement import DeliverySettled, SupplementEnded
from tests.services.settlement.stand import Stand, cny


def lacking(stand: Stand, gross: int = 10_700, **said: object) -> str:
    """A delivery that came to more than what was there for it; the id of its supplement."""
    stand.await_payment(deposit_use="counts", **said)
    stand.pay().ok()
    stand.told()
    stand.accept(gross, value=10_000)
    (supplement,) = stand.get("/v1/supplements?deal_id=deal_1").ok()["items"]
    return supplement["id"]


def test_the_seller_is_paid_what_escrow_holds_and_the_rest_is_asked_for(stand: Stand) -> None:
    id = lacking(stand)
    (settled,) = stand.told()
    assert isinstance(settled, DeliverySettled)
    assert (settled.paid, settled.fee, settled.shortfall) == (cny(10_000), cny(10), cny(700))
    view = stand.get(f"/v1/supplements/{id}", party="mill").ok()
    assert (view["state"], view["amount"]["amount"], view["pay_by"]) == ("awaiting", 700, "2026-03-05T08:00:00Z")
    assert stand.balances()["mill:available"] == 109_990 and stand.broken() == {}
    paid = stand.send("POST", f"/v1/supplements/{id}/pay").ok()
    assert paid["state"] == "paid"
    assert stand.told() == [
        SupplementEnded(deal_id="deal_1", delivery_id="delivery_1", stage="whole", paid=cny(700), missed=cny(0))
    ]
    assert stand.balances() == {
        "buyer:available": 100_000 - 10_700, "mill:available": 110_700 - 11, "platform:fee": 11,
        "platform:clearing_bank": -200_000,
    }  # fmt: skip
    first, second = stand.statement()["lines"]
    assert (second["kind"], second["supplement"]["supplement_id"], second["delivery"]) == ("supplement", id, None)
    assert (first["shares"]["shortfall"], second["shares"]["from_supplement"]) == (view["amount"], view["amount"])
    assert stand.broken() == {}


def test_a_supplement_comes_after_the_buyers_held_deposit(stand: Stand) -> None:
    stand.fund()
    stand.accept(11_500, value=10_000)
    (supplement,) = stand.get("/v1/supplements").ok()["items"]
    assert supplement["amount"]["amount"] == 500 and stand.broken() == {}


def test_an_unpaid_supplement_is_a_default_on_that_part(stand: Stand) -> None:
    id = lacking(stand, supplement=timedelta(hours=5))
    stand.told()
    assert stand.advance(timedelta(hours=5)) == 1
    assert stand.told() == [
        SupplementEnded(deal_id="deal_1", delivery_id="delivery_1", stage="whole", paid=cny(0), missed=cny(700))
    ]
    assert stand.send("POST", f"/v1/supplements/{id}/pay").problem() == "supplement_overdue"
    line = stand.statement()["lines"][1]
    assert (line["kind"], line["reason"], line["journal_id"]) == ("default", "buyer: supplement_not_paid", None)
    assert line["supplement"]["delivery_id"] == "delivery_1"
    assert stand.advance(timedelta(days=9)) == 0 and stand.broken() == {}


def test_a_supplement_at_its_deadline_is_too_late_timer_or_not(stand: Stand) -> None:
    id = lacking(stand)
    stand.frozen.advance(timedelta(days=3))
    answer = stand.send("POST", f"/v1/supplements/{id}/pay")
    assert answer.problem() == "supplement_overdue" and answer.body["pay_by"] == "2026-03-05T08:00:00Z"


def test_a_supplement_that_is_not_covered_says_what_is_missing(stand: Stand) -> None:
    id = lacking(stand, gross=100_001)
    answer = stand.send("POST", f"/v1/supplements/{id}/pay")
    assert (answer.problem(), answer.body["missing"]["amount"]) == ("insufficient_funds", 1)
    stand.top_up(buyer=1)
    assert stand.send("POST", f"/v1/supplements/{id}/pay").ok()["state"] == "paid" and stand.broken() == {}


def test_nobody_pays_a_supplement_but_the_buyers_finance(stand: Stand) -> None:
    path = f"/v1/supplements/{lacking(stand)}"
    assert stand.send("POST", f"{path}/pay", party="mill").problem() == "not_the_buyer"
    assert stand.send("POST", f"{path}/pay", party="stranger").problem() == "not_found"
    assert stand.send("POST", f"{path}/pay", role="purchaser").problem() == "missing_role"
    assert stand.get(path, party="stranger").problem() == "not_found"
    assert stand.get("/v1/supplements", party="stranger").ok()["items"] == []
    assert len(stand.get("/v1/supplements?state=awaiting", party="mill").ok()["items"]) == 1


def test_each_stage_has_its_own_supplement(stand: Stand) -> None:
    stand.await_payment(deposit_use="counts")
    stand.pay().ok()
    stand.accept(9_500, value=9_400, stage="undisputed", is_last=False)
    stand.accept(900, value=600, stage="decided")
    found = stand.get("/v1/supplements").ok()["items"]
    assert [(each["stage"], each["amount"]["amount"]) for each in found] == [("decided", 300), ("undisputed", 100)]
    assert stand.broken() == {}


@pytest.mark.parametrize("late", [False, True])
def test_payments_and_the_timer_at_once_agree(stand: Stand, late: bool) -> None:
    id = lacking(stand)
    stand.told()
    stand.frozen.advance(timedelta(days=3) if late else timedelta())
    with ThreadPoolExecutor(6) as pool:
        pays = [pool.submit(stand.send, "POST", f"/v1/supplements/{id}/pay") for _ in range(4)]
        timers = [pool.submit(stand.advance, timedelta()) for _ in range(2)]
        statuses = sorted(pay.result().status for pay in pays)
        [timer.result() for timer in timers]
    assert statuses == ([409] * 4 if late else [200, 409, 409, 409])
    (ended,) = stand.told()
    assert (ended.paid, ended.missed) == ((cny(0), cny(700)) if late else (cny(700), cny(0)))
    assert stand.broken() == {}


def test_a_delivery_that_is_accepted_twice_is_asked_for_once(stand: Stand) -> None:
    lacking(stand)
    stand.accept(10_700, value=10_000)
    first, second = stand.told()
    assert first == second and stand.rows("SELECT count(*) FROM supplement") == [(1,)]


def test_a_delivery_that_was_settled_before_is_asked_for_when_it_is_told_again(stand: Stand) -> None:
    """What a former version left as a mere shortfall."""
    stand.fund()
    stand.accept(11_500)
    stand.owner.run(lambda session: session.execute(text("DELETE FROM supplement")))
    assert stand.broken() == {}
    stand.accept(11_500)
    stand.accept(11_500)
    (supplement,) = stand.get("/v1/supplements").ok()["items"]
    assert supplement["amount"]["amount"] == 500 and stand.broken() == {}
