"""``haihe check``: a played trade breaks nothing; each violation that SQL plants is found and named, and so is what is late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from infra.check import rounds
from infra.check.agreements import AGREEMENTS
from infra.check.local import message_invariants
from infra.check.rounds import NotSettled, await_settled, check
from infra.databases import libpq
from tests.journeys.conftest import make_trade
from tests.world import World

pytestmark = pytest.mark.xdist_group("check")
LATE = "now() - interval '2 hours'"
SOON = "now() + interval '2 hours'"


@pytest.fixture(scope="module")
def played(built_world: World) -> Iterator[World]:
    """A world in which one trade was played today, so that its deadlines lie ahead."""
    with built_world.at(datetime.now(UTC)):
        built_world.begin()
        for _ in make_trade(built_world).play():
            pass
        built_world.settle()
        yield built_world
        built_world.rest()


@pytest.fixture(scope="module")
def environ(played: World) -> dict[str, str]:
    """The settings by which the check reaches the world's databases."""
    told = {"HAIHE_BROKER": "memory:"}
    for name in played.services:
        told[f"HAIHE_{name.upper()}_DATABASE"] = played.cluster.address(f"world_{name}", name).app
    return told


@contextmanager
def planted(world: World, service: str, table: str, statement: str) -> Iterator[None]:
    """A change past all triggers and constraints of one table, undone afterwards."""
    url = libpq(world.cluster.superuser_url(f"world_{service}"))
    with psycopg.connect(url, autocommit=True) as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute(f"create table planted_before as table {table}")
        try:
            superuser.execute(statement)
            yield
        finally:
            superuser.execute(f"delete from {table}")
            superuser.execute(f"insert into {table} overriding system value table planted_before")
            superuser.execute("drop table planted_before")


def broken_names(environ: dict[str, str], grace_s: float = 60.0) -> dict[str, list[str]]:
    return {one.name: one.ids for one in check(environ, grace_s=grace_s).broken}


def only_id(world: World, service: str, query: str) -> str:
    return world.sql(service, query)[0][0]


def test_a_played_trade_breaks_nothing(played: World, environ: dict[str, str]) -> None:
    report = check(environ, grace_s=0.0)
    assert report.broken == []
    assert report.checked > 50
    assert await_settled(environ) < 10


PRODUCT = (
    "insert into product (id, version, market, owner_id, number, state, title, trade_units, step_value, step_unit, "
    "minimum_value, minimum_unit, licences) values ('product_x', 1, 'steel', 'party_x', 'P', 'published', '{}', '[]', 1, 'TNE', "
    "1, 'TNE', '[]')"
)

FIGURE = (
    "insert into index_figure (id, version, code, market, day, revision, state, tax_basis) "
    "values ('HRC-X:2026-03-02', 1, 'HRC-X', 'steel', '2026-03-02', 1, 'withheld', 'tax_included')"
)

# What is planted: the agreement, the service, its table, the change, and where the id that is named comes from.
PLANTS = [
    ("deposits_follow_deals", "settlement", "deposits", "update deposits set state = 'held'", "select id from deposits"),
    ("deposits_follow_deals", "settlement", "deposits", "update deposits set buyer_deposit_amount = 1", "select id from deposits"),
    ("deposits_follow_deals", "settlement", "deposits", "delete from deposits", "select id from deposits"),
    ("escrow_follows_deals", "settlement", "escrow", "update escrow set state = 'funded'", "select id from escrow"),
    ("escrow_follows_deals", "orders", "deal", "update deal set gross_amount = gross_amount - 1", "select id from deal"),
    (
        "statements_follow_deliveries",
        "settlement",
        "statement_line",
        "update statement_line set gross = gross + 1",
        "select delivery_id || ' ' || stage from statement_line",
    ),
    (
        "statements_follow_deliveries",
        "orders",
        "delivery_line",
        "update delivery_line set state = 'accepted'",
        "select delivery_id || ' ' || stage from delivery_line",
    ),
    (
        "pieces_follow_deals",
        "orders",
        "allotment",
        "insert into allotment (piece_id, offer_id, deal_id, number, net_value, net_unit, passes_to) "
        "select 'piece_planted', offer_id, id, 'C1', 1, 'KGM', buyer_id from deal",
        "select 'piece_planted'",
    ),
    ("deals_are_carried", "logistics", "deal", "update deal set state = 'delivering'", "select id from deal"),
    ("deals_are_carried", "logistics", "deal", "delete from deal", "select id from deal"),
    (
        "deliveries_are_the_same",
        "logistics",
        "delivery",
        "update delivery set received_value = received_value + 1",
        "select id from delivery",
    ),
    ("catalog_knows_parties", "catalog", "party", "update party set version = version - 1", "select min(id) from party"),
    ("orders_knows_parties", "orders", "party", "delete from party", "select min(id) from party"),
    ("settlement_knows_parties", "identity", "party", "update party set version = 99", "select min(id) from party"),
    ("orders_knows_pieces", "orders", "piece", "update piece set owner_id = 'party_thief'", "select min(id) from piece"),
    ("orders_knows_products", "orders", "product", PRODUCT, "select 'product_x'"),
    ("orders_knows_indices", "orders", "index_figure", FIGURE, "select 'HRC-X:2026-03-02'"),
    ("logistics_knows_pieces", "catalog", "piece", "update piece set version = 99", "select min(id) from piece"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "service", "table", "statement", "query"), PLANTS, ids=range(len(PLANTS)))
