"""Weigh tickets: by whom, once an end, and never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import clock
from tests.services.logistics.conftest import LOAD, RECEIVE, Stand, kg


@pytest.fixture
def delivery(stand: Stand) -> dict:
    """A truck that stands loading."""
    pieces = stand.hear_deal(2)
    return stand.start(stand.make_gate(), *pieces).ok()


@pytest.mark.parametrize(
    ("end", "changed", "status", "problem"),
    [
        ("loading", {"party": "buyer"}, 403, "not_the_warehouse"),
        ("loading", {"party": "stranger"}, 404, "not_found"),
        ("receiving", {"party": "warehouse"}, 403, "not_the_buyer"),
        ("receiving", {"party": "mill"}, 403, "not_the_buyer"),
        ("receiving", {}, 409, "not_departed"),
        ("loading", {"net": kg("16001")}, 422, "net_is_not_gross_less_tare"),
        ("loading", {"net": kg("16000.000001")}, 422, "net_is_not_gross_less_tare"),
        ("loading", {"gross": kg("14000"), "net": kg("0")}, 422, "not_a_weight"),
        ("loading", {"gross": {"value": "999999999999", "unit": "TNE"}}, 422, "not_a_weight"),
        ("loading", {"net": {"value": "3", "unit": "H87"}}, 422, "invalid_field"),
        ("loading", {"net": {"value": "NaN", "unit": "KGM"}}, 422, "invalid_field"),
        ("loading", {"net": {"value": 16000, "unit": "KGM"}}, 422, "invalid_field"),
        ("loading", {"weighed_at": "2026-03-02T08:00:00.000001+00:00"}, 422, "not_weighed_lately"),
        ("loading", {"weighed_at": "0001-01-01T00:00:00+14:00"}, 422, "not_weighed_lately"),
        ("loading", {"weighed_at": "2026-03-02T08:00:00"}, 422, "invalid_field"),
        ("somewhere", {}, 422, "invalid_field"),
    ],
)
def test_a_refused_ticket_changes_nothing(
    stand: Stand, delivery: dict, end: str, changed: dict, status: int, problem: str
) -> None:
    before = stand.snapshot()
    answer = stand.weigh(delivery, end, **changed)
    assert (answer.status, answer.problem()) == (status, problem)
    assert stand.snapshot() == before


def test_a_ticket_in_tonnes_is_one_in_kilograms(stand: Stand, delivery: dict) -> None:
    tonnes = {name: {"value": value, "unit": "TNE"} for name, value in (("gross", "30"), ("tare", "14"), ("net", "16"))}
    ticket = stand.weigh(delivery, "loading", **tonnes).ok()
    assert (ticket["net"]["unit"], float(ticket["net"]["value"])) == ("KGM", 16_000)


def test_a_second_ticket_for_an_end_is_refused_and_a_repeated_request_is_not_a_second(
    stand: Stand, delivery: dict
) -> None:
    first = stand.weigh(delivery, "loading", key="ticket-0001").ok()
    assert stand.weigh(delivery, "loading", key="ticket-0001").ok() == first
    assert stand.weigh(delivery, "loading").problem() == "already_weighed"
    assert stand.rows("SELECT count(*) FROM weigh_ticket") == [(1,)]


def test_of_many_tickets_at_once_one_stands(stand: Stand, delivery: dict) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda net: stand.weigh(delivery, "loading", 16_000 + net), range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    assert stand.broken() == {}


def test_the_same_key_at_once_is_one_ticket(stand: Stand, delivery: dict) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: stand.weigh(delivery, "loading", key="ticket-0002"), range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1


def test_after_the_deadline_no_ticket_is_taken_even_when_the_timer_is_late(stand: Stand, delivery: dict) -> None:
    stand.frozen.advance(LOAD)
    assert stand.weigh(delivery, "loading").problem() == "past_deadline"
    depart = stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "late"})
    assert depart.problem() == "past_deadline"


def test_after_the_receiving_deadline_neither(stand: Stand, delivery: dict) -> None:
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/depart", {"reason": "dead tags"}).ok()
    stand.frozen.advance(RECEIVE)
    assert (
        stand.weigh(delivery, "receiving", weighed_at=(clock.now() - timedelta(days=1)).isoformat()).problem()
        == "past_deadline"
    )


def test_a_cancelled_delivery_has_nothing_to_weigh(stand: Stand, delivery: dict) -> None:
    stand.send("POST", f"/v1/deliveries/{delivery['id']}/cancel", {"reason": "no truck"}).ok()
    assert stand.weigh(delivery, "loading").problem() == "called_off"


@pytest.mark.parametrize(
    "change", ["UPDATE weigh_ticket SET net_kg = 1", "DELETE FROM weigh_ticket", "TRUNCATE weigh_ticket"]
)
@pytest.mark.parametrize("table", ["weigh_ticket", "epcis_event", "epcis_thing"])
def test_the_application_cannot_change_what_is_only_added_to(
    stand: Stand, delivery: dict, change: str, table: str
) -> None:
    stand.weigh(delivery, "loading").ok()
    statement = change.replace("weigh_ticket", table).replace(
        "net_kg = 1", "id = id" if table != "epcis_thing" else "epc = epc"
    )
    with pytest.raises(DBAPIError, match="permission denied"):
        stand.database.run(lambda session: session.execute(text(statement)))


def test_not_even_the_owner_changes_a_ticket(stand: Stand, delivery: dict) -> None:
    stand.weigh(delivery, "loading").ok()
    for change in ("UPDATE weigh_ticket SET scale = 'another'", "DELETE FROM weigh_ticket"):
        with pytest.raises(DBAPIError, match="only ever added to"):
            stand.owner.run(lambda session, change=change: session.execute(text(change)))
