"""The statements of a deal, as Haihe's services run them."""

_MONEY = ("net", "tax", "gross", "buyer_deposit", "seller_deposit")
_DEAL = (
    "id", "version", "state", "due_at", "market", "offer_id", "terms_version", "buyer_id", "seller_id", "buyer",
    "seller", "warehouse_id", "terms", "penalty_rate", "pieces", "quantity_value", "quantity_unit", "returned_value",
    "returned_unit", *(f"{name}_{part}" for name in _MONEY for part in ("amount", "currency")), "struck_at",
)  # fmt: skip
_ENDED = ("paid_at", "ended_at", "reason", "defaulted_by", "forfeit_amount", "forfeit_currency")

TAKE_QUANTITY = """
UPDATE offer SET version = version + 1, remaining_value = remaining_value - %(wanted)s,
    state = CASE WHEN remaining_value = %(wanted)s THEN 'taken' ELSE 'partly_taken' END,
    due_at = CASE WHEN remaining_value = %(wanted)s THEN NULL ELSE due_at END
WHERE id = %(offer)s AND state IN ('listed', 'partly_taken') AND terms_version = %(seen)s AND valid_until > %(now)s
AND %(wanted)s > 0 AND remaining_value >= %(wanted)s AND step_value IS NOT NULL AND remaining_unit = %(unit)s
AND (remaining_value = %(wanted)s OR %(wanted)s >= minimum_value AND %(wanted)s %% step_value = 0
    AND remaining_value - %(wanted)s >= minimum_value)
RETURNING id, version, terms_version, state, due_at, valid_until, market, seller_id, warehouse_id, title, terms,
    penalty_rate, listed_value, listed_unit, remaining_value, remaining_unit, withdrawn_value, withdrawn_unit,
    minimum_value, minimum_unit, step_value, step_unit"""
READ_PARTIES = """
SELECT id, version, name, country, state, controlling_group, identifiers, bank_accounts FROM party WHERE id = ANY(%s)"""
ADD_DEAL = f"INSERT INTO deal ({', '.join(_DEAL)}) VALUES ({', '.join(f'%({name})s' for name in _DEAL)})"
TELL = """
INSERT INTO outbox (topic, key, headers, value, at)
SELECT topic, key, headers::jsonb, value, %(at)s
FROM unnest(%(topics)s::text[], %(keys)s::text[], %(headers)s::text[], %(values)s::bytea[])
    WITH ORDINALITY AS row (topic, key, headers, value, place) ORDER BY place"""
HEAR = """
WITH fresh AS (
    INSERT INTO inbox (consumer_group, event_id, at) SELECT %(group)s, id, %(at)s FROM unnest(%(ids)s::text[]) AS id
    ON CONFLICT DO NOTHING RETURNING event_id),
parked AS (SELECT topic, key FROM parked_key WHERE consumer_group = %(group)s FOR SHARE)
SELECT event_id, NULL, NULL FROM fresh UNION ALL SELECT NULL, topic, key FROM parked"""
ARE_ASKED = "SELECT EXISTS (SELECT * FROM deposits WHERE id = %s)"
ADD_DEPOSITS = """
INSERT INTO deposits (id, buyer_id, seller_id, buyer_deposit_amount, buyer_deposit_currency,
    seller_deposit_amount, seller_deposit_currency, state)
VALUES (%(id)s, %(buyer_id)s, %(seller_id)s, %(buyer_deposit_amount)s, %(buyer_deposit_currency)s,
    %(seller_deposit_amount)s, %(seller_deposit_currency)s, 'asked')"""
POST = """
SELECT n, outcome, journal_id, account_id, missing FROM post_journals(
    %s::text[], %s::text[], %s::text[], %s::text[], %s::text[], %s::int[], %s::text[], %s::bigint[], %s::timestamptz)
ORDER BY n"""
POST_ONE = """
SELECT outcome, journal_id, account_id, missing FROM post_journal(
    %s, %s, %s, %s, %s, %s::text[], %s::bigint[], %s::timestamptz)"""
HOLD = "UPDATE deposits SET state = 'held' WHERE id = %s"
ADD_HOLD = """
INSERT INTO hold (id, deal_id, party_id, side, currency, amount, open, released, converted, forfeited, divided,
    created_at, state)
VALUES (%s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 0, %s, 'active')"""
LOCK_DEAL = f"SELECT {', '.join(_DEAL + _ENDED)} FROM deal WHERE id = %s FOR UPDATE"
MAKE_EFFECTIVE = "UPDATE deal SET version = version + 1, state = 'effective', due_at = %s WHERE id = %s"
ADD_AGREEMENT = """
INSERT INTO agreement (id, state, buyer_id, seller_id, body, sha256, drawn_at)
VALUES (%s, 'drawn', %s, %s, %s, %s, %s)"""
