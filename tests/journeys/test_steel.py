"""The steel trade from admission to payout: plain, and with all that a network and a crash may do to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from loadtests.steel import SteelTrade, Step
from tests.journeys.conftest import A_SECOND, make_trade
from tests.journeys.transcript import Transcript, check_page
from tests.world import World

STATES = [
    "admitted", "matched", "5 created", "listed", "1 hit", "deposits_pending", "effective", "signed", "delivering",
]  # fmt: skip


def play(trade: SteelTrade, between=lambda: None) -> list[tuple[str, str]]:
    """Play it all; (step, state) of each."""
    return follow(trade.play(), between)


def follow(steps: Iterator[Step], between=lambda: None) -> list[tuple[str, str]]:
    """The rest of a trade; (step, state) of each."""
    seen = []
    for step in steps:
        seen.append((step.name, step.state))
        between()
    return seen


def assert_ended_well(world: World, trade: SteelTrade) -> None:
    """Who has what at the end: at 3,850.00 the first truck's 64.545 t as the seller weighed them (within 3 ‰), the second's
    43.715 t as the buyer did, and 0.4 t paid back.
    """
    gross = 24_849_825 + 16_830_275
    fee = 24_850 + 16_830
    assert trade.balances() == {"mill": 0, "buyer": 60_000_000 - gross, "warehouse": 0}
    assert trade.balance("buyer", "frozen") == trade.balance("buyer", "escrow") == trade.balance("mill", "frozen") == 0
    assert trade.buyer.desk.every("/v1/payouts") == []
    (payout,) = trade.mill.desk.every("/v1/payouts")
    assert (payout["state"], payout["amount"]) == ("paid", {"amount": 10_000_000 + gross - fee, "currency": "CNY"})
    (deal,) = trade.buyer.desk.every("/v1/deals")
    assert deal == trade.mill.desk.every("/v1/deals")[0]
    assert deal["state"] == "completed" and [each["state"] for each in deal["deliveries"]] == ["settled"] * 2
    owners = {piece["owner_id"] for piece in trade.buyer.desk.every("/v1/pieces")}
    assert owners == {trade.buyer.party_id}
    assert world.broken() == {}


def test_the_trade_as_it_should_go(world: World, trade: SteelTrade) -> None:
    steps = play(trade)
    assert [state for _, state in steps][: len(STATES)] == STATES
    assert_ended_well(world, trade)


def test_every_message_twice(world: World, trade: SteelTrade) -> None:
    world.broker.duplicate = True
    play(trade)
    assert_ended_well(world, trade)


@pytest.mark.parametrize("seed", range(3))
def test_messages_of_different_keys_in_any_order(world: World, trade: SteelTrade, seed: int) -> None:
    world.broker.shuffle(seed)
    play(trade)
    assert_ended_well(world, trade)


@pytest.mark.parametrize("speaker", ["identity", "catalog", "orders", "settlement", "logistics"])
def test_each_speaker_is_heard_after_all_others(world: World, speaker: str) -> None:
    def settle() -> None:
        world.broker.hold_back(speaker)
        world.advance(A_SECOND)
        world.broker.release(speaker)
        world.advance(A_SECOND)

    trade = make_trade(world, settle)
    play(trade)
    assert_ended_well(world, trade)


def test_processes_die_between_every_two_steps(world: World, trade: SteelTrade) -> None:
    play(trade, between=lambda: world.start(world.broker))
    assert_ended_well(world, trade)


@pytest.mark.parametrize("seed", range(2))
def test_processes_die_around_their_commits(world: World, trade: SteelTrade, seed: int) -> None:
    """One transaction in four ends with the death of its process, just before or just after its commit."""
    steps = trade.play()
    next(steps)
    with world.crash_often(seed) as crashes:
        follow(steps)
    assert crashes.count > 30
    assert_ended_well(world, trade)


PROJECTIONS = {
    "catalog": ["party"],
    "orders": ["party", "piece", "market"],
    "settlement": ["party", "market"],
    "logistics": ["piece", "deal", "deal_piece"],
}


def test_projections_can_be_made_again(world: World, trade: SteelTrade) -> None:
    play(trade)

    def rows() -> dict[str, list[str]]:
        return {
            f"{service}.{table}": sorted(
                str(row[0]) for row in world.sql(service, f"SELECT to_jsonb(t) FROM {table} t")
            )
            for service, tables in PROJECTIONS.items()
            for table in tables
        }

    before = rows()
    for service, tables in PROJECTIONS.items():
        world.sql(service, f"TRUNCATE {', '.join(tables)}")
    assert all(not found for found in rows().values())
    world.republish()
    world.advance(timedelta(seconds=30))
    assert rows() == before


def test_the_transcript_in_the_docs_is_what_is_said(world: World) -> None:
    transcript = Transcript(
        "The steel trade, request by request",
        "Made by a test that plays the trade; secrets are left out and long lists cut. Amounts are in minor units (fen).",
    )
    trade = make_trade(world)
    trade.api.seen = transcript.see
    steps = trade.play()
    while True:
        before = len(transcript.lines)
        try:
            step = next(steps)
        except StopIteration:
            break
        transcript.lines.insert(before, f"## {step.name.capitalize()} ({step.who})\n")
    check_page("steel.md", transcript.text())
