"""Rules of journals, holds, references and credits at their edges."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from chassis import clock
from chassis.auth import PLATFORM
from chassis.states import IllegalMove
from chassis.values import Money
from services.settlement.banking.model import BankCredit as Credit
from services.settlement.banking.model import BankReferenceReused, Doubt, Slip, judge
from services.settlement.holds.model import Hold, HoldState, Side
from services.settlement.ledger.model import (
    AmountRefused,
    Draft,
    Kind,
    Lacking,
    Leg,
    account_id,
    check_amount,
    decide,
    is_floored,
    read_account_id,
    take_fingerprint,
)
from services.settlement.parties.model import plain_number, reference_of, references_in


def cny(amount: int) -> Money:
    """Fen."""
    return Money(amount, "CNY")


def draft(*legs: Leg, kind: str = "test", subject: str = "s") -> Draft:
    """A journal of some legs."""
    return Draft(key="k", kind=kind, subject=subject, legs=legs)


GIVE, TAKE = Leg("mill", Kind.AVAILABLE, cny(-5)), Leg("buyer", Kind.AVAILABLE, cny(5))


def test_legs_on_one_account_are_one_posting_and_nothing_is_none() -> None:
    zero = Leg("other", Kind.FROZEN, cny(0))
    more = (Leg("mill", Kind.AVAILABLE, cny(-1)), TAKE, Leg("buyer", Kind.AVAILABLE, cny(1)))
    amounts = draft(GIVE, zero, *more).amounts
    assert amounts == {"mill:available:CNY": -6, "buyer:available:CNY": 6}
    assert list(amounts) == ["mill:available:CNY", "buyer:available:CNY"]


@pytest.mark.parametrize(
    "legs", [(), (GIVE,), (GIVE, Leg("buyer", Kind.AVAILABLE, Money(5, "EUR"))), (GIVE, GIVE, TAKE)]
)
def test_a_journal_that_does_not_balance_or_moves_nothing_is_a_bug(legs: tuple[Leg, ...]) -> None:
    with pytest.raises(ValueError, match="sum to zero|moves nothing"):
        _ = draft(*legs).amounts


def test_a_fingerprint_is_the_movement_not_the_order_of_its_legs() -> None:
    one, turned = draft(GIVE, TAKE).amounts, draft(TAKE, GIVE).amounts
    more = draft(Leg("mill", Kind.AVAILABLE, cny(-6)), Leg("buyer", Kind.AVAILABLE, cny(6))).amounts
    assert take_fingerprint("test", "s", one) == take_fingerprint("test", "s", turned)
    said = [("test", "s", one), ("other", "s", one), ("test", "t", one), ("test", "s", more)]
    assert len({take_fingerprint(*each) for each in said}) == 4


def test_an_account_id_reads_back() -> None:
    id = account_id("party_1", Kind.PAYOUT_TRANSIT, "CNY")
    assert read_account_id(id) == ("party_1", Kind.PAYOUT_TRANSIT, "CNY")
    floors = {kind: is_floored(account_id(PLATFORM, kind, "CNY")) for kind in Kind}
    assert [kind for kind, floored in floors.items() if not floored] == [
        Kind.CLEARING_BANK,
        Kind.CLEARING_CARD,
        Kind.CARD_FEES,
        Kind.RECEIVABLE,
    ]


def test_only_an_account_that_gives_can_lack() -> None:
    amounts = draft(GIVE, TAKE).amounts
    assert decide({"mill:available:CNY": 5}, amounts) is None
    assert decide({"mill:available:CNY": 4}, amounts) == ("mill:available:CNY", 1)
    assert decide({}, amounts) == ("mill:available:CNY", 5)
    clearing = draft(Leg(PLATFORM, Kind.CLEARING_BANK, cny(-5)), TAKE).amounts
    assert decide({}, clearing) is None
    assert Lacking("mill", Kind.AVAILABLE, cny(1)).problem().members == {"missing": cny(1)}


@pytest.mark.parametrize("amount", [0, -1, 10**15 + 1])
def test_what_comes_in_or_goes_out_is_positive_and_real(amount: int) -> None:
    check_amount(cny(1))
    check_amount(cny(10**15))
    with pytest.raises(AmountRefused):
        check_amount(cny(amount))


# --- holds ----------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from(["divide", "resolve"]), st.integers(-2, 120)), max_size=20
)
COLUMNS = ("open", "released", "converted", "forfeited", "divided", "state")


@given(st.integers(1, 100), STEPS)
def test_any_walk_over_holds_keeps_their_arithmetic(amount: int, steps: list[tuple[int, str, int]]) -> None:
    """I3 at each step, and the open holds never come to more than was held."""
    holds = [Hold.place("deal", "mill", Side.SELLER, cny(amount))]
    for place, step, part in steps:
        hold = holds[place % len(holds)]
        before = {name: getattr(hold, name) for name in COLUMNS}
        try:
            if step == "divide":
                holds.extend(hold.divide(cny(part)))
            else:
                hold.resolve("j", released=cny(part), converted=cny(hold.amount - part), forfeited=cny(0))
        except (ValueError, IllegalMove):
            assert {name: getattr(hold, name) for name in before} == before
        check_holds(holds, amount)


def check_holds(holds: list[Hold], amount: int) -> None:
    """What must be true of a hold and all its parts."""
    for hold in holds:
        parts = (hold.open, hold.released, hold.converted, hold.forfeited, hold.divided)
        assert sum(parts) == hold.amount and min(parts) >= 0
        assert (hold.state is HoldState.ACTIVE) == (hold.open == hold.amount)
    assert sum(hold.amount for hold in holds if hold.state is not HoldState.DIVIDED) == amount


def test_a_hold_is_resolved_once() -> None:
    hold = Hold.place("deal", "mill", Side.SELLER, cny(10))
    with pytest.raises(ValueError):
        hold.resolve("j", released=cny(4), converted=cny(5), forfeited=cny(0))
    hold.resolve("j", released=cny(4), converted=cny(5), forfeited=cny(1))
    with pytest.raises(IllegalMove):
        hold.resolve("j", released=cny(10), converted=cny(0), forfeited=cny(0))
    assert (hold.open, hold.released, hold.converted, hold.forfeited) == (0, 4, 5, 1)
    with pytest.raises(IllegalMove):
        hold.divide(cny(1))


@pytest.mark.parametrize("part", [0, 10, 11, -1])
def test_no_part_of_a_hold_is_empty(part: int) -> None:
    with pytest.raises(ValueError):
        Hold.place("deal", "mill", Side.SELLER, cny(10)).divide(cny(part))


# --- bank credits ---------------------------------------------------------------------------------------------

IDS = st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=26, max_size=26).map(lambda text: f"party_{text}")


@given(IDS)
def test_a_reference_is_a_creditor_reference_and_is_found_in_any_text(party_id: str) -> None:
    reference = reference_of(party_id)
    assert iso11649.is_valid(reference) and len(reference) == 20
    assert reference_of(party_id) == reference
    for written in (reference, reference.lower(), f"inv.77 {iso11649.format(reference)}/CNY", f"RF{reference}RF00"):
        assert reference in references_in(written)


@given(IDS, st.integers(2, 19), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_a_slip_of_the_pen_is_another_reference(party_id: str, place: int, other: str) -> None:
    reference = reference_of(party_id)
    slipped = reference[:place] + other + reference[place + 1 :]
    assert slipped == reference or reference not in references_in(slipped)


@given(st.text(max_size=200))
def test_any_text_may_stand_in_a_remittance(remittance: str) -> None:
    assert all(found.startswith("RF") and len(found) == 20 for found in references_in(remittance))


def test_what_keeps_a_credit_from_a_company() -> None:
    assert judge([], False) is Doubt.UNKNOWN_REFERENCE
    assert judge(["a", "b"], True) is Doubt.SEVERAL_REFERENCES
    assert judge(["a"], False) is Doubt.UNREGISTERED_PAYER
    assert judge(["a"], True) is None
    assert plain_number(" de89 3704\t0044 ") == "DE8937040044"


def test_a_repeated_slip_names_what_differs() -> None:
    slip = Slip(
        bank_reference="b",
        value_date=date(2026, 3, 2),
        payer_account="1",
        payer_name="mill",
        amount=cny(5),
        remittance="",
    )
    with clock.frozen(datetime(2026, 3, 2, tzinfo=UTC)):
        credit = Credit(**{name: getattr(slip, name) for name in Slip.__struct_fields__})
    credit.check_same(slip)
    with pytest.raises(BankReferenceReused) as refused:
        credit.check_same(Slip(**{**{name: getattr(slip, name) for name in Slip.__struct_fields__}, "amount": cny(6)}))
    assert refused.value.members == {"differing": ["amount"]}
