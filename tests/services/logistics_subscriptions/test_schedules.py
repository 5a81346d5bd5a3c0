"""Does a subscription with a schedule push what came since its last run, when its time comes, and is a wrong one refused?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.services.logistics_subscriptions.conftest import PATH, Company, Receiver, admit, found_company
from tests.world import World


def test_a_run_pushes_what_came_since_the_last(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url, schedule={"minute": "5", "hour": "[8-9]"})
    assert subscription["schedule"] == {"minute": "5", "hour": "[8-9]"} and "stream" not in subscription
    company.capture(1, 2)
    company.wait(minutes=4)
    assert receiver.pushes == []
    company.wait(minutes=1)
    assert receiver.serials == [[1, 2]]
    shown = company.show(subscription)
    assert (shown["lastNotifiedAt"], shown["minRecordTime"]) == ("2026-03-02T08:05:00Z",) * 2
    company.capture(3)
    company.wait(minutes=60)
    assert receiver.serials == [[1, 2], [3]]
    company.wait(hours=22)
    assert receiver.serials == [[1, 2], [3]]
    company.capture(4)
    company.wait(hours=1)
    assert receiver.serials == [[1, 2], [3], [4]]


def test_an_empty_run_is_told_only_where_that_is_wanted(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url, schedule={"minute": "0"})
    company.subscribe(f"{receiver.url}/told", schedule={"minute": "0"}, reportIfEmpty=True)
    company.wait(hours=1)
    assert [(push.path, push.serials) for push in receiver.pushes] == [("/told", [])]
    company.wait(hours=1)
    assert [(push.path, push.serials) for push in receiver.pushes] == [("/told", [])] * 2


def test_a_run_of_many_events_comes_in_several_pushes(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url, schedule={"hour": "9"}, reportIfEmpty=True)
    company.capture(*range(1, 131))
    company.world.settle()
    company.wait(hours=1)
    assert [len(serials) for serials in receiver.serials] == [100, 30]
    assert sum(receiver.serials, []) == list(range(1, 131))


def test_a_run_that_fails_is_made_good_before_the_next(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url, schedule={"minute": "0"})
    company.capture(1)
    receiver.answers = [500]
    company.wait(hours=1)
    company.wait(seconds=1)
    company.capture(2)
    company.wait(seconds=1)
    assert receiver.serials[:2] == [[1], [1]]
    company.wait(hours=1)
    assert receiver.serials == [[1], [1], [2]]


def test_a_run_that_was_missed_is_run_once_later(company: Company, receiver: Receiver) -> None:
    company.subscribe(receiver.url, schedule={"minute": "*"}, reportIfEmpty=True)
    company.wait(minutes=10)
    assert len(receiver.pushes) == 1


def test_the_backlog_belongs_to_the_first_run(company: Company, receiver: Receiver) -> None:
    company.capture(1)
    company.wait(minutes=1)
    company.subscribe(receiver.url, schedule={"minute": "5"}, initialRecordTime="2026-03-02T07:00:00Z")
    company.capture(2)
    company.wait(minutes=4)
    assert sum(receiver.serials, []) == [1, 2]


def test_what_was_shared_is_pushed_and_what_is_shared_no_more_is_not(company: Company, receiver: Receiver) -> None:
    """Visibility is asked of the moment of the push, not of the moment at which the event came."""
    other = admit(company.world, "other")
    other.name_query()
    other.subscribe(f"{receiver.url}/as-it-comes", stream=True)
    other.subscribe(f"{receiver.url}/later", schedule={"minute": "5"}, reportIfEmpty=True)
    company.capture(1)
    company.world.settle()
    share = company.client.post("/v1/event-shares", {"party_id": other.client.party_id}).ok()
    company.capture(2)
    company.world.settle()
    assert [(push.path, push.serials) for push in receiver.pushes] == [("/as-it-comes", [2])]
    assert company.client.post(f"/v1/event-shares/{share['id']}/revoke").status == 200
    company.wait(minutes=5)
    assert [(push.path, push.serials) for push in receiver.pushes[1:]] == [("/later", [])]
    assert company.world.broken() == {}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "ValidationException"),
        ({"stream": True}, "ValidationException"),
        ({"dest": 5, "stream": True}, "ValidationException"),
        ({"dest": "ftp://example.com", "stream": True}, "ValidationException"),
        ({"dest": "HERE"}, "SubscriptionControlsException"),
        ({"dest": "HERE", "stream": False}, "SubscriptionControlsException"),
        ({"dest": "HERE", "stream": True, "schedule": {"hour": "1"}}, "SubscriptionControlsException"),
        ({"dest": "HERE", "schedule": {}}, "SubscriptionControlsException"),
        ({"dest": "HERE", "schedule": {"hour": "25"}}, "SubscriptionControlsException"),
        ({"dest": "HERE", "schedule": {"year": "2026"}}, "SubscriptionControlsException"),
        ({"dest": "HERE", "schedule": {"second": "[0-6]"}}, "SubscriptionControlsException"),
        ({"dest": "HERE", "schedule": {"hour": 1}}, "ValidationException"),
        ({"dest": "HERE", "schedule": "hourly"}, "ValidationException"),
        ({"dest": "HERE", "stream": "true"}, "ValidationException"),
        ({"dest": "HERE", "stream": True, "reportIfEmpty": 1}, "ValidationException"),
        ({"dest": "HERE", "stream": True, "initialRecordTime": "yesterday"}, "ValidationException"),
        ({"dest": "HERE", "stream": True, "signatureToken": ""}, "ValidationException"),
        ({"dest": "HERE", "stream": True, "secret": "x" * 501}, "ValidationException"),
        ({"dest": "HERE", "stream": True, "nonsense": 1}, "ValidationException"),
        ([], "ValidationException"),
        (b"{", "ValidationException"),
        (b"\xff", "ValidationException"),
    ],
)
def test_a_wrong_subscription_is_refused_and_nothing_is_kept(
    company: Company, receiver: Receiver, body: Any, problem: str
) -> None:
    if isinstance(body, dict) and body.get("dest") == "HERE":
        body["dest"] = receiver.url
    before = company.world.count_rows()
    refused = company.client.post(PATH, body, key="")
    assert (refused.status, refused.body["type"]) == (400, f"epcisException:{problem}")
    assert company.world.count_rows() == before


def test_a_query_that_cannot_stand_cannot_be_subscribed_to(company: Company, receiver: Receiver) -> None:
    company.name_query("last", orderBy="eventTime", maxEventCount=5)
    refused = company.try_to_subscribe(receiver.url, query="last")
    assert (refused.status, refused.body["type"]) == (400, "epcisException:SubscriptionControlsException")
    company.name_query("makers", MATCH_epc=[f"urn:epc:idpat:sgtin:{number}.*.*" for number in range(614_141, 614_147)])
    assert company.try_to_subscribe(receiver.url, query="makers").body["type"] == refused.body["type"]
    missing = company.try_to_subscribe(receiver.url, query="nothing")
    assert (missing.status, missing.body["type"]) == (404, "epcisException:NoSuchNameException")


def test_a_company_has_so_many_subscriptions(company: Company, receiver: Receiver) -> None:
    for _ in range(100):
        company.subscribe(receiver.url)
    refused = company.try_to_subscribe(receiver.url)
    assert (refused.status, refused.body["type"]) == (400, "epcisException:SubscriptionControlsException")


def test_the_secret_is_shown_nowhere(company: Company, receiver: Receiver) -> None:
    subscription = company.subscribe(receiver.url, stream=True, secret="nobody shall see this")
    for shown in (subscription, company.show(subscription), company.client.get(PATH).ok()):
        assert "nobody shall" not in str(shown)
    company.capture(1)
    company.world.settle()
    errands = company.world.sql("logistics", "SELECT payload::text FROM errand")
    assert len(errands) == 1 and "nobody shall" not in str(errands) and "epcisBody" not in str(errands)


def test_private_addresses_are_refused_where_they_are_not_allowed(world: World, receiver: Receiver) -> None:
    made = found_company(world, "one")
    made.name_query()
    for dest in (receiver.url, receiver.url.replace("http:", "https:"), "https://localhost/", "https://10.0.0.1/"):
        refused = made.try_to_subscribe(dest)
        assert (refused.status, refused.body["type"]) == (400, "epcisException:ValidationException")
    assert world.sql("logistics", "SELECT count(*) FROM epcis_subscription") == [(0,)]
