"""People: invited, given roles, locked out, let go; passwords chosen and forgotten."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from events.identity import UserDescribed
from services.identity import SERVICE
from tests.services.identity.conftest import BUYER, PASSWORD, Stand

INVITE = {"email": "wei@mill.example", "name": "Wei", "roles": ["seller", "signatory"]}


def test_an_admin_invites_and_the_user_signs_in(stand: Stand) -> None:
    admin = stand.admin_of()
    stand.told()
    invited = admin.post("/v1/users", INVITE).ok()
    assert (invited["state"], invited["roles"], invited["party_id"]) == (
        "invited",
        ["seller", "signatory"],
        admin.party_id,
    )
    assert (
        stand.public.post("/v1/sessions", {"email": INVITE["email"], "password": PASSWORD}).problem()
        == "wrong_credentials"
    )
    stand.choose(invited["invitation"])
    wei = stand.sign_in("WEI@Mill.example")
    me = wei.get("/v1/me").ok()
    assert me == {
        "user_id": invited["id"],
        "party_id": admin.party_id,
        "kind": "user",
        "roles": ["seller", "signatory"],
        "device": None,
    }
    said = {"user_id": invited["id"], "party_id": admin.party_id, "name": "Wei", "roles": ["seller", "signatory"]}
    assert stand.told() == [
        UserDescribed(version=1, state="invited", **said),
        UserDescribed(version=2, state="active", **said),
    ]


@pytest.mark.parametrize("roles", [["operator"], ["bank_feed"], ["seller", "boss"], ["system"]])
def test_roles_that_are_not_a_companys_to_give(stand: Stand, roles: list[str]) -> None:
    admin = stand.admin_of()
    before = stand.snapshot()
    answer = admin.post("/v1/users", {**INVITE, "roles": roles})
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, "roles_invalid", "$.roles")
    assert admin.post(f"/v1/users/{admin.user_id}/roles", {"roles": ["admin", *roles]}).problem() == "roles_invalid"
    assert stand.snapshot() == before


def test_an_operator_invites_operators_and_into_companies(stand: Stand) -> None:
    admin = stand.admin_of()
    invited = stand.operator.post("/v1/users", {"email": "o2@haihe.example", "name": "O", "roles": ["operator"]}).ok()
    assert invited["party_id"] == "platform"
    stand.choose(invited["invitation"])
    assert stand.sign_in("o2@haihe.example").get("/v1/me").ok()["kind"] == "operator"
    assert stand.operator.post("/v1/users", {**INVITE, "roles": ["seller"]}).problem() == "roles_invalid"
    helped = stand.operator.post("/v1/users", {**INVITE, "party_id": admin.party_id}).ok()
    assert helped["party_id"] == admin.party_id
    assert (
        stand.operator.post("/v1/users", {**INVITE, "email": "x@x.example", "party_id": "party_x"}).problem()
        == "not_found"
    )


def test_an_admin_reaches_nobody_elses_users(stand: Stand) -> None:
    mill, buyer = stand.admin_of(), stand.admin_of("Buyer", BUYER)
    before = stand.snapshot()
    for path, body in (("roles", {"roles": ["reader"]}), ("deactivate", None), ("reset", None)):
        answer = buyer.post(f"/v1/users/{mill.user_id}/{path}", body)
        assert (answer.status, answer.problem()) == (404, "not_found")
    assert buyer.get(f"/v1/users/{mill.user_id}").problem() == "not_found"
    assert [user["id"] for user in buyer.get("/v1/users").ok()["items"]] == [buyer.user_id]
    assert buyer.post("/v1/users", {**INVITE, "party_id": mill.party_id}).problem() == "other_party"
    assert buyer.post(f"/v1/users/{stand.operator.user_id}/reset").problem() == "not_found"
    assert stand.snapshot() == before
    assert {user["id"] for user in stand.operator.get("/v1/users").ok()["items"]} > {mill.user_id, buyer.user_id}


def test_roles_are_replaced(stand: Stand) -> None:
    admin = stand.admin_of()
    wei = stand.user_of(admin, "wei@mill.example", "seller")
    stand.told()
    assert admin.post(f"/v1/users/{wei.user_id}/roles", {"roles": ["finance", "finance"]}).ok()["roles"] == ["finance"]
    (said,) = stand.told()
    assert (said.roles, said.version) == (["finance"], 3)
    refreshed = stand.public.post("/v1/sessions/refresh", {"refresh_token": wei.refresh_token}).ok()
    assert refreshed["roles"] == ["finance"]
    assert wei.post(f"/v1/users/{wei.user_id}/roles", {"roles": ["admin"]}).problem() == "missing_role"
    assert admin.post(f"/v1/users/{admin.user_id}/roles", {"roles": ["reader"]}).problem() == "not_to_oneself"


def test_a_leaver_is_shut_out_everywhere(stand: Stand) -> None:
    admin = stand.admin_of()
    wei = stand.user_of(admin, "wei@mill.example", "seller")
    reset = admin.post(f"/v1/users/{wei.user_id}/reset").ok()["token"]
    stand.told()
    assert admin.post(f"/v1/users/{wei.user_id}/deactivate").ok()["state"] == "deactivated"
    (said,) = stand.told()
    assert (said.user_id, said.state) == (wei.user_id, "deactivated")
    stand.verifier.forget()
    assert wei.get("/v1/me").problem() == "access_ended"
    assert (
        stand.public.post("/v1/sessions/refresh", {"refresh_token": wei.refresh_token}).problem() == "refresh_invalid"
    )
    assert (
        stand.public.post("/v1/sessions", {"email": "wei@mill.example", "password": PASSWORD}).problem()
        == "wrong_credentials"
    )
    assert stand.public.post("/v1/passwords", {"token": reset, "password": PASSWORD}).status == 409
    assert admin.post(f"/v1/users/{wei.user_id}/deactivate").problem() == "illegal_move"
    assert admin.post(f"/v1/users/{wei.user_id}/reset").problem() == "user_gone"
    assert admin.post(f"/v1/users/{admin.user_id}/deactivate").problem() == "not_to_oneself"
    assert stand.rows("SELECT state, reason FROM refresh_family WHERE user_id = :id", id=wei.user_id) == [
        ("ended", "the user was let go")
    ]
    stand.user_of(admin, "wei@mill.example", "reader")


def test_a_one_time_token_works_once_and_in_time(stand: Stand) -> None:
    admin = stand.admin_of()
    first = admin.post("/v1/users", INVITE).ok()
    second = admin.post(f"/v1/users/{first['id']}/reset").ok()["token"]
    for token in (
        first["invitation"],
        second[:-1] + ("a" if second[-1] != "a" else "b"),
        second.replace("ticket", "tucket"),
        "x" * 20,
    ):
        answer = stand.public.post("/v1/passwords", {"token": token, "password": PASSWORD})
        assert (answer.status, answer.problem(), answer.body["field"]) == (422, "ticket_invalid", "$.token")
    stand.choose(second)
    assert (
        stand.public.post("/v1/passwords", {"token": second, "password": "another password"}).problem()
        == "ticket_invalid"
    )
    late = admin.post(f"/v1/users/{first['id']}/reset").ok()["token"]
    stand.frozen.advance(timedelta(hours=1))
    assert stand.public.post("/v1/passwords", {"token": late, "password": PASSWORD}).problem() == "ticket_invalid"
    assert stand.advance(timedelta(0)) >= 1
    assert stand.rows("SELECT state, count(*) FROM password_ticket GROUP BY 1 ORDER BY 1") == [("used", 2), ("void", 2)]


@pytest.mark.parametrize("password", ["short", "x" * 201, "with\u0000zero-byte"])
def test_passwords_that_are_not_taken(stand: Stand, password: str) -> None:
    invitation = stand.admit()["admin"]["invitation"]
    answer = stand.public.post("/v1/passwords", {"token": invitation, "password": password})
    assert (answer.status, answer.body["field"]) == (422, "$.password")


def test_a_new_password_ends_sessions(stand: Stand) -> None:
    admin = stand.admin_of()
    wei = stand.user_of(admin, "wei@mill.example", "seller")
    stand.choose(admin.post(f"/v1/users/{wei.user_id}/reset").ok()["token"], "a new password of mine")
    assert (
        stand.public.post("/v1/sessions/refresh", {"refresh_token": wei.refresh_token}).problem() == "refresh_invalid"
    )
    assert (
        stand.public.post("/v1/sessions", {"email": "wei@mill.example", "password": PASSWORD}).problem()
        == "wrong_credentials"
    )
    stand.sign_in("wei@mill.example", "a new password of mine")


def test_a_forgotten_password(stand: Stand) -> None:
    stand.admin_of()
    stand.told()
    for email in ("admin@mill.example", "nobody@mill.example"):
        answer = stand.public.post("/v1/passwords/forgotten", {"email": email})
        assert (answer.status, answer.body) == (202, None)
    assert len(stand.rows("SELECT id FROM errand")) == 1
    (mail,) = stand.send_mail()
    assert "To: admin@mill.example" in mail
    import email
    import email.policy

    words = email.message_from_string(mail, policy=email.policy.default).get_content()
    token = re.search(r"ticket_\w+\.[\w-]+", words)[0]
    secret = token.partition(".")[2]
    assert not [row for rows in stand.snapshot().values() for row in rows if secret in row]
    assert stand.rows("SELECT state FROM errand") == [("done",)]
    stand.choose(token, "remembered this time")
    stand.sign_in("admin@mill.example", "remembered this time")


def test_mail_is_not_sent_without_end(stand: Stand) -> None:
    stand.admin_of()
    for _ in range(6):
        assert stand.public.post("/v1/passwords/forgotten", {"email": "admin@mill.example"}).status == 202
    assert len(stand.rows("SELECT id FROM errand")) == 3


def test_what_is_said_again_is_what_is_true(stand: Stand) -> None:
    admin = stand.admin_of()
    admin.post("/v1/api-keys", {"name": "erp", "roles": ["seller"]}).ok()
    stand.operator.post(f"/v1/parties/{admin.party_id}/suspend").ok()
    last = {event.subject: event for event in stand.told()}

    def describe(session) -> None:
        from chassis.auth import Caller
        from chassis.database import get

        for noun in SERVICE.describers.values():
            for (id,) in stand.rows(f"SELECT id FROM {noun.model.__tablename__}"):
                noun.describe(session, get(session, noun.model, id, Caller.system("identity")))

    stand.database.run(describe)
    again = {event.subject: event for event in stand.told()}
    assert last.items() <= again.items()
    assert len(again) == 5
