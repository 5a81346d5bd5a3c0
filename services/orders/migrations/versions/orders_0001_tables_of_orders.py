"""tables of orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0001"
down_revision = None
branch_labels = ("orders",)
depends_on = None

KEEP_TEXT = """
    CREATE FUNCTION keep_agreement_text() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' OR (NEW.id, NEW.body, NEW.sha256) IS DISTINCT FROM (OLD.id, OLD.body, OLD.sha256)
           OR OLD.buyer_signed_by IS NOT NULL AND (NEW.buyer_signed_by, NEW.buyer_signed_at)
              IS DISTINCT FROM (OLD.buyer_signed_by, OLD.buyer_signed_at)
           OR OLD.seller_signed_by IS NOT NULL AND (NEW.seller_signed_by, NEW.seller_signed_at)
              IS DISTINCT FROM (OLD.seller_signed_by, OLD.seller_signed_at) THEN
            RAISE EXCEPTION 'the text and the signatures of an agreement never change';
        END IF;
        RETURN NEW;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "market",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("fees", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_market")),
    )
    op.create_table(
        "offer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("penalty_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("listed_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("listed_unit", sa.String(length=3), nullable=False),
        sa.Column("remaining_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("remaining_unit", sa.String(length=3), nullable=False),
        sa.Column("withdrawn_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("withdrawn_unit", sa.String(length=3), nullable=False),
        sa.Column("minimum_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("minimum_unit", sa.String(length=3), nullable=True),
        sa.Column("step_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("step_unit", sa.String(length=3), nullable=True),
        sa.CheckConstraint("remaining_value >= 0", name=op.f("ck_offer_not_oversold")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(op.f("ix_offer_due_at"), "offer", ["due_at"], unique=False)
    op.create_index(op.f("ix_offer_seller_id"), "offer", ["seller_id"], unique=False)
    op.create_table(
        "party",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("controlling_group", sa.Text(), nullable=True),
        sa.Column("identifiers", postgresql.JSONB(), nullable=False),
        sa.Column("bank_accounts", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
    )
    op.create_table(
        "piece",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("net_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net_unit", sa.String(length=3), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece")),
    )
    op.create_table(
        "deal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("terms_version", sa.Integer(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("buyer", postgresql.JSONB(), nullable=False),
        sa.Column("seller", postgresql.JSONB(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("terms", postgresql.JSONB(), nullable=False),
        sa.Column("penalty_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("pieces", postgresql.JSONB(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("returned_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("returned_unit", sa.String(length=3), nullable=False),
        sa.Column("net_amount", sa.BigInteger(), nullable=False),
        sa.Column("net_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("tax_amount", sa.BigInteger(), nullable=False),
        sa.Column("tax_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("gross_amount", sa.BigInteger(), nullable=False),
        sa.Column("gross_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("buyer_deposit_amount", sa.BigInteger(), nullable=False),
        sa.Column("buyer_deposit_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("seller_deposit_amount", sa.BigInteger(), nullable=False),
        sa.Column("seller_deposit_currency", sa.CHAR(length=3), nullable=False),
        sa.Column("struck_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("defaulted_by", sa.Text(), nullable=True),
        sa.Column("forfeit_amount", sa.BigInteger(), nullable=True),
        sa.Column("forfeit_currency", sa.CHAR(length=3), nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_deal_offer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
    )
    op.create_index(op.f("ix_deal_buyer_id"), "deal", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_deal_due_at"), "deal", ["due_at"], unique=False)
    op.create_index(op.f("ix_deal_offer_id"), "deal", ["offer_id"], unique=False)
    op.create_index(op.f("ix_deal_seller_id"), "deal", ["seller_id"], unique=False)
    op.create_table(
        "agreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("buyer_signed_by", sa.Text(), nullable=True),
        sa.Column("buyer_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seller_signed_by", sa.Text(), nullable=True),
        sa.Column("seller_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["id"], ["deal.id"], name=op.f("fk_agreement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
    )
    op.create_table(
        "allotment",
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("offer_id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("net_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net_unit", sa.String(length=3), nullable=False),
        sa.Column("passes_to", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deal_id"], ["deal.id"], name=op.f("fk_allotment_deal_id"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_allotment_offer_id")),
        sa.PrimaryKeyConstraint("piece_id", name=op.f("pk_allotment")),
    )
    op.create_index(op.f("ix_allotment_deal_id"), "allotment", ["deal_id"], unique=False)
    op.create_index(op.f("ix_allotment_offer_id"), "allotment", ["offer_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("piece_ids", postgresql.JSONB(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("loaded_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("loaded_unit", sa.String(length=3), nullable=True),
        sa.Column("received_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("received_unit", sa.String(length=3), nullable=True),
        sa.Column("settled_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("settled_unit", sa.String(length=3), nullable=True),
        sa.Column("net_amount", sa.BigInteger(), nullable=True),
        sa.Column("net_currency", sa.CHAR(length=3), nullable=True),
        sa.Column("tax_amount", sa.BigInteger(), nullable=True),
        sa.Column("tax_currency", sa.CHAR(length=3), nullable=True),
        sa.Column("gross_amount", sa.BigInteger(), nullable=True),
        sa.Column("gross_currency", sa.CHAR(length=3), nullable=True),
        sa.Column("is_last", sa.Boolean(), nullable=False),
        sa.Column("statement_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deal.id"], name=op.f("fk_delivery_deal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_deal_id"), "delivery", ["deal_id"], unique=False)
    op.create_index(op.f("ix_delivery_due_at"), "delivery", ["due_at"], unique=False)
    op.execute(KEEP_TEXT)
    op.execute(
        "CREATE TRIGGER keep_agreement_text BEFORE UPDATE OR DELETE ON agreement "
        "FOR EACH ROW EXECUTE FUNCTION keep_agreement_text()"
    )
