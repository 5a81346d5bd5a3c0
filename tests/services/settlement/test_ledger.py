"""The ledger in its database: what is posted, refused, replayed, and what nobody may change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import clock
from chassis.values import Money
from services.settlement.ledger.commands import post, post_batch
from services.settlement.ledger.invariants import INVARIANTS
from services.settlement.ledger.measuring import meter_balances
from services.settlement.ledger.model import (
    PLATFORM,
    Draft,
    JournalKeyReused,
    Kind,
    Lacking,
    Leg,
    Posted,
    account_id,
    decide,
)
from services.settlement.ledger.queries import balance_of
from tests.services.settlement.stand import Stand, cny

AVAILABLE = Kind.AVAILABLE


def bring(party: str, amount: int, key: str = "") -> Draft:
    """Money comes in."""
    legs = (Leg(PLATFORM, Kind.CLEARING_BANK, -cny(amount)), Leg(party, AVAILABLE, cny(amount)))
    return Draft(key=key or f"in:{party}:{amount}", kind="test", subject=party, legs=legs)


def give(giver: str, taker: str, amount: int, key: str) -> Draft:
    """Money moves."""
    legs = (Leg(giver, AVAILABLE, -cny(amount)), Leg(taker, AVAILABLE, cny(amount)))
    return Draft(key=key, kind="test", subject=giver, legs=legs)


def do(stand: Stand, *drafts: Draft) -> list[Posted | Lacking]:
    """Post a batch in a transaction of its own."""
    return stand.database.run(lambda session: post_batch(session, drafts))


def test_a_journal_moves_money_and_leaves_the_balance_behind_each_posting(stand: Stand) -> None:
    first, second = do(stand, bring("mill", 500), give("mill", "buyer", 200, "a"))
    assert isinstance(first, Posted) and isinstance(second, Posted) and not second.replayed
    assert stand.balances() == {"mill:available": 300, "buyer:available": 200, "platform:clearing_bank": -500}
    steps = stand.rows("SELECT number, amount, balance FROM posting WHERE account_id = 'mill:available:CNY'")
    assert sorted(steps) == [(1, 500, 500), (2, -200, 300)]
    assert stand.broken(INVARIANTS) == {}


def test_prometheus_is_told_what_lies_in_each_kind_of_account(stand: Stand) -> None:
    do(stand, bring("mill", 500), bring("buyer", 200, "b"))
    meter = meter_balances(SimpleNamespace(database=stand.database))
    assert meter.step() == 0
    told = {kind: REGISTRY.get_sample_value("haihe_balance_minor", {"kind": kind, "currency": "CNY"}) for kind in Kind}
    assert (told["available"], told["clearing_bank"]) == (700, -700)


def test_who_lacks_is_told_and_loses_no_other(stand: Stand) -> None:
    answers = do(
        stand,
        bring("mill", 100),
        give("mill", "buyer", 101, "too much"),
        give("mill", "buyer", 100, "all"),
        give("mill", "buyer", 1, "one more"),
        give("buyer", "mill", 40, "back"),
    )
    assert do(stand) == []
    assert [type(answer) for answer in answers] == [Posted, Lacking, Posted, Lacking, Posted]
    assert answers[1] == Lacking("mill", AVAILABLE, cny(1)) == answers[3]
    assert stand.balances() == {"mill:available": 40, "buyer:available": 60, "platform:clearing_bank": -100}
    assert stand.rows("SELECT count(*) FROM journal") == [(3,)]


def test_a_journal_of_many_legs_is_all_or_nothing_and_names_the_first_that_lacks(stand: Stand) -> None:
    do(stand, bring("mill", 10))
    legs = (
        Leg("buyer", AVAILABLE, cny(-5)), Leg("buyer", Kind.FROZEN, cny(5)),
        Leg("mill", AVAILABLE, cny(-20)), Leg("mill", Kind.FROZEN, cny(20)),
    )  # fmt: skip
    (answer,) = do(stand, Draft(key="hold", kind="test", subject="deal", legs=legs))
    assert answer == Lacking("buyer", AVAILABLE, cny(5))
    (answer,) = do(stand, Draft(key="hold", kind="test", subject="deal", legs=legs[2:]))
    assert answer == Lacking("mill", AVAILABLE, cny(10))
    assert stand.balances() == {"mill:available": 10, "platform:clearing_bank": -10}


def test_a_key_is_posted_once_and_stands_for_one_movement(stand: Stand) -> None:
    (first,) = do(stand, bring("mill", 100, key="k"))
    again, inside = do(stand, bring("mill", 100, key="k"), bring("mill", 100, key="k"))
    assert again == inside == Posted(first.journal_id, replayed=True)
    with pytest.raises(JournalKeyReused):
        do(stand, bring("mill", 101, key="k"))
    with pytest.raises(JournalKeyReused):
        do(stand, bring("mill", 5, key="new"), bring("buyer", 5, key="new"))
    assert stand.balances() == {"mill:available": 100, "platform:clearing_bank": -100}


def test_a_key_twice_in_a_batch_is_posted_once(stand: Stand) -> None:
    drafts = [bring("mill", 100, key="k"), give("mill", "buyer", 100, "g"), bring("mill", 100, key="k")]
    first, _, third = do(stand, *drafts)
    assert third == Posted(first.journal_id, replayed=True)
    assert stand.balances() == {"buyer:available": 100, "platform:clearing_bank": -100}


def test_a_refused_key_may_be_tried_again(stand: Stand) -> None:
    refused, _, posted = do(stand, give("mill", "buyer", 1, "k"), bring("mill", 1), give("mill", "buyer", 1, "k"))
    assert isinstance(refused, Lacking) and posted == Posted(posted.journal_id)


def test_currencies_do_not_mix(stand: Stand) -> None:
    euros = (Leg(PLATFORM, Kind.CLEARING_BANK, Money(-7, "EUR")), Leg("mill", AVAILABLE, Money(7, "EUR")))
    do(stand, bring("mill", 100), Draft(key="eur", kind="test", subject="mill", legs=euros))
    exchange = (
        Leg("mill", AVAILABLE, Money(-7, "EUR")), Leg(PLATFORM, Kind.CLEARING_BANK, Money(7, "EUR")),
        Leg(PLATFORM, Kind.CLEARING_BANK, cny(-50)), Leg("mill", AVAILABLE, cny(50)),
    )  # fmt: skip
    do(stand, Draft(key="exchange", kind="test", subject="mill", legs=exchange))
    assert stand.database.look(lambda session: balance_of(session, "mill", AVAILABLE, "EUR")) == Money(0, "EUR")
    assert stand.database.look(lambda session: balance_of(session, "mill", AVAILABLE, "CNY")) == cny(150)
    assert stand.broken(INVARIANTS) == {}


def test_legs_that_do_not_balance_are_a_bug() -> None:
    leg = Leg("mill", AVAILABLE, cny(5))
    for legs in [(leg,), (leg, Leg("buyer", AVAILABLE, Money(-5, "EUR"))), (leg, Leg("mill", AVAILABLE, cny(-5)))]:
        with pytest.raises(ValueError):
            post(None, key="k", kind="test", subject="s", legs=legs)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO account VALUES ('x:available:CNY', 'x', 'available', 'CNY', 9)",
        "UPDATE account SET balance = balance + 1",
        "DELETE FROM posting",
        "UPDATE posting SET amount = amount",
        "INSERT INTO posting VALUES ('j', 'mill:available:CNY', 9, 1, 'CNY', 1)",
        "INSERT INTO journal VALUES ('j', 'j', 'j', 'j', 'j', now())",
        "UPDATE journal SET kind = 'x'",
        "TRUNCATE posting",
        "DELETE FROM statement_line",
        "UPDATE statement SET deal_id = 'x'",
        "UPDATE escrow_payment SET amount = 0",
    ],
)
def test_the_application_cannot_write_the_ledger_but_by_posting(stand: Stand, statement: str) -> None:
    do(stand, bring("mill", 100))
    with pytest.raises(DBAPIError, match="permission denied"):
        stand.database.run(lambda session: session.execute(text(statement)))
    assert stand.broken(INVARIANTS) == {}


def test_not_even_the_owner_changes_what_is_written(stand: Stand) -> None:
    do(stand, bring("mill", 100))
    for statement in ("UPDATE posting SET amount = 7", "DELETE FROM journal", "DELETE FROM posting"):
        with pytest.raises(DBAPIError, match="append-only"):
            stand.owner.run(lambda session, statement=statement: session.execute(text(statement)))
    stand.owner.run(lambda session: session.execute(text("UPDATE posting SET amount = amount")))
    unbalanced = "INSERT INTO posting SELECT id, 'mill:frozen:CNY', 1, 5, 'CNY', 5 FROM journal"
    with pytest.raises(DBAPIError, match="do not sum to zero"):
        stand.owner.run(lambda session: session.execute(text(unbalanced)))
    below = "UPDATE account SET balance = -1 WHERE kind = 'available'"
    with pytest.raises(DBAPIError, match="ck_account_floor"):
        stand.owner.run(lambda session: session.execute(text(below)))


def test_fifty_threads_never_overdraw_an_account(stand: Stand) -> None:
    do(stand, bring("mill", 300))
    drafts = [give("mill", f"buyer_{n % 7}", 7, f"key {n}") for n in range(100)]
    with ThreadPoolExecutor(50) as pool:
        answers = [answer for (answer,) in pool.map(lambda draft: do(stand, draft), drafts)]
    assert sum(isinstance(answer, Posted) for answer in answers) == 42
    assert stand.balances()["mill:available"] == 300 - 42 * 7
    assert stand.broken(INVARIANTS) == {}


def test_the_same_key_fifty_times_at_once_has_one_effect(stand: Stand) -> None:
    do(stand, bring("mill", 1000))
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: do(stand, give("mill", "buyer", 10, "one"))[0], range(50)))
    assert len({answer.journal_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1
    assert stand.balances()["buyer:available"] == 10


def test_the_same_key_for_two_movements_at_once_posts_one(stand: Stand) -> None:
    do(stand, *(bring(f"mill_{n}", 10) for n in range(20)))

    def try_one(n: int) -> str:
        try:
            do(stand, give(f"mill_{n}", f"buyer_{n}", 10, "shared"))
        except JournalKeyReused:
            return "reused"
        return "posted"

    with ThreadPoolExecutor(20) as pool:
        assert sorted(pool.map(try_one, range(20))) == ["posted"] + ["reused"] * 19
    assert stand.broken(INVARIANTS) == {}


def test_opposite_transfers_at_once_do_not_deadlock(stand: Stand) -> None:
    do(stand, bring("mill", 10_000), bring("buyer", 10_000))
    pairs = [("mill", "buyer"), ("buyer", "mill")]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda n: do(stand, give(*pairs[n % 2], 1, f"key {n}")), range(200)))
    assert all(isinstance(answer, Posted) for (answer,) in answers)
    assert stand.balances()["mill:available"] == 10_000


MOVES = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.integers(1, 60), st.integers(0, 30)),
    min_size=1,
    max_size=25,
)


@given(batches=st.lists(MOVES, min_size=1, max_size=4), alone=st.booleans())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_decides_as_the_rule_does(
    stand: Stand, batches: list[list[tuple[str, str, int, int]]], alone: bool
) -> None:
    """Random batches, or the same one by one: the same key and accounts below zero now and then; ``decide`` is the model."""
    run = clock.new_id("run")
    expected: dict[str, int] = {}
    posted: dict[str, dict[str, int]] = {}
    do(stand, *(bring(f"{run}{name}", 50) for name in "abcd"))
    for name in "abcd":
        expected[account_id(f"{run}{name}", AVAILABLE, "CNY")] = 50
    for batch in batches:
        drafts = [
            give(run + giver, run + taker, amount, f"{run}:{giver}{taker}{amount}:{key}")
            for giver, taker, amount, key in batch
            if giver != taker
        ]
        if not drafts:
            continue
        answers = [do(stand, draft)[0] for draft in drafts] if alone else do(stand, *drafts)
        for draft, answer in zip(drafts, answers, strict=True):
            if draft.key in posted:
                assert isinstance(answer, Posted) and answer.replayed
            elif (lack := decide(expected, draft.amounts)) is not None:
                assert isinstance(answer, Lacking)
                assert (account_id(answer.owner_id, answer.kind, "CNY"), answer.missing.amount) == lack
            else:
                assert isinstance(answer, Posted) and not answer.replayed
                posted[draft.key] = draft.amounts
                for account, amount in draft.amounts.items():
                    expected[account] += amount
    found = dict(stand.rows(f"SELECT id, balance FROM account WHERE owner_id LIKE '{run}%'"))
    assert found == expected
    assert stand.broken(INVARIANTS) == {}


def test_accounts_are_seen_by_their_owner_and_the_operator_alone(stand: Stand) -> None:
    stand.top_up(buyer=700, mill=900)
    mine = stand.get("/v1/accounts").ok()
    assert [(item["id"], item["balance"]) for item in mine["items"]] == [
        ("buyer:available:CNY", {"amount": 700, "currency": "CNY"})
    ]
    assert mine["reference"].startswith("RF") and mine["next"] is None
    everything = stand.get("/v1/accounts", role="operator").ok()
    assert {item["owner_id"] for item in everything["items"]} == {"buyer", "mill", "platform"}
    assert everything["reference"] is None
    one = stand.get("/v1/accounts?owner_id=mill", role="operator").ok()["items"]
    assert [item["owner_id"] for item in one] == ["mill"]
    assert stand.get("/v1/accounts?owner_id=mill").ok()["items"] == []
    assert stand.get("/v1/accounts/mill:available:CNY/postings").problem() == "not_found"
    assert stand.get("/v1/accounts/platform:clearing_bank:CNY/postings").problem() == "not_found"
    assert stand.get("/v1/accounts/platform:clearing_bank:CNY/postings", role="operator").ok()["items"]
    assert stand.get("/v1/accounts", role="seller").problem() == "missing_role"


def test_postings_are_listed_newest_first_by_page(stand: Stand) -> None:
    stand.top_up(buyer=700)
    for n in range(4):
        stand.move(f"move {n}", "buyer", "mill", n + 1)
    path = "/v1/accounts/buyer:available:CNY/postings?limit=2"
    first = stand.get(path).ok()
    assert [item["amount"]["amount"] for item in first["items"]] == [-4, -3]
    second = stand.get(f"{path}&cursor={first['next']}").ok()
    third = stand.get(f"{path}&cursor={second['next']}").ok()
    assert [item["balance"]["amount"] for item in second["items"] + third["items"]] == [697, 699, 700]
    assert third["items"][0]["kind"] == "bank_credit" and third["next"] is None
    assert stand.get(f"{path}&cursor=eA").problem() == "invalid"
