"""card money that moves on: movements, refunds, reconciliations, and the ledger's accounts for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.settlement.ledger.guards import POST_JOURNALS

revision = "settlement_0002"
down_revision = "settlement_0001"
branch_labels = None
depends_on = None

WIDER_CHECKS = (
    (
        "account",
        "ck_account_kind",
        "kind IN ('available', 'card_fees', 'clearing_bank', 'clearing_card', 'escrow', 'fee', 'frozen', "
        "'payout_transit', 'receivable', 'refund_transit', 'suspense')",
    ),
    (
        "account",
        "ck_account_floor",
        "balance >= 0 OR kind IN ('card_fees', 'clearing_bank', 'clearing_card', 'receivable')",
    ),
    (
        "card_payment",
        "ck_card_payment_deadline",
        "(state IN ('created', 'processing', 'refunding')) = (due_at IS NOT NULL)",
    ),
)


def upgrade() -> None:
    op.create_table(
        "card_movement",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("payment_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("owed", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_movement")),
    )
    op.create_index(op.f("ix_card_movement_created"), "card_movement", ["created"], unique=False)
    op.create_index(op.f("ix_card_movement_payment_id"), "card_movement", ["payment_id"], unique=False)
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("newest", sa.BigInteger(), nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("differences", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index(op.f("ix_reconciliation_due_at"), "reconciliation", ["due_at"], unique=False)
    op.add_column("card_event", sa.Column("intent_id", sa.Text(), nullable=True))
    op.alter_column("card_event", "intent", existing_type=postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    op.add_column("card_payment", sa.Column("refunds", sa.Integer(), server_default="0", nullable=False))
    op.add_column("card_payment", sa.Column("returned", sa.BigInteger(), server_default="0", nullable=False))
    for table, name, rule in WIDER_CHECKS:
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, rule)
    op.get_bind().exec_driver_sql(POST_JOURNALS.read_text(), execution_options={"no_parameters": True})
