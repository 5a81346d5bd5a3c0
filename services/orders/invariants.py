"""What is always true of offers, deals and their parts, deliveries and agreements: each query names who breaks it."""

from __future__ import annotations

from chassis.service import Invariant
from chassis.values import CURRENCY_EXPONENTS

_EXPONENT = "CASE d.gross_currency {} END".format(
    " ".join(f"WHEN '{currency}' THEN {exponent}" for currency, exponent in CURRENCY_EXPONENTS.items())
)
_LIVE = "('deposits_pending', 'effective', 'signed', 'delivering', 'settling')"
_DELIVERED = "('disputed', 'accepted', 'owing', 'settled')"
_PIECES = "deal d CROSS JOIN LATERAL jsonb_to_recordset(d.pieces) AS p (piece_id text, net jsonb, gross jsonb)"
_ENDED = "EXISTS (SELECT FROM ended_part e WHERE e.deal_id = d.id AND e.piece_ids @> to_jsonb({}))"
_PASSED = (
    "EXISTS (SELECT FROM delivery v WHERE v.deal_id = d.id AND v.passed_at IS NOT NULL AND v.piece_ids @> to_jsonb({}))"
)
_HELD = f"d.state IN {_LIVE} AND NOT {_ENDED} AND NOT {_PASSED}".replace("{}", "p.piece_id")
_WORTH = (
    "(SELECT sum((p.gross ->> 'amount')::bigint) FROM jsonb_to_recordset(d.pieces) AS p (piece_id text, gross jsonb) "
    "WHERE {}.piece_ids @> to_jsonb(p.piece_id))"
)
_PRICED = "d.pieces <> '[]' AND NOT jsonb_path_exists(d.pieces, '$[*] ? (@.gross == null || !exists(@.gross))')"

_OFFERS = (
    Invariant(
        "offer_sums",
        "Of each offer: what remains, was withdrawn and is in deals is what was listed (L1).",
        "SELECT o.id FROM offer o LEFT JOIN deal d ON d.offer_id = o.id GROUP BY o.id HAVING o.listed_value <> "
        "o.remaining_value + o.withdrawn_value + coalesce(sum(d.quantity_value - d.returned_value), 0)",
    ),
    Invariant(
        "offer_never_oversold",
        "No offer has less than nothing left, and only an open one has anything.",
        "SELECT id FROM offer WHERE remaining_value < 0 OR withdrawn_value < 0 "
        "OR (remaining_value > 0) <> (state IN ('listed', 'partly_taken'))",
    ),
    Invariant(
        "offer_pieces",
        "What remains of an offer by pieces is the weight of its free pieces.",
        "SELECT o.id FROM offer o LEFT JOIN allotment a ON a.offer_id = o.id AND a.deal_id IS NULL "
        "WHERE o.step_value IS NULL GROUP BY o.id HAVING o.remaining_value <> coalesce(sum(a.net_value), 0)",
    ),
    Invariant(
        "offer_audience",
        "A directed offer is to others than its seller, and only they take from it.",
        "SELECT id FROM offer WHERE cardinality(audience) = 0 OR seller_id = ANY (audience) "
        "UNION SELECT d.id FROM deal d JOIN offer o ON o.id = d.offer_id WHERE d.buyer_id <> ALL (o.audience)",
    ),
    Invariant(
        "offer_product",
        "An offer of a product is by weight, and its deals are of the same product.",
        "SELECT id FROM offer WHERE product_id IS NOT NULL AND step_value IS NULL "
        "UNION SELECT d.id FROM deal d JOIN offer o ON o.id = d.offer_id WHERE d.product_id IS DISTINCT FROM o.product_id",
    ),
)

