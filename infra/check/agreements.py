"""What two services must agree on, subject by subject, once every message between them has arrived."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Side:
    """What one service says: the query selects (subject, what is said of it), both text, each subject once."""

    service: str
    query: str


@dataclass(frozen=True)
class Agreement:
    """Both sides name the same subjects and say the same of each."""

    name: str
    sentence: str
    one: Side
    other: Side


def _known_alike(name: str, sentence: str, columns: str, *, speaker: str, hearer: str, table: str) -> Agreement:
    """That a projection holds what its speaker holds; ``columns`` is an expression over columns that both tables have."""
    query = f"select id, {columns} from {table}"
    return Agreement(name, sentence, Side(speaker, query), Side(hearer, query))


_PARTIES = tuple(
    _known_alike(
        f"{hearer}_knows_parties",
        f"What {hearer} knows of companies is what identity says of them.",
        "version::text",
        speaker="identity",
        hearer=hearer,
        table="party",
    )
    for hearer in ("catalog", "orders", "settlement")
)
_PIECES = tuple(
    _known_alike(
        f"{hearer}_knows_pieces",
        f"Every piece that {hearer} knows is as the catalog has it, with the same owner.",
        "version || ' ' || owner_id",
        speaker="catalog",
        hearer=hearer,
        table="piece",
    )
    for hearer in ("orders", "logistics")
)

AGREEMENTS: tuple[Agreement, ...] = (
    Agreement(
        "deposits_follow_deals",
        "Both deposits of a deal are held from its beginning to its end, each as large as the deal says, and no longer.",
        Side(
            "orders",
            "select id, case when state in ('completed', 'cancelled', 'defaulted') then 'over' else 'held' end || ' '"
            " || buyer_deposit_amount || ' ' || seller_deposit_amount || ' ' || buyer_deposit_currency "
            "from deal where state <> 'deposits_pending'",
        ),
        Side(
            "settlement",
            "select id, case when state in ('refused', 'resolved') then 'over' else 'held' end || ' '"
            " || buyer_deposit_amount || ' ' || seller_deposit_amount || ' ' || buyer_deposit_currency from deposits",
        ),
    ),
    Agreement(
        "escrow_follows_deals",
        "A signed deal awaits its payment, one that is paid has escrow for what is not shared out yet, and no other has any.",
        Side(
            "orders",
            "select id, case when state = 'signed' then 'awaiting' when state = 'delivering' then 'funded'"
            " when state = 'settling' and exists (select from delivery d left join delivery_line l on l.delivery_id = d.id"
            " where d.deal_id = deal.id and (d.state = 'disputed' or l.state = 'accepted')) then 'funded'"
            " else 'over' end || ' ' || gross_amount || ' ' || gross_currency from deal"
            " where state in ('signed', 'delivering', 'settling', 'completed') or paid_at is not null or pay_by is not null"
            " or reason = 'not_paid'",
        ),
        Side(
            "settlement",
            "select id, case when state in ('closed', 'lapsed') then 'over' when state = 'partly_funded' then 'funded'"
            " else state end || ' ' || gross_amount || ' ' || gross_currency from escrow",
        ),
    ),
    Agreement(
        "statements_follow_deliveries",
        "A stage of a delivery is settled in orders exactly when a statement has a line of the same gross for it.",
        Side(
            "orders",
            "select l.delivery_id || ' ' || l.stage, d.deal_id || ' ' || l.gross_amount || ' ' || l.gross_currency"
            " from delivery_line l join delivery d on d.id = l.delivery_id where l.state <> 'accepted'"
            # Deliveries that were settled before there were stages.
            " union all select id || ' whole', deal_id || ' ' || gross_amount || ' ' || gross_currency from delivery"
            " where state = 'settled' and not exists (select from delivery_line l where l.delivery_id = delivery.id)",
        ),
        Side(
            "settlement",
            "select l.delivery_id || ' ' || l.stage, s.deal_id || ' ' || l.gross || ' ' || l.currency"
            " from statement_line l join statement s on s.id = l.statement_id where l.kind = 'delivery'",
        ),
    ),
    Agreement(
        "pieces_follow_deals",
        "Every piece of a completed deal has passed to its buyer.",
        Side("orders", "select piece_id, passes_to from allotment where passes_to is not null"),
        Side("catalog", "select ''::text, ''::text where false"),
    ),
    Agreement(
        "deals_are_carried",
        "Logistics carries for a deal exactly from its payment on, and knows it as orders has it.",
        Side("orders", "select id, version || ' ' || state from deal where paid_at is not null"),
        Side("logistics", "select id, version || ' ' || state from deal"),
    ),
    Agreement(
        "deliveries_are_the_same",
        "Orders and logistics have the same deliveries with the same weights.",
        Side("orders", "select id, deal_id || case when state = 'cancelled' then ' cancelled ' else ' ' end"
             " || coalesce(loaded_value::text || ' ' || received_value, '') from delivery"),
        Side("logistics", "select id, deal_id || case when state = 'cancelled' then ' cancelled ' else ' ' end"
             " || case when state = 'weighed' then loaded_value::text || ' ' || received_value else '' end from delivery"),
    ),
    _known_alike(
        "orders_knows_products",
        "Every product that may be offered is as the catalog has it, with the same owner.",
        "version || ' ' || owner_id || ' ' || state",
        speaker="catalog",
        hearer="orders",
        table="product",
    ),
    Agreement(
        "orders_knows_indices",
        "Of each price index orders has the figures of the last 400 days as the catalog published them.",
        Side("catalog", "select id, version || ' ' || revision from index_day where revision > 0 and day >= (select"
             " max(x.day) - 400 from index_day x where x.code = index_day.code and x.revision > 0)"),
        Side("orders", "select id, version || ' ' || revision from index_figure"),
    ),
    *_PARTIES,
    *_PIECES,
)  # fmt: skip
