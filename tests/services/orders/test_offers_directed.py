"""Who sees and takes an offer: those whom it is directed to, and those who hold the licences that its goods ask for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.auth import Caller
from chassis.database import page, see
from chassis.problems import NotFound
from events.catalog import LicenceNeeded
from events.identity import Licence
from events.settlement import DepositsHeld
from services.orders.offers.model import Offer
from services.orders.parties.queries import find_licences
from tests.services.orders.said import BEGINNING, describe_party, describe_piece, describe_product, make_terms, tonnes
from tests.services.orders.stand import SYSTEM, Stand

YEAR = timedelta(days=365)
SELL = LicenceNeeded(scheme="hazardous_chemicals", held_by=["seller"], scope=["8"])
BUY = LicenceNeeded(scheme="hazardous_chemicals", held_by=["seller", "buyer", "carrier"], scope=["8"])
HIDE = LicenceNeeded(scheme="hazardous_chemicals", held_by=["seller", "buyer"], scope=["8"], hides=True)


def licensed(
    party: str, version: int, *scope: str, until: timedelta = YEAR, scheme: str = "hazardous_chemicals"
) -> Any:
    """A company with one licence."""
    licence = Licence(scheme=scheme, number=f"{party}-1", scope=list(scope), valid_until=BEGINNING + until)
    return describe_party(party, version, licences=[licence])


def direct(stand: Stand, *audience: str, **body: Any) -> dict[str, Any]:
    """A hundred tonnes for some companies only."""
    return stand.list_weight("100", audience=list(audience), **body).ok()


def seen_by(stand: Stand, party: str) -> list[str]:
    """The ids that a company's list of offers has."""
    return [each["id"] for each in stand.get("/v1/offers", party=party).ok()["items"]]


def refused_as_absent(stand: Stand, offer: dict[str, Any], *, party: str) -> None:
    """To a company an offer is not there, however it asks, and nothing comes of asking."""
    before = stand.snapshot()
    assert stand.get(f"/v1/offers/{offer['id']}", party=party).problem() == "not_found"
    for body in ({"quantity": tonnes("10")}, {"quantity": tonnes("1000")}, {"piece_ids": ["piece_A1"]}):
        for version in (1, 7):
            answer = stand.take({**offer, "version": version}, party=party, **body)
            assert (answer.status, answer.body["detail"]) == (404, f"no offer '{offer['id']}'")
    for move, body in (("withdraw", None), ("revise", {"terms": make_terms()})):
        answer = stand.send("POST", f"/v1/offers/{offer['id']}/{move}", body, party=party, role="seller")
        assert answer.problem() == "not_found"
    assert offer["id"] not in seen_by(stand, party)
    assert stand.snapshot() == before


def test_a_directed_offer_is_there_for_its_audience_alone(stand: Stand) -> None:
    everybodys = stand.list_weight("100").ok()
    stand.told()
    contract = direct(stand, "trader", "buyer", terms={"price": {"value": "3500", "currency": "CNY", "unit": "TNE"}})
    assert contract["audience"] == ["buyer", "trader"]
    [told] = stand.told()
    assert told.audience == ["buyer", "trader"]
    assert seen_by(stand, "buyer") == [contract["id"], everybodys["id"]]
    assert seen_by(stand, "mill") == [contract["id"], everybodys["id"]]
    assert seen_by(stand, "warehouse") == [everybodys["id"]]
    refused_as_absent(stand, contract, party="warehouse")
    assert stand.take(contract, quantity=tonnes("10")).ok()["terms"]["price"]["value"] == "3500"


def test_nobody_but_its_seller_learns_who_else_is_in_the_audience(stand: Stand) -> None:
    contract = direct(stand, "trader", "buyer")
    path = f"/v1/offers/{contract['id']}"
    assert stand.get(path, party="buyer").ok()["audience"] == ["buyer"]
    assert stand.get("/v1/offers", party="trader").ok()["items"][0]["audience"] == ["trader"]
    for party, role in (("mill", "seller"), ("platform", "operator")):
        assert stand.get(path, party=party, role=role).ok()["audience"] == ["buyer", "trader"]


