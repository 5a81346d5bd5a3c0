"""price indices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "catalog_0006"
down_revision = "catalog_0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("party", sa.Column("group_id", sa.Text(), nullable=True))
    op.create_table(
        "index_method",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("rule", postgresql.JSONB(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_method")),
    )
    op.create_table(
        "index_deal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("seller", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("price", sa.Numeric(18, 6), nullable=False),
        sa.Column("volume", sa.Numeric(18, 6), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_deal")),
    )
    op.create_index("ix_index_deal_code_day", "index_deal", ["code", "day"])
    op.create_index("ix_index_deal_deal_id", "index_deal", ["deal_id"])
    op.create_table(
        "index_day",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(18, 6), nullable=True),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Numeric(18, 6), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("sellers", sa.Integer(), nullable=False),
        sa.Column("open_deals", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_day")),
        sa.UniqueConstraint("code", "day", name=op.f("uq_index_day_code_day")),
    )
    op.create_index("ix_index_day_due_at", "index_day", ["due_at"])
    op.create_table(
        "index_revision",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("index_day_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("price", sa.Numeric(18, 6), nullable=True),
        sa.Column("deals", sa.Integer(), nullable=False),
        sa.Column("volume", sa.Numeric(18, 6), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("sellers", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["index_day_id"], ["index_day.id"], name=op.f("fk_index_revision_index_day_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_revision")),
        sa.UniqueConstraint("index_day_id", "revision", name=op.f("uq_index_revision_index_day_id_revision")),
    )
