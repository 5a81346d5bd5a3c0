"""parts of deals that are paid and settled by themselves, supplements and invoices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.settlement.ledger.guards import keep_rows

revision = "settlement_0003"
down_revision = "settlement_0002"
branch_labels = None
depends_on = None


OVER = """
    UPDATE escrow SET resolved = gross_amount, missed = gross_amount - funded FROM deposits
    WHERE deposits.id = escrow.id AND deposits.state = 'resolved'
"""


def upgrade() -> None:
    op.create_table(
        "invoice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("stage", sa.Text(), nullable=True),
        sa.Column("line_id", sa.Text(), nullable=True),
        sa.Column("issuer_id", sa.Text(), nullable=False),
        sa.Column("payer_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("gross", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("releases", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(kind = 'fee') = (line_id IS NOT NULL)", name=op.f("ck_invoice_line")),
        sa.CheckConstraint("(kind = 'goods') = (delivery_id IS NOT NULL)", name=op.f("ck_invoice_delivery")),
        sa.CheckConstraint("(state = 'expected') = (number IS NULL)", name=op.f("ck_invoice_number")),
        sa.CheckConstraint("gross = net + tax AND least(net, tax) >= 0 AND gross > 0", name=op.f("ck_invoice_amounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("delivery_id", "stage", name=op.f("uq_invoice_delivery_id_stage")),
        sa.UniqueConstraint("issuer_id", "number", name=op.f("uq_invoice_issuer_id_number")),
        sa.UniqueConstraint("line_id", name=op.f("uq_invoice_line_id")),
    )
    op.create_index(op.f("ix_invoice_deal_id"), "invoice", ["deal_id"], unique=False)
    op.create_index(op.f("ix_invoice_issuer_id"), "invoice", ["issuer_id"], unique=False)
    op.create_index(op.f("ix_invoice_payer_id"), "invoice", ["payer_id"], unique=False)
    op.create_table(
        "supplement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("amount_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("pay_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(state = 'awaiting') = (due_at IS NOT NULL)", name=op.f("ck_supplement_deadline")),
        sa.CheckConstraint("amount_amount > 0", name=op.f("ck_supplement_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplement")),
        sa.UniqueConstraint("delivery_id", "stage", name=op.f("uq_supplement_delivery_id_stage")),
    )
    op.create_index(op.f("ix_supplement_buyer_id"), "supplement", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_supplement_deal_id"), "supplement", ["deal_id"], unique=False)
    op.create_index(
        "ix_supplement_due_at", "supplement", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL"
    )
    op.create_index(op.f("ix_supplement_seller_id"), "supplement", ["seller_id"], unique=False)
    op.create_table(
        "escrow_payment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("piece_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("quantity_unit", sa.String(length=3), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("journal_id", sa.Text(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["escrow.id"], name=op.f("fk_escrow_payment_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escrow_payment")),
        sa.UniqueConstraint("deal_id", "number", name=op.f("uq_escrow_payment_deal_id_number")),
    )
    op.add_column("escrow", sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("escrow", sa.Column("resolved", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column(
        "escrow", sa.Column("fee_tax_rate", sa.Numeric(precision=18, scale=6), server_default="0.06", nullable=False)
    )
    op.add_column("escrow", sa.Column("deposit_use", sa.Text(), server_default="held", nullable=False))
    op.add_column("escrow", sa.Column("release", sa.Text(), server_default="settlement", nullable=False))
    op.add_column("escrow", sa.Column("supplement_within", sa.Interval(), server_default="3 days", nullable=False))
    op.add_column(
        "escrow",
        sa.Column(
            "unpaid_pieces",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )
    op.add_column("escrow", sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("escrow", sa.Column("quantity_unit", sa.String(length=3), nullable=True))
    op.add_column("escrow", sa.Column("paid_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("escrow", sa.Column("paid_unit", sa.String(length=3), nullable=True))
    op.add_column("escrow", sa.Column("unpaid_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("escrow", sa.Column("unpaid_unit", sa.String(length=3), nullable=True))
    op.add_column(
        "market", sa.Column("fee_tax_rate", sa.Numeric(precision=18, scale=6), server_default="0.06", nullable=False)
    )
    op.add_column("statement_line", sa.Column("stage", sa.Text(), server_default="whole", nullable=False))
    op.add_column("statement_line", sa.Column("supplement_id", sa.Text(), nullable=True))
    op.add_column("statement_line", sa.Column("part_id", sa.Text(), nullable=True))
    op.add_column("statement_line", sa.Column("ended_by", sa.Text(), nullable=True))
    op.add_column(
        "statement_line",
        sa.Column("piece_ids", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("statement_line", sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("statement_line", sa.Column("quantity_unit", sa.String(length=3), nullable=True))
    op.add_column("statement_line", sa.Column("third_party_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("statement_line", sa.Column("third_party_unit", sa.String(length=3), nullable=True))
    op.add_column("statement_line", sa.Column("rule", sa.Text(), nullable=True))
    op.add_column("statement_line", sa.Column("value", sa.BigInteger(), nullable=True))
    op.add_column("statement_line", sa.Column("from_supplement", sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("uq_statement_line_delivery_id"), "statement_line", type_="unique")
    op.create_unique_constraint(
        op.f("uq_statement_line_delivery_id_stage_kind"), "statement_line", ["delivery_id", "stage", "kind"]
    )
    op.create_unique_constraint(op.f("uq_statement_line_part_id"), "statement_line", ["part_id"])
    op.create_check_constraint(
        op.f("ck_escrow_resolved"), "escrow", "least(missed, resolved) >= 0 AND resolved <= gross_amount"
    )
    op.execute(OVER)
    for statement in keep_rows("escrow_payment"):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
