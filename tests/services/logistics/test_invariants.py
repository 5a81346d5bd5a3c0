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
COPY_NOTED = (
    "INSERT INTO note_piece SELECT 'note_y', piece_id, deal_id, number, net_value, net_unit, 'open' FROM note_piece "
    "WHERE piece_id = 'piece_3' AND claim = 'open'"
)
SUBSCRIBE = (
    "INSERT INTO epcis_subscription SELECT (jsonb_populate_record(NULL::epcis_subscription, '"
    '{{"id": "subscription_x", "query_id": "q", "query_name": "q", "owner_id": "mill", "user_id": "u", "query": {{}}, '
    '"dest": "https://example.com", "epc_format": "No_Preference", "report_if_empty": false, "state": "{state}", '
    '"batch": 1, "created_at": "2026-03-02T08:00:00Z", "initial_record_time": "2026-03-02T08:00:00Z", '
    '"min_record_time": "2026-03-02T08:00:00Z", "failures": 0, "pushing": {pushing}}}\')).*'
)
TAKE = (
    "INSERT INTO stock_take (id, warehouse_id, kind, state, due_at, started_at, started_by, epcis_event_id) "
    "VALUES ('take_x', 'warehouse', 'cycle_counting', '{state}', {due}, now(), 'u', {event})"
)
TASK = (
    "INSERT INTO discrepancy (id, kind, at, state, result, closing_event_ids) "
    "VALUES ('odd_x', 'missing', now(), '{state}', 'found', '{{{{{events}}}}}')"
)
RECALL = (
    "INSERT INTO lot_recall (id, owner_id, thing, grade, reason, instruction, state, opened_at, opened_by, affected, own, "
    "unreached, papers) VALUES ('recall_x', 'mill', 'x', 'I', 'r', 'i', 'cancelled', now(), 'u', 0, '[]', '[]', '[]')"
)
NOTICE = (
    "INSERT INTO recall_notice (id, recall_id, owner_id, party_id, state, known, held, things, delivery_ids, deal_ids, "
    "sent_at) VALUES ('notice_x', 'recall_x', 'mill', 'buyer', 'sent', '[]', 0, '[]', '{{}}', '{{}}', now())"
)
WAIT = "INSERT INTO epcis_waiting VALUES ('subscription_x', 'epcis_x', '2026-03-02T08:00:00Z', 1)"
BROKEN = [
    ("push_is_owed", [SUBSCRIBE.format(state="active", pushing='"errand_x"')], "subscription_x"),
    ("waiting_event_is_pushed", [SUBSCRIBE.format(state="active", pushing="null"), WAIT], "subscription_x"),
    ("waiting_event_is_pushed", [SUBSCRIBE.format(state="suspended", pushing="null"), WAIT], "subscription_x"),
    ("waiting_event_is_pushed", [WAIT], "subscription_x"),
    ("piece_on_one_truck", ["DROP INDEX uq_delivery_piece_live", COPY_PIECE.format(deal="'deal_x'")], "piece_1"),
    (
        "piece_brought_once",
        ["DROP INDEX uq_delivery_piece_live", "DROP INDEX uq_delivery_piece_deal", COPY_PIECE.format(deal="deal_id")],
        "deal_1/piece_1",
    ),
    ("claim_follows_delivery", ["UPDATE delivery_piece SET claim = 'freed' WHERE piece_id = 'piece_1'"], "{loading}"),
    ("delivery_within_deal", ["DELETE FROM deal_piece WHERE piece_id = 'piece_1'"], "{loading}"),
    ("deal_not_overloaded", ["UPDATE deal SET quantity_value = 24.9 WHERE id = 'deal_2'"], "deal_2"),
    ("deal_not_overloaded", ["UPDATE pickup_note SET quantity_value = 5.1 WHERE id = '{noted}'"], "deal_2"),
    (
        "piece_in_one_note",
        [
            "DROP INDEX uq_note_piece_open",
            COPY_NOTED,
        ],
        "piece_3",
    ),
    (
        "piece_in_one_note",
        ["UPDATE note_piece SET claim = 'open', piece_id = 'piece_1' WHERE piece_id = 'piece_3' AND claim = 'open'"],
        "piece_1",
    ),
    ("note_within_deal", ["DELETE FROM deal_piece WHERE piece_id = 'piece_3'"], "{child}"),
    ("claim_follows_note", ["UPDATE note_piece SET claim = 'freed' WHERE note_id = '{child}'"], "{child}"),
    ("claim_follows_note", ["UPDATE note_piece SET claim = 'taken' WHERE note_id = '{split}'"], "{split}"),
    ("used_note_has_its_delivery", ["UPDATE delivery SET note_id = NULL WHERE id = '{loading}'"], "{used}"),
    ("used_note_has_its_delivery", ["UPDATE pickup_note SET state = 'expired' WHERE id = '{used}'"], "{used}"),
    ("used_note_has_its_delivery", ["UPDATE delivery SET quantity_value = 9 WHERE id = '{loading}'"], "{used}"),
    ("used_note_has_its_delivery", ["UPDATE note_piece SET claim = 'freed' WHERE note_id = '{used}'"], "{used}"),
    ("split_note_is_its_children", ["UPDATE pickup_note SET parent_id = NULL WHERE id = '{child}'"], "{split}"),
    ("split_note_is_its_children", ["UPDATE pickup_note SET quantity_value = 7 WHERE id = '{child}'"], "{split}"),
    (
        "split_note_is_its_children",
        ["UPDATE note_piece SET piece_id = 'piece_x' WHERE note_id = '{child}'"],
        "{split}",
    ),
    ("recalled_is_not_carried", ["UPDATE recall SET piece_ids = '{{piece_2}}'"], "recall_1"),
    ("recalled_is_not_carried", ["UPDATE recall SET piece_ids = '{{piece_3}}'"], "recall_1"),
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
    ("weight_is_the_ticket's", ["UPDATE correction SET state = 'in_force'"], "{weighed}"),
    ("weight_is_the_ticket's", ["UPDATE delivery SET third_party_value = 1 WHERE id = '{weighed}'"], "{weighed}"),
    ("weighed_has_its_weights", ["UPDATE delivery SET loaded_value = NULL WHERE id = '{weighed}'"], "{weighed}"),
    ("weighed_has_its_weights", ["UPDATE delivery SET state = 'received' WHERE id = '{weighed}'"], "{weighed}"),
    ("correction_in_force_is_signed", ["UPDATE correction SET state = 'too_late'"], "{proposed}"),
    ("correction_in_force_is_signed", ["UPDATE correction SET replaces = 'ticket_x'"], "{proposed}"),
    ("correction_in_force_is_signed", ["DELETE FROM correction"], "{proposed}"),
    (
        "no_correction_waits_in_vain",
        ["UPDATE delivery SET accepted_stage = 'whole' WHERE id = '{weighed}'"],
        "{proposed}",
    ),
    ("waiting_has_a_deadline", ["UPDATE delivery SET due_at = NULL WHERE id = '{loading}'"], "{loading}"),
    ("waiting_has_a_deadline", ["UPDATE pickup_note SET due_at = NULL WHERE id = '{child}'"], "{child}"),
    ("waiting_has_a_deadline", ["UPDATE passage SET due_at = now() WHERE id = '{passage}'"], "{passage}"),
    ("reads_are_counted_once", ["DELETE FROM tag_read WHERE sequence = 1"], "{gate}"),
    ("reads_are_counted_once", ["UPDATE tag_read SET mark = 'skewed'"], "{gate}"),
    ("taken_back_is_superseded_once", ["UPDATE passage SET superseded_by = id"], "{passage}"),
    ("gate_departure_has_a_passage", ["DELETE FROM passage_delivery"], "{weighed}"),
    (
        "epcis_event_is_found_by_what_it_names",
        ["DELETE FROM epcis_key WHERE event = '{event}' AND kind = 'epc'"],
        "{event}",
    ),
    (
        "revoked_share_gives_nothing",
        [
            "INSERT INTO event_share VALUES ('share_x', 'mill', 'buyer', 'chain', 'k', 'k', now(), now(), now())",
            "INSERT INTO epcis_party VALUES ('buyer', '{event}', 'share_x')",
        ],
        "share_x",
    ),
    ("seen_event_was_captured", ["INSERT INTO epcis_party VALUES ('buyer', 'epcis_x', 'party')"], "epcis_x"),
    ("passage_has_its_event", ["DELETE FROM epcis_event"], "{passage}"),
    ("waiting_has_a_deadline", [TAKE.format(state="open", due="NULL", event="NULL")], "take_x"),
    (
        "waiting_has_a_deadline",
        [
            "INSERT INTO stay (id, zone_id, warehouse_id, gate_id, epc, state, entered_at, last_seen) "
            "VALUES ('stay_x', 'zone_x', 'warehouse', 'gate_x', 'E', 'present', now(), now())"
        ],
        "stay_x",
    ),
    ("cancelled_recall_asks_nobody", [RECALL, NOTICE], "notice_x"),
    ("task_has_its_events", [TASK.format(state="open", events="")], "odd_x"),
    ("task_has_its_events", [TASK.format(state="closed", events="ni:x")], "odd_x"),
    (
        "stock_take_is_told_once_closed",
        [
            TAKE.format(state="open", due="now()", event="NULL"),
            "INSERT INTO stock_take_line (stock_take_id, name, standing) VALUES ('take_x', 'E', 'found')",
        ],
        "take_x",
    ),
    ("stock_take_is_told_once_closed", [TAKE.format(state="closed", due="NULL", event="'ni:x'")], "take_x"),
]


