"""Signing in, refresh families, the limit on tries, API keys, and the rotation of signing keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import jwt
import pytest

from chassis.auth import Caller
from services.identity import SERVICE
from services.identity.passwords import commands as password_commands
from services.identity.sessions import commands
from tests.services.identity.conftest import BUYER, PASSWORD, Somebody, Stand

EMAIL = "admin@mill.example"


def sign_in(stand: Stand, password: str, email: str = EMAIL):
    return stand.public.post("/v1/sessions", {"email": email, "password": password})


def refresh(stand: Stand, token: str):
    return stand.public.post("/v1/sessions/refresh", {"refresh_token": token})


def test_signing_in(stand: Stand) -> None:
    admin = stand.admin_of()
    got = sign_in(stand, PASSWORD).ok()
    assert (got["token_type"], got["expires_in"], got["roles"]) == ("Bearer", 600, ["admin"])
    assert (got["user_id"], got["party_id"]) == (admin.user_id, admin.party_id)
    header = jwt.get_unverified_header(got["access_token"])
    assert (header["alg"], header["typ"]) == ("EdDSA", "at+jwt")
    assert header["kid"] in [key["kid"] for key in stand.public.get("/v1/keys").ok()["keys"]]


@pytest.mark.parametrize(
    ("email", "password"), [(EMAIL, "wrong password"), ("nobody@mill.example", PASSWORD), (EMAIL, "")]
)
def test_wrong_credentials_are_all_the_same(stand: Stand, email: str, password: str) -> None:
    stand.admin_of()
    answer = sign_in(stand, password, email)
    assert (answer.status, answer.problem(), answer.body.get("detail")) == (401, "wrong_credentials", None)


def test_tries_are_limited_over_all_processes(stand: Stand) -> None:
    stand.admin_of()
    for _ in range(10):
        assert sign_in(stand, "wrong password").problem() == "wrong_credentials"
    answer = sign_in(stand, PASSWORD)
    assert (answer.status, answer.problem(), answer.headers["Retry-After"]) == (429, "too_many_attempts", "600")
    assert sign_in(stand, PASSWORD, "ADMIN@mill.example").problem() == "too_many_attempts"
    assert sign_in(stand, "x", "other@mill.example").problem() == "wrong_credentials"
    stand.frozen.advance(timedelta(minutes=10))
    sign_in(stand, PASSWORD).ok()
    stand.advance(timedelta(minutes=10))
    assert stand.rows("SELECT count(*) FROM attempt") == [(0,)]


def test_tries_in_parallel_do_not_slip_past(stand: Stand) -> None:
    stand.admin_of()
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: sign_in(stand, "wrong password").problem(), range(24)))
    assert said.count("wrong_credentials") == 10


def from_address(stand: Stand, address: str, path: str, body: dict[str, str]):
    response = stand.app.test_client().open(path, method="POST", json=body, headers={"X-Forwarded-For": address})
    return response.status_code, (response.get_json() or {}).get("type", "").removeprefix("urn:haihe:problem:")


def trust_proxy(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(stand.app.extensions, "settings", replace(stand.settings, address_header="X-Forwarded-For"))


def test_wrong_guesses_at_many_users_are_limited_by_address(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand.admin_of()
    trust_proxy(stand, monkeypatch)
    monkeypatch.setattr(commands, "WRONG_OF_ADDRESS_IN_WINDOW", 3)
    for number in range(3):
        guess = {"email": f"user{number}@mill.example", "password": "password1"}
        assert from_address(stand, f"10.9.9.{number}, 10.0.0.1", "/v1/sessions", guess) == (401, "wrong_credentials")
    right = {"email": EMAIL, "password": PASSWORD}
    assert from_address(stand, "10.0.0.1", "/v1/sessions", right) == (429, "too_many_attempts")
    assert from_address(stand, "10.0.0.2", "/v1/sessions", right)[0] == 200
    stand.frozen.advance(timedelta(minutes=10))
    for _ in range(4):
        assert from_address(stand, "10.0.0.1", "/v1/sessions", right)[0] == 200


def test_mails_to_many_users_are_limited_by_address(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = stand.admin_of()
    stand.user_of(admin, "second@mill.example", "reader")
    trust_proxy(stand, monkeypatch)
    monkeypatch.setattr(password_commands, "MAILS_FOR_ADDRESS_IN_WINDOW", 1)
    for email in (EMAIL, "second@mill.example"):
        assert from_address(stand, "10.0.0.1", "/v1/passwords/forgotten", {"email": email})[0] == 202
    assert stand.rows("SELECT count(*) FROM errand") == [(1,)]


def test_without_a_trusted_proxy_an_address_is_anybodys_word(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WRONG_OF_ADDRESS_IN_WINDOW", 1)
    for number in range(3):
        guess = {"email": f"user{number}@mill.example", "password": "password1"}
        assert from_address(stand, "10.0.0.1", "/v1/sessions", guess) == (401, "wrong_credentials")


def test_a_success_forgets_the_tries_before_it(stand: Stand) -> None:
    stand.admin_of()
    for _ in range(3):
        for _ in range(9):
            sign_in(stand, "wrong password")
        sign_in(stand, PASSWORD).ok()


def test_refreshing_gives_the_next_tokens(stand: Stand) -> None:
    admin = stand.admin_of()
    stand.frozen.advance(timedelta(minutes=11))
    assert admin.get("/v1/me").problem() == "token_expired"
    got = refresh(stand, admin.refresh_token).ok()
    assert got["refresh_token"] != admin.refresh_token
    assert stand.holder(got).get("/v1/me").status == 200
    refresh(stand, got["refresh_token"]).ok()


def test_a_refresh_token_that_comes_twice_ends_the_family(stand: Stand) -> None:
    admin = stand.admin_of()
    newest = refresh(stand, refresh(stand, admin.refresh_token).ok()["refresh_token"]).ok()["refresh_token"]
    answer = refresh(stand, admin.refresh_token)
    assert (answer.status, answer.problem()) == (401, "refresh_reused")
    assert refresh(stand, newest).problem() == "refresh_invalid"
    (row,) = stand.rows("SELECT state, reason, due_at FROM refresh_family WHERE user_id = :id", id=admin.user_id)
    assert row == ("ended", "a refresh token came twice", None)
    assert stand.sign_in(EMAIL).get("/v1/me").status == 200


def test_a_refresh_token_used_in_parallel_works_once(stand: Stand) -> None:
    admin = stand.admin_of()
    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(lambda _: refresh(stand, admin.refresh_token).status, range(6)))
    assert statuses == [200, 401, 401, 401, 401, 401]


def test_a_forged_refresh_token_ends_nothing(stand: Stand) -> None:
    admin = stand.admin_of()
    family, generation, name = admin.refresh_token.split(".")
    for forged in (
        f"{family}.0.{name}",
        f"{family}.2.{name}",
        f"{family}.1.{name[:-2]}AA",
        f"{family}.x.{name}",
        f"{family}-------",
    ):
        assert refresh(stand, forged).problem() == "refresh_invalid"
    refresh(stand, admin.refresh_token).ok()


def test_a_session_ends_after_thirty_days_and_by_logout(stand: Stand) -> None:
    admin = stand.admin_of()
    for _ in range(2):
        assert stand.public.post("/v1/sessions/logout", {"refresh_token": admin.refresh_token}).status == 204
    assert refresh(stand, admin.refresh_token).problem() == "refresh_invalid"
    later = stand.sign_in(EMAIL)
    stand.frozen.advance(timedelta(days=30))
    assert refresh(stand, later.refresh_token).problem() == "refresh_invalid"
    stand.advance(timedelta(0))
    assert stand.rows(
        "SELECT count(*) FROM refresh_family WHERE state = 'open' AND user_id = :id", id=admin.user_id
    ) == [(0,)]


def test_a_user_has_a_bounded_number_of_sessions(stand: Stand) -> None:
    first = stand.admin_of()
    for _ in range(20):
        stand.sign_in(EMAIL)
    assert stand.rows(
        "SELECT count(*) FROM refresh_family WHERE state = 'open' AND user_id = :id", id=first.user_id
    ) == [(20,)]
    assert refresh(stand, first.refresh_token).problem() == "refresh_invalid"


def test_an_api_key_is_exchanged_for_a_token(stand: Stand) -> None:
    admin = stand.admin_of()
    stand.told()
    body = {"name": "gate 1", "roles": ["warehouse"], "device": "gate_1"}
    made = admin.post("/v1/api-keys", body).ok()
    (said,) = stand.told()
    assert (said.user_id, said.state, said.roles) == (made["id"], "active", ["warehouse"])
    got = stand.public.post("/v1/tokens", {"api_key": made["api_key"]}).ok()
    claims = jwt.decode(got["access_token"], options={"verify_signature": False})
    assert {name: claims[name] for name in ("sub", "party", "kind", "roles", "device")} == {
        "sub": made["id"],
        "party": admin.party_id,
        "kind": "machine",
        "roles": ["warehouse"],
        "device": "gate_1",
    }
    assert stand.holder(got).get("/v1/me").problem() == "device_only"
    (listed,) = admin.get("/v1/api-keys").ok()["items"]
    assert listed == {name: value for name, value in made.items() if name != "api_key"}
    assert admin.get(f"/v1/api-keys/{made['id']}").ok() == listed
    secret = made["api_key"].partition(".")[2]
    assert secret.startswith(listed["prefix"])
    assert not [row for rows in stand.snapshot().values() for row in rows if secret in row]


def test_a_revoked_key_is_refused(stand: Stand) -> None:
    admin, other = stand.admin_of(), stand.admin_of("Buyer", BUYER)
    made = admin.post("/v1/api-keys", {"name": "erp", "roles": ["seller"]}).ok()
    machine = stand.holder(stand.public.post("/v1/tokens", {"api_key": made["api_key"]}).ok())
    for path in (f"/v1/api-keys/{made['id']}", f"/v1/api-keys/{made['id']}/revoke"):
        assert (other.get(path) if path.endswith(made["id"]) else other.post(path)).problem() == "not_found"
    stand.told()
    assert admin.post(f"/v1/api-keys/{made['id']}/revoke").ok()["state"] == "revoked"
    (said,) = stand.told()
    assert (said.user_id, said.version, said.state) == (made["id"], 2, "deactivated")
    stand.verifier.forget()
    assert machine.get("/v1/me").problem() == "access_ended"
    assert stand.public.post("/v1/tokens", {"api_key": made["api_key"]}).problem() == "api_key_invalid"
    assert admin.post(f"/v1/api-keys/{made['id']}/revoke").problem() == "illegal_move"


@pytest.mark.parametrize("wrong", ["key_x.abcdefgh", "x" * 40, "short.k.ey..", "{id}.wrong-secret", "{id}"])
def test_keys_that_are_none(stand: Stand, wrong: str) -> None:
    made = stand.admin_of().post("/v1/api-keys", {"name": "erp", "roles": ["seller"]}).ok()
    answer = stand.public.post("/v1/tokens", {"api_key": wrong.format(id=made["id"])})
    assert (answer.status, answer.problem()) == (401, "api_key_invalid")


def test_roles_that_machines_cannot_have(stand: Stand) -> None:
    admin = stand.admin_of()
    for caller, role in (
        (admin, "admin"),
        (admin, "operator"),
        (admin, "bank_feed"),
        (stand.operator, "operator"),
        (stand.operator, "seller"),
    ):
        assert caller.post("/v1/api-keys", {"name": "x", "roles": [role]}).problem() == "roles_invalid"
    feed = stand.operator.post("/v1/api-keys", {"name": "bank", "roles": ["bank_feed"]}).ok()
    got = stand.public.post("/v1/tokens", {"api_key": feed["api_key"]}).ok()
    me = stand.holder(got).get("/v1/me").ok()
    assert (me["party_id"], me["kind"], me["roles"]) == ("platform", "machine", ["bank_feed"])
    assert stand.holder(got).post("/v1/parties/party_x/suspend").problem() == "missing_role"


def kid(somebody: Somebody) -> str:
    return jwt.get_unverified_header(somebody.token)["kid"]


def kids(stand: Stand) -> list[str]:
    return [key["kid"] for key in stand.public.get("/v1/keys").ok()["keys"]]


def test_keys_are_rotated_without_anybody_noticing(stand: Stand) -> None:
    admin = stand.admin_of()
    (first,) = kids(stand)
    stand.told()
    second = stand.operator.post("/v1/keys").ok()["kid"]
    (said,) = stand.told()
    assert (said.kid, said.state, said.version) == (second, "active", 1)
    assert kid(stand.sign_in(EMAIL)) == first
    stand.advance(timedelta(minutes=1))
    late = stand.sign_in(EMAIL)
    assert kid(late) == second and kids(stand) == [first, second]
    stand.verifier.forget()
    assert admin.get("/v1/me").status == late.get("/v1/me").status == 200
    stand.advance(timedelta(minutes=9, seconds=59))
    assert stand.told() == []
    stand.advance(timedelta(seconds=1))
    (said,) = stand.told()
    assert (said.kid, said.state, said.version) == (first, "retired", 2)
    assert kids(stand) == [second]


def test_a_key_in_wrong_hands_is_retired_at_once(stand: Stand) -> None:
    admin = stand.admin_of()
    (first,) = kids(stand)
    assert stand.operator.post(f"/v1/keys/{first}/retire").problem() == "last_key"
    second = stand.operator.post("/v1/keys").ok()["kid"]
    assert admin.post(f"/v1/keys/{first}/retire").problem() == "missing_role"
    stand.operator.post(f"/v1/keys/{first}/retire").ok()
    stand.verifier.forget()
    assert admin.get("/v1/me").problem() == "not_signed_in"
    again = stand.holder(refresh(stand, admin.refresh_token).ok())
    assert kid(again) == second and again.get("/v1/me").status == 200
    assert stand.operator.post("/v1/keys/kid_x/retire").problem() == "not_signed_in"


def test_setting_up_again_changes_nothing(stand: Stand) -> None:
    before = stand.snapshot()
    stand.database.run(lambda session: SERVICE.setup(session, Caller.system("identity"), stand.settings))
    assert stand.snapshot() == before
