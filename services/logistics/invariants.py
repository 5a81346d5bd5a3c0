"""What is always true of notes, deliveries, tickets and passages, as SQL that names what breaks it."""

from __future__ import annotations

from chassis.service import Invariant

IN_FORCE = (
    "NOT EXISTS (SELECT 1 FROM correction r WHERE r.replaces = t.id AND r.state = 'in_force') "
    "AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.id = t.id AND c.state <> 'in_force') "
    "AND NOT (t.\"end\" = 'third_party' AND d.third_party_value IS NULL AND d.accepted_stage IN ('whole', 'decided'))"
)
"""A ticket t of a delivery d says what the delivery weighs."""

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
        "The deliveries and the open notes of a deal over a weight are over no more than the deal.",
        "SELECT d.id FROM deal d JOIN ("
        "SELECT deal_id, quantity_value FROM delivery WHERE state <> 'cancelled' "
        "UNION ALL SELECT deal_id, quantity_value FROM pickup_note WHERE state = 'issued') v ON v.deal_id = d.id "
        "WHERE NOT EXISTS (SELECT 1 FROM deal_piece p WHERE p.deal_id = d.id) "
        "GROUP BY d.id HAVING sum(v.quantity_value) > d.quantity_value",
    ),
    Invariant(
        "piece_in_one_note",
        "A piece is in one open pick-up note at most, and then on no truck.",
        "SELECT piece_id AS id FROM note_piece WHERE claim = 'open' GROUP BY piece_id HAVING count(*) > 1 "
        "UNION SELECT n.piece_id FROM note_piece n JOIN delivery_piece p ON p.piece_id = n.piece_id "
        "WHERE n.claim = 'open' AND p.claim = 'live'",
    ),
    Invariant(
        "note_within_deal",
        "An open note is over pieces of its own deal only.",
        "SELECT DISTINCT p.note_id AS id FROM note_piece p "
        "LEFT JOIN deal_piece d ON d.deal_id = p.deal_id AND d.piece_id = p.piece_id "
        "WHERE p.claim = 'open' AND d.piece_id IS NULL",
    ),
    Invariant(
        "claim_follows_note",
        "What a note has of its pieces is what its state says.",
        "SELECT DISTINCT n.id FROM pickup_note n JOIN note_piece p ON p.note_id = n.id "
        "WHERE (n.state = 'issued') <> (p.claim = 'open') OR (p.claim = 'taken' AND n.state <> 'used')",
    ),
    Invariant(
        "used_note_has_its_delivery",
        "A used note has its delivery, which carries no more than the note is over; no other note has one.",
        "SELECT n.id FROM pickup_note n LEFT JOIN delivery d ON d.note_id = n.id "
        "WHERE (n.state = 'used') <> (d.id IS NOT NULL) OR d.quantity_value > n.quantity_value "
        "UNION SELECT d.note_id FROM delivery d JOIN delivery_piece p ON p.delivery_id = d.id WHERE d.note_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM note_piece n WHERE n.note_id = d.note_id AND n.piece_id = p.piece_id "
        "AND n.claim = 'taken')",
    ),
    Invariant(
        "split_note_is_its_children",
        "The notes that stand for a split one are together over what it was over.",
        "SELECT n.id FROM pickup_note n LEFT JOIN pickup_note c ON c.parent_id = n.id "
        "GROUP BY n.id HAVING (n.state = 'split') <> (count(c.id) > 0) OR sum(c.quantity_value) <> n.quantity_value "
        "UNION SELECT n.id FROM pickup_note n JOIN note_piece p ON p.note_id = n.id WHERE n.state = 'split' "
        "AND (SELECT count(*) FROM pickup_note c JOIN note_piece q ON q.note_id = c.id "
        "WHERE c.parent_id = n.id AND q.piece_id = p.piece_id) <> 1",
    ),
    Invariant(
        "recalled_is_not_carried",
        "What was given back of a deal is neither in an open note nor on a truck of it.",
        "SELECT r.id FROM recall r WHERE r.is_free AND EXISTS (SELECT 1 FROM note_piece n "
        "WHERE n.deal_id = r.deal_id AND n.claim = 'open' AND n.piece_id = ANY (r.piece_ids)) "
        "UNION SELECT r.id FROM recall r WHERE r.is_free AND EXISTS (SELECT 1 FROM delivery_piece p "
        "WHERE p.deal_id = r.deal_id AND p.claim <> 'freed' AND p.piece_id = ANY (r.piece_ids))",
    ),
    Invariant(
        "net_is_gross_less_tare",
        "The net weight of a ticket is its gross weight less its tare.",
        "SELECT id FROM weigh_ticket WHERE net_kg <> gross_kg - tare_kg",
    ),
    Invariant(
        "one_ticket_in_force",
        "Each end of a delivery has one ticket in force at most.",
        "SELECT t.delivery_id || '/' || t.\"end\" AS id FROM weigh_ticket t JOIN delivery d ON d.id = t.delivery_id "
        f'WHERE {IN_FORCE} GROUP BY t.delivery_id, t."end" HAVING count(*) > 1',
    ),
    Invariant(
        "weight_is_the_ticket's",
        "The weights of a delivery are those of its tickets in force.",
        "SELECT DISTINCT t.delivery_id AS id FROM weigh_ticket t JOIN delivery d ON d.id = t.delivery_id "
        f"WHERE {IN_FORCE} AND t.net_kg IS DISTINCT FROM CASE t.\"end\" WHEN 'loading' THEN d.loaded_value "
        "WHEN 'receiving' THEN d.received_value ELSE d.third_party_value END",
    ),
    Invariant(
        "correction_in_force_is_signed",
        "A correction is a ticket that names what it replaces, and in force when buyer and seller have both signed it.",
        "SELECT c.id FROM correction c LEFT JOIN weigh_ticket t ON t.id = c.id "
        "WHERE t.replaces IS DISTINCT FROM c.replaces OR (c.state IN ('in_force', 'too_late')) <> "
        "(c.buyer_signed_by IS NOT NULL AND c.seller_signed_by IS NOT NULL) "
        "UNION SELECT t.id FROM weigh_ticket t WHERE t.replaces IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM correction c WHERE c.id = t.id)",
    ),
    Invariant(
        "no_correction_waits_in_vain",
        "Nobody is asked to sign a correction of a delivery that was accepted or called off.",
        "SELECT c.id FROM correction c JOIN delivery d ON d.id = c.delivery_id "
        "WHERE c.state = 'proposed' AND (d.accepted_stage IS NOT NULL OR d.state = 'cancelled')",
    ),
    Invariant(
        "weighed_has_its_weights",
        "A delivery is weighed when both its weights stand, and not before; where a third party decides, once that has.",
        "SELECT id FROM delivery WHERE state = 'weighed' AND (loaded_value IS NULL OR received_value IS NULL) "
        "UNION ALL SELECT id FROM delivery WHERE state <> 'weighed' AND loaded_value IS NOT NULL AND CASE "
        "WHEN weigher_decides THEN third_party_value IS NOT NULL ELSE received_value IS NOT NULL END",
    ),
    Invariant(
        "waiting_has_a_deadline",
        "Whatever waits has a deadline, and nothing else has.",
        "SELECT id FROM delivery WHERE (due_at IS NULL) <> (state IN ('weighed', 'cancelled')) "
        "UNION ALL SELECT id FROM pickup_note WHERE (due_at IS NULL) <> (state <> 'issued') "
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