def test_a_closed_directed_offer_tells_its_audience_why_and_others_nothing(stand: Stand) -> None:
    contract = direct(stand, "buyer")
    stand.send("POST", f"/v1/offers/{contract['id']}/withdraw", party="mill", role="seller").ok()
    assert stand.take(contract, quantity=tonnes("10")).problem() == "offer_withdrawn"
    assert stand.take(contract, party="trader", quantity=tonnes("10")).problem() == "not_found"


def test_an_audience_is_of_other_companies_that_are_known(stand: Stand) -> None:
    before = stand.snapshot()
    for audience, problem in (
        (["mill"], "wrong_audience"),
        (["buyer", "buyer"], "wrong_audience"),
        (["buyer", "party_unheard_of"], "not_yet_known"),
        ([], "invalid_field"),
    ):
        answer = stand.list_weight("100", audience=audience)
        assert (answer.problem(), answer.body["field"]) == (problem, "$.audience")
    assert stand.snapshot() == before


def test_a_directed_offer_does_not_loosen_the_rule_against_self_dealing(stand: Stand) -> None:
    stand.hear(describe_party("mill", 2, group="HAI"), describe_party("trader", 2, group="HAI"))
    contract = direct(stand, "trader")
    refused = stand.take(contract, party="trader", quantity=tonnes("10"))
    assert (refused.problem(), refused.body["reason"]) == ("self_dealing", "group")


def test_a_seller_without_the_licence_lists_nothing(stand: Stand) -> None:
    stand.hear(
        describe_product("product_1", licences=[SELL]),
        describe_piece("piece_A1", number="A1"),
        describe_piece("piece_A2", number="A2", licences=[SELL]),
    )
    lot = {"product_id": "product_1", "quantity": tonnes("100"), "warehouse_id": "warehouse"}

    def refused() -> tuple[Any, ...]:
        before = stand.snapshot()
        answers = stand.list_offer(**lot), stand.list_offer("piece_A1", "piece_A2")
        assert stand.snapshot() == before
        assert answers[0].body["detail"] == answers[1].body["detail"]
        return tuple(answers[0].body[name] for name in ("type", "status", "scheme", "scope", "side", "party_id"))

    lacks = ("urn:haihe:problem:licence_needed", 409, "hazardous_chemicals", ["8"], "seller", "mill")
    assert refused() == lacks
    stand.hear(licensed("mill", 2, "3"))
    assert refused() == lacks
    stand.hear(licensed("mill", 3, "8", scheme="gsp"))
    assert refused() == lacks
    stand.hear(licensed("mill", 4, "8", until=timedelta(0)))
    assert refused() == lacks
    stand.hear(licensed("mill", 5, "3", "8"))
    offer = stand.list_offer(**lot).ok()
    assert offer["licences"] == [
        {"scheme": "hazardous_chemicals", "held_by": ["seller"], "scope": ["8"], "hides": False}
    ]
    assert stand.list_offer("piece_A1", "piece_A2").ok()["licences"] == offer["licences"]
    assert stand.list_offer("piece_A1").problem() == "piece_not_free"


def test_a_buyer_without_the_licence_takes_nothing_but_sees_it(stand: Stand) -> None:
    stand.hear(licensed("mill", 2, "8"), describe_product("product_1", licences=[BUY]))
    offer = stand.list_offer(product_id="product_1", quantity=tonnes("100"), warehouse_id="warehouse").ok()
    assert seen_by(stand, "buyer") == [offer["id"]]
    before = stand.snapshot()
    refused = stand.take(offer, quantity=tonnes("10"))
    assert (refused.status, refused.problem()) == (409, "licence_needed")
    assert (refused.body["scheme"], refused.body["side"], refused.body["party_id"]) == (
        "hazardous_chemicals",
        "buyer",
        "buyer",
    )
    assert stand.snapshot() == before
    stand.hear(licensed("buyer", 2, "8"))
    deal = stand.take(offer, quantity=tonnes("10")).ok()
    stand.hear(licensed("mill", 3, "3"))
    assert stand.take(offer, quantity=tonnes("10")).body["side"] == "seller"
    stand.hear(DepositsHeld(deal_id=deal["id"]), describe_party("buyer", 3))
    for party in ("buyer", "mill"):
        stand.sign(deal["id"], party).ok()
    assert stand.deal(deal["id"])["state"] == "signed"


