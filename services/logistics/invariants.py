"""What is always true of deliveries, tickets and passages, as SQL that names what breaks it."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "piece_on_one_truck",
        "A piece is on one live delivery at most.",
        "SELECT piece_id AS id FROM delivery_piece WHERE claim = 'live' GROUP BY piece_id HAVING count(*) > 1",
    ),
    Invariant(
        "piece_brought_once",
        "A piece is carried once for a deal.",
        "SELECT deal_id || '/' || piece_id AS id FROM delivery_piece WHERE claim <> 'freed' "
        "GROUP BY deal_id, piece_id HAVING count(*) > 1",
    ),
    Invariant(
        "claim_follows_delivery",
        "What a delivery has of its pieces is what its state says.",
        "SELECT DISTINCT d.id FROM delivery d JOIN delivery_piece p ON p.delivery_id = d.id WHERE p.claim <> "
        "CASE d.state WHEN 'cancelled' THEN 'freed' WHEN 'weighed' THEN 'brought' ELSE 'live' END",
    ),
    Invariant(
        "delivery_within_deal",
        "A delivery carries pieces of its own deal only.",
        "SELECT DISTINCT p.delivery_id AS id FROM delivery_piece p "
        "LEFT JOIN deal_piece d ON d.deal_id = p.deal_id AND d.piece_id = p.piece_id "
        "WHERE p.claim <> 'freed' AND d.piece_id IS NULL",
    ),
    Invariant(
        "deal_not_overloaded",
        "The deliveries of a deal over a weight carry no more than the deal.",
        "SELECT d.id FROM deal d JOIN delivery v ON v.deal_id = d.id AND v.state <> 'cancelled' "
        "WHERE NOT EXISTS (SELECT 1 FROM deal_piece p WHERE p.deal_id = d.id) "
        "GROUP BY d.id HAVING sum(v.quantity_value) > d.quantity_value",
    ),
    Invariant(
        "net_is_gross_less_tare",
        "The net weight of a ticket is its gross weight less its tare.",
        "SELECT id FROM weigh_ticket WHERE net_kg <> gross_kg - tare_kg",
    ),
    Invariant(
        "one_ticket_in_force",
        "Each end of a delivery has one ticket in force at most.",
        "SELECT t.delivery_id || '/' || t.\"end\" AS id FROM weigh_ticket t "
        "WHERE NOT EXISTS (SELECT 1 FROM weigh_ticket r WHERE r.replaces = t.id) "
        'GROUP BY t.delivery_id, t."end" HAVING count(*) > 1',
    ),
    Invariant(
        "weight_is_the_ticket's",
        "The weights of a delivery are those of its tickets in force.",
        "SELECT DISTINCT t.delivery_id AS id FROM weigh_ticket t JOIN delivery d ON d.id = t.delivery_id "
        "WHERE NOT EXISTS (SELECT 1 FROM weigh_ticket r WHERE r.replaces = t.id) "
        "AND t.net_kg IS DISTINCT FROM CASE t.\"end\" WHEN 'loading' THEN d.loaded_value ELSE d.received_value END",
    ),
    Invariant(
        "weighed_has_both_weights",
        "A delivery is weighed when both its weights stand, and not before.",
        "SELECT id FROM delivery "
        "WHERE (state = 'weighed') <> (loaded_value IS NOT NULL AND received_value IS NOT NULL)",
    ),
    Invariant(
        "waiting_has_a_deadline",
        "Whatever waits has a deadline, and nothing else has.",
        "SELECT id FROM delivery WHERE (due_at IS NULL) <> (state IN ('weighed', 'cancelled')) "
        "UNION ALL SELECT id FROM passage WHERE (due_at IS NULL) <> (state = 'closed')",
    ),
    Invariant(
        "reads_are_counted_once",
        "The passages of a window are made of its reads, each once.",
        "SELECT p.window_id AS id FROM "
        "(SELECT window_id, sum(reads) AS reads FROM passage WHERE state = 'closed' GROUP BY window_id "
        "HAVING max(opened_at) > (SELECT max(opened_at) FROM passage) - interval '7 days') p "
        "LEFT JOIN (SELECT window_id, count(*) AS reads FROM tag_read GROUP BY window_id) r USING (window_id) "
        "WHERE p.reads <> coalesce(r.reads, 0)",
    ),
    Invariant(
        "reads_are_not_left_lying",
        "Reads that wait have an open passage to wait for.",
        "SELECT DISTINCT r.gate_id AS id FROM tag_read r WHERE r.window_id IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM passage p WHERE p.gate_id = r.gate_id AND p.state = 'open')",
    ),
    Invariant(
        "gate_departure_has_a_passage",
        "A delivery that its gate saw leave went through with a passage.",
        "SELECT d.id FROM delivery d WHERE d.departure_seen_by = 'gate' "
        "AND NOT EXISTS (SELECT 1 FROM passage_delivery p WHERE p.delivery_id = d.id)",
    ),
    Invariant(
        "passage_has_its_event",
        "An EPCIS event that a passage names has been captured.",
        "SELECT p.id FROM passage p WHERE p.epcis_event_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM epcis_event e WHERE e.event_id = p.epcis_event_id)",
    ),
)
