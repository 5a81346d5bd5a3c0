"""Random walks over the whole service: whatever is asked and heard, and in whatever order, every invariant holds."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from chassis.problems import Conflict, NotYetKnown
from tests.services.settlement.stand import Stand, cny, coils, tonnes

DEALS = ["deal_1", "deal_2", "deal_3"]
AMOUNTS = st.one_of(st.integers(0, 40), st.integers(0, 4000))
STAGES = st.sampled_from(["whole", "undisputed", "decided"])
STEPS = st.one_of(
    st.tuples(st.just("top_up"), st.sampled_from(["buyer", "mill"]), st.integers(1, 5000)),
    st.tuples(st.just("strike"), st.sampled_from(DEALS), AMOUNTS, AMOUNTS),
    st.tuples(
        st.just("sign"),
        st.sampled_from(DEALS),
        AMOUNTS,
        st.sampled_from(["pieces", "weight", "whole"]),
        st.sampled_from(["counts", "held"]),
        st.sampled_from(["settlement", "invoice"]),
    ),
    st.tuples(st.just("pay"), st.sampled_from(DEALS)),
    st.tuples(st.just("accept"), st.sampled_from(DEALS), AMOUNTS, st.sampled_from("abc"), st.booleans()),
    st.tuples(st.just("deliver"), st.sampled_from(DEALS), AMOUNTS, AMOUNTS, st.sampled_from("abc"), STAGES),
    st.tuples(
        st.just("end"),
        st.sampled_from(DEALS),
        AMOUNTS,
        st.sampled_from(["buyer", "seller", None]),
        AMOUNTS,
        st.booleans(),
    ),
    st.tuples(st.just("pay_part"), st.sampled_from(DEALS), st.sampled_from([["a"], ["b"], ["a", "c"], "1", "0.5"])),
    st.tuples(st.just("complete"), st.sampled_from(DEALS)),
    st.tuples(st.just("supplement"), st.integers(0, 3)),
    st.tuples(st.just("record"), st.integers(0, 5)),
    st.tuples(st.just("cancel"), st.sampled_from(DEALS)),
    st.tuples(st.just("default"), st.sampled_from(DEALS), st.sampled_from(["buyer", "seller"]), AMOUNTS),
    st.tuples(st.just("call"), st.sampled_from(DEALS)),
    st.tuples(st.just("payout"), st.integers(0, 3000), st.sampled_from(["", "sc", "sr", "r", "s", "c"])),
    st.tuples(st.just("doubt"), st.integers(1, 500), st.sampled_from(["", "assign", "return"])),
    st.tuples(st.just("advance"), st.integers(1, 40)),
)


def do_payout(stand: Stand, amount: int, letters: str) -> None:
    """The mill asks for a payout, and the bank does this and that with it."""
    body = {"amount": {"amount": amount, "currency": "CNY"}, "bank_account_id": "mill_ACCMILL"}
    answer = stand.send("POST", "/v1/payouts", body, party="mill")
    if answer.status == 201:
        path = f"/v1/payouts/{answer.body['id']}"
        reference, reason = {"bank_reference": f"o{path}"}, {"reason": "closed"}
        said = {"s": ("send", reference), "c": ("confirm", None), "r": ("return", reason)}
        for verb, body in (said[letter] for letter in letters):
            stand.send("POST", f"{path}/{verb}", body, role="bank_feed")


def do_doubt(stand: Stand, amount: int, verb: str) -> None:
    """Money comes in that nobody knows, and the operator decides, or does not."""
    number = stand.rows("SELECT count(*) FROM bank_credit")[0][0]
    said = {"amount": {"amount": amount, "currency": "CNY"}, "remittance": "?"}
    id = stand.credit(f"doubt-{number}", **said).ok()["id"]
    body = {"party_id": "mill"} if verb == "assign" else None
    if verb:
        stand.send("POST", f"/v1/bank-credits/{id}/{verb}", body, role="operator").ok()


def do_sign(stand: Stand, deal: str, gross: int, kind: str, use: str, release: str) -> None:
    """A deal of three coils, or of three tonnes, or of a whole as before."""
    a, b, c = (part.amount for part in cny(gross).split([1, 1, 1]))
    divisible = {"pieces": {"pieces": coils(a=a, b=b, c=c)}, "weight": {"quantity": tonnes("3")}, "whole": {}}
    stand.sign(deal, gross, deposit_use=use, release=release, **divisible[kind])


def do_pay_part(stand: Stand, deal: str, what: Any) -> None:
    """The buyer pays for some."""
    quantity = {"value": what, "unit": "TNE"} if isinstance(what, str) else None
    stand.pay(deal, {"quantity": quantity} if quantity else {"piece_ids": what})


def do_end(stand: Stand, deal: str, value: int, by: Any, forfeit: int, is_paid: bool) -> None:
    """A part ends, whatever its pieces: the next that has not."""
    number = stand.rows("SELECT count(*) FROM statement_line WHERE part_id IS NOT NULL")[0][0]
    piece = "abc"[number % 3]
    stand.end(
        f"part_{number}", value, by=by, forfeit=forfeit, is_paid=is_paid, piece_ids=[piece], quantity="1", deal=deal
    )


def do_supplement(stand: Stand, number: int) -> None:
    """The buyer pays a supplement."""
    for each in stand.get("/v1/supplements").ok()["items"][number : number + 1]:
        stand.send("POST", f"/v1/supplements/{each['id']}/pay")


def do_record(stand: Stand, number: int) -> None:
    """The mill records an invoice."""
    for each in stand.get("/v1/invoices?kind=goods&state=expected", party="mill").ok()["items"][number : number + 1]:
        body = {name: each[name] for name in ("net", "tax", "gross")} | {
            "number": each["id"],
            "issued_on": "2026-03-01",
        }
        stand.send("POST", f"/v1/invoices/{each['id']}/record", body, party="mill").ok()


def take_step(stand: Stand, name: str, *args: Any) -> None:
    """One step; what the service refuses is no failure."""
    steps: dict[str, Callable[..., Any]] = {
        "top_up": lambda party, amount: stand.top_up(**{party: amount}),
        "strike": lambda deal, buyer, mill: stand.strike(deal, buyer, mill),
        "sign": lambda *said: do_sign(stand, *said),
        "pay_part": lambda deal, what: do_pay_part(stand, deal, what),
        "deliver": lambda deal, gross, value, which, stage: stand.accept(
            gross, delivery=f"{deal}_{which}", value=value, stage=stage, is_last=False, deal=deal
        ),
        "end": lambda *said: do_end(stand, *said),
        "complete": lambda deal: stand.complete(deal),
        "supplement": lambda number: do_supplement(stand, number),
        "record": lambda number: do_record(stand, number),
        "pay": lambda deal: stand.pay(deal),
        "accept": lambda deal, gross, which, is_last: stand.accept(
            gross, delivery=f"{deal}_{which}", is_last=is_last, deal=deal
        ),
        "cancel": lambda deal: stand.cancel(deal),
        "default": lambda deal, by, forfeit: stand.default(by, forfeit, deal),
        "call": lambda deal: stand.call(deal),
        "payout": lambda amount, letters: do_payout(stand, amount, letters),
        "doubt": lambda amount, verb: do_doubt(stand, amount, verb),
        "advance": lambda hours: stand.advance(timedelta(hours=hours)),
    }
    with contextlib.suppress(NotYetKnown, Conflict):
        steps[name](*args)


@given(steps=st.lists(STEPS, min_size=5, max_size=40))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
def test_no_walk_breaks_an_invariant(stand: Stand, steps: list[tuple[Any, ...]]) -> None:
    stand.begin_again()
    stand.describe_market("0.015", "0.1")
    stand.top_up(buyer=6000, mill=2000)
    for step in steps:
        take_step(stand, *step)
        assert stand.broken() == {}, step


def settle_at_random(stand: Stand, deal: str, chance: random.Random) -> None:
    """A deal from strike to its last delivery, or to a default in between."""
    gross = chance.choice([chance.randrange(1, 50), chance.randrange(1, 10**7)])
    stand.strike(deal, gross // 10, gross // 20)
    stand.sign(deal, gross)
    stand.pay(deal).ok()
    deliveries = chance.randrange(1, 4)
    for number in range(1, deliveries + 1):
        worth = chance.randrange(0, 2 * gross // deliveries + 2)
        if chance.random() < 0.1:
            stand.default(chance.choice(["buyer", "seller"]), chance.randrange(0, gross), deal)
            return
        stand.accept(worth, delivery=f"{deal}_{number}", is_last=number == deliveries, deal=deal)


@pytest.mark.parametrize("seed", range(3))
def test_random_settlements_agree_with_the_ledger_to_the_cent(stand: Stand, seed: int) -> None:
    """What statements say, added up in Python, is what the balances have become."""
    chance = random.Random(seed)
    stand.describe_market("0.00125", "0.05")
    stand.top_up(buyer=10**10, mill=10**10)
    for number in range(25):
        settle_at_random(stand, f"deal_{number}", chance)
    said = {"buyer": 10**10, "mill": 10**10, "platform": 0}
    for number in range(25):
        statement = stand.statement(f"deal_{number}")
        totals = {name: share["amount"] for name, share in statement["totals"].items()}
        said["mill"] += totals["from_escrow"] + totals["from_deposit"] - totals["fee"]
        said["buyer"] -= totals["from_escrow"] + totals["from_deposit"]
        forfeited = totals["seller_forfeited"] - totals["buyer_forfeited"]
        said["mill"] -= forfeited + (totals["forfeit_fee"] if forfeited < 0 else 0)
        said["buyer"] += forfeited - (totals["forfeit_fee"] if forfeited >= 0 else 0)
        said["platform"] += totals["fee"] + totals["forfeit_fee"]
        for line in statement["lines"]:
            check_line(line)
    found = stand.balances()
    assert found == {
        "buyer:available": said["buyer"], "mill:available": said["mill"], "platform:fee": said["platform"],
        "platform:clearing_bank": -2 * 10**10,
    }  # fmt: skip
    assert stand.broken() == {}


def check_line(line: dict[str, Any]) -> None:
    """A line adds up by itself, and its fee is its payment's, half up."""
    delivery, shares = line["delivery"], line["shares"]
    if delivery:
        assert delivery["net"]["amount"] + delivery["tax"]["amount"] == delivery["gross"]["amount"]
        assert line["paid"]["amount"] + shares["shortfall"]["amount"] == delivery["gross"]["amount"]
        assert shares["fee"]["amount"] == (line["paid"]["amount"] * 125 + 50_000) // 100_000
    assert cny(line["paid"]["amount"]) == cny(shares["from_escrow"]["amount"] + shares["from_deposit"]["amount"])
