"""Until when a deal was to be paid as it was signed, and since when its deliveries are closed."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0002"
down_revision = "orders_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deal", sa.Column("pay_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column("deal", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True))