_DEALS = (
    Invariant(
        "piece_once",
        "No piece is held by two live deals, and each that one holds is promised to it until it passed or its part ended.",
        f"SELECT p.piece_id AS id FROM {_PIECES} WHERE {_HELD} GROUP BY p.piece_id HAVING count(*) > 1 "
        f"UNION SELECT d.id FROM {_PIECES} LEFT JOIN allotment a ON a.piece_id = p.piece_id AND a.deal_id = d.id "
        f"WHERE {_HELD} AND a.piece_id IS NULL",
    ),
    Invariant(
        "promise_has_deal",
        "Each promise to a deal is to a live one, or passes a piece that was delivered and settled to its buyer.",
        "SELECT a.piece_id AS id FROM allotment a LEFT JOIN deal d ON d.id = a.deal_id WHERE a.deal_id IS NOT NULL "
        f"AND (d.id IS NULL OR d.offer_id <> a.offer_id OR d.state = 'cancelled' OR a.passes_to <> d.buyer_id "
        f"OR {_ENDED.replace('{}', 'a.piece_id')} OR CASE WHEN a.passes_to IS NULL THEN d.state NOT IN {_LIVE} "
        f"ELSE d.state IN {_LIVE} AND NOT {_PASSED.replace('{}', 'a.piece_id')} END)",
    ),
    Invariant(
        "deal_pieces",
        "The quantity of a deal by pieces is that of its pieces; a deal has pieces when its offer has.",
        f"SELECT d.id FROM {_PIECES} GROUP BY d.id HAVING d.quantity_value <> sum((p.net ->> 'value')::numeric) "
        "UNION SELECT d.id FROM deal d JOIN offer o ON o.id = d.offer_id "
        "WHERE (o.step_value IS NULL) = (d.pieces = '[]')",
    ),
    Invariant(
        "deal_amounts",
        "Of each deal net and tax make gross, the stated one is price times quantity, and deposits are within gross.",
        "SELECT d.id FROM deal d WHERE d.net_amount + d.tax_amount <> d.gross_amount OR d.gross_amount <= 0 "
        "OR d.buyer_deposit_amount NOT BETWEEN 0 AND d.gross_amount "
        "OR d.seller_deposit_amount NOT BETWEEN 0 AND d.gross_amount "
        "OR CASE d.terms ->> 'tax_basis' WHEN 'tax_included' THEN d.gross_amount ELSE d.net_amount END "
        f"<> round((d.terms #>> '{{price,value}}')::numeric * d.quantity_value * 10::numeric ^ ({_EXPONENT}))",
    ),
    Invariant(
        "deal_end",
        "A deal gave back what its ended parts held, says why it came to nothing, and forfeits are within the deposit.",
        "SELECT d.id FROM deal d LEFT JOIN ended_part e ON e.deal_id = d.id GROUP BY d.id HAVING "
        "(d.state = 'cancelled' AND d.returned_value <> d.quantity_value) "
        "OR (d.state IN ('cancelled', 'defaulted') AND d.reason IS NULL) "
        "OR ((count(e.id) > 0 OR d.state NOT IN ('cancelled', 'defaulted')) "
        "AND d.returned_value <> coalesce(sum(e.quantity_value), 0)) "
        "OR (d.state = 'defaulted') <> (d.forfeit_amount IS NOT NULL) OR d.forfeit_amount NOT BETWEEN 0 "
        "AND CASE d.defaulted_by WHEN 'buyer' THEN d.buyer_deposit_amount ELSE d.seller_deposit_amount END "
        "OR coalesce(sum(e.forfeit_amount) FILTER (WHERE e.by = 'buyer'), 0) > d.buyer_deposit_amount "
        "OR coalesce(sum(e.forfeit_amount) FILTER (WHERE e.by = 'seller'), 0) > d.seller_deposit_amount",
    ),
    Invariant(
        "deal_deadline",
        "Each deal, offer, delivery and cancellation has a deadline exactly while it waits for something.",
        f"SELECT id FROM deal WHERE (state IN {_LIVE}) <> (due_at IS NOT NULL) "
        "UNION SELECT id FROM offer WHERE (state IN ('listed', 'partly_taken')) <> (due_at IS NOT NULL) "
        "UNION SELECT id FROM delivery WHERE (state = 'weighed') <> (due_at IS NOT NULL) "
        "UNION SELECT id FROM cancellation WHERE (state IN ('proposed', 'agreed')) <> (due_at IS NOT NULL)",
    ),
    Invariant(
        "deal_paid",
        "What is in escrow is no more than the gross, and all of it when all is paid; before a payment there is nothing.",
        "SELECT id FROM deal WHERE funded_amount NOT BETWEEN 0 AND gross_amount OR paid_value > quantity_value "
        "OR (paid_value = quantity_value AND funded_amount <> gross_amount) OR (funded_amount IS NULL) <> (paid_value IS NULL) "
        "OR (paid_at IS NULL AND paid_value IS NOT NULL)",
    ),
    Invariant(
        "deal_recall",
        "A deal is taking a part back exactly while one agreed cancellation of it waits for logistics.",
        "SELECT d.id FROM deal d LEFT JOIN cancellation c ON c.deal_id = d.id AND c.state = 'agreed' GROUP BY d.id "
        "HAVING count(c.id) <> CASE WHEN d.recalled IS NULL THEN 0 ELSE 1 END",
    ),
)

