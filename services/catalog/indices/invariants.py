"""What is always true of the price indices' rows."""

from __future__ import annotations

from chassis.service import Invariant

INVARIANTS = (
    Invariant(
        name="catalog_index_price",
        sentence="A day of an index has a price when it is provisional or final, and none otherwise.",
        query="SELECT id FROM index_day WHERE (standing IN ('provisional', 'final')) <> (price IS NOT NULL)",
    ),
    Invariant(
        name="catalog_index_revisions",
        sentence="A day of an index stands as its last published figure says.",
        query=(
            "SELECT index_day.id FROM index_day LEFT JOIN index_revision AS last "
            "ON last.index_day_id = index_day.id AND last.revision = index_day.revision "
            "WHERE index_day.revision > 0 AND (last.id IS NULL OR (last.standing, last.deals, last.volume) "
            "IS DISTINCT FROM (index_day.standing, index_day.deals, index_day.volume) "
            "OR last.price IS DISTINCT FROM index_day.price)"
        ),
    ),
    Invariant(
        name="catalog_index_deals",
        sentence="A day of an index that nothing is due for has the volume of its deals between two groups.",
        query=(
            "SELECT index_day.id FROM index_day WHERE due_at IS NULL AND standing <> 'collecting' AND volume <> "
            "(SELECT coalesce(sum(index_deal.volume), 0) FROM index_deal WHERE index_deal.code = index_day.code "
            "AND index_deal.day = index_day.day AND standing <> 'removed' AND buyer <> seller)"
        ),
    ),
    Invariant(
        name="catalog_index_final",
        sentence="All deals of a day of an index have ended when it is final.",
        query=(
            "SELECT index_day.id FROM index_day WHERE index_day.standing = 'final' AND EXISTS (SELECT FROM index_deal "
            "WHERE index_deal.code = index_day.code AND index_deal.day = index_day.day AND index_deal.standing = 'open') "
            "AND index_day.due_at IS NULL"
        ),
    ),
)
