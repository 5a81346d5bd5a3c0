"""Licences of companies: recorded or submitted, decided, in force from their beginning to their end, told to others."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from events.identity import Licence, PartyDescribed
from tests.services.identity.conftest import BEGINNING, BUYER, PASSWORD, Stand

YEAR = timedelta(days=365)


def licence(**changed: Any) -> dict[str, Any]:
    """A licence for flammable liquids and corrosives, as it is recorded."""
    said = {
        "scheme": "hazardous_chemicals",
        "number": "津危化经字[2026]000123",
        "scope": ["3", "8"],
        "valid_from": (BEGINNING - YEAR).isoformat(),
        "valid_until": (BEGINNING + YEAR).isoformat(),
        "evidence": "emergency management bureau, register of 2026-02-11, page 4",
    }
    return {**said, **changed}


HELD = Licence(
    scheme="hazardous_chemicals", number="津危化经字[2026]000123", scope=["3", "8"], valid_until=BEGINNING + YEAR
)


def told_licences(stand: Stand) -> list[list[Licence]]:
    """The licences in each description of a company since the last time."""
    return [event.licences for event in stand.told() if isinstance(event, PartyDescribed)]


def test_what_the_operator_records_counts_at_once_and_is_told(stand: Stand) -> None:
    party = stand.admit()
    stand.told()
    recorded = stand.operator.post("/v1/licences", licence(party_id=party["id"])).ok()
    assert {name: recorded[name] for name in licence()} == {
        **licence(),
        "valid_from": "2025-03-02T08:00:00Z",
        "valid_until": "2027-03-02T08:00:00Z",
    }
    assert (recorded["state"], recorded["party_id"], recorded["due_at"]) == (
        "approved",
        party["id"],
        recorded["valid_until"],
    )
    assert [(step["what"], step["reason"]) for step in recorded["history"]] == [("submitted", None), ("approved", None)]
    (event,) = stand.told()
    assert (event.party_id, event.version, event.licences) == (party["id"], 2, [HELD])
    assert stand.operator.get(f"/v1/licences/{recorded['id']}").ok() == recorded


def test_what_a_company_submits_counts_when_the_operator_has_approved_it(stand: Stand) -> None:
    admin = stand.admin_of()
    stand.told()
    submitted = admin.post("/v1/licences", licence()).ok()
    assert (submitted["state"], submitted["party_id"]) == ("submitted", admin.party_id)
    assert told_licences(stand) == []
    approved = stand.operator.post(f"/v1/licences/{submitted['id']}/approve").ok()
    assert approved["state"] == "approved"
    assert [(step["what"], step["by"]) for step in approved["history"]] == [
        ("submitted", admin.user_id),
        ("approved", stand.operator.user_id),
    ]
    assert told_licences(stand) == [[HELD]]
    assert admin.get(f"/v1/licences/{submitted['id']}").ok() == approved
    before = stand.snapshot()
    assert stand.operator.post(f"/v1/licences/{submitted['id']}/approve").problem() == "illegal_move"
    assert stand.snapshot() == before


def test_a_refused_one_never_counts_and_says_why(stand: Stand) -> None:
    admin = stand.admin_of()
    path = f"/v1/licences/{admin.post('/v1/licences', licence()).ok()['id']}"
    stand.told()
    refused = stand.operator.post(f"{path}/refuse", {"reason": "the register has another number"}).ok()
    assert (refused["state"], refused["due_at"]) == ("refused", None)
    assert refused["history"][-1]["reason"] == "the register has another number"
    assert stand.told() == []
    assert stand.operator.post(f"{path}/revoke", {"reason": "again"}).problem() == "illegal_move"
    assert admin.post("/v1/licences", licence()).ok()["state"] == "submitted"


def test_a_revoked_one_counts_no_more(stand: Stand) -> None:
    party = stand.admit()
    first = stand.operator.post("/v1/licences", licence(party_id=party["id"])).ok()
    stand.operator.post("/v1/licences", licence(party_id=party["id"], scheme="gsp", scope=[])).ok()
    assert [len(each) for each in told_licences(stand)] == [0, 1, 2]
    revoked = stand.operator.post(f"/v1/licences/{first['id']}/revoke", {"reason": "withdrawn by the bureau"}).ok()
    assert (revoked["state"], revoked["history"][-1]["reason"]) == ("revoked", "withdrawn by the bureau")
    assert [[each.scheme for each in said] for said in told_licences(stand)] == [["gsp"]]


def test_an_approved_one_ends_at_its_end(stand: Stand) -> None:
    party = stand.admit()
    recorded = stand.operator.post("/v1/licences", licence(party_id=party["id"])).ok()
    stand.told()
    stand.advance(YEAR - timedelta(microseconds=1))
    assert told_licences(stand) == []
    stand.advance(timedelta(microseconds=1))
    assert told_licences(stand) == [[]]
    assert stand.rows("SELECT state, due_at FROM licence WHERE id = :id", id=recorded["id"]) == [("expired", None)]
    assert stand.rows("SELECT by FROM licence_step WHERE what = 'expired'") == [("system:identity",)]


def test_one_that_begins_later_counts_from_then_on(stand: Stand) -> None:
    party = stand.admit()
    begins = BEGINNING + timedelta(days=3)
    recorded = stand.operator.post("/v1/licences", licence(party_id=party["id"], valid_from=begins.isoformat())).ok()
    assert datetime.fromisoformat(recorded["due_at"]) == begins
    assert told_licences(stand)[-1] == []
    stand.advance(timedelta(days=3))
    assert told_licences(stand) == [[HELD]]
    operator = stand.holder(
        stand.public.post("/v1/sessions/refresh", {"refresh_token": stand.operator.refresh_token}).ok()
    )
    shown = operator.get(f"/v1/licences/{recorded['id']}").ok()
    assert [step["what"] for step in shown["history"]] == ["submitted", "approved", "began"]
    stand.advance(YEAR)
    assert told_licences(stand) == [[]]


def test_one_that_nobody_decided_on_ends_unheard(stand: Stand) -> None:
    admin = stand.admin_of()
    submitted = admin.post("/v1/licences", licence()).ok()
    stand.told()
    stand.advance(YEAR)
    assert told_licences(stand) == []
    assert stand.rows("SELECT state FROM licence WHERE id = :id", id=submitted["id"]) == [("expired",)]


@pytest.mark.parametrize(
    ("changed", "problem", "field"),
    [
        ({"valid_until": BEGINNING.isoformat()}, "licence_period_wrong", "$.valid_until"),
        ({"valid_from": (BEGINNING + YEAR).isoformat()}, "licence_period_wrong", "$.valid_from"),
        ({"scheme": "Hazardous Chemicals"}, "invalid_field", "$.scheme"),
        ({"number": ""}, "invalid_field", "$.number"),
        ({"scope": [""]}, "invalid_field", "$.scope[0]"),
        ({"valid_from": "2026-03-02"}, "invalid_field", "$.valid_from"),
        ({"party_id": "party_x"}, "not_your_company", "$.party_id"),
    ],
)
def test_what_cannot_be_recorded(stand: Stand, changed: dict[str, Any], problem: str, field: str) -> None:
    admin = stand.admin_of()
    before = stand.snapshot()
    answer = admin.post("/v1/licences", licence(**changed))
    assert (answer.problem(), answer.body["field"]) == (problem, field)
    assert stand.snapshot() == before


def test_a_licence_is_recorded_once_and_renewed_with_a_new_beginning(stand: Stand) -> None:
    admin = stand.admin_of()
    admin.post("/v1/licences", licence()).ok()
    before = stand.snapshot()
    assert admin.post("/v1/licences", licence(scope=["3"])).problem() == "licence_recorded"
    assert stand.operator.post("/v1/licences", licence(party_id=admin.party_id)).problem() == "licence_recorded"
    assert stand.operator.post("/v1/licences", licence(party_id="party_x")).problem() == "not_found"
    assert stand.snapshot() == before
    renewed = licence(
        valid_from=(BEGINNING + YEAR).isoformat(),
        valid_until=(BEGINNING + 2 * YEAR).isoformat(),
        party_id=admin.party_id,
    )
    assert stand.operator.post("/v1/licences", renewed).ok()["state"] == "approved"


def test_only_the_operator_decides_and_nobody_sees_the_licences_of_others(stand: Stand) -> None:
    mill, buyer = stand.admin_of(), stand.admin_of("Buyer", BUYER)
    seller = stand.user_of(mill, "seller@mill.example", "seller")
    path = f"/v1/licences/{mill.post('/v1/licences', licence()).ok()['id']}"
    assert seller.post("/v1/licences", licence(number="2")).problem() == "missing_role"
    before = stand.snapshot()
    for move in ("approve", "refuse", "revoke"):
        assert mill.post(f"{path}/{move}", {"reason": "because"}).problem() == "missing_role"
    assert buyer.get(path).problem() == "not_found"
    assert buyer.get("/v1/licences").ok() == {"items": [], "next": None}
    assert buyer.get(f"/v1/licences?party_id={mill.party_id}").ok()["items"] == []
    assert buyer.post("/v1/licences", licence(party_id=mill.party_id)).problem() == "not_your_company"
    assert stand.public.get(path).problem() == "not_signed_in"
    assert stand.snapshot() == before
    assert seller.get(path).ok()["evidence"] == licence()["evidence"]
    assert [each["state"] for each in stand.operator.get("/v1/licences?state=submitted").ok()["items"]] == ["submitted"]
    assert stand.operator.get("/v1/licences?scheme=gsp").ok()["items"] == []


def test_a_suspended_company_keeps_its_licences(stand: Stand) -> None:
    mill = stand.admin_of()
    stand.operator.post("/v1/licences", licence(party_id=mill.party_id)).ok()
    stand.told()
    stand.operator.post(f"/v1/parties/{mill.party_id}/suspend").ok()
    stand.operator.post(f"/v1/parties/{mill.party_id}/reinstate").ok()
    assert told_licences(stand) == [[HELD], [HELD]]
    assert stand.sign_in("admin@mill.example", PASSWORD).get("/v1/licences").ok()["items"][0]["state"] == "approved"
