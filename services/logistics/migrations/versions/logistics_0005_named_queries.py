"""Named queries, and the indexes that queries of events go by."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "logistics_0005"
down_revision = "logistics_0004"
branch_labels = None
depends_on = None

_ASKED = ("biz_location", "read_point", "type", "biz_step", "disposition", "owner_id")


def upgrade() -> None:
    text = sa.Text()
    op.create_table(
        "epcis_query",
        sa.Column("id", text, nullable=False),
        sa.Column("owner_id", text, nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_query")),
        sa.UniqueConstraint("owner_id", "name", name=op.f("uq_epcis_query_owner_id_name")),
    )
    op.create_table(
        "epcis_ended_page",
        sa.Column("digest", text, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_epcis_ended_page")),
    )
    for column in _ASKED:
        op.create_index(f"ix_epcis_event_{column}_event_time", "epcis_event", [column, "event_time"])
    op.create_index("ix_epcis_event_record_time", "epcis_event", ["record_time"])
    op.create_index("ix_epcis_event_error_time", "epcis_event", ["error_time"], postgresql_where=sa.text("is_error"))
