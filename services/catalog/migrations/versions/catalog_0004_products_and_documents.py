"""products and documents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "catalog_0004"
down_revision = "catalog_0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("market_version", sa.Integer(), nullable=False),
        sa.Column("product_type", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("title", postgresql.JSONB(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.Column("texts", postgresql.JSONB(), nullable=False),
        sa.Column("gtin", sa.Text(), nullable=True),
        sa.Column("hidden_by", postgresql.JSONB(), nullable=True),
        sa.Column("equal_keys", postgresql.ARRAY(sa.Text()), nullable=True),
        sa.Column("blocked", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed", postgresql.JSONB(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product")),
        sa.UniqueConstraint("owner_id", "number", name=op.f("uq_product_owner_id_number")),
    )
    op.create_index("ix_product_owner_id_id", "product", ["owner_id", "id"])
    op.create_index("ix_product_group_id", "product", ["group_id"], postgresql_where="group_id IS NOT NULL")
    op.create_index("ix_product_gtin", "product", ["gtin"], postgresql_where="gtin IS NOT NULL")
    op.create_index("ix_product_due_at", "product", ["due_at"], postgresql_where="due_at IS NOT NULL")
    op.create_index(
        "ix_product_awaiting", "product", ["id"], postgresql_where="state = 'submitted' OR proposed IS NOT NULL"
    )
    op.create_index(
        "ix_product_equal_keys",
        "product",
        ["equal_keys"],
        postgresql_using="gin",
        postgresql_where="equal_keys IS NOT NULL",
    )
    op.create_table(
        "product_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_change_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_change")),
    )
    op.create_index("ix_product_change_product_id_id", "product_change", ["product_id", "id"])
    op.create_table(
        "lot",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("blocked", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_lot_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint("product_id", "number", name=op.f("uq_lot_product_id_number")),
    )
    op.create_index("ix_lot_due_at", "lot", ["due_at"], postgresql_where="due_at IS NOT NULL")
    op.create_table(
        "lot_change",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("lot_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changes", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_lot_change_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot_change")),
    )
    op.create_index("ix_lot_change_lot_id_id", "lot_change", ["lot_id", "id"])
    op.create_table(
        "part_number",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_part_number_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_part_number")),
        sa.UniqueConstraint("party_id", "folded", "product_id", name=op.f("uq_part_number_party_id_folded_product_id")),
    )
    op.create_index("ix_part_number_party_id_product_id", "part_number", ["party_id", "product_id"])
    op.create_table(
        "stated_equivalent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("by_operator", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("stated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_stated_equivalent_product_id")),
        sa.ForeignKeyConstraint(["other_id"], ["product.id"], name=op.f("fk_stated_equivalent_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stated_equivalent")),
    )
    op.create_index("uq_stated_equivalent", "stated_equivalent", ["product_id", "other_id", "party_id"], unique=True)
    op.create_index("ix_stated_equivalent_other_id", "stated_equivalent", ["other_id"])
    op.create_table(
        "document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("languages", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["file_id"], ["certificate_file.id"], name=op.f("fk_document_file_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint(
            "subject_id", "rule", "number", "revision", name=op.f("uq_document_subject_id_rule_number_revision")
        ),
    )
    op.create_index(
        "uq_document_in_force",
        "document",
        ["subject_id", "rule", "number"],
        unique=True,
        postgresql_where="replaced_at IS NULL",
    )
    op.create_index("ix_document_file_id", "document", ["file_id"])
    op.add_column(
        "certificate_file", sa.Column("state", sa.String(length=32), server_default="unscanned", nullable=False)
    )
    op.add_column("certificate_file", sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("certificate_file", sa.Column("found", sa.Text(), nullable=True))
    op.create_index("ix_certificate_file_id", "certificate", ["file_id"])
    op.add_column("party", sa.Column("licences", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("piece", sa.Column("product_id", sa.Text(), nullable=True))
    op.add_column("piece", sa.Column("market_version", sa.Integer(), nullable=True))
    op.add_column("piece", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(op.f("fk_piece_product_id"), "piece", "product", ["product_id"], ["id"])
    op.create_index("ix_piece_product_id_id", "piece", ["product_id", "id"], postgresql_where="product_id IS NOT NULL")
    op.create_index("ix_piece_due_at", "piece", ["due_at"], postgresql_where="due_at IS NOT NULL")
