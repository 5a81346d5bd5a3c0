"""Deals end part by part: ended parts, lines of deliveries, cancellations, and what is paid so far."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0003"
down_revision = "orders_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cancellation",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.Text(), nullable=False),
        sa.Column("piece_ids", postgresql.JSONB(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_cancellation_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellation")),
    )
    op.create_index(op.f("ix_cancellation_deal_id"), "cancellation", ["deal_id"], unique=False)
    op.create_index(op.f("ix_cancellation_due_at"), "cancellation", ["due_at"], unique=False)
    op.create_table(
        "ended_part",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("piece_ids", postgresql.JSONB(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("value_amount", sa.BigInteger(), nullable=False),
        sa.Column("value_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("forfeit_amount", sa.BigInteger(), nullable=False),
        sa.Column("forfeit_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("is_paid", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_ended_part_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ended_part")),
    )
    op.create_index(op.f("ix_ended_part_deal_id"), "ended_part", ["deal_id"], unique=False)
    op.create_table(
        "delivery_line",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("settled_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("settled_unit", sa.String(length=3), nullable=False),
        sa.Column("net_amount", sa.BigInteger(), nullable=False),
        sa.Column("net_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("tax_amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("gross_amount", sa.BigInteger(), nullable=False),
        sa.Column("gross_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("value_amount", sa.BigInteger(), nullable=False),
        sa.Column("value_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=True),
        sa.Column("missed_amount", sa.BigInteger(), nullable=True),
        sa.Column("missed_currency", sa.CHAR(length=3), nullable=True),
        sa.ForeignKeyConstraint(["delivery_id"], ["delivery.id"], name=op.f("fk_delivery_line_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_line")),
        sa.UniqueConstraint("delivery_id", "stage", name=op.f("uq_delivery_line_delivery_id_stage")),
    )
    op.add_column("deal", sa.Column("title", sa.Text(), nullable=True))
    op.add_column("deal", sa.Column("pay_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deal", sa.Column("paid_piece_ids", postgresql.JSONB(), nullable=True))
    op.add_column("deal", sa.Column("paid_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("deal", sa.Column("paid_unit", sa.String(length=3), nullable=True))
    op.add_column("deal", sa.Column("funded_amount", sa.BigInteger(), nullable=True))
    op.add_column("deal", sa.Column("funded_currency", sa.CHAR(length=3), nullable=True))
    op.add_column("deal", sa.Column("recalled", postgresql.JSONB(), nullable=True))
    op.add_column("delivery", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("delivery", sa.Column("third_party_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("delivery", sa.Column("third_party_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("covered_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("delivery", sa.Column("covered_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("value_amount", sa.BigInteger(), nullable=True))
    op.add_column("delivery", sa.Column("value_currency", sa.CHAR(length=3), nullable=True))
    op.add_column("delivery", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("is_disputed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("delivery", sa.Column("buyer_weight_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("delivery", sa.Column("buyer_weight_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("seller_weight_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("delivery", sa.Column("seller_weight_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("passed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("market", sa.Column("clauses", postgresql.JSONB(), nullable=True))
    op.add_column("piece", sa.Column("attributes", postgresql.JSONB(), nullable=True))
    op.add_column("piece", sa.Column("theoretical_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("piece", sa.Column("theoretical_unit", sa.String(length=3), nullable=True))
    op.add_column("piece", sa.Column("blocked", sa.Text(), nullable=True))
