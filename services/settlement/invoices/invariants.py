"""What is always true of invoices: they say what the statement's lines say, to the cent."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "goods_invoice_is_line",
        "Each delivery that came to something has one invoice of the same amounts; one without a line is still awaited.",
        """
        SELECT coalesce(line.id, invoice.id) AS id
        FROM (SELECT * FROM statement_line WHERE kind = 'delivery' AND value IS NOT NULL AND gross > 0) AS line
        FULL JOIN (SELECT * FROM invoice WHERE kind = 'goods') AS invoice USING (delivery_id, stage)
        LEFT JOIN statement_line AS old
            ON (old.delivery_id, old.stage, old.kind) = (invoice.delivery_id, invoice.stage, 'delivery')
        WHERE CASE WHEN coalesce(line.id, old.id) IS NULL THEN invoice.releases IS NULL
            ELSE (invoice.net, invoice.tax, invoice.gross, invoice.currency) IS DISTINCT FROM
                (coalesce(line.net, old.net), coalesce(line.tax, old.tax), coalesce(line.gross, old.gross),
                coalesce(line.currency, old.currency)) END
        """,
    ),
    Invariant(
        "fee_invoice_is_fee",
        "Each fee that the platform took is in one invoice to who bore it, and no such invoice says anything else.",
        """
        SELECT coalesce(line.id, invoice.id) AS id
        FROM (
            SELECT *, fee + forfeit_fee AS taken FROM statement_line WHERE fee + forfeit_fee > 0 AND value IS NOT NULL
        ) AS line
        FULL JOIN (SELECT * FROM invoice WHERE kind = 'fee') AS invoice ON invoice.line_id = line.id
        LEFT JOIN statement_line AS old ON old.id = invoice.line_id
        LEFT JOIN statement ON statement.id = coalesce(line.statement_id, old.statement_id)
        WHERE invoice.gross IS DISTINCT FROM coalesce(line.taken, old.fee + old.forfeit_fee)
        OR invoice.payer_id IS DISTINCT FROM
            CASE WHEN coalesce(line.seller_forfeited, old.seller_forfeited) > 0 THEN buyer_id ELSE seller_id END
        """,
    ),
    Invariant(
        "invoice_adds_up",
        "An invoice's gross is its net and tax.",
        "SELECT id FROM invoice WHERE gross <> net + tax OR least(net, tax) < 0",
    ),
    Invariant(
        "invoice_releases",
        "A delivery that waits for its invoice is paid exactly when that is recorded.",
        """
        SELECT invoice.id FROM invoice
        LEFT JOIN statement_line AS line
            ON (line.delivery_id, line.stage, line.kind) = (invoice.delivery_id, invoice.stage, 'delivery')
        WHERE invoice.kind = 'goods' AND releases IS NOT NULL AND (invoice.state = 'recorded') <> (line.id IS NOT NULL)
        """,
    ),
)
