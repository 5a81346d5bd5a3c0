"""Companies: admitted with what identifies them, shown to those who may see them, suspended and reinstated."""

from __future__ import annotations

from typing import Any

import pytest

from events.identity import BankAccount, PartyDescribed, PartyIdentifier, UserDescribed
from tests.services.identity.conftest import BUYER, IBAN, MILL, WAREHOUSE, Stand, admission

ACCOUNT = {"holder": "Mill AG", "number": IBAN, "bank": "Commerzbank", "currency": "EUR"}


def test_the_operator_admits_a_company(stand: Stand) -> None:
    admitted = stand.admit(bank_accounts=[ACCOUNT], group="Steel Holding")
    party_id, admin_id = admitted["id"], admitted["admin"]["user_id"]
    (account,) = admitted["bank_accounts"]
    assert (admitted["name"], admitted["country"], admitted["state"], admitted["group"]) == (
        "Mill",
        "CN",
        "admitted",
        "Steel Holding",
    )
    assert admitted["identifiers"] == [MILL]
    assert account == {**ACCOUNT, "id": account["id"], "number": "DE89370400440532013000"}
    assert stand.told() == [
        PartyDescribed(
            party_id=party_id,
            version=1,
            name="Mill",
            country="CN",
            state="admitted",
            identifiers=[PartyIdentifier(**MILL)],
            bank_accounts=[BankAccount(**account)],
            group="Steel Holding",
        ),
        UserDescribed(
            user_id=admin_id, version=1, party_id=party_id, name="Mill admin", roles=["admin"], state="invited"
        ),
    ]


@pytest.mark.parametrize(
    ("changed", "problem", "field"),
    [
        ({"identifiers": []}, "invalid_field", "$.identifiers"),
        ({"identifiers": [MILL, {"scheme": "duns", "value": "150483782"}]}, "invalid_field", "$.identifiers[1].scheme"),
        (
            {"identifiers": [{"scheme": "uscc", "value": "91110000600037341M"}]},
            "identifier_invalid",
            "$.identifiers[0].value",
        ),
        (
            {"identifiers": [MILL, {"scheme": "lei", "value": "213800KUD8LAJWSQ9D16"}]},
            "identifier_invalid",
            "$.identifiers[1].value",
        ),
        (
            {"identifiers": [{"scheme": "eu_vat", "value": "DE136695975"}]},
            "identifier_invalid",
            "$.identifiers[0].value",
        ),
        (
            {"identifiers": [{"scheme": "eu_vat", "value": "CH107787577"}]},
            "identifier_invalid",
            "$.identifiers[0].value",
        ),
        ({"country": "XX"}, "country_unknown", "$.country"),
        ({"country": "China"}, "invalid_field", "$.country"),
        (
            {"bank_accounts": [{**ACCOUNT, "number": "DE88370400440532013000"}]},
            "account_number_invalid",
            "$.bank_accounts[0].number",
        ),
        ({"bank_accounts": [{**ACCOUNT, "number": "12.34"}]}, "account_number_invalid", "$.bank_accounts[0].number"),
        ({"bank_accounts": [{**ACCOUNT, "currency": "XTS"}]}, "currency_not_traded", "$.bank_accounts[0].currency"),
        ({"admin": {"email": "not an address", "name": "A"}}, "invalid_field", "$.admin.email"),
        ({"name": "", "admin": {"email": "a@b.example", "name": "A"}}, "invalid_field", "$.name"),
    ],
)
def test_a_company_that_cannot_be_admitted(stand: Stand, changed: dict[str, Any], problem: str, field: str) -> None:
    before = stand.snapshot()
    answer = stand.operator.post("/v1/parties", admission(**changed))
    assert (answer.status, answer.problem(), answer.body["field"]) == (422, problem, field)
    assert stand.snapshot() == before


def test_a_domestic_account_number_is_taken_as_it_is(stand: Stand) -> None:
    account = {**ACCOUNT, "number": "6222 0202 0001 2345 678", "currency": "CNY"}
    assert stand.admit(bank_accounts=[account])["bank_accounts"][0]["number"] == "6222020200012345678"


def test_a_company_is_admitted_once(stand: Stand) -> None:
    stand.admit(bank_accounts=[ACCOUNT])
    before = stand.snapshot()
    spelt = {"scheme": "uscc", "value": "9111 0000 6000 3734 1L"}
    for identifier, changed, problem in (
        (spelt, {}, "identifier_taken"),
        (BUYER, {"bank_accounts": [ACCOUNT]}, "account_taken"),
        (BUYER, {"admin": {"email": "ADMIN@mill.example", "name": "B"}}, "email_taken"),
    ):
        answer = stand.operator.post("/v1/parties", admission("Other", identifier, **changed))
        assert (answer.status, answer.problem()) == (409, problem)
    assert stand.snapshot() == before


def test_the_invitation_is_never_kept(stand: Stand) -> None:
    body = admission()
    first = stand.operator.post("/v1/parties", body, key="once").ok()
    again = stand.operator.post("/v1/parties", body, key="once")
    assert (again.status, again.problem()) == (409, "answer_not_kept")
    secret = first["admin"]["invitation"].partition(".")[2]
    assert not [row for rows in stand.snapshot().values() for row in rows if secret in row]