_PARTS = (
    Invariant(
        "part_once",
        "No piece of a deal is in two parts: on two trucks, in two ended parts, or in one of each.",
        "SELECT deal_id AS id FROM (SELECT deal_id, piece_ids FROM ended_part UNION ALL "
        "SELECT deal_id, piece_ids FROM delivery WHERE state <> 'cancelled') AS part "
        "CROSS JOIN LATERAL jsonb_array_elements_text(piece_ids) AS p (piece_id) "
        "GROUP BY deal_id, piece_id HAVING count(*) > 1",
    ),
    Invariant(
        "part_value",
        "The value of a part by pieces is that of its pieces, and the pieces of a deal make up its gross.",
        f"SELECT d.id FROM {_PIECES} WHERE {_PRICED} GROUP BY d.id "
        "HAVING sum((p.gross ->> 'amount')::bigint) <> d.gross_amount "
        f"UNION SELECT d.id FROM deal d JOIN ended_part e ON e.deal_id = d.id WHERE {_PRICED} AND e.piece_ids <> '[]' "
        f"AND e.value_amount <> {_WORTH.replace('{}', 'e')} "
        f"UNION SELECT d.id FROM deal d JOIN delivery v ON v.deal_id = d.id WHERE {_PRICED} "
        f"AND v.state IN {_DELIVERED} AND v.value_amount <> {_WORTH.replace('{}', 'v')}",
    ),
    Invariant(
        "parts_add_up",
        "The values of a deal's ended parts and of its deliveries make its gross when it is over, and no more before.",
        "SELECT d.id FROM deal d CROSS JOIN LATERAL (SELECT count(*) AS ended, coalesce(sum(e.value_amount), 0) AS value "
        "FROM ended_part e WHERE e.deal_id = d.id) AS e CROSS JOIN LATERAL (SELECT coalesce(sum(v.value_amount), 0) AS value, "
        "count(*) FILTER (WHERE v.value_amount IS NULL) AS unknown FROM delivery v WHERE v.deal_id = d.id "
        f"AND v.state IN {_DELIVERED}) AS v WHERE v.unknown = 0 AND (e.value + v.value > d.gross_amount "
        "OR (e.value + v.value < d.gross_amount AND (d.state IN ('settling', 'completed') "
        "OR (d.ended_at IS NOT NULL AND e.ended > 0))))",
    ),
)

_DELIVERIES = (
    Invariant(
        "delivery_amounts",
        "Each weighed delivery has its settled quantity, and its net and tax make gross.",
        f"SELECT id FROM delivery WHERE (state = 'weighed' OR state IN {_DELIVERED}) AND "
        "(settled_value IS NULL OR net_amount + tax_amount IS DISTINCT FROM gross_amount OR gross_amount < 0)",
    ),
    Invariant(
        "delivery_lines",
        "The lines of a delivery make up what it comes to and its value, and its money has moved when theirs has.",
        "SELECT v.id FROM delivery v JOIN delivery_line l ON l.delivery_id = v.id GROUP BY v.id HAVING "
        f"v.state NOT IN {_DELIVERED} OR (v.state = 'settled') <> (v.state <> 'disputed' AND bool_and(l.state = 'settled')) "
        "OR (v.state <> 'disputed' AND (sum(l.net_amount), sum(l.tax_amount), sum(l.gross_amount)) "
        "IS DISTINCT FROM (v.net_amount, v.tax_amount, v.gross_amount)) "
        "OR sum(l.value_amount) > v.value_amount OR (v.state <> 'disputed' AND sum(l.value_amount) < v.value_amount)",
    ),
    Invariant(
        "delivery_pieces",
        "The pieces of a delivery are those of its deal.",
        "SELECT v.id FROM delivery v JOIN deal d ON d.id = v.deal_id "
        "CROSS JOIN LATERAL jsonb_array_elements_text(v.piece_ids) AS p (piece_id) "
        "WHERE NOT d.pieces @> jsonb_build_array(jsonb_build_object('piece_id', p.piece_id))",
    ),
    Invariant(
        "deliveries_cover",
        "Of a settling or completed deal everything was delivered or ended; a completed one is settled.",
        "SELECT d.id FROM deal d LEFT JOIN delivery v ON v.deal_id = d.id AND v.state <> 'cancelled' "
        "WHERE d.state IN ('settling', 'completed') GROUP BY d.id HAVING "
        "coalesce(sum(coalesce(v.covered_value, v.quantity_value)), 0) + d.returned_value < d.quantity_value OR count(v.id) = 0 "
        f"OR count(*) FILTER (WHERE v.state NOT IN {_DELIVERED}) > 0 OR count(*) FILTER (WHERE v.is_last) > 1 "
        "OR (d.state = 'completed' AND count(*) FILTER (WHERE v.state <> 'settled') > 0)",
    ),
)

_AGREEMENTS = (
    Invariant(
        "agreement_text",
        "The SHA-256 of each agreement is that of its text.",
        "SELECT id FROM agreement WHERE encode(sha256(convert_to(body, 'UTF8')), 'hex') <> sha256",
    ),
    Invariant(
        "agreement_signed",
        "A deal is signed and goes on exactly when both sides have signed its agreement; where one has not, it defaulted.",
        "SELECT d.id FROM deal d LEFT JOIN agreement a ON a.id = d.id WHERE CASE "
        "WHEN d.state = 'deposits_pending' THEN a.id IS NOT NULL "
        "WHEN d.state = 'effective' THEN a.state IS NULL OR a.state NOT IN ('drawn', 'partly_signed') "
        "WHEN d.state = 'cancelled' AND coalesce(d.pay_by, d.paid_at) IS NULL THEN a.state <> 'void' "
        "WHEN d.state = 'defaulted' AND d.reason = 'not_signed' THEN a.state IS DISTINCT FROM 'void' "
        "OR (a.buyer_signed_by IS NULL) = (a.seller_signed_by IS NULL) "
        "ELSE a.state IS DISTINCT FROM 'signed' OR a.buyer_signed_by IS NULL OR a.seller_signed_by IS NULL END",
    ),
)

INVARIANTS = _OFFERS + _DEALS + _PARTS + _DELIVERIES + _AGREEMENTS
