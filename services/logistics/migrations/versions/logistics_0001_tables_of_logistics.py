"""tables of logistics."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.logistics.base import REFUSE_CHANGE, guard_table

revision = "logistics_0001"
down_revision = None
branch_labels = ("logistics",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("deliver_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("load", sa.Interval(), nullable=False),
        sa.Column("receive", sa.Interval(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal")),
    )
    op.create_table(
        "deal_piece",
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("net_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net_unit", sa.String(length=3), nullable=False),
        sa.PrimaryKeyConstraint("deal_id", "piece_id", name=op.f("pk_deal_piece")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("quantity_value", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("quantity_unit", sa.String(length=3), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("driver", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("receive_within", sa.Interval(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("departure_seen_by", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("loaded_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("loaded_unit", sa.String(length=3), nullable=True),
        sa.Column("received_value", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("received_unit", sa.String(length=3), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
    )
    op.create_index(op.f("ix_delivery_buyer_id"), "delivery", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_delivery_deal_id"), "delivery", ["deal_id"], unique=False)
    op.create_index(op.f("ix_delivery_due_at"), "delivery", ["due_at"], unique=False)
    op.create_index("ix_delivery_gate", "delivery", ["gate_id", "state"], unique=False)
    op.create_index(op.f("ix_delivery_seller_id"), "delivery", ["seller_id"], unique=False)
    op.create_index(op.f("ix_delivery_warehouse_id"), "delivery", ["warehouse_id"], unique=False)
    op.create_table(
        "delivery_piece",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Text(), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "piece_id", name=op.f("pk_delivery_piece")),
    )
    op.create_index("ix_delivery_piece_piece", "delivery_piece", ["piece_id"], unique=False)
    op.create_index(
        "uq_delivery_piece_deal",
        "delivery_piece",
        ["deal_id", "piece_id"],
        unique=True,
        postgresql_where="claim <> 'freed'",
    )
    op.create_index(
        "uq_delivery_piece_live", "delivery_piece", ["piece_id"], unique=True, postgresql_where="claim = 'live'"
    )
    op.create_table(
        "discrepancy",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("passage_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discrepancy")),
    )
    op.create_index(op.f("ix_discrepancy_delivery_id"), "discrepancy", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_discrepancy_passage_id"), "discrepancy", ["passage_id"], unique=False)
    op.create_table(
        "epcis_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("is_error", sa.Boolean(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("record_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_event")),
        sa.UniqueConstraint("event_id", "is_error", name=op.f("uq_epcis_event_event_id_is_error")),
    )
    op.create_index(op.f("ix_epcis_event_event_time"), "epcis_event", ["event_time"], unique=False)
    op.create_index(op.f("ix_epcis_event_owner_id"), "epcis_event", ["owner_id"], unique=False)
    op.create_table(
        "gate",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("closing", sa.Interval(), nullable=False),
        sa.Column("longest", sa.Interval(), nullable=False),
        sa.Column("ghost_reads", sa.Integer(), nullable=False),
        sa.Column("ghost_rssi_dbm", sa.Integer(), nullable=False),
        sa.Column("clock_skew", sa.Interval(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate")),
    )
    op.create_index(op.f("ix_gate_party_id"), "gate", ["party_id"], unique=False)
    op.create_table(
        "passage",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("window_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("epcis_event_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
    )
    op.create_index(op.f("ix_passage_due_at"), "passage", ["due_at"], unique=False)
    op.create_index(op.f("ix_passage_gate_id"), "passage", ["gate_id"], unique=False)
    op.create_index(op.f("ix_passage_warehouse_id"), "passage", ["warehouse_id"], unique=False)
    op.create_index(op.f("ix_passage_window_id"), "passage", ["window_id"], unique=False)
    op.create_index("uq_passage_open", "passage", ["gate_id"], unique=True, postgresql_where="state = 'open'")
    op.create_table(
        "passage_delivery",
        sa.Column("passage_id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("passage_id", "delivery_id", name=op.f("pk_passage_delivery")),
    )
    op.create_index(op.f("ix_passage_delivery_buyer_id"), "passage_delivery", ["buyer_id"], unique=False)
    op.create_index(op.f("ix_passage_delivery_delivery_id"), "passage_delivery", ["delivery_id"], unique=False)
    op.create_index(op.f("ix_passage_delivery_seller_id"), "passage_delivery", ["seller_id"], unique=False)
    op.create_table(
        "piece",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("epc", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_piece")),
    )
    op.create_index(op.f("ix_piece_epc"), "piece", ["epc"], unique=False)
    op.create_table(
        "piece_viewer",
        sa.Column("piece_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("piece_id", "party_id", name=op.f("pk_piece_viewer")),
    )
    op.create_table(
        "sighting",
        sa.Column("passage_id", sa.Text(), nullable=False),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("piece_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("reads", sa.Integer(), nullable=False),
        sa.Column("rssi_dbm", sa.Double(), nullable=False),
        sa.Column("antennas", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_ghost", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("passage_id", "epc", name=op.f("pk_sighting")),
    )
    op.create_index(op.f("ix_sighting_piece_id"), "sighting", ["piece_id"], unique=False)
    op.create_table(
        "tag_read",
        sa.Column("gate_id", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("antenna", sa.Integer(), nullable=False),
        sa.Column("rssi_dbm", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("window_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("gate_id", "boot", "sequence", name=op.f("pk_tag_read")),
    )
    op.create_index("ix_tag_read_received", "tag_read", ["received_at"], unique=False, postgresql_using="brin")
    op.create_index("ix_tag_read_waiting", "tag_read", ["gate_id"], unique=False, postgresql_where="window_id IS NULL")
    op.create_table(
        "weigh_ticket",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("gross_kg", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("tare_kg", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net_kg", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "net_kg = gross_kg - tare_kg AND net_kg > 0 AND tare_kg >= 0", name=op.f("ck_weigh_ticket_net")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weigh_ticket")),
    )
    op.create_index(
        "uq_weigh_ticket_first",
        "weigh_ticket",
        ["delivery_id", "end"],
        unique=True,
        postgresql_where="replaces IS NULL",
    )
    op.create_index("uq_weigh_ticket_replaces", "weigh_ticket", ["replaces"], unique=True)
    op.create_table(
        "epcis_thing",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("piece_id", sa.Text(), nullable=True),
        sa.Column("delivery_id", sa.Text(), nullable=True),
        sa.Column("deal_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["event"], ["epcis_event.id"], name=op.f("fk_epcis_thing_event")),
        sa.PrimaryKeyConstraint("event", "epc", name=op.f("pk_epcis_thing")),
    )
    op.create_index("ix_epcis_thing_epc", "epcis_thing", ["epc", "event_time"], unique=False)
    op.create_index("ix_epcis_thing_piece", "epcis_thing", ["piece_id", "event_time"], unique=False)
    op.execute(REFUSE_CHANGE)
    for table in ("weigh_ticket", "epcis_event", "epcis_thing"):
        for statement in guard_table(table):
            op.execute(statement)