def test_a_planted_disagreement_is_named(
    played: World, environ: dict[str, str], name: str, service: str, table: str, statement: str, query: str
) -> None:
    id = only_id(played, service, query)
    with planted(played, service, table, statement):
        assert id in broken_names(environ)[name]
    assert broken_names(environ) == {}


def test_every_agreement_is_planted() -> None:
    assert {agreement.name for agreement in AGREEMENTS} == {plant[0] for plant in PLANTS}


KEY = "(consumer_group, topic, key, reason, since, attempts, due_at)"
MESSAGE = "(consumer_group, topic, key, headers, value, at)"
ERRAND = "(id, kind, subject, payload, state, attempt, due_at, at)"
LOCAL_PLANTS = [
    (
        "outbox_sent",
        "outbox",
        f"insert into outbox (topic, key, headers, value, at) values ('orders', 'deal_x', '{{}}', '', {LATE})",
        "",
    ),
    (
        "nothing_parked",
        "parked_key",
        f"insert into parked_key {KEY} values ('orders', 'catalog', 'piece_x', 'a bug', now(), 0, null)",
        "orders catalog piece_x",
    ),
    (
        "parked_whole",
        "parked_key",
        f"insert into parked_key {KEY} values ('orders', 'catalog', 'piece_x', 'not known', now(), 0, {SOON})",
        "orders catalog piece_x",
    ),
    (
        "parked_whole",
        "parked_message",
        f"insert into parked_message {MESSAGE} values ('orders', 'catalog', 'piece_x', '{{}}', '', now())",
        "orders catalog piece_x",
    ),
    (
        "errands_done",
        "errand",
        f"insert into errand {ERRAND} values ('errand_x', 'mail', 'user_x', '{{}}', 'failed', 12, now(), now())",
        "errand_x",
    ),
    (
        "errands_tried",
        "errand",
        f"insert into errand {ERRAND} values ('errand_x', 'mail', 'user_x', '{{}}', 'owed', 1, {LATE}, now())",
        "errand_x",
    ),
    ("deal_deadlines_met", "deal", f"update deal set due_at = {LATE}", "deal_"),
    ("deal_waits_with_deadline", "deal", "update deal set state = 'signed'", "deal_"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "table", "statement", "beginning"), LOCAL_PLANTS, ids=range(len(LOCAL_PLANTS)))
def test_a_planted_violation_of_messages_is_named(
    played: World, environ: dict[str, str], name: str, table: str, statement: str, beginning: str
) -> None:
    with planted(played, "orders", table, statement):
        (id,) = broken_names(environ)[name]
    assert id.startswith(beginning)


def test_every_local_invariant_is_planted(played: World) -> None:
    names = {invariant.name for invariant in message_invariants(played.services["orders"], 60.0)}
    of_all_models = {name for name in names if name.endswith(("_deadlines_met", "_waits_with_deadline"))}
    assert names - of_all_models == {plant[0] for plant in LOCAL_PLANTS if not plant[0].startswith("deal_")}
    assert {"deal_deadlines_met", "deal_waits_with_deadline"} <= of_all_models


def test_a_subject_with_a_message_on_its_way_is_pending_until_grace_is_over(
    played: World, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_S", 0.05)
    deal_id = only_id(played, "orders", "select id from deal")
    message = f"insert into outbox (topic, key, headers, value, at) values ('orders', '{deal_id}', '{{}}', '', now())"
    with (
        planted(played, "settlement", "escrow", "update escrow set state = 'funded'"),
        planted(played, "orders", "outbox", message),
    ):
        late = check(environ, grace_s=1.5)
        assert [one.name for one in late.broken if one.name == "escrow_follows_deals"] != []
        assert late.waited_s > 1.5


def test_a_subject_whose_message_arrives_in_time_is_whole(
    played: World, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The escrow seems open while the news of its end is on its way; then the news arrives."""
    deal_id = only_id(played, "orders", "select id from deal")
    message = f"insert into outbox (topic, key, headers, value, at) values ('orders', '{deal_id}', '{{}}', '', now())"
    arrive = []

    def let_news_arrive(_seconds: float) -> None:
        while arrive:
            arrive.pop().__exit__(None, None, None)

    for plant in (
        planted(played, "settlement", "escrow", "update escrow set state = 'funded'"),
        planted(played, "orders", "outbox", message),
    ):
        plant.__enter__()
        arrive.append(plant)
    monkeypatch.setattr(rounds.time, "sleep", let_news_arrive)
    assert check(environ, grace_s=60.0).broken == []


def test_it_does_not_settle_while_something_is_set_aside(
    played: World, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "ROUND_S", 0.05)
    waiting = f"insert into parked_key {KEY} values ('orders', 'catalog', 'piece_x', 'not known', now(), 0, {SOON})"
    with planted(played, "orders", "parked_key", waiting), pytest.raises(NotSettled, match=r"orders.*1"):
        await_settled(environ, within_s=0.5)
