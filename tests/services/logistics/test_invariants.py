"""Each invariant, broken by SQL, is seen and named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from services.logistics import SERVICE
from tests.services.logistics.conftest import Stand

COPY_PIECE = (
    "INSERT INTO delivery_piece (delivery_id, piece_id, deal_id, claim) "
    "SELECT 'delivery_x', piece_id, {deal}, claim FROM delivery_piece WHERE piece_id = 'piece_1'"
)
COPY_TICKET = (
    'INSERT INTO weigh_ticket SELECT (jsonb_populate_record(t, \'{"id": "ticket_x"}\')).* FROM weigh_ticket t '
    "WHERE \"end\" = 'loading'"
)
BROKEN = [
    ("piece_on_one_truck", ["DROP INDEX uq_delivery_piece_live", COPY_PIECE.format(deal="'deal_x'")], "piece_1"),
    (
        "piece_brought_once",
        ["DROP INDEX uq_delivery_piece_live", "DROP INDEX uq_delivery_piece_deal", COPY_PIECE.format(deal="deal_id")],
        "deal_1/piece_1",
    ),
    ("claim_follows_delivery", ["UPDATE delivery_piece SET claim = 'freed' WHERE piece_id = 'piece_1'"], "{loading}"),
    ("delivery_within_deal", ["DELETE FROM deal_piece WHERE piece_id = 'piece_1'"], "{loading}"),
    ("deal_not_overloaded", ["UPDATE deal SET quantity_value = 24.9 WHERE id = 'deal_2'"], "deal_2"),
    (
        "net_is_gross_less_tare",
        [
            "ALTER TABLE weigh_ticket DROP CONSTRAINT ck_weigh_ticket_net",
            "UPDATE weigh_ticket SET net_kg = 1 WHERE id = '{ticket}'",
        ],
        "{ticket}",
    ),
    ("one_ticket_in_force", ["DROP INDEX uq_weigh_ticket_first", COPY_TICKET], "{weighed}/loading"),
    ("weight_is_the_ticket's", ["UPDATE delivery SET received_value = 1 WHERE id = '{weighed}'"], "{weighed}"),
    ("weighed_has_both_weights", ["UPDATE delivery SET loaded_value = NULL WHERE id = '{weighed}'"], "{weighed}"),
    ("waiting_has_a_deadline", ["UPDATE delivery SET due_at = NULL WHERE id = '{loading}'"], "{loading}"),
    ("waiting_has_a_deadline", ["UPDATE passage SET due_at = now() WHERE id = '{passage}'"], "{passage}"),
    ("reads_are_counted_once", ["DELETE FROM tag_read WHERE sequence = 1"], "{passage}"),
    ("reads_are_not_left_lying", ["UPDATE tag_read SET window_id = NULL"], "{gate}"),
    ("gate_departure_has_a_passage", ["DELETE FROM passage_delivery"], "{weighed}"),
    ("passage_has_its_event", ["DELETE FROM epcis_event"], "{passage}"),
]


@pytest.fixture
def ids(stand: Stand) -> Iterator[dict[str, str]]:
    """A delivery that loads, one that was weighed, and one of a deal over a weight."""
    stand.hear_deal(2)
    stand.hear_deal(0, deal_id="deal_2", quantity=_tonnes("25"))
    gate = stand.make_gate()
    loading, weighed = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.start(gate, deal_id="deal_2", quantity={"value": "25", "unit": "TNE"}).ok()
    ticket = stand.weigh(weighed, "loading").ok()
    (passage,) = stand.pass_gate(gate, 2)
    stand.weigh(weighed, "receiving").ok()
    assert stand.broken() == {}
    yield {
        "loading": loading["id"],
        "weighed": weighed["id"],
        "ticket": ticket["id"],
        "passage": passage["id"],
        "gate": gate["id"],
    }


def _tonnes(value: str):
    from chassis.values import Exact, Quantity

    return Quantity(Exact(value), "TNE")


@pytest.mark.parametrize(("name", "damage", "named"), BROKEN, ids=[name for name, *_ in BROKEN])
def test_damage_is_seen_and_named(stand: Stand, ids: dict[str, str], name: str, damage: list[str], named: str) -> None:
    (invariant,) = [invariant for invariant in SERVICE.invariants if invariant.name == name]
    with stand.owner.engine.connect() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in damage:
            connection.execute(text(statement.format(**ids) if "jsonb" not in statement else statement))
        found = connection.scalars(text(invariant.query)).all()
        connection.rollback()
    assert found == [named.format(**ids)]


def test_every_invariant_has_its_damage() -> None:
    assert {name for name, *_ in BROKEN} == {invariant.name for invariant in SERVICE.invariants}
