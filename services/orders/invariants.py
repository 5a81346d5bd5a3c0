"""What is always true of offers, deals, deliveries and agreements: each query names the ids that break it."""

from __future__ import annotations

from chassis.service import Invariant
from chassis.values import CURRENCY_EXPONENTS

_EXPONENT = "CASE d.gross_currency {} END".format(
    " ".join(f"WHEN '{currency}' THEN {exponent}" for currency, exponent in CURRENCY_EXPONENTS.items())
)
_LIVE = "('deposits_pending', 'effective', 'signed', 'delivering', 'settling')"
_PIECES = "deal d CROSS JOIN LATERAL jsonb_to_recordset(d.pieces) AS p (piece_id text, net jsonb)"

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
)

_DEALS = (
    Invariant(
        "piece_once",
        "No piece is in two live deals, and each piece of a live deal is promised to it.",
        f"SELECT p.piece_id AS id FROM {_PIECES} WHERE d.state IN {_LIVE} GROUP BY p.piece_id HAVING count(*) > 1 "
        f"UNION SELECT d.id FROM {_PIECES} LEFT JOIN allotment a ON a.piece_id = p.piece_id AND a.deal_id = d.id "
        f"WHERE d.state IN {_LIVE} AND a.piece_id IS NULL",
    ),
    Invariant(
        "promise_has_deal",
        "Each promise to a deal is to a live one, or passes a piece to the buyer of one that has ended.",
        "SELECT a.piece_id AS id FROM allotment a LEFT JOIN deal d ON d.id = a.deal_id WHERE a.deal_id IS NOT NULL "
        f"AND (d.id IS NULL OR d.offer_id <> a.offer_id OR (d.state IN {_LIVE}) = (a.passes_to IS NOT NULL) "
        "OR d.state = 'cancelled' OR a.passes_to <> d.buyer_id)",
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
        "A deal that came to nothing gave back what it took and says why; forfeits are within the breaker's deposit.",
        "SELECT id FROM deal WHERE (state = 'cancelled' AND returned_value <> quantity_value) "
        "OR (state IN ('cancelled', 'defaulted') AND reason IS NULL) OR (state = 'completed' AND returned_value <> 0) "
        "OR (state = 'defaulted') <> (forfeit_amount IS NOT NULL) OR forfeit_amount NOT BETWEEN 0 "
        "AND CASE defaulted_by WHEN 'buyer' THEN buyer_deposit_amount ELSE seller_deposit_amount END",
    ),
    Invariant(
        "deal_deadline",
        "Each deal, offer and delivery has a deadline exactly while it waits for something.",
        f"SELECT id FROM deal WHERE (state IN {_LIVE}) <> (due_at IS NOT NULL) "
        "UNION SELECT id FROM offer WHERE (state IN ('listed', 'partly_taken')) <> (due_at IS NOT NULL) "
        "UNION SELECT id FROM delivery WHERE (state = 'weighed') <> (due_at IS NOT NULL)",
    ),
)

_DELIVERIES = (
    Invariant(
        "delivery_amounts",
        "Each weighed delivery has its settled quantity, and its net and tax make gross.",
        "SELECT id FROM delivery WHERE state IN ('weighed', 'accepted', 'settled') AND "
        "(settled_value IS NULL OR net_amount + tax_amount IS DISTINCT FROM gross_amount OR gross_amount < 0)",
    ),
    Invariant(
        "delivery_pieces",
        "A piece of a deal is on one truck, and that truck carries no other deal's.",
        "SELECT v.deal_id AS id FROM delivery v "
        "CROSS JOIN LATERAL jsonb_array_elements_text(v.piece_ids) AS p (piece_id) "
        "WHERE v.state <> 'cancelled' GROUP BY v.deal_id, p.piece_id HAVING count(*) > 1 "
        "UNION SELECT v.id FROM delivery v JOIN deal d ON d.id = v.deal_id "
        "CROSS JOIN LATERAL jsonb_array_elements_text(v.piece_ids) AS p (piece_id) "
        "WHERE NOT d.pieces @> jsonb_build_array(jsonb_build_object('piece_id', p.piece_id))",
    ),
    Invariant(
        "deliveries_cover",
        "A settling or completed deal was delivered in full and accepted, and a completed one is settled.",
        "SELECT d.id FROM deal d LEFT JOIN delivery v ON v.deal_id = d.id AND v.state IN ('accepted', 'settled') "
        "WHERE d.state IN ('settling', 'completed') GROUP BY d.id "
        "HAVING coalesce(sum(v.quantity_value), 0) < d.quantity_value OR count(*) FILTER (WHERE v.is_last) <> 1 "
        "OR (d.state = 'completed' AND count(*) FILTER (WHERE v.state = 'accepted') > 0)",
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
        "A deal is signed, paid, delivered or in default exactly when both sides have signed its agreement.",
        "SELECT d.id FROM deal d LEFT JOIN agreement a ON a.id = d.id WHERE CASE d.state "
        "WHEN 'deposits_pending' THEN a.id IS NOT NULL "
        "WHEN 'effective' THEN a.state IS NULL OR a.state NOT IN ('drawn', 'partly_signed') "
        "WHEN 'cancelled' THEN a.state <> 'void' "
        "ELSE a.state IS DISTINCT FROM 'signed' OR a.buyer_signed_by IS NULL OR a.seller_signed_by IS NULL END",
    ),
)

INVARIANTS = _OFFERS + _DEALS + _DELIVERIES + _AGREEMENTS
