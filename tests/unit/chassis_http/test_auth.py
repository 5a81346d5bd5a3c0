"""Tokens: who is let in, what is forged, what has ended, and how keys and denials are heard of."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis import clock
from chassis.access import kid_of, learn_denial, learn_key, make_verifier, read_first_key, write_key
from chassis.auth import (
    AUDIENCE,
    ISSUER,
    TOKEN_TYPE,
    Access,
    AccessEnded,
    Caller,
    NotSignedIn,
    TokenExpired,
    sign_token,
)
from chassis.settings import BadSetting, Settings
from events.access import ACCESS_HANDLERS, with_access
from events.identity import PartyDescribed, SigningKeyAnnounced, UserDescribed
from tests.unit.chassis_http.conftest import BEGINNING, Signer

CALLER = Caller("user_1", "party_1", frozenset({"seller", "admin"}))


@pytest.fixture(autouse=True)
def standing():
    with clock.frozen(BEGINNING) as frozen:
        yield frozen


def bearer(signer: Signer, caller: Caller = CALLER) -> str:
    return f"Bearer {sign_token(signer.private, signer.kid, caller)}"


@pytest.mark.parametrize(
    "caller",
    [
        CALLER,
        Caller("key_1", "party_1", frozenset({"warehouse"}), "machine", "gate_1"),
        Caller("user_2", "platform", frozenset({"operator"}), "operator"),
    ],
)
def test_a_token_says_who_asks(signer, caller: Caller) -> None:
    assert signer.verifier.caller(bearer(signer, caller)) == caller
    assert signer.verifier.caller(bearer(signer, caller)) == caller


def test_callers() -> None:
    assert Caller.system("orders").is_system and not Caller.system("orders").is_operator
    assert Caller("u", "platform", frozenset({"operator"}), "operator").is_operator
    assert CALLER.has("seller") and not CALLER.has("finance")


def test_ten_minutes_and_no_longer(signer, standing) -> None:
    header = bearer(signer)
    standing.advance(timedelta(seconds=599))
    assert signer.verifier.caller(header) == CALLER
    standing.advance(timedelta(seconds=1))
    with pytest.raises(TokenExpired):
        signer.verifier.caller(header)


def claims(**changed: Any) -> dict[str, Any]:
    at = int(BEGINNING.timestamp())
    known = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user_1", "party": "party_1", "roles": ["admin"], "kind": "user"}
    return {
        name: value for name, value in ({**known, "iat": at, "exp": at + 600} | changed).items() if value is not None
    }


def forge(
    signer: Signer, *, headers: dict[str, Any] | None = None, key: Any = None, algorithm: str = "EdDSA", **changed: Any
) -> str:
    head = {"kid": signer.kid, "typ": TOKEN_TYPE, **(headers or {})}
    return "Bearer " + jwt.encode(claims(**changed), key or signer.private, algorithm, headers=head)


def test_the_forger_can_make_a_good_one(signer) -> None:
    assert signer.verifier.caller(forge(signer)).user_id == "user_1"


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "other"}, {"iss": None}, {"aud": "other"}, {"aud": None}, {"sub": None}, {"sub": 7}, {"exp": None},
        {"iat": None}, {"kind": "system"}, {"kind": "public"}, {"roles": "admin"}, {"roles": None}, {"party": None},
        {"exp": "soon"}, {"iat": int(BEGINNING.timestamp()) + 60}, {"headers": {"typ": "JWT"}},
        {"headers": {"kid": "unknown"}}, {"headers": {"kid": ""}}, {"headers": {"crit": ["exp"]}},
    ],
)  # fmt: skip
def test_a_token_that_says_anything_else_is_not_ours(signer, changed: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn):
        signer.verifier.caller(forge(signer, **changed))


def test_another_key_under_our_kid(signer) -> None:
    with pytest.raises(NotSignedIn):
        signer.verifier.caller(forge(signer, key=Ed25519PrivateKey.generate()))


def test_a_key_in_the_header_is_not_read(signer) -> None:
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": write_key(raw), "kid": kid_of(raw)}
    for headers in (
        {"jwk": jwk, "kid": kid_of(raw)},
        {"jku": "http://127.0.0.1:1/keys"},
        {"x5u": "http://127.0.0.1:1/keys"},
    ):
        with pytest.raises(NotSignedIn):
            signer.verifier.caller(forge(signer, key=own, headers=headers))


def test_the_public_key_is_no_hmac_secret(signer) -> None:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    import hashlib
    import hmac

    text = f"{part({'alg': 'HS256', 'kid': signer.kid, 'typ': TOKEN_TYPE})}.{part(claims())}"
    for secret in (
        signer.public,
        signer.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    ):
        mac = base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), hashlib.sha256)).decode().rstrip("=")
        with pytest.raises(NotSignedIn):
            signer.verifier.caller(f"Bearer {text}.{mac}")
    none = f"{part({'alg': 'none', 'kid': signer.kid, 'typ': TOKEN_TYPE})}.{part(claims())}."
    with pytest.raises(NotSignedIn):
        signer.verifier.caller(f"Bearer {none}")


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "Bearer " + "x" * 5000, "Bearer é"]
)
def test_what_is_no_token(signer, header: str | None) -> None:
    with pytest.raises(NotSignedIn):
        signer.verifier.caller(header)


def test_denials_are_looked_at_each_time(signer) -> None:
    header = bearer(signer)
    assert signer.verifier.caller(header) == CALLER
    for subject in ("user_1", "party_1"):
        signer.access = Access({}, frozenset({subject}))
        signer.verifier.forget()
        with pytest.raises(AccessEnded):
            signer.verifier.caller(header)
    signer.access = Access({}, frozenset())
    signer.verifier.forget()
    assert signer.verifier.caller(header) == CALLER


def test_what_cannot_be_read_anew_stays(signer) -> None:
    header = bearer(signer)
    signer.access = None
    signer.verifier.forget()
    assert signer.verifier.caller(header) == CALLER


def test_keys_are_heard_of_and_retired(signer, stored, hearing) -> None:
    newer = Signer()
    header, new_header = bearer(signer), bearer(newer)
    with pytest.raises(NotSignedIn):
        hearing.caller(new_header)
    public = write_key(newer.public)
    stored.run(lambda session: learn_key(session, newer.kid, 1, public_key=public, state="active"))
    hearing.forget()
    assert hearing.caller(new_header) == hearing.caller(header) == CALLER
    stored.run(lambda session: learn_key(session, signer.kid, 2, public_key=write_key(signer.public), state="retired"))
    stored.run(lambda session: learn_key(session, signer.kid, 1, public_key=write_key(signer.public), state="active"))
    hearing.forget()
    assert hearing.caller(new_header) == CALLER
    with pytest.raises(NotSignedIn):
        hearing.caller(header)


def test_an_older_word_changes_nothing(stored, hearing, signer) -> None:
    stored.run(lambda session: learn_denial(session, "user_1", 5, denied=True))
    stored.run(lambda session: learn_denial(session, "user_1", 4, denied=False))
    with pytest.raises(AccessEnded):
        hearing.caller(bearer(signer))
    stored.run(lambda session: learn_denial(session, "user_1", 6, denied=False))
    hearing.forget()
    assert hearing.caller(bearer(signer)) == CALLER


def test_identitys_news_are_taken_in(stored, hearing, signer) -> None:
    party = {"party_id": "party_1", "name": "Mill", "country": "CN", "identifiers": [], "bank_accounts": []}
    user = {"user_id": "user_2", "party_id": "party_2", "name": "Li", "roles": []}
    newer = Signer()
    said = [
        PartyDescribed(version=2, state="suspended", **party),
        UserDescribed(version=2, state="deactivated", **user),
        SigningKeyAnnounced(kid=newer.kid, version=1, public_key=write_key(newer.public), state="active"),
    ]
    for event in said:
        stored.run(lambda session, event=event: ACCESS_HANDLERS[type(event)](session, Caller.system("orders"), event))
    for caller in (CALLER, Caller("user_2", "party_2"), Caller("user_2", "party_3")):
        with pytest.raises(AccessEnded):
            hearing.caller(bearer(newer, caller))
    stored.run(
        lambda session: ACCESS_HANDLERS[PartyDescribed](
            session, Caller.system("orders"), PartyDescribed(version=3, state="admitted", **party)
        )
    )
    hearing.forget()
    assert hearing.caller(bearer(newer)) == CALLER


def test_a_services_own_handler_comes_after() -> None:
    heard = []
    merged = with_access({PartyDescribed: lambda session, caller, event: heard.append("own")})
    assert set(merged) == set(ACCESS_HANDLERS)
    assert merged[UserDescribed] is ACCESS_HANDLERS[UserDescribed]
    assert merged[PartyDescribed] is not ACCESS_HANDLERS[PartyDescribed]


def test_the_first_key_comes_from_settings(stored, signer) -> None:
    public = signer.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert read_first_key(Settings(verify_key=public)) == signer.public
    verifier = make_verifier(stored, Settings(verify_key=public, token_issuer="elsewhere"))
    with pytest.raises(NotSignedIn):
        verifier.caller(bearer(signer))
    assert verifier.caller(f"Bearer {sign_token(signer.private, signer.kid, CALLER, issuer='elsewhere')}") == CALLER
    for wrong in ("", "not a key"):
        with pytest.raises(BadSetting):
            read_first_key(Settings(verify_key=wrong, signing_key=wrong))
