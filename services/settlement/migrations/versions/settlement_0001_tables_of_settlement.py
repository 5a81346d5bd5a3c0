"""tables of settlement."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.settlement.ledger.guards import APPEND_ONLY, POST_JOURNALS, guard_ledger

revision = "settlement_0001"
down_revision = None
branch_labels = ("settlement",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("balance", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("postings", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(owner_id = 'platform') = (kind NOT IN ('available', 'escrow', 'frozen'))", name=op.f("ck_account_owner")
        ),
        sa.CheckConstraint("balance >= 0 OR kind IN ('clearing_bank', 'clearing_card')", name=op.f("ck_account_floor")),
        sa.CheckConstraint("id = owner_id || ':' || kind || ':' || currency", name=op.f("ck_account_id")),
        sa.CheckConstraint(
            "kind IN ('available', 'clearing_bank', 'clearing_card', 'escrow', 'fee', 'frozen', "
            "'payout_transit', 'suspense')",
            name=op.f("ck_account_kind"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index(op.f("ix_account_owner_id"), "account", ["owner_id"], unique=False)
    op.create_table(
        "bank_credit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("payer_account", sa.Text(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=False),
        sa.Column("amount_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("remittance", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=True),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_credit")),
        sa.UniqueConstraint("bank_reference", name=op.f("uq_bank_credit_bank_reference")),
    )
    op.create_index(
        "ix_bank_credit_due_at", "bank_credit", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL"
    )
    op.create_index(op.f("ix_bank_credit_party_id"), "bank_credit", ["party_id"], unique=False)
    op.create_table(
        "card_event",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("intent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_event")),
    )
    op.create_index(
        "ix_card_event_due_at", "card_event", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL"
    )
    op.create_index(op.f("ix_card_event_received_at"), "card_event", ["received_at"], unique=False)
    op.create_table(
        "card_payment",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("amount_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("charge_key", sa.Text(), nullable=False),
        sa.Column("intent_id", sa.Text(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("decline_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state IN ('created', 'processing')) = (due_at IS NOT NULL)", name=op.f("ck_card_payment_deadline")
        ),
        sa.CheckConstraint("amount_amount > 0", name=op.f("ck_card_payment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_payment")),
        sa.UniqueConstraint("charge_key", name=op.f("uq_card_payment_charge_key")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_card_payment_intent_id")),
    )
    op.create_index(
        "ix_card_payment_due_at", "card_payment", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL"
    )
    op.create_index(op.f("ix_card_payment_party_id"), "card_payment", ["party_id"], unique=False)
    op.create_table(
        "card_sweep",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("since", sa.Integer(), nullable=False),
        sa.Column("newest", sa.Integer(), nullable=False),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_sweep")),
    )
    op.create_index(op.f("ix_card_sweep_due_at"), "card_sweep", ["due_at"], unique=False)
    op.create_table(
        "deposits",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("buyer_deposit_amount", sa.BigInteger(), nullable=False),
        sa.Column("buyer_deposit_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("seller_deposit_amount", sa.BigInteger(), nullable=False),
        sa.Column("seller_deposit_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("refused_side", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deposits")),
    )
    op.create_index(op.f("ix_deposits_buyer_id"), "deposits", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_deposits_seller_id"), "deposits", ["seller_id"], unique=False)
    op.create_table(
        "escrow",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("gross_amount", sa.BigInteger(), nullable=False),
        sa.Column("gross_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("funded", sa.BigInteger(), nullable=False),
        sa.Column("paid_out", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("shortfall", sa.BigInteger(), nullable=False),
        sa.Column("fee_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("forfeit_fee_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("pay_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.CheckConstraint("funded >= paid_out + returned", name=op.f("ck_escrow_covered")),
        sa.CheckConstraint("least(funded, paid_out, returned, shortfall) >= 0", name=op.f("ck_escrow_sign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escrow")),
    )
    op.create_index(op.f("ix_escrow_buyer_id"), "escrow", ["buyer_id"], unique=False)
    op.create_index("ix_escrow_due_at", "escrow", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL")
    op.create_index(op.f("ix_escrow_seller_id"), "escrow", ["seller_id"], unique=False)
    op.create_table(
        "hold",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("released", sa.BigInteger(), nullable=False),
        sa.Column("converted", sa.BigInteger(), nullable=False),
        sa.Column("forfeited", sa.BigInteger(), nullable=False),
        sa.Column("divided", sa.BigInteger(), nullable=False),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.CheckConstraint("(state = 'active') = (open > 0)", name=op.f("ck_hold_open")),
        sa.CheckConstraint(
            "amount = open + released + converted + forfeited + divided", name=op.f("ck_hold_arithmetic")
        ),
        sa.CheckConstraint(
            "least(open, released, converted, forfeited, divided) >= 0 AND amount > 0", name=op.f("ck_hold_sign")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["hold.id"], name=op.f("fk_hold_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_deal_id"), "hold", ["deal_id"], unique=False)
    op.create_index(op.f("ix_hold_party_id"), "hold", ["party_id"], unique=False)
    op.create_table(
        "journal",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal")),
        sa.UniqueConstraint("key", name=op.f("uq_journal_key")),
    )
    op.create_table(
        "market",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fee_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("forfeit_fee_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market")),
    )
    op.create_table(
        "party",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("reference", name=op.f("uq_party_reference")),
    )
    op.create_table(
        "payout",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("amount_amount", sa.BigInteger(), nullable=False),
        sa.Column("amount_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("bank_account_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout")),
        sa.UniqueConstraint("bank_reference", name=op.f("uq_payout_bank_reference")),
    )
    op.create_index("ix_payout_due_at", "payout", ["due_at"], unique=False, postgresql_where="due_at IS NOT NULL")
    op.create_index(op.f("ix_payout_party_id"), "payout", ["party_id"], unique=False)
    op.create_table(
        "posting",
        sa.Column("journal_id", sa.Text(collation="C"), nullable=False),
        sa.Column("account_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_posting_amount")),
        sa.CheckConstraint("right(account_id, 3) = currency", name=op.f("ck_posting_currency")),
        sa.PrimaryKeyConstraint("journal_id", "account_id", name=op.f("pk_posting")),
        sa.UniqueConstraint("account_id", "number", name=op.f("uq_posting_account_id_number")),
    )
    op.create_table(
        "registered_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("bank", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_account")),
    )
    op.create_index(op.f("ix_registered_account_number"), "registered_account", ["number"], unique=False)
    op.create_index(op.f("ix_registered_account_party_id"), "registered_account", ["party_id"], unique=False)
    op.create_table(
        "statement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("deal_id", name=op.f("uq_statement_deal_id")),
    )
    op.create_index(op.f("ix_statement_buyer_id"), "statement", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_statement_seller_id"), "statement", ["seller_id"], unique=False)
    op.create_table(
        "statement_line",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("journal_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("loaded_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("loaded_unit", sa.String(length=3), nullable=True),
        sa.Column("received_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("received_unit", sa.String(length=3), nullable=True),
        sa.Column("settled_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("settled_unit", sa.String(length=3), nullable=True),
        sa.Column("price_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("price_currency", sa.CHAR(length=3), nullable=True),
        sa.Column("price_unit", sa.String(length=3), nullable=True),
        sa.Column("tax_rate", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("currency", sa.CHAR(length=3), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=True),
        sa.Column("tax", sa.BigInteger(), nullable=True),
        sa.Column("gross", sa.BigInteger(), nullable=True),
        sa.Column("from_escrow", sa.BigInteger(), nullable=False),
        sa.Column("from_deposit", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("shortfall", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.Column("buyer_released", sa.BigInteger(), nullable=False),
        sa.Column("seller_released", sa.BigInteger(), nullable=False),
        sa.Column("buyer_forfeited", sa.BigInteger(), nullable=False),
        sa.Column("seller_forfeited", sa.BigInteger(), nullable=False),
        sa.Column("forfeit_fee", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["statement.id"], name=op.f("fk_statement_line_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement_line")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_statement_line_delivery_id")),
        sa.UniqueConstraint("statement_id", "number", name=op.f("uq_statement_line_statement_id_number")),
    )
    for statement in (POST_JOURNALS.read_text(), *guard_ledger(APPEND_ONLY)):
        op.get_bind().exec_driver_sql(statement, execution_options={"no_parameters": True})
