"""How tokens are kept and shared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtests.api import Api, ApiRefused, SharingActor, keep_key, keep_session, new_key


class Identity:
    """Gives tokens of ten minutes, each refresh token once, and knows which access tokens it would refuse."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refused: set[str] = set()
        self.used: set[str] = set()

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
        self.asked.append(path)
        given = json.loads(body) if body else {}
        if path == "/v1/me":
            token = headers["Authorization"].removeprefix("Bearer ")
            return (
                (401, {"type": "urn:haihe:problem:token_expired"}) if token in self.refused else (200, {"token": token})
            )
        if path == "/v1/sessions/refresh":
            if given["refresh_token"] in self.used:
                return 401, {"type": "urn:haihe:problem:refresh_reused"}
            self.used.add(given["refresh_token"])
        number = len(self.asked)
        answer = {"access_token": f"access-{number}", "expires_in": 600}
        return 200, answer if path == "/v1/tokens" else answer | {"refresh_token": f"refresh-{number}"}


@pytest.fixture
def identity() -> Identity:
    return Identity()


def sit(identity: Identity, clock: list[float]) -> SharingActor:
    kept = keep_session("a@b.example", "password")
    kept._clock = lambda: clock[0]
    return SharingActor(Api(identity), "somebody", kept)


def test_one_sign_in_serves_many_requests_of_many(identity: Identity) -> None:
    one = sit(identity, [0.0])
    other = one.over(Api(identity))
    assert {actor.get("/v1/me")["token"] for actor in (one, other, one, other)} == {"access-1"}
    assert identity.asked.count("/v1/sessions") == 1 and len(identity.asked) == 5


def test_a_token_is_renewed_before_its_ten_minutes_are_over(identity: Identity) -> None:
    clock = [0.0]
    actor = sit(identity, clock)
    actor.get("/v1/me")
    clock[0] = 479.0
    assert actor.get("/v1/me") == {"token": "access-1"}
    clock[0] = 481.0
    assert actor.get("/v1/me") == {"token": "access-4"}
    clock[0] = 962.0
    actor.get("/v1/me")
    assert [path for path in identity.asked if path != "/v1/me"] == ["/v1/sessions", *["/v1/sessions/refresh"] * 2]


def test_a_refused_token_is_replaced_once_for_all(identity: Identity) -> None:
    one = sit(identity, [0.0])
    other = one.over(Api(identity))
    one.get("/v1/me")
    identity.refused = {"access-1"}
    assert one.get("/v1/me") == other.get("/v1/me") == {"token": "access-4"}


def test_a_refresh_token_that_is_refused_is_followed_by_a_sign_in(identity: Identity) -> None:
    clock = [0.0]
    actor = sit(identity, clock)
    actor.get("/v1/me")
    identity.used = {"refresh-1"}
    clock[0] = 500.0
    actor.get("/v1/me")
    assert identity.asked == ["/v1/sessions", "/v1/me", "/v1/sessions/refresh", "/v1/sessions", "/v1/me"]


def test_a_refresh_token_is_never_sent_again_when_its_answer_was_lost(identity: Identity) -> None:
    clock = [0.0]
    actor = sit(identity, clock)
    actor.get("/v1/me")
    clock[0] = 500.0

    def lose(*_: Any) -> tuple[int, Any]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        actor.over(Api(lose)).get("/v1/me")
    actor.get("/v1/me")
    assert identity.asked == ["/v1/sessions", "/v1/me", "/v1/sessions", "/v1/me"]


def test_a_machine_exchanges_its_key_again(identity: Identity) -> None:
    kept, clock = keep_key("secret"), [0.0]
    kept._clock = lambda: clock[0]
    actor = SharingActor(Api(identity), "gate", kept)
    actor.get("/v1/me")
    clock[0] = 500.0
    actor.get("/v1/me")
    assert identity.asked == ["/v1/tokens", "/v1/me"] * 2


def test_what_is_refused_for_good_is_said(identity: Identity) -> None:
    actor = sit(identity, [0.0])
    identity.refused = {f"access-{n}" for n in range(9)}
    with pytest.raises(ApiRefused, match="token_expired"):
        actor.get("/v1/me")


def test_keys_are_all_different() -> None:
    assert len({new_key() for _ in range(1000)}) == 1000
