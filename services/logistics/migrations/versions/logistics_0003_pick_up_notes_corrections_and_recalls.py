"""Pick-up notes, corrections of tickets, parts given back, and discrepancies that are closed.

A ticket may be replaced by more than one proposal; that one at a time stands is now said of corrections.
"""

import sqlalchemy as sa
from alembic import op

revision = "logistics_0003"
down_revision = "logistics_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("buyer_signed_by", sa.Text(), nullable=True),
        sa.Column("buyer_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seller_signed_by", sa.Text(), nullable=True),
        sa.Column("seller_signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_force_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    op.create_index(op.f("ix_correction_delivery_id"), "correction", ["delivery_id"], unique=False)
    op.create_index(
        "uq_correction_replaces",
        "correction",
        ["replaces"],
        unique=True,
        postgresql_where="state IN ('proposed', 'in_force')",
    )
    op.create_table(
        "note_piece",
        sa.Column("note_id", sa.Text(), nullable=False),
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("net_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net_unit", sa.String(length=3), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("note_id", "piece_id", name=op.f("pk_note_piece")),
    )
    op.create_index(op.f("ix_note_piece_deal_id"), "note_piece", ["deal_id"], unique=False)
    op.create_index("ix_note_piece_piece", "note_piece", ["piece_id"], unique=False)
    op.create_index("uq_note_piece_open", "note_piece", ["piece_id"], unique=True, postgresql_where="claim = 'open'")
    op.create_table(
        "pickup_note",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pickup_note")),
    )
    op.create_index(op.f("ix_pickup_note_buyer_id"), "pickup_note", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_pickup_note_deal_id"), "pickup_note", ["deal_id"], unique=False)
    op.create_index(op.f("ix_pickup_note_due_at"), "pickup_note", ["due_at"], unique=False)
    op.create_index(op.f("ix_pickup_note_parent_id"), "pickup_note", ["parent_id"], unique=False)
    op.create_index(op.f("ix_pickup_note_seller_id"), "pickup_note", ["seller_id"], unique=False)
    op.create_index(op.f("ix_pickup_note_warehouse_id"), "pickup_note", ["warehouse_id"], unique=False)
    op.create_table(
        "recall",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("piece_ids", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_version", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(op.f("ix_recall_deal_id"), "recall", ["deal_id"], unique=False)
    op.add_column("closing", sa.Column("unfetched_piece_ids", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("closing", sa.Column("unfetched_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("closing", sa.Column("unfetched_unit", sa.String(length=3), nullable=True))
    op.add_column("deal", sa.Column("weighing_rule", sa.Text(), nullable=True))
    op.add_column("deal", sa.Column("weigher_id", sa.Text(), nullable=True))
    op.add_column("deal", sa.Column("delivery_mode", sa.Text(), server_default="self_pickup", nullable=False))
    op.add_column("deal", sa.Column("unpaid_piece_ids", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("deal", sa.Column("unpaid_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("deal", sa.Column("unpaid_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("note_id", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("weigher_id", sa.Text(), nullable=True))
    op.add_column(
        "delivery", sa.Column("weigher_decides", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("delivery", sa.Column("third_party_value", sa.Numeric(precision=18, scale=6), nullable=True))
    op.add_column("delivery", sa.Column("third_party_unit", sa.String(length=3), nullable=True))
    op.add_column("delivery", sa.Column("weights_version", sa.Integer(), server_default="1", nullable=False))
    op.add_column("delivery", sa.Column("accepted_stage", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("uq_delivery_note", "delivery", ["note_id"], unique=True)
    op.add_column("discrepancy", sa.Column("warehouse_id", sa.Text(), nullable=True))
    op.add_column("discrepancy", sa.Column("note_id", sa.Text(), nullable=True))
    op.add_column("discrepancy", sa.Column("state", sa.String(length=32), server_default="open", nullable=False))
    op.add_column("discrepancy", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("discrepancy", sa.Column("closed_by", sa.Text(), nullable=True))
    op.add_column("discrepancy", sa.Column("reason", sa.Text(), nullable=True))
    op.create_index(op.f("ix_discrepancy_warehouse_id"), "discrepancy", ["warehouse_id"], unique=False)
    op.drop_index(op.f("uq_weigh_ticket_replaces"), table_name="weigh_ticket")
    op.create_index("ix_weigh_ticket_replaces", "weigh_ticket", ["replaces"], unique=False)
    op.execute(
        "UPDATE discrepancy SET warehouse_id = passage.warehouse_id FROM passage WHERE passage.id = discrepancy.passage_id"
    )
