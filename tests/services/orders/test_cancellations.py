"""Cancellations: both sides let go of a paid part that is on no truck, when logistics does too, or of all that is unpaid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.values import Exact, Money, Quantity
from events.logistics import DeliveryStarted, RecallAnswered
from events.orders import DealCancelled, DealDescribed, DeliveriesCalled, OfferDescribed, PartEnded, PartRecalled
from events.settlement import DepositsHeld, PaymentMissed
from tests.services.orders.conftest import Stand, tonnes

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def propose(stand: Stand, deal: dict[str, Any], *piece_ids: str, party: str = "mill", **said: Any) -> Any:
    body = {"reason": "agreed", **({"piece_ids": list(piece_ids)} if piece_ids else {}), **said}
    return stand.send("POST", f"/v1/deals/{deal['id']}/cancellations", body, party=party, role="signatory")


def answer(stand: Stand, cancellation: dict[str, Any], word: str, party: str = "buyer", role: str = "signatory") -> Any:
    path = f"/v1/deals/{cancellation['deal_id']}/cancellations/{cancellation['id']}/{word}"
    return stand.send("POST", path, party=party, role=role)


def recalled(stand: Stand, cancellation: dict[str, Any], *, is_free: bool = True) -> None:
    stand.hear(RecallAnswered(deal_id=cancellation["deal_id"], recall_id=cancellation["id"], is_free=is_free))


def state_of(stand: Stand, cancellation: dict[str, Any]) -> str:
    found = stand.get(f"/v1/deals/{cancellation['deal_id']}/cancellations").ok()["items"]
    return next(each["state"] for each in found if each["id"] == cancellation["id"])


@pytest.mark.parametrize("reason", ["agreed", "force_majeure"])
def test_a_part_that_both_let_go_of_costs_nobody_anything(stand: Stand, reason: str) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.told()
    proposed = propose(stand, deal, "piece_A2", reason=reason, note="flood").ok()
    assert (proposed["state"], proposed["proposed_by"], proposed["note"]) == ("proposed", "seller", "flood")
    assert proposed["due_at"] == "2026-03-09T08:00:00Z"
    agreed = answer(stand, proposed, "agree").ok()
    assert agreed["state"] == "agreed"
    unit = Quantity(Exact("8.25"), "TNE")
    recall = PartRecalled(deal_id=deal["id"], recall_id=proposed["id"], piece_ids=["piece_A2"], quantity=unit)
    assert stand.told() == [recall]
    assert stand.advance(MINUTE) == 1
    assert stand.told() == [recall]
    recalled(stand, proposed)
    recalled(stand, proposed)
    part, offer, described = stand.told()
    assert (part.by, part.reason, part.forfeit, part.is_paid) == (None, reason, Money(0, "CNY"), True)
    assert (part.piece_ids, part.value) == (["piece_A2"], Money(3176250, "CNY"))
    assert isinstance(offer, OfferDescribed) and isinstance(described, DealDescribed)
    assert [piece.piece_id for piece in described.pieces] == ["piece_A1"]
    assert state_of(stand, proposed) == "cancelled"
    stand.start(deal, "delivery_1", "piece_A1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.pay_out(deal["id"], stand.accept(deal["id"], "delivery_1").ok())
    done = stand.deal(deal["id"])
    assert (done["state"], [each["kind"] for each in done["ended_parts"]]) == ("completed", ["cancelled"])
    assert stand.broken() == {}


def test_a_deal_of_which_all_was_let_go_is_cancelled(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    proposed = propose(stand, deal, "piece_A1", party="buyer", reason="force_majeure").ok()
    answer(stand, proposed, "agree", "mill").ok()
    stand.told()
    recalled(stand, proposed)
    told = stand.told()
    assert [type(event) for event in told] == [PartEnded, OfferDescribed, DealCancelled, DealDescribed]
    assert (told[2].reason, told[3].state, told[3].pieces) == ("force_majeure", "cancelled", [])
    assert stand.deal(deal["id"])["state"] == "cancelled"
    assert stand.broken() == {}


def test_who_may_answer_what(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    proposed = propose(stand, deal, "piece_A1").ok()
    before = stand.snapshot()
    assert answer(stand, proposed, "agree", "mill").problem() == "not_your_answer"
    assert answer(stand, proposed, "decline", "mill").problem() == "not_your_answer"
    assert answer(stand, proposed, "withdraw", "buyer").problem() == "not_your_answer"
    assert answer(stand, proposed, "agree", "trader").status == 404
    assert answer(stand, proposed, "agree", role="purchaser").problem() == "missing_role"
    assert propose(stand, deal, "piece_A1", party="trader").status == 404
    assert stand.get(f"/v1/deals/{deal['id']}/cancellations", party="trader").status == 404
    other = stand.make_paid("B1")
    elsewhere = {**proposed, "deal_id": other["id"]}
    assert answer(stand, elsewhere, "agree").status == 404
    stand.told()
    before = stand.snapshot()
    for word, party in (("decline", "buyer"), ("withdraw", "mill")):
        again = propose(stand, deal, "piece_A2").ok()
        assert answer(stand, again, word, party).ok()["due_at"] is None
        assert answer(stand, again, "agree").problem() == "illegal_move"
    assert {name: rows for name, rows in stand.snapshot().items() if name != "cancellation"} == {
        name: rows for name, rows in before.items() if name != "cancellation"
    }
    assert stand.broken() == {}


def test_a_proposal_that_nobody_answers_expires(stand: Stand) -> None:
    deal = stand.make_paid("A1")
    proposed = propose(stand, deal, "piece_A1").ok()
    stand.frozen.advance(7 * DAY)
    assert answer(stand, proposed, "agree").problem() == "proposal_expired"
    assert answer(stand, proposed, "withdraw", "mill").problem() == "proposal_expired"
    assert stand.advance(timedelta(0)) == 1
    assert state_of(stand, proposed) == "expired"
    stand.frozen.advance(10 * DAY)
    short = propose(stand, deal, "piece_A1").ok()
    assert short["due_at"] == "2026-03-22T08:00:00Z"
    stand.frozen.advance(3 * DAY)
    assert propose(stand, deal, "piece_A1").problem() == "too_late"
    assert stand.advance(timedelta(0)) == 2
    assert state_of(stand, short) == "expired"
    assert stand.broken() == {}


def test_only_what_is_on_no_truck_and_paid_alike_can_be_cancelled(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2", "A3")
    assert propose(stand, deal, "piece_A1").problem() == "not_yet_known"
    stand.pay(deal, "piece_A1", "piece_A2")
    stand.start(deal, "delivery_1", "piece_A1")
    before = stand.snapshot()
    on_truck = propose(stand, deal, "piece_A1", "piece_A2")
    assert (on_truck.problem(), on_truck.body["piece_ids"]) == ("part_not_open", ["piece_A1"])
    assert propose(stand, deal, "piece_A2", "piece_A3").problem() == "not_yet_known"
    assert propose(stand, deal, "piece_of_nobody").problem() == "part_not_open"
    assert propose(stand, deal, "piece_A2", "piece_A2").problem() == "piece_twice"
    assert propose(stand, deal).problem() == "wrong_part"
    assert propose(stand, deal, quantity=tonnes("1")).problem() == "wrong_part"
    assert propose(stand, deal, "piece_A2", reason="regret").status == 422
    assert stand.snapshot() == before
    unpaid = stand.make_effective("B1")
    assert propose(stand, unpaid, "piece_B1").problem() == "part_not_open"


def test_what_is_unpaid_ends_at_once_and_its_payment_comes_too_late(stand: Stand) -> None:
    deal = stand.make_signed("A1", "A2")
    stand.pay(deal, "piece_A1")
    proposed = propose(stand, deal, "piece_A2").ok()
    stand.told()
    agreed = answer(stand, proposed, "agree").ok()
    assert (agreed["state"], agreed["due_at"]) == ("cancelled", None)
    part, offer, described = stand.told()
    assert (part.by, part.is_paid, part.forfeit, part.piece_ids) == (None, False, Money(0, "CNY"), ["piece_A2"])
    assert isinstance(offer, OfferDescribed) and described.unpaid is None
    before = stand.snapshot()
    stand.pay(deal, "piece_A2")
    stand.hear(PaymentMissed(deal_id=deal["id"]))
    assert stand.snapshot() == before
    assert stand.deal(deal["id"])["due_at"] == "2026-03-22T08:00:00Z"
    assert stand.broken() == {}


@pytest.mark.parametrize("is_by_weight", [False, True])
def test_a_deal_that_nobody_has_paid_is_cancelled_whole(stand: Stand, is_by_weight: bool) -> None:
    if is_by_weight:
        deal = stand.take(stand.list_weight("40").ok(), quantity=tonnes("40")).ok()
        stand.hear(DepositsHeld(deal_id=deal["id"]))
        for party in ("buyer", "mill"):
            stand.sign(deal["id"], party).ok()
        assert propose(stand, deal, quantity=tonnes("39")).problem() == "not_yet_known"
        proposed = propose(stand, deal, party="buyer", quantity=tonnes("40")).ok()
    else:
        deal = stand.make_signed("A1", "A2")
        proposed = propose(stand, deal, "piece_A2", "piece_A1", party="buyer").ok()
    stand.told()
    assert answer(stand, proposed, "agree", "mill").ok()["state"] == "cancelled"
    part, offer, cancelled = stand.told()
    assert (part.value.amount, part.is_paid, offer.state) == (deal["gross"]["amount"], False, "listed")
    assert cancelled == DealCancelled(deal_id=deal["id"], reason="agreed")
    before = stand.snapshot()
    stand.pay(deal)
    assert stand.snapshot() == before
    ended = stand.deal(deal["id"])
    assert (ended["state"], ended["reason"], ended["due_at"], ended["forfeit"]) == ("cancelled", "agreed", None, None)
    assert stand.broken() == {}


def test_a_truck_that_started_first_keeps_what_it_carries(stand: Stand) -> None:
    """The agreement and the truck cross: logistics, which knows the truck, says that the part was not let go."""
    deal = stand.make_paid("A1", "A2")
    proposed = propose(stand, deal, "piece_A1").ok()
    answer(stand, proposed, "agree").ok()
    nothing = Quantity(Exact("0"), "KGM")
    stand.hear(DeliveryStarted(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"], quantity=nothing))
    recalled(stand, proposed, is_free=False)
    recalled(stand, proposed, is_free=True)
    assert state_of(stand, proposed) == "failed"
    assert stand.deal(deal["id"])["ended_parts"] == []
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.accept(deal["id"], "delivery_1").ok()
    assert stand.broken() == {}


def test_a_truck_that_is_known_stops_the_agreement(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    proposed = propose(stand, deal, "piece_A1").ok()
    stand.start(deal, "delivery_1", "piece_A1")
    before = stand.snapshot()
    assert answer(stand, proposed, "agree").problem() == "part_not_open"
    assert stand.snapshot() == before


def test_one_part_is_taken_back_at_a_time(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    first, second = propose(stand, deal, "piece_A1").ok(), propose(stand, deal, "piece_A2").ok()
    answer(stand, first, "agree").ok()
    before = stand.snapshot()
    assert answer(stand, second, "agree").problem() == "not_yet_known"
    assert propose(stand, deal, "piece_A1").problem() == "part_not_open"
    assert stand.snapshot() == before
    recalled(stand, first, is_free=False)
    answer(stand, second, "agree").ok()
    recalled(stand, second)
    assert [each["piece_ids"] for each in stand.deal(deal["id"])["ended_parts"]] == [["piece_A2"]]
    assert stand.broken() == {}


@pytest.mark.parametrize("is_free", [True, False])
def test_what_both_let_go_of_in_time_is_no_default_although_the_closing_comes_first(
    stand: Stand, is_free: bool
) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.frozen.advance(19 * DAY)
    proposed = propose(stand, deal, "piece_A1").ok()
    answer(stand, proposed, "agree").ok()
    stand.advance(DAY)
    assert any(isinstance(event, DeliveriesCalled) for event in stand.told())
    stand.close(deal)
    assert [each["piece_ids"] for each in stand.deal(deal["id"])["ended_parts"]] == [["piece_A2"]]
    assert stand.deal(deal["id"])["state"] == "delivering"
    recalled(stand, proposed, is_free=is_free)
    ended = stand.deal(deal["id"])
    assert ended["state"] == "defaulted"
    assert [each["by"] for each in ended["ended_parts"]] == ["seller", None if is_free else "seller"]
    assert ended["forfeit"]["amount"] == (158813 if is_free else 317625)
    assert stand.broken() == {}


def test_a_quantity_is_cancelled_by_weight(stand: Stand) -> None:
    deal = stand.take(stand.list_weight("40").ok(), quantity=tonnes("40")).ok()
    stand.hear(DepositsHeld(deal_id=deal["id"]))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    stand.pay(deal)
    stand.start(deal, "delivery_1", kg="25000")
    before = stand.snapshot()
    too_much = propose(stand, deal, quantity=tonnes("15.1"))
    assert (too_much.problem(), too_much.body["quantity"]) == ("part_not_open", tonnes("15"))
    assert propose(stand, deal, "piece_A1").problem() == "wrong_part"
    assert propose(stand, deal, quantity=tonnes("0")).problem() == "wrong_part"
    assert stand.snapshot() == before
    proposed = propose(stand, deal, quantity={"value": "15000", "unit": "KGM"}).ok()
    assert proposed["quantity"] == tonnes("15")
    answer(stand, proposed, "agree").ok()
    recalled(stand, proposed)
    stand.weigh(deal, "delivery_1", "25000", "25000")
    accepted = stand.accept(deal["id"], "delivery_1").ok()
    assert (accepted["value"]["amount"], accepted["is_last"]) == (9625000, True)
    stand.pay_out(deal["id"], accepted)
    assert stand.deal(deal["id"])["state"] == "completed"
    assert stand.broken() == {}
