"""numbered and directed offers, products, licences."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0004"
down_revision = "orders_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("trade_units", postgresql.JSONB(), nullable=False),
        sa.Column("step_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("step_unit", sa.String(length=3), nullable=False),
        sa.Column("minimum_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("minimum_unit", sa.String(length=3), nullable=False),
        sa.Column("licences", postgresql.JSONB(), nullable=False),
        sa.Column("blocked", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
    )
    op.create_index("ix_product_owner_number", "product", ["owner_id", "number"], unique=False)
    op.add_column("party", sa.Column("licences", postgresql.JSONB(), nullable=True))
    op.add_column("party", sa.Column("known_as", postgresql.ARRAY(sa.Text()), nullable=True))
    op.create_index("ix_party_known_as", "party", ["known_as"], unique=False, postgresql_using="gin")
    op.add_column("piece", sa.Column("product_id", sa.Text(), nullable=True))
    op.add_column("piece", sa.Column("licences", postgresql.JSONB(), nullable=True))
    op.add_column("offer", sa.Column("number", sa.Text(), nullable=True))
    op.add_column("offer", sa.Column("product_id", sa.Text(), nullable=True))
    op.add_column("offer", sa.Column("audience", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("offer", sa.Column("licences", postgresql.JSONB(), nullable=True))
    op.create_index(
        "uq_offer_open_number",
        "offer",
        ["seller_id", "number"],
        unique=True,
        postgresql_where=sa.text("state IN ('listed', 'partly_taken', 'taken')"),
    )
    op.add_column("deal", sa.Column("product_id", sa.Text(), nullable=True))
    op.create_table(
        "index_figure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("price", postgresql.JSONB(), nullable=True),
        sa.Column("tax_basis", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_figure")),
    )
    op.create_index("ix_index_figure_code_day", "index_figure", ["code", "day"], unique=False)
