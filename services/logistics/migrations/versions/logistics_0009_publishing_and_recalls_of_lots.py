"""What owners show of their goods, and recalls of lots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "logistics_0009"
down_revision = "logistics_0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_place",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("described_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_place")),
        sa.UniqueConstraint("owner_id", "uri", name=op.f("uq_known_place_owner_id_uri")),
    )
    at, text, json = sa.DateTime(timezone=True), sa.Text(), postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "lot_recall",
        sa.Column("id", text, nullable=False),
        sa.Column("owner_id", text, nullable=False),
        sa.Column("thing", text, nullable=False),
        sa.Column("grade", sa.String(length=32), nullable=False),
        sa.Column("reason", text, nullable=False),
        sa.Column("instruction", text, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", at, nullable=True),
        sa.Column("opened_at", at, nullable=False),
        sa.Column("opened_by", text, nullable=False),
        sa.Column("renewed_at", at, nullable=True),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("ended_by", text, nullable=True),
        sa.Column("summary", text, nullable=True),
        sa.Column("affected", sa.Integer(), nullable=False),
        sa.Column("own", json, nullable=False),
        sa.Column("unreached", json, nullable=False),
        sa.Column("papers", json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_recall")),
    )
    op.create_index(op.f("ix_lot_recall_owner_id"), "lot_recall", ["owner_id"], unique=False)
    op.create_index(op.f("ix_lot_recall_due_at"), "lot_recall", ["due_at"], unique=False)
    op.create_index(
        "uq_lot_recall_open",
        "lot_recall",
        ["thing"],
        unique=True,
        postgresql_where=sa.text("state IN ('open', 'overdue')"),
    )
    op.create_table(
        "recall_notice",
        sa.Column("id", text, nullable=False),
        sa.Column("recall_id", text, nullable=False),
        sa.Column("owner_id", text, nullable=False),
        sa.Column("party_id", text, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("known", json, nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("things", json, nullable=False),
        sa.Column("delivery_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("deal_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("sent_at", at, nullable=False),
        sa.Column("acknowledged_at", at, nullable=True),
        sa.Column("acknowledged_by", text, nullable=True),
        sa.Column("resolved_at", at, nullable=True),
        sa.Column("resolved_by", text, nullable=True),
        sa.Column("outcome", text, nullable=True),
        sa.Column("note", text, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_notice")),
    )
    op.create_index(op.f("ix_recall_notice_recall_id"), "recall_notice", ["recall_id"], unique=False)
    op.create_index(op.f("ix_recall_notice_party_id"), "recall_notice", ["party_id"], unique=False)
    op.create_index("uq_recall_notice_party", "recall_notice", ["recall_id", "party_id"], unique=True)
    op.create_table(
        "publication",
        sa.Column("id", text, nullable=False),
        sa.Column("owner_id", text, nullable=False),
        sa.Column("key", text, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("steps", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("precision", sa.String(length=32), nullable=False),
        sa.Column("texts", json, nullable=False),
        sa.Column("documents", json, nullable=False),
        sa.Column("changed_at", at, nullable=False),
        sa.Column("changed_by", text, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publication")),
        sa.UniqueConstraint("key", name=op.f("uq_publication_key")),
    )
    op.create_index(op.f("ix_publication_owner_id"), "publication", ["owner_id"], unique=False)
