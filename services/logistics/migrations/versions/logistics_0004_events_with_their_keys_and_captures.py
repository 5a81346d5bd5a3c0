"""EPCIS events with all they name, capture jobs and who may see them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "logistics_0004"
down_revision = "logistics_0003"
branch_labels = None
depends_on = None

# Events of before were made by gates: ObjectEvents whose identifiers are canonical, whose words are bare, whose id is their hash.
FILL_EVENTS = """
UPDATE epcis_event SET type = document->>'type', action = document->>'action', biz_step = document->>'bizStep',
    disposition = document->>'disposition', read_point = document->'readPoint'->>'id',
    biz_location = document->'bizLocation'->>'id', fields = document - '@context' - 'type', namespaces = '{}',
    hash = event_id
"""
FILL_KEYS = """
INSERT INTO epcis_key (key, kind, event_time, event)
SELECT DISTINCT epc, 'epc', event_time, id FROM epcis_event, jsonb_array_elements_text(document->'epcList') AS epc
UNION ALL
SELECT DISTINCT paper->>'bizTransaction', 'bizTransaction', event_time, id
FROM epcis_event, jsonb_array_elements(coalesce(document->'bizTransactionList', '[]')) AS paper
"""


def upgrade() -> None:
    text = sa.Text()
    for name, kind in (
        *((name, text) for name in ("type", "action", "biz_step", "disposition", "read_point", "biz_location")),
        ("transformation_id", text),
        ("fields", postgresql.JSONB(astext_type=sa.Text())),
        ("namespaces", postgresql.JSONB(astext_type=sa.Text())),
        ("unhashed", postgresql.ARRAY(sa.Text())),
        ("hash", text),
        ("error_time", sa.DateTime(timezone=True)),
        ("error_reason", text),
        ("corrective_event_ids", postgresql.ARRAY(sa.Text())),
        ("capture_id", text),
    ):
        op.add_column("epcis_event", sa.Column(name, kind, nullable=True))
    op.add_column("epcis_event", sa.Column("sequence", sa.BigInteger(), sa.Identity(always=True), nullable=False))
    op.create_unique_constraint("uq_epcis_event_sequence", "epcis_event", ["sequence"])
    op.create_unique_constraint(
        "uq_epcis_event_event_id_owner_id_is_error", "epcis_event", ["event_id", "owner_id", "is_error"]
    )
    # A wider rule takes its place: an id is its owner's, so that nobody can use up another's.
    op.drop_constraint("uq_epcis_event_event_id_is_error", "epcis_event", type_="unique")
    op.create_index(
        "ix_epcis_event_capture_id", "epcis_event", ["capture_id"], postgresql_where=sa.text("capture_id IS NOT NULL")
    )
    op.create_table(
        "epcis_key",
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("event_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", text, nullable=False),
        sa.PrimaryKeyConstraint("key", "kind", "event_time", "event", name=op.f("pk_epcis_key")),
    )
    op.create_index("ix_epcis_key_event", "epcis_key", ["event"])
    op.create_table(
        "epcis_party",
        sa.Column("party_id", text, nullable=False),
        sa.Column("event", text, nullable=False),
        sa.Column("why", text, nullable=False),
        sa.PrimaryKeyConstraint("party_id", "event", "why", name=op.f("pk_epcis_party")),
    )
    op.create_index("ix_epcis_party_why", "epcis_party", ["why"], postgresql_where=sa.text("why <> 'party'"))
    op.create_table(
        "epcis_capture",
        sa.Column("id", text, nullable=False),
        sa.Column("owner_id", text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("success", sa.Boolean(), nullable=False),
        sa.Column("behaviour", text, nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("errors", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_epcis_capture")),
    )
    op.create_index("ix_epcis_capture_owner_id", "epcis_capture", ["owner_id", "id"])
    op.create_table(
        "epcis_master",
        sa.Column("owner_id", text, nullable=False),
        sa.Column("vocabulary", text, nullable=False),
        sa.Column("id", text, nullable=False),
        sa.Column("attributes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("children", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("owner_id", "vocabulary", "id", name=op.f("pk_epcis_master")),
    )
    op.create_index("ix_epcis_master_id", "epcis_master", ["id"])
    op.create_table(
        "company",
        sa.Column("id", text, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", text, nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
    )
    op.create_index("ix_company_numbers", "company", ["numbers"], postgresql_using="gin")
    op.create_table(
        "event_share",
        sa.Column("id", text, nullable=False),
        sa.Column("giver_id", text, nullable=False),
        sa.Column("party_id", text, nullable=False),
        sa.Column("scope", text, nullable=False),
        sa.Column("key", text, nullable=True),
        sa.Column("epc", text, nullable=True),
        sa.Column("from_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_share")),
    )
    op.create_index(
        "ix_event_share_giver_id", "event_share", ["giver_id"], postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.create_index("ix_event_share_party_id", "event_share", ["party_id", "giver_id"])
    op.create_table(
        "event_share_key",
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("share", text, nullable=False),
        sa.PrimaryKeyConstraint("key", "share", name=op.f("pk_event_share_key")),
    )
    op.execute("ALTER TABLE epcis_event DISABLE TRIGGER epcis_event_only_added_to")
    op.execute(FILL_EVENTS)
    op.execute("ALTER TABLE epcis_event ENABLE TRIGGER epcis_event_only_added_to")
    op.execute(FILL_KEYS)
    op.execute(
        "CREATE TRIGGER epcis_key_only_added_to BEFORE UPDATE OR DELETE ON epcis_key "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute("REVOKE UPDATE, DELETE, TRUNCATE ON epcis_key FROM logistics_app")
