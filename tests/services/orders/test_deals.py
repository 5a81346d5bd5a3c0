"""Who sees and moves deals and deliveries, statements a take needs, republishing, and the schema."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from chassis import migrate
from chassis.database import get
from chassis.values import Exact, Money, Quantity
from events.logistics import DeliveryCancelled, DeliveryStarted
from events.orders import DealDescribed, OfferDescribed
from events.settlement import DepositsHeld, EscrowFunded
from services.orders import SERVICE
from services.orders.deals.delivery import NotInDeal
from tests.services.orders.conftest import SYSTEM, Stand

NOTHING = Quantity(Exact("0"), "KGM")


def test_a_deal_is_seen_by_its_sides_and_the_operator_and_by_nobody_else(stand: Stand) -> None:
    deal = stand.strike()
    for party in ("buyer", "mill"):
        assert stand.get(f"/v1/deals/{deal['id']}", party=party).ok()["id"] == deal["id"]
        assert [each["id"] for each in stand.get("/v1/deals", party=party).ok()["items"]] == [deal["id"]]
    assert len(stand.get("/v1/deals", party="platform", role="operator").ok()["items"]) == 1
    assert stand.get(f"/v1/deals/{deal['id']}", party="trader").status == 404
    assert stand.get("/v1/deals", party="trader").ok()["items"] == []
    assert stand.get("/v1/deals?state=completed").ok()["items"] == []
    assert len(stand.get("/v1/deals?state=deposits_pending").ok()["items"]) == 1


def test_only_the_buyer_accepts_and_only_what_is_this_deals(stand: Stand) -> None:
    deal, other = stand.make_paid("A1"), stand.make_paid("B1")
    stand.start(deal, "delivery_1")
    stand.weigh(deal, "delivery_1", "8250", "8250")
    before = stand.snapshot()
    assert stand.accept(deal["id"], "delivery_1", party="mill").problem() == "not_your_deal"
    assert stand.accept(deal["id"], "delivery_1", party="trader").status == 404
    assert stand.accept(other["id"], "delivery_1").status == 404
    assert stand.snapshot() == before
    stand.accept(deal["id"], "delivery_1").ok()


def test_what_logistics_may_know_already_is_not_yet_known(stand: Stand) -> None:
    """A delivery that nobody told of and weights that nobody told of may be on their way: 503, and no other answer."""
    deal = stand.make_signed("A1", "A2")
    assert stand.accept(deal["id"], "delivery_1").status == 404
    stand.hear(EscrowFunded(deal_id=deal["id"], amount=Money(**deal["gross"])))
    for news in (lambda: None, lambda: stand.start(deal, "delivery_1", "piece_A1")):
        news()
        before = stand.snapshot()
        answer = stand.accept(deal["id"], "delivery_1")
        assert (answer.status, answer.problem()) == (503, "not_yet_known")
        assert stand.accept(deal["id"], "delivery_1", party="mill").problem() == "not_your_deal"
        assert stand.accept(deal["id"], "delivery_1", party="trader").status == 404
        assert stand.snapshot() == before
    stand.weigh(deal, "delivery_1", "8250", "8250")
    stand.accept(deal["id"], "delivery_1").ok()
    assert stand.accept(deal["id"], "delivery_1").problem() == "illegal_move"


def test_what_logistics_has_said_for_good_is_a_conflict_or_not_there(stand: Stand) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.hear(DeliveryStarted(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"], quantity=NOTHING))
    stand.hear(DeliveryCancelled(deal_id=deal["id"], delivery_id="delivery_1", piece_ids=["piece_A1"]))
    assert stand.accept(deal["id"], "delivery_1").problem() == "illegal_move"
    stand.start(deal, "delivery_2", "piece_A1")
    stand.advance(timedelta(days=20))
    assert stand.accept(deal["id"], "delivery_3").status == 503
    stand.close(deal)
    assert stand.accept(deal["id"], "delivery_3").status == 404
    assert stand.accept(deal["id"], "delivery_2").status == 503


@pytest.mark.parametrize("piece", ["piece_B1", "piece_A1"])
def test_a_truck_with_another_deals_pieces_or_with_those_of_another_truck_is_a_bug(stand: Stand, piece: str) -> None:
    deal = stand.make_paid("A1", "A2")
    stand.start(deal, "delivery_1", "piece_A1")
    with pytest.raises(NotInDeal):
        stand.hear(DeliveryStarted(deal_id=deal["id"], delivery_id="delivery_2", piece_ids=[piece], quantity=NOTHING))
    assert stand.broken() == {}


def _statements(stand: Stand, work: Any) -> list[str]:
    """What the database was asked while something was done."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(re.sub(r"\s+", " ", statement)[:90])

    event.listen(stand.database.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(stand.database.engine, "before_cursor_execute", note)
    return asked


@pytest.mark.parametrize("coils", [1, 30])
def test_a_take_needs_nine_statements_however_many_pieces(stand: Stand, coils: int) -> None:
    ids = stand.make_coils(*(f"N{i:02d}" for i in range(40)))
    offer = stand.list_offer(*ids).ok()
    stand.get("/v1/deals").ok()
    asked = _statements(stand, lambda: stand.take(offer, *ids[:coils]).ok())
    assert len(asked) <= 9, asked
    deal_id = stand.rows("SELECT id FROM deal")[0][0]
    asked = _statements(stand, lambda: stand.hear(DepositsHeld(deal_id=deal_id)))
    assert len(asked) <= 6, asked


def test_a_page_of_deals_needs_three_statements_and_one_for_lines(stand: Stand) -> None:
    for number in range(5):
        stand.strike(f"A{number}")
    asked = _statements(stand, lambda: stand.get("/v1/deals").ok())
    assert len(asked) == 3, asked


def test_offers_and_deals_are_told_again_as_they_stand(stand: Stand) -> None:
    stand.strike("B1")
    deal = stand.make_paid("A1")
    said = [each for each in stand.told() if isinstance(each, OfferDescribed | DealDescribed)]
    latest = {each.subject: each for each in said}

    def republish(session: Any) -> None:
        for describer in SERVICE.describers.values():
            for id in session.scalars(text(f"SELECT id FROM {describer.model.__tablename__} ORDER BY id")).all():
                describer.describe(session, get(session, describer.model, id, SYSTEM))

    stand.database.run(republish)
    again = {each.subject: each for each in stand.told()}
    assert again == latest
    assert again[deal["id"]].state == "delivering"


def test_the_migrated_schema_is_that_of_the_models(stand: Stand) -> None:
    with stand.owner.engine.connect() as connection:
        assert migrate.differences("orders", connection) == []


def test_the_same_key_fifty_times_at_once_is_one_deal(stand: Stand) -> None:
    ids = stand.make_coils("A1", "A2")
    offer = stand.list_offer(*ids).ok()
    body = {"version": 1, "piece_ids": ids}

    def take(_: int) -> Any:
        path = f"/v1/offers/{offer['id']}/takes"
        answer = stand.send("POST", path, body, party="buyer", role="purchaser", key="the-same-key")
        return answer.status, answer.body

    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(take, range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 201
    assert stand.rows("SELECT count(*) FROM deal") == [(1,)]
