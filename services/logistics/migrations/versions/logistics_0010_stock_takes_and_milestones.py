"""Discrepancies as tasks, who works in a warehouse, zones, stock-takes, and the milestones of deliveries."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from services.logistics.rfid.epc import decode_epc

revision = "logistics_0010"
down_revision = "logistics_0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TEXTS = postgresql.ARRAY(sa.Text())


def upgrade() -> None:
    widen_discrepancies()
    make_staff()
    make_zones()
    make_stock_takes()
    make_milestones()
    link_pieces()


def widen_discrepancies() -> None:
    texts = "gate_id zone_id stock_take_id epc parent other_parent detail standing epcis_event_id owner_id assigned_by result"
    for name in texts.split():
        op.add_column("discrepancy", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("discrepancy", sa.Column("assigned_at", TIME, nullable=True))
    op.add_column("discrepancy", sa.Column("owner_role", sa.Text(), nullable=False, server_default="warehouse"))
    op.add_column("discrepancy", sa.Column("closing_event_ids", TEXTS, nullable=False, server_default="{}"))
    op.alter_column("discrepancy", "piece_id", nullable=True)
    is_open = sa.text("state = 'open'")
    op.create_index(
        "uq_discrepancy_standing", "discrepancy", ["warehouse_id", "standing"], unique=True, postgresql_where=is_open
    )
    op.create_index("ix_discrepancy_owner", "discrepancy", ["owner_id"], postgresql_where=is_open)
    op.create_index("ix_discrepancy_piece_open", "discrepancy", ["piece_id"], postgresql_where=is_open)
    op.create_index(op.f("ix_discrepancy_stock_take_id"), "discrepancy", ["stock_take_id"])


def make_staff() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("roles", TEXTS, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
    )


def make_zones() -> None:
    op.create_table(
        "zone",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("gate_id", sa.Text(), nullable=True),
        sa.Column("antennas", postgresql.JSONB(), nullable=False),
        sa.Column("lost_after", sa.Interval(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone")),
        sa.UniqueConstraint("party_id", "name", name="uq_zone_party_id_name"),
    )
    op.create_index(op.f("ix_zone_gate_id"), "zone", ["gate_id"])
    op.create_table(
        "stay",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("zone_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("gate_id", sa.Text(), nullable=True),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("piece_id", sa.Text(), nullable=True),
        sa.Column("rssi_dbm", sa.Double(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("entered_at", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("left_at", TIME, nullable=True),
        sa.Column("due_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stay")),
    )
    op.create_index(
        "uq_stay_present", "stay", ["warehouse_id", "epc"], unique=True, postgresql_where=sa.text("state = 'present'")
    )
    for name in ("zone_id", "piece_id", "due_at"):
        op.create_index(op.f(f"ix_stay_{name}"), "stay", [name])


def make_stock_takes() -> None:
    op.create_table(
        "stock_take",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=False),
        sa.Column("zone_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("due_at", TIME, nullable=True),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("closed_at", TIME, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("epcis_event_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_take")),
    )
    op.create_index(op.f("ix_stock_take_warehouse_id"), "stock_take", ["warehouse_id"])
    op.create_index(op.f("ix_stock_take_due_at"), "stock_take", ["due_at"])
    op.create_table(
        "stock_take_read",
        sa.Column("stock_take_id", sa.Text(), nullable=False),
        sa.Column("handheld", sa.Text(), nullable=False),
        sa.Column("boot", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("epc", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("stock_take_id", "handheld", "boot", "sequence", name=op.f("pk_stock_take_read")),
    )
    op.create_table(
        "stock_take_line",
        sa.Column("stock_take_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("piece_id", sa.Text(), nullable=True),
        sa.Column("epc", sa.Text(), nullable=True),
        sa.Column("zone_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("stock_take_id", "name", name=op.f("pk_stock_take_line")),
    )
    op.create_index(op.f("ix_stock_take_line_piece_id"), "stock_take_line", ["piece_id"])


def link_pieces() -> None:
    """The names of tags are found by the pieces that wear them; those that are known already are filled in."""
    op.add_column("piece", sa.Column("link", sa.Text(), nullable=True))
    op.create_index(op.f("ix_piece_link"), "piece", ["link"])
    piece = sa.table("piece", sa.column("id", sa.Text()), sa.column("epc", sa.Text()), sa.column("link", sa.Text()))
    bind = op.get_bind()
    worn = bind.execute(sa.select(piece.c.id, piece.c.epc).where(piece.c.epc.is_not(None))).all()
    links = [{"piece_id": id, "named": identity.link} for id, epc in worn if (identity := decode_epc(epc))]
    if links:
        fill = piece.update().where(piece.c.id == sa.bindparam("piece_id")).values(link=sa.bindparam("named"))
        bind.execute(fill, links)


def make_milestones() -> None:
    op.create_table(
        "delivery_plan",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("departs_at", TIME, nullable=True),
        sa.Column("arrives_at", TIME, nullable=True),
        sa.Column("containers", TEXTS, nullable=False),
        sa.Column("planned_by", sa.Text(), nullable=False),
        sa.Column("planned_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("pk_delivery_plan")),
    )
    op.create_index("ix_delivery_plan_containers", "delivery_plan", ["containers"], postgresql_using="gin")
    op.create_table(
        "milestone_told",
        sa.Column("delivery_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("classifier", sa.Text(), nullable=False),
        sa.Column("container", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(
            "delivery_id", "code", "classifier", "container", "place", name=op.f("pk_milestone_told")
        ),
    )