def test_who_sees_what_of_a_company(stand: Stand) -> None:
    mill = stand.admin_of("Mill", MILL, bank_accounts=[ACCOUNT], group="Steel Holding")
    buyer = stand.admin_of("Buyer", BUYER)
    path = f"/v1/parties/{mill.party_id}"
    for caller in (mill, stand.operator):
        shown = caller.get(path).ok()
        assert (shown["group"], len(shown["bank_accounts"])) == ("Steel Holding", 1)
    shown = buyer.get(path).ok()
    assert (shown["name"], shown["identifiers"]) == ("Mill", [MILL])
    assert (shown["group"], shown["bank_accounts"]) == (None, None)
    listed = {item["name"]: item for item in buyer.get("/v1/parties").ok()["items"]}
    assert set(listed) == {"Mill", "Buyer"}
    assert (listed["Mill"]["bank_accounts"], listed["Buyer"]["bank_accounts"]) == (None, [])
    assert stand.public.get(path).problem() == "not_signed_in"


def test_only_the_operator_admits(stand: Stand) -> None:
    admin = stand.admin_of()
    for path in (
        "/v1/parties",
        *(f"/v1/parties/{admin.party_id}/{move}" for move in ("suspend", "reinstate", "bank-accounts")),
    ):
        assert admin.post(path, admission()).problem() == "missing_role"


def test_a_suspended_company_is_shut_out_and_let_in_again(stand: Stand) -> None:
    mill, buyer = stand.admin_of(), stand.admin_of("Buyer", BUYER)
    api_key = mill.post("/v1/api-keys", {"name": "erp", "roles": ["seller"]}).ok()["api_key"]
    stand.told()
    path = f"/v1/parties/{mill.party_id}"
    assert stand.operator.post(f"{path}/suspend").ok()["state"] == "suspended"
    (said,) = stand.told()
    assert (said.state, said.version) == ("suspended", 2)
    stand.verifier.forget()
    assert mill.get("/v1/me").problem() == "access_ended"
    assert (
        stand.public.post(
            "/v1/sessions", {"email": "admin@mill.example", "password": "correct horse battery"}
        ).problem()
        == "access_ended"
    )
    assert stand.public.post("/v1/sessions/refresh", {"refresh_token": mill.refresh_token}).problem() == "access_ended"
    assert stand.public.post("/v1/tokens", {"api_key": api_key}).problem() == "access_ended"
    assert buyer.get(path).problem() == "not_found"
    assert [item["name"] for item in buyer.get("/v1/parties").ok()["items"]] == ["Buyer"]
    assert stand.operator.get(path).ok()["state"] == "suspended"
    assert stand.operator.post(f"{path}/suspend").problem() == "illegal_move"

    assert stand.operator.post(f"{path}/reinstate").ok()["state"] == "admitted"
    stand.verifier.forget()
    assert mill.get("/v1/me").ok()["party_id"] == mill.party_id
    stand.public.post("/v1/sessions/refresh", {"refresh_token": mill.refresh_token}).ok()
    stand.public.post("/v1/tokens", {"api_key": api_key}).ok()
    assert stand.operator.post(f"{path}/reinstate").problem() == "illegal_move"


def test_another_bank_account(stand: Stand) -> None:
    party_id = stand.admit(bank_accounts=[ACCOUNT])["id"]
    stand.told()
    path = f"/v1/parties/{party_id}/bank-accounts"
    added = stand.operator.post(path, {**ACCOUNT, "currency": "CNY"}).ok()
    (said,) = stand.told()
    assert (said.version, [account.currency for account in said.bank_accounts]) == (2, ["EUR", "CNY"])
    assert said.bank_accounts[1].id == added["id"]
    before = stand.snapshot()
    assert stand.operator.post(path, {**ACCOUNT, "currency": "CNY"}).problem() == "account_taken"
    assert stand.operator.post("/v1/parties/party_x/bank-accounts", ACCOUNT).problem() == "not_found"
    assert stand.snapshot() == before


def test_another_identifier(stand: Stand) -> None:
    party_id = stand.admit(identifiers=[MILL])["id"]
    stand.told()
    path = f"/v1/parties/{party_id}/identifiers"
    shown = stand.operator.post(path, {"scheme": "gln", "value": "0614141000005"}).ok()
    (said,) = stand.told()
    assert (said.version, {one.scheme for one in said.identifiers}) == (2, {"uscc", "gln"})
    assert {"scheme": "gln", "value": "0614141000005"} in shown["identifiers"]
    other = stand.admit(identifiers=[BUYER], admin={"email": "other@example.com", "name": "Other"})["id"]
    before = stand.snapshot()
    for where, body, problem in (
        (path, {"scheme": "gln", "value": "0614141000006"}, "identifier_invalid"),
        (path, {"scheme": "gs1_prefix", "value": "12345"}, "identifier_invalid"),
        (f"/v1/parties/{other}/identifiers", {"scheme": "gln", "value": "0614141000005"}, "identifier_taken"),
        ("/v1/parties/party_x/identifiers", {"scheme": "gln", "value": "0614141000005"}, "not_found"),
    ):
        assert stand.operator.post(where, body).problem() == problem
    assert stand.snapshot() == before


def test_pages(stand: Stand) -> None:
    for name, identifier in (("Mill", MILL), ("Buyer", BUYER), ("Yard", WAREHOUSE)):
        stand.admit(name, identifier)
    first = stand.operator.get("/v1/parties?limit=2").ok()
    rest = stand.operator.get(f"/v1/parties?limit=2&cursor={first['next']}").ok()
    assert [item["name"] for item in (*first["items"], *rest["items"])] == ["Yard", "Buyer", "Mill"]
    assert rest["next"] is None
