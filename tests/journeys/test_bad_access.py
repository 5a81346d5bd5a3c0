"""Who may not do what: offers that are gone, stale or one's own, missing roles, and companies, users and keys that are shut out.

Every refusal is its own problem and changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from loadtests.api import Actor, session_of, token_of
from tests.journeys.town import Town, offer_pieces

A_MINUTE = timedelta(minutes=1)


def takes(offer: dict, **what: object) -> tuple[str, dict]:
    """A take of an offer as it is sent."""
    return f"/v1/offers/{offer['id']}/takes", {"version": offer["version"], **what}


# Offers


def test_an_offer_expires(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000)
        piece_ids = offer_pieces(offer)
        town.let_pass(days=3)
        with town.refuses(409, "offer_expired"):
            town.buyer.desk.post(*takes(offer, piece_ids=piece_ids))
        assert town.list_pieces(piece_ids)["state"] == "listed"


def test_an_offer_is_over_before_anybody_noticed(town: Town) -> None:
    offer = town.offer_coils(20_000, valid_until=(town.now() + A_MINUTE).isoformat())
    town.world.clock.advance(A_MINUTE)
    with town.refuses(409, "offer_expired"):
        town.buyer.desk.post(*takes(offer, piece_ids=offer_pieces(offer)))
    town.settle()


def test_an_offer_is_withdrawn_and_its_coils_are_free(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000, 20_000)
        first, second = offer_pieces(offer)
        deal = town.take(offer, piece_ids=[first])
        assert town.mill.desk.post(f"/v1/offers/{offer['id']}/withdraw")["state"] == "withdrawn"
        with town.refuses(409, "offer_withdrawn"):
            town.buyer.desk.post(*takes(offer, piece_ids=[second]))
        with town.refuses(409, "piece_not_free") as problem:
            town.mill.desk.post("/v1/offers", offer_of(town, [first, second]))
        assert problem["piece_ids"] == [first]
        assert offer_pieces(town.list_pieces([second])) == [second]
        town.let_pass(days=1, minutes=1)
        assert town.deal(deal["id"])["state"] == "cancelled"
        assert offer_pieces(town.list_pieces([first])) == [first]


def offer_of(town: Town, piece_ids: list[str]) -> dict:
    return {"market": "steel", "piece_ids": piece_ids, "terms": town.terms()}


def test_an_offer_is_revised_and_its_old_version_is_stale(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000)
        dearer = town.terms(price={"value": "3900.00", "currency": "CNY", "unit": "TNE"})
        revised = town.mill.desk.post(f"/v1/offers/{offer['id']}/revise", {"terms": dearer})
        assert revised["version"] == offer["version"] + 1
        with town.refuses(409, "stale_offer"):
            town.buyer.desk.post(*takes(offer, piece_ids=offer_pieces(offer)))
        deal = town.take(revised, piece_ids=offer_pieces(offer))
        assert deal["gross"]["amount"] == 7_800_000
        town.let_pass(days=1, minutes=1)


def test_a_coil_that_is_gone_is_named(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000, 20_000, 20_000)
        first, second, third = offer_pieces(offer)
        town.take(offer, piece_ids=[first])
        with town.refuses(409, "coil_gone") as problem:
            town.buyer.desk.post(*takes(offer, piece_ids=[first, second]))
        assert problem["coils"] == [offer["pieces"][0]["number"]]
        town.take(offer, piece_ids=[second, third])
        with town.refuses(409, "coil_gone"):
            town.buyer.desk.post(*takes(offer, piece_ids=[third]))
        town.let_pass(days=1, minutes=1)


def test_nobody_deals_with_itself_or_its_group(town: Town) -> None:
    with town.moves():
        town.admit("sister", "Bohai Sister Trading", group="Bohai Group")
        town.admit("brother", "Bohai Brother Mill", group="BOHAI  group")
        town.settle()
        offer = town.offer_coils(20_000)
        with town.refuses(409, "self_dealing") as problem:
            town.mill.desk.post(*takes(offer, piece_ids=offer_pieces(offer)))
        assert problem["reason"] == "company"
        kin = town.played_by(mill="brother", buyer="sister")
        offer = kin.offer_coils(20_000)
        with town.refuses(409, "self_dealing") as problem:
            kin.buyer.desk.post(*takes(offer, piece_ids=offer_pieces(offer)))
        assert problem["reason"] == "group"


# Roles


@pytest.mark.parametrize("role", ["seller", "signatory", "finance", "warehouse", "admin", "reader"])
def test_only_a_purchaser_takes(town: Town, role: str) -> None:
    offer = town.known.setdefault("open offer", town.offer_coils(20_000))
    with town.refuses(403, "missing_role"):
        town.desk_of("buyer", role).post(*takes(offer, piece_ids=offer_pieces(offer)))


def test_each_act_has_its_role(town: Town) -> None:
    with town.moves(buyer_available=-770_000, mill_available=770_000):
        deal = town.make_signed()
        everything = {"purchaser", "seller", "signatory", "finance", "warehouse", "admin", "reader"}
        acts = {
            "signatory": (f"/v1/agreements/{deal['id']}/sign", {"sha256": "0" * 64}),
            "finance": (f"/v1/escrows/{deal['id']}/pay", None),
            "warehouse": ("/v1/gates", {"name": "x", "place": "y"}),
            "seller": ("/v1/offers", offer_of(town, [])),
            "admin": ("/v1/api-keys", {"name": "x", "roles": ["reader"]}),
        }
        for role, (path, body) in acts.items():
            with town.refuses(403, "missing_role"):
                town.desk_of("buyer", *everything - {role}).post(path, body)
        town.let_pass(days=3, minutes=1)
        town.wait_for(deal["id"], "defaulted")


def test_a_company_records_no_money_of_its_own(town: Town) -> None:
    for path in ("/v1/bank-credits", "/v1/bank-credits/x/assign", "/v1/payouts/x/confirm", "/v1/parties/x/suspend"):
        with town.refuses(403, "missing_role"):
            town.buyer.desk.post(path, {})


# Shut out


def test_a_suspended_company_is_refused_everywhere_and_no_longer_taken_from(town: Town) -> None:
    with town.moves():
        offer = town.offer_coils(20_000)
        town.operator.post(f"/v1/parties/{town.mill.party_id}/suspend")
        town.settle()
        for path in (
            "/v1/me",
            "/v1/parties",
            "/v1/pieces",
            "/v1/offers",
            "/v1/deals",
            "/v1/accounts",
            "/v1/deliveries",
        ):
            assert town.world.client(town.mill.desk._token).get(path).problem() == "access_ended", path
        assert town.world.client().post("/v1/sessions", sign_in_of(town, "mill")).status in (401, 403)
        with town.refuses(409, "party_suspended"):
            town.buyer.desk.post(*takes(offer, piece_ids=offer_pieces(offer)))
        town.operator.post(f"/v1/parties/{town.mill.party_id}/reinstate")
        town.settle()
        town.take(offer, piece_ids=offer_pieces(offer))
        town.let_pass(days=1, minutes=1)


def sign_in_of(town: Town, role: str) -> dict:
    company = town.everybody[role]
    return {"email": company.email, "password": company.password}


def test_a_leaver_is_refused_with_the_token_it_still_has(town: Town) -> None:
    email = "leaver@sample.haihe.example"
    user = town.buyer.admin.post("/v1/users", {"email": email, "name": "Leaver", "roles": ["purchaser"]})
    town.api.call(
        "POST", "/v1/passwords", {"token": user["invitation"], "password": town.password}, key="leavers-password"
    )
    leaver = Actor(town.api, "leaver", session_of(town.api, email, town.password))
    town.settle()
    assert leaver.get("/v1/me")["user_id"] == user["id"]
    town.buyer.admin.post(f"/v1/users/{user['id']}/deactivate")
    town.settle()
    for path in ("/v1/me", "/v1/pieces", "/v1/offers", "/v1/deals", "/v1/escrows", "/v1/deliveries"):
        assert town.world.client(leaver._token).get(path).status == 401, path
    assert town.world.client().post("/v1/sessions", {"email": email, "password": town.password}).status == 401


def test_a_revoked_key_is_refused_with_the_token_it_still_has(town: Town) -> None:
    key = town.buyer.admin.post("/v1/api-keys", {"name": "robot", "roles": ["purchaser"]})
    robot = Actor(town.api, "robot", token_of(town.api, key["api_key"]))
    town.settle()
    assert robot.get("/v1/me")["kind"] == "machine"
    town.buyer.admin.post(f"/v1/api-keys/{key['id']}/revoke")
    town.settle()
    for path in ("/v1/me", "/v1/pieces", "/v1/offers", "/v1/deals", "/v1/deliveries"):
        assert town.world.client(robot._token).get(path).status == 401, path
    assert town.world.client().post("/v1/tokens", {"api_key": key["api_key"]}, key="").status == 401
