"""Rules about companies, pieces, parts of deals and the text of agreements."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.values import Exact, Money, Quantity
from events.identity import BankAccount, PartyIdentifier
from events.orders import DealPiece
from services.orders.contracts.model import Agreement, AlreadySigned, WrongHash, hash_body, write_body
from services.orders.contracts.model import State as AgreementState
from services.orders.deals.delivery import NotInDeal, check_part
from services.orders.deals.model import Deal, Trader, WorthNothing
from services.orders.deals.parts import Part, take_away
from services.orders.measures import TooFine, in_price_unit, measure_piece
from services.orders.parties.model import Party, find_common_hand
from tests.unit.orders.examples import NOW, make_frozen_terms


def party(id: str, **known: Any) -> Party:
    said = {"name": id, "state": "admitted", "controlling_group": None, "identifiers": [], "bank_accounts": []}
    return Party(id=id, **{**said, **known})


def account(number: str) -> BankAccount:
    return BankAccount(id="a", holder="h", number=number, bank="b", currency="CNY")


USCC = PartyIdentifier(scheme="uscc", value="91120000MA05X1234X")
LEI = PartyIdentifier(scheme="lei", value="91120000MA05X1234X")


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (party("a"), party("b"), None),
        (party("a"), party("a"), "company"),
        (party("a", controlling_group="Hai He"), party("b", controlling_group="haihe"), "group"),
        (party("a", controlling_group=""), party("b", controlling_group=""), None),
        (party("a", identifiers=[USCC]), party("b", identifiers=[USCC]), "identifier"),
        (party("a", identifiers=[USCC]), party("b", identifiers=[LEI]), None),
        (party("a", bank_accounts=[account("62 22")]), party("b", bank_accounts=[account("6222")]), "bank_account"),
    ],
)
def test_two_hands_of_one_owner_are_recognised(one: Party, other: Party, reason: str | None) -> None:
    assert find_common_hand(one, other) == reason
    assert find_common_hand(other, one) == reason


def test_a_quantity_is_kept_exactly_or_not_at_all() -> None:
    assert in_price_unit(Quantity(Exact("8250.123"), "KGM"), "TNE", field="$.q").value == Exact("8.250123")
    with pytest.raises(TooFine):
        in_price_unit(Quantity(Exact("8250.1234"), "KGM"), "TNE", field="$.q")
    assert measure_piece(Quantity(Exact("8250"), "KGM"), "H87", field="$.q") == Quantity(Exact(1), "H87")


def trader(id: str) -> Trader:
    return Trader(party_id=id, name=id, country="CN", identifiers=[])


def strike(*tonnes: str, **changed: Any) -> Deal:
    pieces = [
        DealPiece(piece_id=f"piece_{i}", number=str(i), net=Quantity(Exact(net), "TNE")) for i, net in enumerate(tonnes)
    ]
    taken = sum((piece.net for piece in pieces), Quantity.zero("TNE"))
    terms = make_frozen_terms(**changed)
    return Deal.strike(
        "deal_1", buyer=trader("b"), seller=trader("s"), terms=terms, pieces=pieces, taken=taken, now=NOW
    )  # fmt: skip


def test_a_deal_freezes_its_amounts_and_deposits() -> None:
    deal = strike("8.25", "8.25")
    assert (deal.gross, deal.net, deal.tax) == (Money(6352500, "CNY"), Money(5621681, "CNY"), Money(730819, "CNY"))
    assert (deal.buyer_deposit, deal.seller_deposit) == (Money(635250, "CNY"), Money(317625, "CNY"))


def test_a_deal_that_is_worth_nothing_is_refused() -> None:
    with pytest.raises(WorthNothing):
        strike("0.000001")


def test_what_is_left_of_a_deal_is_what_no_part_covers() -> None:
    deal = strike("8.25", "7", "1")
    parts = [Part(["piece_0"], Quantity(Exact("8.25"), "TNE")), Part(["piece_2"], Quantity(Exact("1"), "TNE"))]
    left = take_away(deal.whole, parts, deal.pieces)
    assert left == Part(["piece_1"], Quantity(Exact("7"), "TNE"))
    assert take_away(deal.whole, [], deal.pieces) == deal.whole
    assert deal.whole.holds(left) and not left.holds(parts[0])
    with pytest.raises(NotInDeal):
        check_part(left, Part(["piece_0"], Quantity(Exact("8.25"), "TNE")))
    with pytest.raises(NotInDeal):
        check_part(deal.whole, Part(["piece_9"], Quantity(Exact("1"), "TNE")))


def test_a_deal_by_weight_is_covered_by_quantities_and_may_be_exceeded() -> None:
    deal = strike("10")
    deal.pieces = []
    assert take_away(deal.whole, [Part([], Quantity(Exact("4"), "TNE"))], []) == Part([], Quantity(Exact("6"), "TNE"))
    assert not take_away(deal.whole, [Part([], Quantity(Exact("11"), "TNE"))], [])


facts = st.dictionaries(
    st.text(max_size=5),
    st.one_of(st.text(max_size=10), st.integers(-(2**53), 2**53), st.decimals(-9, 9, places=3), st.none()),
)


@given(facts, st.randoms())
def test_the_same_facts_give_the_same_text_in_whatever_order(facts: dict[str, Any], random: Any) -> None:
    shuffled = list(facts.items())
    random.shuffle(shuffled)
    assert write_body(dict(shuffled)) == write_body(facts)
    assert hash_body(write_body(facts)) == hash_body(write_body(dict(shuffled)))


def test_both_sides_sign_the_text_they_have_seen_once() -> None:
    agreement = Agreement(state=AgreementState.DRAWN, sha256="ab" * 32)
    with pytest.raises(WrongHash):
        agreement.sign("buyer", user_id="u", sha256="cd" * 32, now=NOW)
    agreement.sign("seller", user_id="s", sha256="AB" * 32, now=NOW)
    with pytest.raises(AlreadySigned):
        agreement.sign("seller", user_id="s", sha256="ab" * 32, now=NOW)
    assert not agreement.is_signed
    agreement.sign("buyer", user_id="u", sha256="ab" * 32, now=NOW)
    assert agreement.is_signed
