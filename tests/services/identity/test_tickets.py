"""Does a ticket open one stream in the name of its maker, once and for a minute?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from services.identity.tickets.model import MOST_IN_A_WINDOW
from tests.services.identity.conftest import Somebody, Stand


def make_ticket(somebody: Somebody) -> str:
    """A fresh ticket."""
    return somebody.send("POST", "/v1/tickets").ok()["ticket"]


def redeem(stand: Stand, ticket: str) -> tuple[int, object]:
    """What whoever serves streams is answered."""
    answer = stand.public.send("POST", "/v1/tickets/redeem", {"ticket": ticket})
    return answer.status, answer.body if answer.status < 300 else answer.problem()


def test_a_ticket_stands_for_its_maker_once(stand: Stand) -> None:
    admin = stand.admin_of()
    made = admin.send("POST", "/v1/tickets")
    assert (made.status, made.body["expires_at"]) == (201, "2026-03-02T08:01:00Z")
    assert made.headers["Cache-Control"] == "no-store"
    who = {"user_id": admin.user_id, "party_id": admin.party_id, "roles": ["admin"], "kind": "user"}
    assert redeem(stand, made.body["ticket"]) == (200, who)
    assert redeem(stand, made.body["ticket"]) == (401, "stream_ticket_invalid")
    assert stand.rows("SELECT * FROM stream_ticket") == []


def test_the_secret_is_kept_nowhere(stand: Stand) -> None:
    secret = make_ticket(stand.admin_of()).partition(".")[2]
    assert secret not in str(stand.snapshot())


def test_a_ticket_ends_after_a_minute_and_its_row_goes(stand: Stand) -> None:
    ticket = make_ticket(stand.admin_of())
    stand.frozen.advance(timedelta(seconds=60))
    assert redeem(stand, ticket) == (401, "stream_ticket_invalid")
    assert stand.advance(timedelta(0)) >= 1
    assert stand.rows("SELECT * FROM stream_ticket") == []


def test_a_wrong_secret_uses_nothing_up(stand: Stand) -> None:
    ticket = make_ticket(stand.admin_of())
    id = ticket.partition(".")[0]
    for wrong in (f"{id}.{'A' * 43}", id + ".", "ticket_99999999.abc", ticket + "A", "....................."):
        assert redeem(stand, wrong) == (401, "stream_ticket_invalid")
    assert redeem(stand, ticket)[0] == 200


def test_of_many_who_come_with_one_ticket_one_gets_in(stand: Stand) -> None:
    ticket = make_ticket(stand.admin_of())
    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(status for status, _ in threads.map(lambda _: redeem(stand, ticket), range(6)))
    assert statuses == [200, 401, 401, 401, 401, 401]


def test_a_suspended_company_gets_in_no_more(stand: Stand) -> None:
    admin = stand.admin_of()
    ticket = make_ticket(admin)
    stand.operator.post(f"/v1/parties/{admin.party_id}/suspend").ok()
    assert redeem(stand, ticket) == (401, "access_ended")


def test_nobody_without_a_token_makes_one_and_a_device_neither(stand: Stand) -> None:
    admin = stand.admin_of()
    key = admin.post("/v1/api-keys", {"name": "gate", "roles": ["warehouse"], "device": "gate_1"}).ok()["api_key"]
    device = stand.holder(stand.public.post("/v1/tokens", {"api_key": key}).ok())
    before = stand.snapshot()
    assert stand.public.send("POST", "/v1/tickets").problem() == "not_signed_in"
    assert device.send("POST", "/v1/tickets").problem() == "device_only"
    assert stand.snapshot() == before


def test_very_many_tickets_are_refused(stand: Stand) -> None:
    admin = stand.admin_of()
    for _ in range(MOST_IN_A_WINDOW):
        assert admin.send("POST", "/v1/tickets").status == 201
    refused = admin.send("POST", "/v1/tickets")
    assert (refused.status, refused.problem()) == (429, "too_many_attempts")
    assert stand.rows("SELECT count(*) FROM stream_ticket") == [(MOST_IN_A_WINDOW,)]
