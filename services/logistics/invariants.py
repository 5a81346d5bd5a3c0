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
        "UNION ALL SELECT id FROM passage WHERE (due_at IS NULL) <> (state <> 'open') "
        "UNION ALL SELECT id FROM stock_take WHERE (due_at IS NULL) <> (state <> 'open') "
        "UNION ALL SELECT id FROM lot_recall WHERE (due_at IS NULL) <> (state <> 'open') "
        "UNION ALL SELECT id FROM stay WHERE (due_at IS NULL) <> (state <> 'present' OR gate_id IS NULL)",
    ),
    Invariant(
        "task_has_its_events",
        "What the result of a discrepancy was recorded as has been captured, and only a closed one has a result.",
        "SELECT d.id FROM discrepancy d WHERE d.state <> 'closed' AND d.result IS NOT NULL "
        "UNION SELECT d.id FROM discrepancy d CROSS JOIN LATERAL unnest(d.closing_event_ids) AS named "
        "WHERE NOT EXISTS (SELECT 1 FROM epcis_event e WHERE e.event_id = named)",
    ),
    Invariant(
        "stock_take_is_told_once_closed",
        "A stock-take has lines once it is closed, of its own warehouse's zones, and names an event that was captured.",
        "SELECT t.id FROM stock_take t WHERE t.state <> 'closed' "
        "AND EXISTS (SELECT 1 FROM stock_take_line l WHERE l.stock_take_id = t.id) "
        "UNION SELECT t.id FROM stock_take t LEFT JOIN zone z ON z.id = t.zone_id "
        "WHERE t.zone_id IS NOT NULL AND z.party_id IS DISTINCT FROM t.warehouse_id "
        "UNION SELECT t.id FROM stock_take t WHERE t.epcis_event_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM epcis_event e WHERE e.event_id = t.epcis_event_id)",
    ),
    Invariant(
        "cancelled_recall_asks_nobody",
        "The notices of a recall that was a mistake are withdrawn, and no others.",
        "SELECT n.id FROM recall_notice n JOIN lot_recall r ON r.id = n.recall_id "
        "WHERE (r.state = 'cancelled') <> (n.state = 'withdrawn')",
    ),
    Invariant(
        "reads_are_counted_once",
        "The passages that stand at a gate where nothing is open are made of its reads, each once.",
        "WITH lately AS (SELECT gate_id, max(last_seen) - interval '7 days' AS since FROM passage "
        "WHERE state = 'closed' AND digest IS NOT NULL GROUP BY gate_id "
        "HAVING gate_id NOT IN (SELECT gate_id FROM passage WHERE state = 'open')), "
        "told AS (SELECT p.gate_id, sum(p.reads) AS reads FROM passage p JOIN lately l ON l.gate_id = p.gate_id "
        "AND p.first_seen >= l.since WHERE p.state = 'closed' GROUP BY 1), "
        "kept AS (SELECT r.gate_id, sum(r.count) AS reads FROM tag_read r JOIN lately l ON l.gate_id = r.gate_id "
        "AND r.at >= l.since WHERE r.mark IS DISTINCT FROM 'skewed' AND NOT EXISTS (SELECT 1 FROM parked_tag p "
        "WHERE p.gate_id = r.gate_id AND p.epc = r.epc AND r.at >= p.since AND r.at < p.until AND r.mark IS NULL) GROUP BY 1) "
        "SELECT l.gate_id AS id FROM lately l LEFT JOIN told USING (gate_id) LEFT JOIN kept USING (gate_id) "
        "WHERE coalesce(told.reads, 0) <> coalesce(kept.reads, 0)",
    ),
    Invariant(
        "taken_back_is_superseded_once",
        "What stands for a passage that was taken back has a higher version.",
        "SELECT p.id FROM passage p JOIN passage n ON n.id = p.superseded_by WHERE n.version <= p.version",
    ),
    Invariant(
        "gate_departure_has_a_passage",
        "A delivery that its gate saw leave went through with a passage.",
        "SELECT d.id FROM delivery d WHERE d.departure_seen_by = 'gate' "
        "AND NOT EXISTS (SELECT 1 FROM passage_delivery p WHERE p.delivery_id = d.id)",
    ),
    Invariant(
        "epcis_event_is_found_by_what_it_names",
        "An EPCIS event about a thing has the thing among its keys.",
        "SELECT e.id FROM epcis_event e WHERE e.fields->'epcList'->>0 IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM epcis_key k WHERE k.event = e.id AND k.kind = 'epc')",
    ),
    Invariant(
        "revoked_share_gives_nothing",
        "No company sees an EPCIS event by a share that was revoked.",
        "SELECT s.id FROM event_share s WHERE s.revoked_at IS NOT NULL "
        "AND EXISTS (SELECT 1 FROM epcis_party p WHERE p.why = s.id)",
    ),
    Invariant(
        "seen_event_was_captured",
        "What a company was shown has been captured.",
        "SELECT DISTINCT p.event AS id FROM epcis_party p "
        "WHERE NOT EXISTS (SELECT 1 FROM epcis_event e WHERE e.id = p.event)",
    ),
    Invariant(
        "passage_has_its_event",
        "An EPCIS event that a passage names has been captured.",
        "SELECT p.id FROM passage p WHERE p.epcis_event_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM epcis_event e WHERE e.event_id = p.epcis_event_id)",
    ),
    Invariant(
        "push_is_owed",
        "A subscription that has a push on its way owes it.",
        "SELECT s.id FROM epcis_subscription s WHERE s.pushing IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM errand e WHERE e.id = s.pushing AND e.state = 'owed')",
    ),
    Invariant(
        "waiting_event_is_pushed",
        "What waits for a subscription waits for one that is active, and has a push or a time before it.",
        "SELECT DISTINCT w.subscription_id AS id FROM epcis_waiting w LEFT JOIN epcis_subscription s "
        "ON s.id = w.subscription_id WHERE s.state IS DISTINCT FROM 'active' OR (s.pushing IS NULL AND s.due_at IS NULL)",
    ),
)
