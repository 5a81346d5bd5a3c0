"""everything that is found."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "catalog_0005"
down_revision = "catalog_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "searched_thing",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Text(), nullable=True),
        sa.Column("product_id", sa.Text(), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("piece_ids", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("event", postgresql.JSONB(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searched_thing")),
    )
    for column in ("owner_id", "warehouse_id", "product_id", "touched_at"):
        op.create_index(op.f(f"ix_searched_thing_{column}"), "searched_thing", [column], unique=False)
    op.create_index("ix_searched_thing_piece_ids", "searched_thing", ["piece_ids"], postgresql_using="gin")
    op.create_table(
        "rated_deal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("seller_id", sa.Text(), nullable=False),
        sa.Column("buyer_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rated_deal")),
    )
    for column in ("seller_id", "buyer_id"):
        op.create_index(op.f(f"ix_rated_deal_{column}"), "rated_deal", [column], unique=False)
    op.create_table(
        "searched_lock",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("needs", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searched_lock")),
    )
    op.create_table(
        "searched_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_searched_word")),
        sa.UniqueConstraint("number", name=op.f("uq_searched_word_number")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("wanted", postgresql.JSONB(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("number", name=op.f("uq_saved_search_number")),
    )
    for column in ("party_id", "user_id"):
        op.create_index(op.f(f"ix_saved_search_{column}"), "saved_search", [column], unique=False)
    op.create_table(
        "saved_match",
        sa.Column("search_id", sa.Text(), nullable=False),
        sa.Column("thing_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"], ["saved_search.id"], name=op.f("fk_saved_match_search_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("search_id", "thing_id", name=op.f("pk_saved_match")),
    )
    # What is on offer already is found without being told again; the old table is left to the release that still reads it.
    op.execute(
        "INSERT INTO searched_thing (id, kind, version, owner_id, warehouse_id, is_open, piece_ids, event, made_at, touched_at) "
        "SELECT offer_id, 'offer', version, seller_id, warehouse_id, is_open, piece_ids, event, touched_at, touched_at "
        "FROM searched_offer"
    )