@pytest.fixture
def ids(stand: Stand) -> Iterator[dict[str, str]]:
    """A delivery that loads, one that was weighed and is to be corrected, one of a weight; notes, one split; a recall."""
    stand.hear_deal(5)
    stand.hear_deal(0, deal_id="deal_2", quantity=_tonnes("25"))
    gate = stand.make_gate()
    loading, weighed = stand.start(gate, "piece_1").ok(), stand.start(gate, "piece_2").ok()
    stand.start(gate, deal_id="deal_2", quantity={"value": "20", "unit": "TNE"}).ok()
    noted = stand.issue(deal_id="deal_2", quantity={"value": "5", "unit": "TNE"}).ok()
    truck = {"plate": "x", "driver": "y"}
    parts = [truck | {"piece_ids": [piece]} for piece in ("piece_3", "piece_4")]
    split = stand.change(stand.issue("piece_3", "piece_4").ok(), "split", {"parts": parts}).ok()
    assert stand.recall("piece_5")
    ticket = stand.weigh(weighed, "loading").ok()
    (passage,) = stand.pass_gate(gate, 2)
    stand.weigh(weighed, "receiving").ok()
    third = stand.weigh(weighed, "third_party", party="platform", role="operator").ok()
    proposed = stand.correct(weighed, third, 15_000, party="buyer").ok()
    assert stand.broken() == {}
    yield {
        "loading": loading["id"],
        "weighed": weighed["id"],
        "used": loading["note_id"],
        "noted": noted["id"],
        "split": split["note"]["id"],
        "child": split["children"][0]["id"],
        "ticket": ticket["id"],
        "proposed": proposed["id"],
        "passage": passage["id"],
        "gate": gate["id"],
        "event": stand.rows("SELECT min(id) FROM epcis_event")[0][0],
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