def test_hidden_goods_are_not_there_for_who_lacks_the_licence(stand: Stand) -> None:
    stand.hear(
        licensed("mill", 2, "8"), licensed("trader", 2, "8", "3"), describe_product("product_1", licences=[HIDE])
    )
    stand.make_coils("A1")
    offer = stand.list_offer(product_id="product_1", quantity=tonnes("100"), warehouse_id="warehouse").ok()
    refused_as_absent(stand, offer, party="buyer")
    assert seen_by(stand, "mill") == seen_by(stand, "trader") == [offer["id"]]
    deal = stand.take(offer, party="trader", quantity=tonnes("10")).ok()
    stand.hear(describe_party("trader", 3))
    refused_as_absent(stand, offer, party="trader")
    assert stand.get(f"/v1/deals/{deal['id']}", party="trader").ok()["offer_id"] == offer["id"]
    stand.hear(licensed("buyer", 2, "8", until=timedelta(hours=1)))
    assert seen_by(stand, "buyer") == [offer["id"]]
    stand.frozen.advance(timedelta(hours=1))
    refused_as_absent(stand, offer, party="buyer")
    assert stand.broken() == {}


def test_a_page_of_offers_skips_what_is_not_shown_and_goes_on(stand: Stand) -> None:
    offers = [direct(stand, "trader" if n % 2 else "buyer")["id"] for n in range(6)]
    first = stand.get("/v1/offers?limit=2").ok()
    second = stand.get(f"/v1/offers?limit=2&cursor={first['next']}").ok()
    assert [each["id"] for each in first["items"] + second["items"]] == offers[4::-2]
    assert second["next"] is None


SCHEMES = st.sampled_from(["gsp", "hazardous_chemicals"])
SCOPES = st.lists(st.sampled_from(["3", "8", "a b"]), max_size=2, unique=True)
NEEDS = st.lists(
    st.builds(
        LicenceNeeded,
        scheme=SCHEMES,
        held_by=st.sampled_from([["buyer"], ["carrier", "buyer"], ["carrier"]]),
        scope=SCOPES,
        hides=st.booleans(),
    ),
    max_size=2,
)
HELD = st.lists(
    st.builds(
        Licence,
        scheme=SCHEMES,
        number=st.just("1"),
        scope=SCOPES,
        valid_until=st.sampled_from([BEGINNING, BEGINNING + timedelta(microseconds=1), BEGINNING + YEAR]),
    ),
    max_size=3,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), needs=NEEDS, held=HELD, audience=st.sampled_from([None, ["buyer"], ["trader", "warehouse"]]))
def test_the_criterion_and_the_model_agree(
    stand: Stand, data: Any, needs: list[LicenceNeeded], held: list[Licence], audience: list[str] | None
) -> None:
    stand.clear()
    stand.hear(describe_party("buyer", 2, licences=held), describe_product("product_1", licences=needs))
    said = {"audience": audience} if audience else {}
    lot = {"product_id": "product_1", "quantity": tonnes("100"), "warehouse_id": "warehouse"}
    offer_id = stand.list_offer(**lot, **said).ok()["id"]
    buyer = Caller("user_x", "buyer", frozenset({"reader"}))

    def look(session: Any) -> tuple[bool, bool]:
        offer = see(session, Offer, offer_id, SYSTEM)
        expected = offer.is_shown_to("buyer", find_licences(session, "buyer"), BEGINNING)
        listed = bool(page(session, Offer, buyer, None, 5).items)
        try:
            see(session, Offer, offer_id, buyer)
        except NotFound:
            return listed, expected
        assert listed
        return listed, expected

    listed, expected = stand.database.look(look)
    assert listed == expected
