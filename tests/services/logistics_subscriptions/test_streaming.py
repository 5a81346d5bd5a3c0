"""Is each event pushed to who subscribed to a stream: signed, in order, at least once, and to nobody else?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, NoReturn

import pytest
from sqlalchemy import text

from services.logistics.epcis.exceptions import QueryTooComplexException
from services.logistics.epcis.subscriptions import commands, pushing, sending
from services.logistics.epcis.subscriptions.signature import is_signature
from tests.services.logistics_subscriptions.conftest import (
    PATH,
    Company,
    Receiver,
    admit,
    drip,
    event,
    found_company,
    redirect,
)
from tests.world import World


def test_an_event_is_pushed_as_it_comes(company: Company, receiver: Receiver) -> None:
    made = company.try_to_subscribe(f"{receiver.url}/hook?a=1", stream=True, signatureToken="token of mine")
    subscription = made.ok()
    assert made.status == 201 and made.headers["Location"] == f"{PATH}/{subscription['subscriptionID']}"
    assert subscription == {
        "subscriptionID": subscription["subscriptionID"], "queryName": "all", "dest": f"{receiver.url}/hook?a=1",
        "createdAt": "2026-03-02T08:00:00Z", "initialRecordTime": "2026-03-02T08:00:00Z",
        "minRecordTime": "2026-03-02T08:00:00Z", "epcFormat": "Always_GS1_Digital_Link", "state": "active",
        "reportIfEmpty": False, "stream": True,
    }  # fmt: skip
    company.capture(1)
    company.world.settle()
    (push,) = receiver.pushes
    assert push.path == "/hook?a=1" and push.headers["content-type"] == "application/json"
    assert push.headers["gs1-epcis-version"] == "2.0.0"
    assert is_signature("token of mine", push.raw, push.headers["gs1-signature"])
    assert push.body["type"] == "EPCISQueryDocument"
    assert push.results["subscriptionID"] == subscription["subscriptionID"] and push.results["queryName"] == "all"
    assert push.serials == [1]
    assert company.show(subscription)["lastNotifiedAt"] == "2026-03-02T08:00:00Z"
    assert company.world.broken() == {}


@pytest.mark.parametrize("within_s", [20.0, -1.0], ids=["asked at once", "asked later"])
def test_what_does_not_fit_is_not_pushed(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, within_s: float
) -> None:
    monkeypatch.setattr(commands, "ASKED_WITHIN_S", within_s)
    monkeypatch.setattr(pushing, "CHOSEN_WITHIN_S", within_s)
    monkeypatch.setattr(commands, "MOST_EVENTS", 2)
    company.name_query("sold", EQ_bizStep=["retail_selling"])
    company.subscribe(receiver.url, query="sold", stream=True)
    company.capture(1, 2, 3)
    company.capture(4, bizStep="retail_selling")
    company.world.settle()
    assert receiver.serials == [[4]]
    assert company.world.sql("logistics", "SELECT count(*) FROM epcis_waiting") == [(0,)]


def test_pushes_are_in_order_and_one_at_a_time(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url)
    for serial in range(1, 8):
        company.capture(serial)
        if serial % 3 == 0:
            company.world.settle()
    company.world.settle()
    assert sum(receiver.serials, []) == list(range(1, 8))


def test_a_company_gets_what_it_may_see_and_no_more(open_world: World, receiver: Receiver) -> None:
    one, other = found_company(open_world, "one"), found_company(open_world, "other")
    for each in (one, other):
        each.name_query()
    other.subscribe(receiver.url)
    one.capture(1)
    open_world.settle()
    assert receiver.pushes == []
    other.capture(2)
    open_world.settle()
    assert receiver.serials == [[2]]


def test_a_failing_receiver_is_tried_again_in_order(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url)
    receiver.answers = [500, 404]
    company.capture(1)
    company.world.settle()
    shown = company.show(subscription)
    assert (shown["state"], shown["lastError"], shown["failingSince"]) == (
        "active",
        "answered 500",
        "2026-03-02T08:00:00Z",
    )
    company.capture(2)
    company.world.settle()
    assert receiver.serials == [[1]]
    company.wait(seconds=2)
    assert company.show(subscription)["lastError"] == "answered 404"
    company.wait(seconds=4)
    assert receiver.serials == [[1], [1, 2], [1, 2]]
    assert "lastError" not in company.show(subscription)


def test_a_receiver_that_fails_for_days_is_suspended_and_it_is_said(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url)
    receiver.answers = [503] * 500
    company.capture(1)
    company.world.settle()
    for _ in range(26):
        company.wait(hours=3)
    shown = company.show(subscription)
    assert (shown["state"], shown["lastError"], shown["minRecordTime"]) == (
        "suspended", "answered 503", "2026-03-02T08:00:00Z",
    )  # fmt: skip
    tried = len(receiver.pushes)
    company.capture(2)
    company.wait(hours=2)
    assert len(receiver.pushes) == tried > 20
    assert company.world.sql("logistics", "SELECT count(*) FROM epcis_waiting") == [(0,)]
    receiver.answers = []
    again = company.subscribe(receiver.url, stream=True, initialRecordTime=shown["minRecordTime"])
    company.world.settle()
    assert receiver.serials[-1] == [1, 2] and company.show(again)["state"] == "active"


def test_gone_ends_it_at_once_and_too_large_makes_pushes_smaller(company: Company, receiver: Receiver) -> None:
    gone = company.subscribe(receiver.url)
    receiver.answers = [410]
    company.capture(1)
    company.world.settle()
    assert company.show(gone)["state"] == "suspended"
    receiver.pushes.clear()
    company.capture(*range(2, 10))
    company.wait(seconds=1)
    receiver.answers = [413, 413, 413, 413, 413]
    company.subscribe(receiver.url, stream=True, initialRecordTime="2026-03-02T08:00:00Z")
    company.capture(10)
    company.wait(seconds=1)
    delivered = [serial for push in receiver.pushes[5:] for serial in push.serials]
    assert delivered == list(range(1, 11)) and max(map(len, receiver.serials[5:])) <= 3


def test_the_backlog_comes_first(company: Company, receiver: Receiver) -> None:
    company.capture(*range(1, 251))
    company.world.settle()
    company.world.clock.advance(timedelta(minutes=1))
    company.capture(*range(251, 261))
    company.world.clock.advance(timedelta(seconds=1))
    company.subscribe(receiver.url, stream=True, initialRecordTime="2026-03-02T08:00:00Z")
    company.capture(261)
    company.world.settle()
    delivered = [serial for push in receiver.pushes for serial in push.serials]
    assert list(dict.fromkeys(delivered)) == list(range(1, 262))
    assert max(map(len, receiver.serials)) == 100
    later = Receiver()
    company.wait(seconds=1)
    company.subscribe(later.url, stream=True, initialRecordTime="2026-03-02T08:00:30Z")
    company.world.settle()
    assert [serial for push in later.pushes for serial in push.serials] == list(range(251, 262))
    later.close()


def test_a_question_that_can_be_answered_no_more_ends_its_own_subscription(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pushed before is not pushed again, and no deadline of anybody waits for it."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise QueryTooComplexException("too long")

    company.capture(*range(1, 151))
    company.world.settle()
    company.world.clock.advance(timedelta(seconds=1))
    controls = {"initialRecordTime": "2026-03-02T08:00:00Z"}
    made = [company.subscribe(receiver.url, stream=True, **controls)]
    monkeypatch.setattr(pushing, "list_recorded", refuse)
    made.append(company.subscribe(receiver.url, schedule={"minute": "5"}, **controls))
    assert company.try_to_subscribe(receiver.url, stream=True, **controls).status == 413
    company.wait(minutes=5)
    assert [len(push.serials) for push in receiver.pushes] == [100]
    for subscription in made:
        shown = company.show(subscription)
        told = (shown["state"], shown["lastError"])
        assert told == ("suspended", "epcisException:QueryTooComplexException: too long")
    company.subscribe(receiver.url)
    company.capture(151)
    company.world.settle()
    assert receiver.serials[1:] == [[151]]


def test_a_company_that_is_shut_out_is_told_when_it_may_act_again(company: Company, receiver: Receiver) -> None:
    other, world = admit(company.world, "other"), company.world
    operator = world.client(world.token("operator", party_id="platform", user_id="user_operator", kind="operator"))
    other.name_query()
    other.subscribe(receiver.url)
    assert company.client.post("/v1/event-shares", {"party_id": other.client.party_id}).status == 201
    operator.post(f"/v1/parties/{other.client.party_id}/suspend").ok()
    world.settle()
    company.capture(1)
    world.settle()
    assert receiver.pushes == []
    operator.post(f"/v1/parties/{other.client.party_id}/reinstate").ok()
    company.wait(seconds=2)
    assert receiver.serials == [[1]]


def test_a_slow_receiver_holds_us_only_so_long(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "ANSWER_WITHIN_S", 1.0)
    receiver.answers = [drip(30.0)]
    subscription = company.subscribe(receiver.url)
    company.capture(1)
    company.world.settle()
    assert company.show(subscription)["lastError"]
    company.wait(seconds=2)
    assert receiver.serials == [[1], [1]] and "lastError" not in company.show(subscription)


def test_a_redirect_that_keeps_the_method_is_followed_and_only_so_often(company: Company, receiver: Receiver) -> None:
    other = Receiver()
    subscription = company.subscribe(receiver.url)
    receiver.answers = [
        redirect(f"{other.url}/there"),
        redirect(f"{receiver.url}/again"),
        *[redirect("/again")] * 3,
        302,
    ]
    company.capture(1)
    company.world.settle()
    assert [push.path for push in other.pushes] == ["/there"]
    company.capture(2)
    company.world.settle()
    assert company.show(subscription)["lastError"] == "was sent on more than 3 times"
    company.wait(seconds=2)
    assert company.show(subscription)["lastError"] == "answered 302"
    other.close()


def test_where_private_addresses_are_refused_no_redirect_leads_there(world: World, receiver: Receiver) -> None:
    inside = Receiver()
    made = sending.send_push(
        world.settings("logistics"), {"dest": receiver.url, "headers": {}, "body": "{}", "events": []}, 1
    )
    assert made == {"status": 0, "error": "dest begins with https:// and names a host"}
    assert receiver.pushes == inside.pushes == []
    inside.close()


def test_who_has_ended_a_subscription_hears_no_more(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url)
    company.capture(1)
    path = f"{PATH}/{subscription['subscriptionID']}"
    assert company.client.send("DELETE", path).status == 204
    company.world.settle()
    assert receiver.pushes == []
    assert company.client.get(path).body["type"] == "epcisException:NoSuchResourceException"
    assert company.client.get(PATH).ok() == []


def test_deleting_a_query_ends_its_subscriptions(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url)
    company.capture(1)
    assert company.client.send("DELETE", "/epcis/v2/queries/all").status == 204
    company.wait(minutes=1)
    assert receiver.pushes == []
    assert company.client.get(PATH).body["type"] == "epcisException:NoSuchNameException"
    for table in ("epcis_subscription", "epcis_waiting"):
        assert company.world.sql("logistics", f"SELECT count(*) FROM {table}") == [(0,)]


def test_a_query_that_is_deleted_at_that_moment_is_not_subscribed_to(
    company: Company, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    see = commands.see_named_query

    def see_before_it_is_deleted(*asked: Any) -> Any:
        found = see(*asked)
        company.world.owners["logistics"].run(lambda session: session.execute(text("DELETE FROM epcis_query")) and None)
        return found

    monkeypatch.setattr(commands, "see_named_query", see_before_it_is_deleted)
    assert company.try_to_subscribe(receiver.url).body["type"] == "epcisException:NoSuchNameException"
    assert company.world.sql("logistics", "SELECT count(*) FROM epcis_subscription") == [(0,)]


def test_a_stranger_sees_and_ends_no_subscription(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url)
    stranger = found_company(company.world, "stranger")
    stranger.name_query()
    path = f"{PATH}/{subscription['subscriptionID']}"
    assert stranger.client.get(PATH).ok() == []
    for method in ("GET", "DELETE"):
        assert stranger.client.send(method, path).status == 404
    assert company.show(subscription)["state"] == "active"


def test_subscriptions_are_listed_in_pages(company: Company, receiver: Receiver) -> None:
    made = [company.subscribe(receiver.url)["subscriptionID"] for _ in range(3)]
    first = company.client.get(PATH, perPage=2)
    assert [one["subscriptionID"] for one in first.ok()] == [made[2], made[1]]
    token = first.headers["Link"].partition("nextPageToken=")[2].partition(">")[0]
    last = company.client.get(PATH, perPage=2, nextPageToken=token)
    assert [one["subscriptionID"] for one in last.ok()] == [made[0]] and "Link" not in last.headers


@pytest.mark.parametrize("seed", [1, 2])
def test_a_process_that_dies_anywhere_loses_nothing(company: Company, receiver: Receiver, seed: int) -> None:
    company.subscribe(receiver.url)
    headers = {"Authorization": f"Bearer {company.client.token}"}
    with company.world.crash_often(seed) as crashes:
        for serial in range(1, 7):
            status, body = company.world.carry("POST", "/epcis/v2/events", headers, json.dumps(event(serial)).encode())
            assert status in (201, 409), body
        company.world.settle()
    company.wait(seconds=100)
    company.wait(seconds=100)
    assert crashes.count > 0
    delivered = [serial for push in receiver.pushes for serial in push.serials]
    assert list(dict.fromkeys(delivered)) == list(range(1, 7))
