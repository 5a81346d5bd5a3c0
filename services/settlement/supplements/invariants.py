"""What is always true of supplementary payments."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        "shortfall_is_asked_for",
        "What a delivery lacked is asked for in one supplement, and no supplement asks for anything else.",
        """
        SELECT coalesce(line.id, supplement.id) AS id
        FROM (SELECT * FROM statement_line WHERE kind = 'delivery' AND shortfall > 0) AS line
        FULL JOIN supplement USING (delivery_id, stage)
        WHERE line.shortfall IS DISTINCT FROM supplement.amount_amount
        AND (supplement.id IS NOT NULL OR line.value IS NOT NULL)
        """,
    ),
    Invariant(
        "supplement_stated",
        "A supplement that was paid has its amount in a line of the statement, one that was missed a default without money.",
        """
        SELECT coalesce(supplement.id, line.id) AS id FROM supplement
        FULL JOIN (SELECT * FROM statement_line WHERE supplement_id IS NOT NULL) AS line
            ON line.supplement_id = supplement.id
        WHERE supplement.id IS NULL OR (supplement.state, supplement.amount_amount) IS DISTINCT FROM (
            CASE line.kind WHEN 'supplement' THEN 'paid' WHEN 'default' THEN 'missed' ELSE 'awaiting' END,
            CASE line.kind WHEN 'supplement' THEN line.from_supplement ELSE supplement.amount_amount END
        )
        """,
    ),
    Invariant(
        "supplement_awaited_until",
        "A supplement has a deadline exactly while it is awaited.",
        "SELECT id FROM supplement WHERE (state = 'awaiting') <> (due_at IS NOT NULL)",
    ),
)
